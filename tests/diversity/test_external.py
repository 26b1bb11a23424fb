"""Vectors from elsewhere: stored as they are, and never a row for the wrong document."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.diversity.embedding.external import import_vectors
from lab.diversity.embedding.stored import load_vectors, require_embeddings
from lab.jobs.actions import run_action


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = create(tmp_path / "w")
    lines = [json.dumps({"key": str(k), "text": f"text number {k}"}) for k in range(5)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), "utf-8")
    add_source(ws, "a", [str(tmp_path / "a.jsonl")], id_column="key")
    return ws


def vectors(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 6))


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_ids_decide_not_the_order(ws: Workspace, tmp_path: Path) -> None:
    x, ids = vectors(3), ["a/4", "a/0", "a/2"]
    pl.DataFrame({"id": ids, "v": x.tolist()}).write_parquet(tmp_path / "v.parquet")
    made = import_vectors(ws, "a", tmp_path / "v.parquet", encoder="mine")
    assert (made.manifest["embedded"], made.manifest["documents"]) == (3, 5)
    assert made.manifest["sample"] == "3 of 5 documents, those in v.parquet"
    names, stored = load_vectors(require_embeddings(ws, "a", "mine"))
    assert names.to_list() == ["a/0", "a/2", "a/4"]
    assert stored == pytest.approx(unit(x)[[1, 2, 0]], abs=1e-3)
    with pytest.raises(ArtifactMissing):
        require_embeddings(ws, "a")


def test_an_array_with_and_without_ids(ws: Workspace, tmp_path: Path) -> None:
    np.save(tmp_path / "all.npy", vectors(5))
    all_rows = import_vectors(ws, "a", tmp_path / "all.npy", encoder="mine")
    assert load_vectors(all_rows)[1] == pytest.approx(unit(vectors(5)), abs=1e-3)
    (tmp_path / "ids.txt").write_text("a/3\na/1\n", "utf-8")
    np.save(tmp_path / "two.npy", vectors(2))
    params = {"source": "a", "encoder": "other", "vectors": str(tmp_path / "two.npy"),
              "ids": str(tmp_path / "ids.txt")}  # fmt: skip
    assert run_action(ws, "embed", params, SILENT)["sources"]["a"]["embedded"] == 2
    assert load_vectors(require_embeddings(ws, "a", "other"))[0].to_list() == ["a/1", "a/3"]


@pytest.mark.parametrize(
    ("ids", "change", "match", "value"),
    [
        (["a/0", "a/9"], {}, "1 ids are not documents", "a/9"),
        (["a/0", "a/0"], {}, "more than once", "a/0"),
        (["a/0", "a/1"], {1: np.nan}, "not finite", "document a/1"),
        (["a/0", "a/1"], {0: np.inf}, "not finite", "document a/0"),
        (["a/0", "a/1"], {1: 0.0}, "nothing but zeros", "document a/1"),
    ],
)
def test_rows_that_fit_no_document(
    ws: Workspace, tmp_path: Path, ids: list[str], change: dict[int, float], match: str, value: str
) -> None:
    x = vectors(2)
    for row, number in change.items():
        x[row] = number
    pl.DataFrame({"id": ids, "v": x.tolist()}).write_parquet(tmp_path / "v.parquet")
    with pytest.raises(DataError, match=match) as caught:
        import_vectors(ws, "a", tmp_path / "v.parquet", encoder="mine")
    assert caught.value.value == value
    assert caught.value.where == str(tmp_path / "v.parquet")


def test_files_that_hold_no_vectors(ws: Workspace, tmp_path: Path) -> None:
    ragged = pl.DataFrame({"id": ["a/0", "a/1"], "v": [[1.0, 2.0], [1.0]]})
    ragged.write_parquet(tmp_path / "ragged.parquet")
    pl.DataFrame({"id": ["a/0"], "v": [1.0]}).write_parquet(tmp_path / "flat.parquet")
    np.save(tmp_path / "short.npy", vectors(4))
    np.save(tmp_path / "line.npy", np.ones(5))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("ragged.parquet", "flat.parquet", "short.npy", "line.npy", "objects.npy"):
        with pytest.raises(DataError) as caught:
            import_vectors(ws, "a", tmp_path / name, encoder="mine")
        assert caught.value.where.endswith(name)
    with pytest.raises(ConfigError, match=r"\.parquet or \.npy"):
        import_vectors(ws, "a", tmp_path / "absent.npy", encoder="mine")


def test_names_that_mean_something_already(ws: Workspace, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", vectors(5))
    with pytest.raises(DataError, match="384 numbers"):
        import_vectors(ws, "a", tmp_path / "v.npy", encoder="all-MiniLM-L6-v2")
    with pytest.raises(ConfigError, match="static encoder's own"):
        import_vectors(ws, "a", tmp_path / "v.npy", encoder="static")
    with pytest.raises(ConfigError, match="those of one source"):
        run_action(ws, "embed", {"vectors": str(tmp_path / "v.npy")}, SILENT)


def test_vectors_that_are_imported_again_take_the_place_of_the_first(
    ws: Workspace, tmp_path: Path
) -> None:
    wrong, right = tmp_path / "wrong.npy", tmp_path / "right.npy"
    np.save(wrong, np.random.default_rng(0).normal(size=(5, 16)))
    np.save(right, np.random.default_rng(1).normal(size=(5, 32)))
    first = import_vectors(ws, "a", wrong, encoder="mine")
    second = import_vectors(ws, "a", right, encoder="mine")
    assert require_embeddings(ws, "a", "mine").id == second.id
    again = import_vectors(ws, "a", wrong, encoder="mine")
    assert again.id == first.id, "the same file is the same artifact"
    assert require_embeddings(ws, "a", "mine").id == first.id, "and what was asked for last counts"
