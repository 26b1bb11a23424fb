"""Who keeps the copy: a policy over sources, free of row order, that loses no text silently."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError
from lab.curation.duplicates import keepers, leaks
from lab.curation.duplicates.groups import group

ROW = {
    "id": pl.String,
    "source": pl.String,
    "content_hash": pl.String,
    "heldout": pl.Boolean,
    "exact_group": pl.UInt64,
    "near_group": pl.UInt64,
}


def table(*rows: tuple[str, str, bool, int | None, int | None]) -> pl.DataFrame:
    """Rows (id, hash, held out, exact group, near group); the source is before the slash."""
    return pl.DataFrame(
        [(r[0], r[0].split("/")[0], *r[1:]) for r in rows], schema=ROW, orient="row"
    )


def kept(frame: pl.DataFrame, keep: tuple[str, ...] = ()) -> list[str]:
    """Ids that stay."""
    return frame.filter(keepers(frame, keep))["id"].to_list()


def test_order_of_sources_then_name_then_hash_then_id() -> None:
    frame = table(
        ("web/1", "h1", False, None, 7),
        ("code/1", "h0", False, None, 7),
        ("books/9", "h5", False, 3, 7),
        ("books/2", "h5", False, 3, 7),
        ("books/3", "h4", False, None, 7),
        ("web/4", "h9", False, None, None),
    )
    assert kept(frame) == ["books/3", "web/4"]
    assert kept(frame, ("web",)) == ["web/1", "web/4"]
    assert kept(frame, ("synth", "code", "web")) == ["code/1", "web/4"]
    same_text = frame.filter(pl.col("content_hash") == "h5")
    assert kept(same_text) == ["books/2"]


def test_the_larger_value_stays_among_equally_preferred() -> None:
    frame = table(
        ("web/1", "h1", False, None, 7),
        ("code/1", "h0", False, None, 7),
        ("books/9", "h5", False, None, 7),
        ("books/2", "h4", False, None, 7),
    ).with_columns(score=pl.Series([0.9, 0.2, 0.5, 0.5]))

    def stays(keep: tuple[str, ...]) -> list[str]:
        return frame.filter(keepers(frame, keep, "score"))["id"].to_list()

    assert stays(()) == ["web/1"], "keep_by goes before the sources' names"
    assert stays(("books",)) == ["books/2"], "and after the policy; ties go by content hash"
    assert stays(("code", "web")) == ["code/1"]
    with pytest.raises(DataError, match="have no value"):
        keepers(frame.with_columns(score=pl.Series([0.9, None, 0.5, 0.5])), (), "score")
    with pytest.raises(ConfigError, match="column of numbers"):
        keepers(frame, (), "source")


def test_exact_groups_serve_where_near_ones_were_not_looked_for() -> None:
    frame = table(
        ("a/1", "h1", False, 5, None),
        ("b/1", "h1", False, 5, None),
        ("b/2", "h2", False, None, None),
    )
    assert kept(frame, ("b",)) == ["b/1", "b/2"]


def test_heldout_copy_does_not_push_training_text_out() -> None:
    frame = table(
        ("a/1", "h1", True, None, 4), ("b/1", "h2", False, None, 4), ("b/2", "h3", False, None, 4)
    )
    assert kept(frame) == ["a/1", "b/1"]
    assert leaks(frame).to_list() == [False, True, True]


def test_nobody_is_dropped_alone() -> None:
    frame = table(("a/1", "h1", False, None, None), ("a/2", "h2", True, None, None))
    assert keepers(frame, ()).to_list() == [True, True]
    assert leaks(frame).to_list() == [False, False]
    assert keepers(frame.clear(), ()).to_list() == []


groups = st.lists(
    st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 4)), min_size=1, max_size=30
)


@given(groups, st.permutations(["a", "b", "c"]), st.randoms())
def test_one_stays_on_each_side_of_every_group(
    rows: list[tuple[str, bool, int]], keep: list[str], random: object
) -> None:
    frame = table(
        *((f"{s}/{k}", f"h{k}", held, None, g or None) for k, (s, held, g) in enumerate(rows))
    )
    stays = frame.with_columns(keepers(frame, keep).alias("keep"))
    counts = (
        stays.filter(pl.col("near_group").is_not_null())
        .group_by("near_group", "heldout")
        .agg(pl.col("keep").sum())
    )
    assert (counts["keep"] == 1).all()
    assert stays.filter(pl.col("near_group").is_null())["keep"].all()
    order = list(range(frame.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert sorted(kept(frame[order], tuple(keep))) == sorted(kept(frame, tuple(keep)))


def test_groups_are_components_named_by_their_texts() -> None:
    hashes = {"a/1": "0" * 15 + "3", "a/2": "0" * 15 + "2", "a/3": "0" * 15 + "9", "a/4": "f" * 16}
    frame = pl.DataFrame({"id": list(hashes), "content_hash": [h * 2 for h in hashes.values()]})
    frame = frame.with_columns(pl.col("content_hash").str.slice(0, 16) + "0" * 16)
    pairs = pl.DataFrame({"a": ["a/1", "a/2"], "b": ["a/3", "a/3"], "jaccard": [0.9, 0.7]})
    chained = group(frame, pairs, 0.7)
    assert chained["near_group"].to_list() == [2, 2, 2, None]
    assert group(frame, pairs, 0.8)["near_group"].to_list() == [3, None, 3, None]
    assert chained["exact_group"].to_list() == [None] * 4
    high = pl.concat([frame, frame.tail(1).with_columns(id=pl.lit("b/4"))])
    assert group(high, None, 1.0)["exact_group"].to_list()[3:] == [2**64 - 1] * 2
