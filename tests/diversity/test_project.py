"""The map of a workspace: its files, later sources on it, and requests that make none."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents
from lab.diversity.embedding.embed import embed
from lab.diversity.embedding.external import import_vectors
from lab.diversity.embedding.stored import load_vectors, require_embeddings
from lab.diversity.layout.partition import load_partition
from lab.diversity.layout.placing import locate, read_fitted
from lab.diversity.layout.project import project


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "workspace")


def source(ws: Workspace, name: str, texts: list[str]) -> None:
    path = ws.root / f"{name}.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    add_source(ws, name, [str(path)])


@pytest.mark.slow
def test_map_of_two_sources(ws: Workspace) -> None:
    fish = [f"The herring boats of harbour {k} leave at dawn." for k in range(12)]
    proof = [f"Theorem {k}: every prime divisor obeys this proof." for k in range(8)]
    source(ws, "sea", fish)
    source(ws, "maths", proof)
    with pytest.raises(ArtifactMissing, match="'maths'"):
        project(ws, ["sea", "maths"])
    for name in ("sea", "maths"):
        embed(ws, name)
    made = project(ws, ["sea", "maths"])
    frame = made.scan().collect()
    assert frame.schema == {
        "id": pl.String,
        "source": pl.String,
        "x": pl.Float32,
        "y": pl.Float32,
        "cluster": pl.UInt16,
        "topic": pl.String,
        "margin": pl.Float32,
    }
    assert frame["source"].to_list() == ["maths"] * 8 + ["sea"] * 12
    assert frame.group_by("source").agg(pl.col("cluster").unique()).sort("source").to_dicts() == [
        {"source": "maths", "cluster": [1]},
        {"source": "sea", "cluster": [0]},
    ]
    labels = pl.read_parquet(made.path / "clusters.parquet")
    assert labels["size"].to_list() == [12, 8]
    assert "herring" in labels["label"][0]
    assert "prime" in labels["label"][1]
    assert made.manifest["points"] == {"maths": 8, "sea": 12}
    assert made.manifest["method"] == "pca"
    assert made.manifest["effective_clusters"]["sea"]["value"] == 1
    assert project(ws, ["maths", "sea"]).id == made.id
    assert made.manifest["k"]["value"] == 2
    assert made.manifest["samples"] == {"maths": "all 8 documents", "sea": "all 12 documents"}
    assert made.manifest["recall"]["n"] == 20
    later_source_on_the_same_map(ws, made, frame)


def later_source_on_the_same_map(ws: Workspace, made: Artifact, frame: pl.DataFrame) -> None:
    """What is stored places documents without the texts of the first map."""
    vectors = load_vectors(require_embeddings(ws, "sea"))[1]
    again = locate(read_fitted(made.path), vectors)
    own = frame.filter(source="sea")
    assert again["cluster"].to_list() == own["cluster"].to_list()
    assert again["x"].to_list() == pytest.approx(own["x"].to_list(), abs=1e-4)
    source(ws, "harbour", [f"Trawlers bring cod to quay {k} in the morning." for k in range(6)])
    embed(ws, "harbour")
    onto = project(ws, ["harbour"], onto=made.id)
    assert onto.manifest["onto"] == made.id
    placed = onto.scan().collect()
    assert placed["cluster"].to_list() == [0] * 6, "boats are nearer to boats than to theorems"
    assert set(placed["topic"]) == set(own["topic"])
    assert (load_partition(onto.path).centroids == load_partition(made.path).centroids).all()
    preview = project(ws, ["sea", "maths"], method="pca")
    assert preview.id != made.id
    assert preview.manifest["method"] == "pca"


def test_impossible_maps_are_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="needs a source"):
        project(ws, [])
    with pytest.raises(ConfigError):
        project(ws, ["web"], clusters=0)
    with pytest.raises(ConfigError, match="Unknown way"):
        project(ws, ["web"], method="tsne")


@pytest.mark.parametrize("texts", [["one alone"], ["the same"] * 5])
def test_one_document_and_equal_documents_make_a_map(ws: Workspace, texts: list[str]) -> None:
    source(ws, "a", texts)
    found = documents(ws, "a")
    vectors = np.tile(np.eye(1, 8, dtype=np.float16), (found.scan().collect().height, 1))
    external_vectors(ws, vectors)
    made = project(ws, ["a"], encoder="mine")
    assert made.manifest["clusters"] == 1
    assert made.manifest["method"] == "pca"
    assert made.scan().collect()["margin"].to_list() == [1] * len(vectors)
    with pytest.raises(ArtifactMissing, match="not stored"):
        project(ws, ["a"], encoder="mine", onto="0123")


def external_vectors(ws: Workspace, vectors: np.ndarray) -> None:
    np.save(ws.root / "v.npy", vectors)
    import_vectors(ws, "a", ws.root / "v.npy", encoder="mine")
