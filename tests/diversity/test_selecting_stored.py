"""Vectors on disk give what vectors in memory give; blocks on an engine what blocks here give."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.arrays import write_array
from lab.core.artifacts import write_part
from lab.core.engine import Engine, running_on
from lab.diversity.embedding.stored import unit
from lab.diversity.selecting import blocks, earlier, greedy, vectors
from lab.diversity.selecting.choose import choose
from lab.diversity.selecting.methods import METHODS
from lab.diversity.selecting.problem import Problem, fill
from lab.diversity.selecting.vectors import Stored, mean_of, part, pieces


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 vectors in three parts of unlike size, the second empty; row 7 is no vector."""
    made = tmp_path_factory.mktemp("vectors")
    x = unit(np.random.default_rng(0).normal(size=(300, 12)))
    x[100:150] = x[:50]
    x[7] = 0
    for k, own in enumerate((x[:130], x[:0], x[130:])):
        write_array(made / f"part-{k:05}.embeddings.npy", own.astype(np.float16))
        write_part(
            pl.DataFrame({"id": [str(i) for i in range(len(own))]}), made / f"part-{k:05}.parquet"
        )
    return made


def held(folder: Path) -> np.ndarray:
    return Stored(folder, np.arange(300))[:]


def test_rows_and_pieces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "PIECE", 64)
    rows = np.array([299, 0, 131, 7, 0])
    some, x = Stored(folder, rows), held(folder)
    assert np.array_equal(some[:], x[rows]) and not some[np.array([3])].any()
    assert np.array_equal(part(some, np.array([2, 0]))[:], x[[131, 299]])
    assert np.array_equal(np.concatenate([p for _, p in pieces(Stored(folder, np.arange(300)))]), x)
    np.testing.assert_allclose(mean_of(Stored(folder, np.arange(300))), x.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_on_disk_and_in_memory_alike(
    folder: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    monkeypatch.setattr(earlier, "MEMBERS", 60)
    rng = np.random.default_rng(1)
    tokens, keys, quality = rng.integers(1, 90, 300), rng.permutation(300), rng.uniform(size=300)
    scores = quality if METHODS[method].reads_quality else None
    found = [
        choose(method, x, tokens, keys, budget=4000, quality=scores)
        for x in (Stored(folder, np.arange(300)), held(folder))
    ]
    assert found[0].rows.tolist() == found[1].rows.tolist()
    assert found[0].reasons.tolist() == found[1].reasons.tolist()
    assert found[0].reasons[7] == "no vector"


def test_processes_give_what_one_process_gives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 100)
    rows = np.delete(np.arange(300), 7)
    given = Problem(Stored(folder, rows), np.ones(299, np.int64), 90)
    here = blocks.in_blocks(given, greedy.mmr)
    with running_on(Engine(workers=2)):
        there = blocks.in_blocks(given, greedy.mmr)
    assert here.tolist() == there.tolist()


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_the_second_round_drops_copies_that_blocks_kept(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies that lie on either side of a cut; by chance as many blocks would keep most of them."""
    rng = np.random.default_rng(5)
    x = unit(rng.normal(size=(500, 24)))
    both = np.concatenate([x, unit(x + 0.02 * rng.normal(size=x.shape))])[rng.permutation(1000)]
    monkeypatch.setattr(blocks, "BLOCK", 250)
    budget = int(share * 1000)
    given = Problem(both, np.ones(1000, np.int64), budget)

    def copies(order: np.ndarray) -> int:
        own = both[fill(order, given.tokens, budget)]
        return int((np.triu(own @ own.T, 1) > 0.95).sum())

    once = copies(blocks.in_blocks(given, greedy.mmr, again=False))
    twice = copies(blocks.in_blocks(given, greedy.mmr))
    assert twice <= once and twice <= 0.02 * budget


def test_a_wide_cluster_is_compared_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    x = unit(np.random.default_rng(2).normal(size=(90, 6)))
    best, at = earlier.earlier_in(x)
    monkeypatch.setattr(earlier, "BLOCK", 16)
    monkeypatch.setattr(earlier, "WIDE", 7)
    narrow, place = earlier.earlier_in(x)
    np.testing.assert_allclose(best, narrow, atol=1e-6)
    assert at.tolist() == place.tolist()
    for k in range(1, 90):
        expected = max(float((x[:k] @ x[k]).max()), 0.0)
        assert best[k] == pytest.approx(expected, abs=1e-5)
