"""Duplicates: planted pairs are found, near misses not, and nothing depends on order or cuts."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.artifacts import Artifact, build, write_part
from lab.core.engine import Engine, running_on
from lab.core.errors import ConfigError
from lab.core.schema import content_hash
from lab.core.workspace import Workspace, create
from lab.curation.duplicates import DedupConfig, MinHash, knee, probability
from lab.curation.duplicates.find import find_duplicates, group_documents
from lab.curation.duplicates.pairs import find_pairs
from lab.curation.duplicates.verify import sort_hashes

WORDS = np.array([f"w{k:04d}" for k in range(3000)])


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "workspace")


def documents_artifact(
    ws: Workspace, rows: Sequence[tuple[str, str]], parts: int = 1, heldout: Sequence[str] = ()
) -> Artifact:
    """Documents (id, text) of the source named before the slash, cut into `parts`."""
    frame = pl.DataFrame(rows, schema={"id": pl.String, "text": pl.String}, orient="row")
    frame = frame.with_columns(
        source=pl.col("id").str.split("/").list.first(),
        content_hash=pl.Series([content_hash(text) for _, text in rows], dtype=pl.String),
        heldout=pl.col("id").is_in(list(heldout)),
    )
    size = -(-frame.height // parts)

    def make(folder: Path) -> dict[str, Any]:
        for k in range(parts):
            write_part(frame.slice(k * size, size), folder / f"part-{k:05d}.parquet")
        return {}

    key = hashlib.sha256(repr((rows, parts, list(heldout))).encode()).hexdigest()
    return build(ws, "documents", 1, {"key": key}, [], make)


def passage(rng: np.random.Generator, words: int = 120) -> list[str]:
    """Random words: two passages share no 5-word run, but for a chance of about 1e-13."""
    return rng.choice(WORDS, words).tolist()


def jaccard(a: str, b: str, n: int = 5) -> float:
    """Similarity of the sets of word n-grams, from the words themselves."""
    x, y = ({tuple(t.split()[i : i + n]) for i in range(len(t.split()) - n + 1)} for t in (a, b))
    return len(x & y) / len(x | y)


def planted(count: int = 60, seed: int = 7) -> list[tuple[str, str]]:
    """`count` passages, each with an edited copy of falling similarity, some with an exact one."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        words = passage(rng)
        copy = list(words)
        for at in rng.choice(len(copy), k % 10, replace=False):
            copy[at] = "edited"
        rows += [(f"a/{k:03d}", " ".join(words)), (f"b/{k:03d}", " ".join(copy))]
        if k % 7 == 0:
            rows.append((f"c/{k:03d}", " ".join(words)))
    return rows


@pytest.mark.parametrize(
    ("bands", "rows", "expected"),
    [
        (14, 8, (0.053, 0.211, 0.565, 0.772, 0.924, 1.00)),  # FineWeb
        (450, 20, (0.000, 0.016, 0.302, 0.761, 0.995, 1.00)),  # Lee et al. 2021
        (20, 13, (0.002, 0.026, 0.177, 0.382, 0.677, 0.997)),  # NeMo Curator
        (14, 9, (0.027, 0.132, 0.438, 0.665, 0.867, 0.999)),  # RedPajama-V2 "0.7"
        (5, 25, (0, 0, 0.001, 0.004, 0.019, 0.311)),  # RedPajama-V2 "0.9"
    ],
)
def test_probability_of_published_settings(
    bands: int, rows: int, expected: tuple[float, ...]
) -> None:
    found = [probability(bands, rows, s) for s in (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)]
    assert found == pytest.approx(expected, abs=6e-4)


def test_swapped_bands_are_another_method() -> None:
    assert probability(14, 8, 0.8) == pytest.approx(0.924, abs=5e-4)
    assert probability(8, 14, 0.8) == pytest.approx(0.302, abs=5e-4)
    assert knee(14, 8) == pytest.approx(0.719, abs=5e-4)
    assert knee(20, 450) == pytest.approx(0.993, abs=5e-4)


def test_pairs_carry_their_true_similarity(ws: Workspace) -> None:
    rows = planted()
    text = dict(rows)
    pairs = pl.read_parquet(
        find_pairs(ws, [documents_artifact(ws, rows)], MinHash()).path / "pairs.parquet"
    )
    for a, b, similarity in pairs.rows():
        assert a < b
        assert similarity == pytest.approx(jaccard(text[a], text[b]), abs=1e-6)
        assert a[2:] == b[2:], "only planted pairs are similar"
    # k % 10 edits: up to one edit gives J >= .91, where 20 x 8 misses one pair in thousands
    close = {f"a/{k:03d}" for k in range(60) if k % 10 == 1}
    assert close <= set(pairs["a"])
    low = pairs["jaccard"].min()
    assert isinstance(low, float)
    assert 0.5 <= low < 0.8, "pairs below the threshold are stored, so that it can be moved"


def test_lsh_recall_follows_the_curve(ws: Workspace) -> None:
    """400 pairs of one similarity: the share found lies within 4 standard errors of P(s)."""
    rng = np.random.default_rng(3)
    rows = []
    for k in range(400):
        words = passage(rng, 64)  # 60 shingles, of which one edit in the middle changes 5
        copy = [*words[:20], "x", *words[21:40], "y", *words[41:]]
        rows += [(f"a/{k}", " ".join(words)), (f"b/{k}", " ".join(copy))]
    similarity = jaccard(rows[0][1], rows[1][1])
    assert similarity == pytest.approx(50 / 70)
    found = find_pairs(ws, [documents_artifact(ws, rows)], MinHash()).manifest["pairs"] / 400
    expected = probability(20, 8, similarity)
    assert abs(found - expected) < 4 * (expected * (1 - expected) / 400) ** 0.5


def test_groups_at_the_threshold(ws: Workspace) -> None:
    rows = planted()
    text = dict(rows)
    found = group_documents(ws, [documents_artifact(ws, rows)], MinHash(jaccard=0.8))
    near = {row["id"]: row["near_group"] for row in found.scan().collect().to_dicts()}
    for k in range(60):
        a, b, c = f"a/{k:03d}", f"b/{k:03d}", f"c/{k:03d}"
        if jaccard(text[a], text[b]) < 0.8:
            assert near[a] != near[b] or near[a] is None
        elif jaccard(text[a], text[b]) > 0.9:
            assert near[a] == near[b] is not None
        if c in text:
            assert near[a] == near[c] is not None, "exact copies are near copies"
    numbers = [g for g in near.values() if g is not None]
    assert min(numbers.count(g) for g in set(numbers)) >= 2, "no group of one"


def test_moving_the_threshold_reuses_the_pairs(ws: Workspace) -> None:
    found = documents_artifact(ws, planted())
    loose = group_documents(ws, [found], MinHash(jaccard=0.6))
    strict = group_documents(ws, [found], MinHash(jaccard=0.95))
    assert loose.manifest["near_copies"] > strict.manifest["near_copies"]
    assert len(list((ws.artifacts / "duplicate-pairs").glob("[!.]*"))) == 1


@pytest.mark.parametrize("parts", [1, 3, 10])
def test_result_is_free_of_parts_and_row_order(ws: Workspace, parts: int) -> None:
    rows = planted()
    minhash = MinHash(jaccard=0.7)
    reference = group_documents(ws, [documents_artifact(ws, rows)], minhash)
    order = np.random.default_rng(parts).permutation(len(rows))
    shuffled = documents_artifact(ws, [rows[k] for k in order], parts)
    other = group_documents(ws, [shuffled], minhash)
    assert len(other.parts) == parts
    assert other.scan().sort("id").collect().equals(reference.scan().sort("id").collect())
    assert other.scan().collect()["id"].to_list() == [rows[k][0] for k in order]
    pairs = [pl.read_parquet(a.path / "pairs.parquet") for a in (reference, other)]
    assert pairs[0].equals(pairs[1])
    assert pairs[0].height > 20


def test_processes_give_the_same_bytes(ws: Workspace, tmp_path: Path) -> None:
    rows = planted()
    one = group_documents(ws, [documents_artifact(ws, rows, 4)], MinHash())
    elsewhere = create(tmp_path / "other")
    with running_on(Engine(workers=2)):
        two = group_documents(elsewhere, [documents_artifact(elsewhere, rows, 4)], MinHash())
    names = [part.name for part in one.parts] + ["pairs.parquet"]
    assert [(one.path / n).read_bytes() for n in names] == [
        (two.path / n).read_bytes() for n in names
    ]


def test_short_texts_compare_exactly(ws: Workspace) -> None:
    rows = [
        ("a/1", "one two three"),
        ("a/2", "one two three"),
        ("a/3", "one two THREE"),
        ("a/4", ""),
    ]
    found = group_documents(ws, [documents_artifact(ws, rows)], MinHash())
    frame = found.scan().collect()
    assert frame["near_group"].is_null().to_list() == [False, False, True, True]
    assert frame["near_group"].equals(frame["exact_group"].alias("near_group"))
    pairs = ws.artifacts / "duplicate-pairs"
    assert len(list(pairs.glob("*/pairs.parquet"))) == 1


def test_many_exact_copies_cost_one_row(ws: Workspace) -> None:
    text = " ".join(passage(np.random.default_rng(0)))
    rows = [(f"a/{k:04d}", text) for k in range(2000)] + [("b/0", text + " and more")]
    found = group_documents(ws, [documents_artifact(ws, rows)], MinHash())
    pairs = pl.read_parquet(found.path / "pairs.parquet")
    assert pairs.select("a", "b").rows() == [("a/0000", "b/0")]
    assert found.manifest["exact_copies"] == 1999
    assert found.manifest["near_copies"] == 2000


def test_large_buckets_keep_their_group(ws: Workspace) -> None:
    """400 versions of one template share buckets beyond the window; still one group."""
    template = passage(np.random.default_rng(1), 200)
    rows = [(f"a/{k:04d}", " ".join([*template, f"version{k}"])) for k in range(400)]
    found = group_documents(ws, [documents_artifact(ws, rows)], MinHash())
    assert found.scan().collect()["near_group"].n_unique() == 1
    facts = find_pairs(ws, [documents_artifact(ws, rows)], MinHash()).manifest
    assert facts["large_buckets"] > 0
    assert facts["candidates"] < 400 * 399 / 2


def test_without_minhash_only_exact_groups(ws: Workspace) -> None:
    found = group_documents(ws, [documents_artifact(ws, planted())], None)
    frame = found.scan().collect()
    assert frame["near_group"].null_count() == frame.height
    assert found.manifest["exact_copies"] >= 9
    assert not (found.path / "pairs.parquet").exists()


def test_unfinished_parts_are_kept(ws: Workspace) -> None:
    """A run stopped after two of four parts starts with the third."""
    found = documents_artifact(ws, planted(), 4)
    text = found.parts[2].read_bytes()
    found.parts[2].write_bytes(b"not parquet")
    with pytest.raises(pl.exceptions.ComputeError):
        group_documents(ws, [found], MinHash())
    (partial,) = (ws.artifacts / "minhash").glob(".partial-*")
    done = {p.name: p.stat().st_mtime_ns for p in partial.glob("part-*.parquet")}
    assert sorted(done) == ["part-00000.parquet", "part-00001.parquet"]
    found.parts[2].write_bytes(text)
    group_documents(ws, [found], MinHash())
    (finished,) = (ws.artifacts / "minhash").glob("*")
    assert {n: (finished / n).stat().st_mtime_ns for n in done} == done
    assert len(list(finished.glob("part-*.parquet"))) == 4


def test_impossible_settings_are_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"between 0\.5 and 1"):
        MinHash(jaccard=0.3)
    with pytest.raises(ConfigError, match="bands"):
        MinHash(bands=0)
    with pytest.raises(ConfigError, match="keeps 'wbe'") as caught:
        find_duplicates(ws, ["web", "books"], DedupConfig(keep=("wbe",)))
    assert "web" in caught.value.next_step
    with pytest.raises(ConfigError, match="No source"):
        find_duplicates(ws, [], DedupConfig())


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=80), st.integers(0, 63))
def test_hashes_are_sorted_however_they_are_spread(values: list[int], shift: int) -> None:
    array = np.array(values, np.uint64) >> np.uint64(shift)
    expected = np.sort(array)
    sort_hashes(array)
    assert array.tolist() == expected.tolist()
