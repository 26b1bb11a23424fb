"""The map: planted groups stay apart, the same input gives the same bits, small inputs work."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.diversity.embedding.embed import embed
from lab.diversity.layout.project import layout, neighbours, principal_plane, project, trust


def groups(n: int, count: int, d: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, d)) * 2
    group = rng.integers(count, size=n)
    x = centres[group] + rng.normal(size=(n, d)) * 0.5
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), group


def purity(places: np.ndarray, group: np.ndarray, k: int = 10) -> float:
    """Share of each point's k nearest places that are of its own group."""
    distance = ((places[:, None] - places[None]) ** 2).sum(2)
    np.fill_diagonal(distance, np.inf)
    near = np.argsort(distance, axis=1)[:, :k]
    return float((group[near] == group[:, None]).mean())


def test_neighbours_are_exact_and_begin_with_the_point_itself() -> None:
    x, _ = groups(300, 5)
    x[10] = x[200]  # an exact copy must not take the point's own place
    indices, distances = neighbours(x, 7)
    assert (indices[:, 0] == np.arange(300)).all()
    plain = 1 - x @ x.T
    np.fill_diagonal(plain, -1)
    assert distances[:, 1:] == pytest.approx(np.sort(plain, axis=1)[:, 1:7].clip(0), abs=1e-5)
    assert 200 in indices[10]


def test_principal_plane_by_hand() -> None:
    x = np.array([[3, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]], np.float32)
    plane = principal_plane(x)
    assert plane == pytest.approx(x[:, :2], abs=1e-6)
    assert principal_plane(x[:1]).tolist() == [[0, 0]]


def test_few_or_equal_points_are_laid_out_by_components() -> None:
    assert layout(groups(20, 3)[0], 0)[1] == "pca"
    places, method = layout(np.tile(groups(1, 1)[0], (80, 1)), 0)
    assert method == "pca"
    assert np.isfinite(places).all()


def test_trust_is_measured_and_falls_for_a_random_map() -> None:
    x, _ = groups(200, 4)
    flat = np.concatenate([x[:, :2], np.zeros_like(x[:, 2:])], axis=1) + 1e-4
    kept, lost = trust(flat, flat[:, :2], 0), trust(x, np.random.default_rng(0).random((200, 2)), 0)
    assert kept is not None
    assert lost is not None
    assert kept["value"] > 0.9 > 0.6 > lost["value"]
    assert kept["n"] == 200
    assert trust(x[:2], x[:2, :2], 0) is None


@pytest.mark.slow
def test_umap_keeps_groups_and_is_reproducible() -> None:
    x, group = groups(120, 4)
    places, method = layout(x, 5)
    assert method == "umap"
    assert purity(places, group) > 0.95
    assert (layout(x, 5)[0] == places).all()


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


def test_impossible_maps_are_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="needs a source"):
        project(ws, [])
    with pytest.raises(ConfigError):
        project(ws, ["web"], clusters=0)
