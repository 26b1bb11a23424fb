"""The index of neighbours: what it finds is nearly what exact search finds, in the exact order."""

import numpy as np
import polars as pl
import pytest

from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, write_part
from lab.diversity.embedding.index import build_index, gather, open_index, open_vectors, search
from lab.diversity.embedding.nearest import exact_top, top


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Three parts, the middle one empty, of 3,000 vectors around 40 centres."""
    folder = tmp_path_factory.mktemp("vectors")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 64))[rng.integers(40, size=3000)] + 0.4 * rng.normal(size=(3000, 64))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    for number, (start, end) in enumerate([(0, 1200), (1200, 1200), (1200, 3000)]):
        path = folder / f"part-{number:05d}.parquet"
        write_array(path.with_suffix(".embeddings.npy"), x[start:end].astype(np.float16))
        write_part(pl.DataFrame({"id": [f"a/{k}" for k in range(start, end)]}), path)
    return Artifact(folder, {})


def test_rows_over_all_parts(stored: Artifact) -> None:
    found = gather(open_vectors(stored.path), np.array([2999, 0, 1200]))
    last = np.load(stored.parts[2].with_suffix(".embeddings.npy"))[[-1, 0]]
    assert found[[0, 2]] == pytest.approx(last.astype(np.float32), abs=1e-3)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), abs=1e-6)


def test_the_index_finds_what_exact_search_finds(stored: Artifact) -> None:
    assert open_index(stored.path / "nowhere") is None
    about = build_index(stored.path)["index"]
    assert about["of"] == 3000
    assert about["recall"] > 0.95
    index, parts = open_index(stored.path), open_vectors(stored.path)
    assert index is not None
    hits = 0
    for row in range(0, 3000, 150):
        query = gather(parts, np.array([row]))[0]
        rows, cosines = search(index, parts, query, 10)
        assert rows[0] == row
        assert cosines[0] == pytest.approx(1, abs=1e-5)
        assert (np.diff(cosines) <= 0).all()
        hits += len(np.intersect1d(rows, exact_top(stored, query, 10)[0]))
    assert hits >= 0.95 * 200
    frame = top(stored, "a", gather(parts, np.array([7]))[0], 5)
    assert frame["id"][0] == "a/7"
    assert frame.height == 5


def test_more_than_there_are_is_all_of_them(stored: Artifact) -> None:
    build_index(stored.path)
    index = open_index(stored.path)
    query = gather(open_vectors(stored.path), np.array([5]))[0]
    assert len(search(index, open_vectors(stored.path), query, 10_000)[0]) > 2900
