"""Semantic duplicates: SemDeDup's rule by hand, on every order, and never a silent pass."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.arrays import write_array
from lab.core.artifacts import build, write_part
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.schema import content_hash
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents
from lab.curation.duplicates.semantic import (
    epsilon_curve,
    epsilon_words,
    find_semantic,
    require_semantic,
    semantic_columns,
    stored_semantic,
)
from lab.diversity.embedding import embed
from lab.diversity.selecting import earlier
from lab.diversity.selecting.earlier import largest_earlier

COLUMN = "semantic.similarity@test"


def source(ws: Workspace, name: str, count: int) -> None:
    path = ws.root / f"{name}.jsonl"
    lines = [json.dumps({"key": str(k), "text": f"{name} {k}"}) for k in range(count)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


def embedded(ws: Workspace, name: str, rows: dict[int, tuple[float, float]]) -> None:
    """Store unit vectors in a plane for some rows, as `embed` would."""
    found = documents(ws, name)

    def make(folder: Path) -> dict[str, int]:
        ids = pl.read_parquet(found.parts[0], columns=["id"])["id"].to_list()
        kept = [k for k, i in enumerate(ids) if int(i.split("/")[1]) in rows]
        vectors = np.array([rows[int(ids[k].split("/")[1])] for k in kept], np.float16)
        write_array(folder / "part-00000.embeddings.npy", vectors)
        write_part(pl.DataFrame({"id": [ids[k] for k in kept]}), folder / "part-00000.parquet")
        return {"embedded": len(kept)}

    about = {"encoder": "test", "sample": len(rows), "seed": 0}
    build(ws, embed.STEP, embed.VERSION, about, [found.id], make)


def angle(degrees: float) -> tuple[float, float]:
    return (float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees))))


def test_the_largest_similarity_to_an_earlier_document(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    source(ws, "a", 4)
    source(ws, "b", 2)
    angles = {"a/0": 0.0, "a/1": 10.0, "a/2": 80.0, "b/0": 5.0, "b/1": 79.0}
    embedded(ws, "a", {k: angle(angles[f"a/{k}"]) for k in range(3)})
    embedded(ws, "b", {k: angle(angles[f"b/{k}"]) for k in range(2)})
    made = find_semantic(ws, ["a", "b"], encoder="test")
    values = pl.concat([a.scan().collect() for a in made.values()])
    order = sorted(angles, key=lambda name: content_hash(name.replace("/", " ")))
    for row in values.rows(named=True):
        before = order[: order.index(row["id"])] if row["id"] in order else []
        if row["id"] == "a/3":
            assert row[COLUMN] is None
        elif not before:
            assert (row[COLUMN], row["nearest"]) == (0, None)
        else:
            cosines = {p: np.cos(np.radians(angles[p] - angles[row["id"]])) for p in before}
            assert row[COLUMN] == pytest.approx(max(cosines.values()), abs=1e-3)
            assert row["nearest"] == max(cosines, key=lambda p: cosines[p])


def test_a_document_without_embedding_is_no_pass(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    source(ws, "a", 3)
    with pytest.raises(ArtifactMissing, match="not been embedded"):
        find_semantic(ws, ["a"], encoder="test")
    embedded(ws, "a", {0: angle(0), 1: angle(1)})
    with pytest.raises(ArtifactMissing, match="have not been compared"):
        stored_semantic(ws, "a", "test")
    find_semantic(ws, ["a"], encoder="test")
    assert semantic_columns(ws, "a") == []
    with pytest.raises(ArtifactMissing, match="Only 2 of 3 documents") as caught:
        require_semantic(ws, "a", COLUMN)
    assert "mixlab embed --source a --sample 3" in caught.value.next_step
    embedded(ws, "a", {k: angle(k) for k in range(3)})
    find_semantic(ws, ["a"], encoder="test")
    assert semantic_columns(ws, "a") == [COLUMN]
    assert require_semantic(ws, "a", COLUMN).scan().collect()[COLUMN].null_count() == 0


def test_a_larger_epsilon_removes_more(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    source(ws, "a", 40)
    embedded(ws, "a", {k: angle(k * 2.2) for k in range(40)})
    find_semantic(ws, ["a"], encoder="test")
    curve = epsilon_curve(ws, (1e-5, 0.01, 0.1), encoder="test")
    dropped = curve["documents"].to_list()
    assert dropped == sorted(dropped)
    assert dropped[0] < dropped[-1] <= 39
    assert set(curve["embedded"]) == {40}
    assert "larger epsilon removes more" in epsilon_words(0.05)
    assert "0.95" in epsilon_words(0.05)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        epsilon_curve(ws, (5,), encoder="test")
    with pytest.raises(ConfigError, match="Unknown order"):
        find_semantic(ws, ["a"], encoder="test", order="random")


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from(["hash", "hard", "easy"]))
def test_blocks_and_clusters_give_what_a_plain_loop_gives(seed: int, order: str) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(37, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(earlier, "BLOCK", 5)
        patch.setattr(earlier, "MEMBERS", 12)
        numbers, distance = earlier.assign(vectors)
        largest, before = largest_earlier(vectors, order)
    assert len(set(numbers)) == 3
    sign = {"hash": 0, "hard": -1, "easy": 1}[order]
    ranks = sorted(range(37), key=lambda k: (sign * distance[k], k))
    for at, k in enumerate(ranks):
        cosines = [float(vectors[k] @ vectors[j]) for j in ranks[:at] if numbers[j] == numbers[k]]
        assert largest[k] == pytest.approx(max([0.0, *cosines]), abs=1e-5)
        assert (before[k] == -1) == (largest[k] == 0)
