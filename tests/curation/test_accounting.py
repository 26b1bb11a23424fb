"""Accounting: hand-computed costs of rules, and identities that hold for any masks."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import DataError
from lab.curation.effect.accounting import Amount, account, first_copies

SCHEMA = {"source": pl.String, "tokens": pl.Int64, "mask": pl.UInt64}
ROWS = [
    ("web", 100, 0b00),
    ("web", 10, 0b01),
    ("web", 20, 0b10),
    ("web", 40, 0b11),
    ("books", 1000, 0b00),
    ("books", 500, 0b10),
]


def frame(rows: list[tuple[str, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.fixture
def found():
    return account(frame(ROWS), ["short", "dull"])


def test_hand_computed(found):
    assert found.total() == Amount(6, 1670)
    assert found.kept("web") == Amount(1, 100)
    assert found.dropped("web") == Amount(3, 70)
    assert found.drop_rate("web") == 70 / 170
    assert found.kept_without(0, "web") == Amount(2, 110)
    assert found.kept_without(1) == Amount(4, 1620)
    rules = found.by_rule("web")
    assert rules["reason"].to_list() == ["short", "dull"]
    assert rules["any_tokens"].to_list() == [50, 60]
    assert rules["first_tokens"].to_list() == [50, 20]
    assert rules["only_tokens"].to_list() == [10, 20]
    assert rules["share_tokens"].to_list() == [30.0, 40.0]
    assert rules["left_tokens"].to_list() == [120, 100]
    assert rules["any_documents"].to_list() == [2, 2]
    assert rules["left_documents"].to_list() == [2, 1]


def test_per_source(found):
    assert found.by_source().rows(named=True)[0] == {
        "source": "books",
        "documents": 2,
        "tokens": 1500,
        "kept_documents": 1,
        "kept_tokens": 1000,
        "drop_rate": 1 - 1000 / 1500,
    }
    long = found.by_source_and_rule()
    assert long["source"].to_list() == ["books", "books", "web", "web"]
    assert long.filter(source="web").drop("source").equals(found.by_rule("web"))


def test_combinations_name_their_rules(found):
    top = found.combinations("web")
    assert top["tokens"].to_list() == [40, 20, 10]
    assert top["reasons"].to_list() == [["short", "dull"], ["dull"], ["short"]]
    assert found.combinations(most=1)["tokens"].to_list() == [520]


def test_unique_tokens_are_accounted_when_given():
    rows = frame(ROWS).with_columns(unique=pl.Series([1, 1, 0, 1, 0, 1]))
    sources = account(rows, ["short", "dull"]).by_source()
    assert sources["unique_tokens"].to_list() == [500, 150]
    assert sources["kept_unique_tokens"].to_list() == [0, 100]


def test_nothing_in_nothing_out():
    empty = account(frame([]), ["short"])
    assert empty.total() == Amount(0, 0)
    assert empty.drop_rate() == 0.0
    assert empty.by_rule()["any_tokens"].to_list() == [0]
    assert empty.by_source().height == empty.combinations().height == 0
    assert account(frame(ROWS[:1]), []).kept() == Amount(1, 100)


def test_a_bit_without_a_reason_is_an_error():
    with pytest.raises(DataError, match="bit that no reason names"):
        account(frame(ROWS), ["short"])


@pytest.mark.parametrize("column", ["source", "tokens", "mask"])
def test_a_gap_in_the_input_is_an_error(column):
    holed = frame(ROWS).with_columns(
        pl.when(pl.int_range(pl.len()) > 0).then(pl.col(column)).alias(column)
    )
    with pytest.raises(DataError, match=f"1 documents have no {column}"):
        account(holed, ["short", "dull"])


documents = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 10**6), st.integers(0, 2**5 - 1)),
    max_size=40,
)


@given(documents)
@settings(max_examples=40, deadline=None)
def test_identities(rows):
    found = account(frame(rows), list("vwxyz"))
    for source in (None, "a", "b", "c"):
        rules = found.by_rule(source)
        total, kept, dropped = (f(source) for f in (found.total, found.kept, found.dropped))
        assert kept.tokens + rules["first_tokens"].sum() == total.tokens
        assert kept.documents + rules["first_documents"].sum() == total.documents
        assert rules["share_tokens"].sum() == pytest.approx(dropped.tokens)
        assert rules["share_documents"].sum() == pytest.approx(dropped.documents)
        assert rules["left_tokens"][-1] == kept.tokens
        assert (rules["only_tokens"] <= rules["first_tokens"]).all()
        assert (rules["first_tokens"] <= rules["any_tokens"]).all()
        for i, only in enumerate(rules["only_tokens"]):
            assert found.kept_without(i, source).tokens == kept.tokens + only
    per_source = found.by_source()
    assert per_source["tokens"].sum() == found.total().tokens
    assert per_source["kept_tokens"].sum() == found.kept().tokens


@given(documents)
@settings(max_examples=20, deadline=None)
def test_the_fair_share_is_the_mean_first_failure_over_all_orders(rows):
    """The definition of the Shapley value, by brute force over 120 orders of five rules."""
    tokens = np.array([row[1] for row in rows], np.int64)
    masks = np.array([row[2] for row in rows], np.int64)
    shapley = np.zeros(5)
    orders = list(permutations(range(5)))
    for order in orders:
        alive = np.ones(len(rows), bool)
        for rule in order:
            falls = alive & (masks >> rule & 1 == 1)
            shapley[rule] += tokens[falls].sum() / len(orders)
            alive &= ~falls
    found = account(frame(rows), list("vwxyz")).by_rule()["share_tokens"]
    assert found.to_list() == pytest.approx(shapley.tolist())


@settings(deadline=None)
@given(documents, st.randoms(use_true_random=False))
def test_the_account_does_not_depend_on_the_order_of_documents(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    reasons = list("vwxyz")
    assert account(frame(rows), reasons).cube.equals(account(frame(shuffled), reasons).cube)


def test_sixty_three_bits():
    rows = frame([("a", 5, 2**62), ("a", 7, 2**63 - 1)])
    rules = account(rows, [str(i) for i in range(63)]).by_rule()
    assert rules["only_tokens"].to_list() == [0] * 62 + [5]
    assert rules["any_tokens"].to_list() == [7] * 62 + [12]


AMOUNTS = ("documents", "tokens", "unique_tokens", "bytes")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.integers(0, 10**6),
            st.integers(0, 2**5 - 1),
            st.integers(0, 10**7),
            st.integers(0, 4),
        ),
        max_size=40,
    )
)
@settings(max_examples=60, deadline=None)
def test_every_amount_adds_up(rows):
    schema = {**SCHEMA, "bytes": pl.UInt32, "content_hash": pl.Int64}
    documents = pl.DataFrame(rows, schema=schema, orient="row")
    documents = documents.with_columns(first_copies(documents))
    found = account(documents, list("vwxyz"))
    for source in (None, "a", "b"):
        rules = found.by_rule(source)
        total, kept, dropped = (f(source) for f in (found.total, found.kept, found.dropped))
        for name in AMOUNTS:
            assert getattr(kept, name) + rules[f"first_{name}"].sum() == getattr(total, name)
            assert rules[f"share_{name}"].sum() == pytest.approx(getattr(dropped, name))
            assert rules[f"left_{name}"][-1] == getattr(kept, name)
            assert (rules[f"only_{name}"] <= rules[f"first_{name}"]).all()
    for row in found.by_source().iter_rows(named=True):
        mine = documents.filter(source=row["source"])
        kept = mine.filter(mask=0)
        distinct = dict.fromkeys(mine["content_hash"])
        assert mine["unique"].sum() == len(distinct)
        assert row["bytes"] == mine["bytes"].sum()
        assert kept["unique"].sum() == kept["content_hash"].n_unique()


def test_the_copy_that_is_kept_counts():
    copies = frame([("a", 5, 1), ("a", 5, 0), ("b", 5, 1)]).with_columns(
        content_hash=pl.lit("same"), bytes=pl.lit(20)
    )
    assert first_copies(copies).to_list() == [0, 1, 1]
    found = account(copies.with_columns(first_copies(copies)), ["short"])
    assert found.kept("a") == Amount(1, 5, 5, 20)
    assert found.total() == Amount(3, 15, 10, 60)
