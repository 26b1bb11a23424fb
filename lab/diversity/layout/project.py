"""A map: every embedded document of several sources at a place in the plane.

UMAP (McInnes et al. 2018) lays out the graph of the 15 nearest neighbours; near on the map means
near in the embedding, while distances between groups, areas and densities mean nothing. The start
is the first two principal components, so that the coarse arrangement is theirs and reproducible.
Below `EXACT` points the neighbours are exact, which is faster than the approximate search and needs
less compilation. With a fixed seed the layout is bit-identical; the first in a process costs 8 s of
compilation, then 10,000 points take about 5 s.

Fewer than `SMALLEST` points are laid out by their principal components alone. How far the map can
be trusted is recorded: trustworthiness (Venna and Kaski 2001) is 1 if no point has neighbours on
the map that are not neighbours in the embedding.
"""

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, build, write_part
from lab.core.errors import ConfigError
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.diversity.breadth.measures import effective_clusters
from lab.diversity.embedding.embed import require_embeddings, stack
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.layout.cluster import choose_k, find_clusters, label_clusters

STEP = "map"
VERSION = 1
SMALLEST, EXACT = 50, 20_000
NEIGHBOURS, MIN_DISTANCE = 15, 0.1
TRUST_SAMPLE = 2000  # the measure is O(n^2)
LABEL_CHARACTERS = 2000  # of each text are read for labels

F32 = NDArray[np.float32]


def project(
    ws: Workspace,
    sources: Sequence[str],
    *,
    encoder: str = DEFAULT,
    clusters: int | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Artifact:
    """Map and clusters of the embedded samples of `sources`: columns id, source, x, y, cluster.

    With it `clusters.parquet` (cluster, label, size) and `centroids.npy`. Raises ArtifactMissing if
    a source has not been embedded, ConfigError for no source or impossible clusters.
    """
    if not sources or (clusters is not None and not 1 <= clusters <= 65_535):
        raise ConfigError(
            "A map needs a source, and from 1 to 65,535 clusters.",
            value=clusters if sources else [],
            next_step="`mixlab embed`, then `mixlab map`",
        )
    names = sorted(set(sources))
    inputs = [require_embeddings(ws, name, encoder).id for name in names]

    def make(folder: Path) -> dict[str, Any]:
        frame, vectors = stack(ws, names, encoder)
        progress(0, 4, "laying out the map")
        places, method = layout(vectors, seed)
        progress(2, 4, "clusters")
        found = find_clusters(vectors, clusters or choose_k(len(vectors)), seed)
        progress(3, 4, "labels")
        labels = label_clusters(sampled_texts(ws, frame, names), found.numbers)
        write_part(labels, folder / "clusters.parquet")
        write_array(folder / "centroids.npy", found.centroids)
        placed = frame.with_columns(
            x=pl.Series(places[:, 0]), y=pl.Series(places[:, 1]), cluster=pl.Series(found.numbers)
        )
        write_part(placed, folder / "part-00000.parquet")
        progress(4, 4, "map")
        return {
            "encoder": encoder,
            "points": dict(placed.group_by("source").len().sort("source").iter_rows()),
            "method": method,
            "clusters": labels.height,
            "trustworthiness": trust(vectors, places, seed),
            "effective_clusters": clusters_by_source(placed),
        }

    return build(ws, STEP, VERSION, {"clusters": clusters, "seed": seed}, inputs, make)


def clusters_by_source(placed: pl.DataFrame) -> dict[str, Any]:
    """Effective clusters of each source on the common partition, with intervals."""
    return {
        str(name): asdict(effective_clusters(own["cluster"].to_numpy()))
        for (name,), own in placed.group_by("source", maintain_order=True)
    }


def sampled_texts(ws: Workspace, frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """The beginnings of the texts of `frame` (id), in its order."""
    wanted = pl.col("id").is_in(frame["id"].implode())
    beginning = pl.col("text").str.slice(0, LABEL_CHARACTERS)
    scans = [documents(ws, n).scan().filter(wanted).select("id", beginning) for n in names]
    found = pl.concat(scans).collect()
    return frame.select("id").join(found, on="id", how="left", maintain_order="left")["text"]


def layout(vectors: F32, seed: int) -> tuple[F32, str]:
    """Places [n, 2] and the method: umap, or pca for few or equal points."""
    plane = principal_plane(vectors)
    if len(vectors) < SMALLEST or not np.ptp(plane, axis=0).all():
        return plane, "pca"
    return umap_layout(vectors, plane, seed), "umap"


def principal_plane(vectors: F32) -> F32:
    """Coordinates along the first two principal components; their signs are fixed."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    values, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2] * (values[::-1][:2] > 1e-9 * max(len(vectors), 1))
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)
    return (centred @ axes).astype(np.float32)


def umap_layout(vectors: F32, plane: F32, seed: int) -> F32:
    """UMAP from the principal plane, with exact neighbours below `EXACT` points."""
    with warnings.catch_warnings():
        # about features that are not used: ParametricUMAP, and placing new points later
        warnings.filterwarnings("ignore", category=ImportWarning)
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]")
        from umap import UMAP

        start = plane / np.abs(plane).max() * 10
        jitter = np.random.default_rng(seed).normal(scale=1e-3, size=start.shape)
        model = UMAP(
            n_neighbors=NEIGHBOURS,
            min_dist=MIN_DISTANCE,
            metric="cosine",
            init=(start + jitter).astype(np.float32),
            random_state=seed,
            n_jobs=1,
            precomputed_knn=neighbours(vectors) if len(vectors) < EXACT else (None, None, None),
        )
        places: F32 = model.fit_transform(vectors).astype(np.float32)
    return places


def neighbours(vectors: F32, k: int = NEIGHBOURS) -> tuple[NDArray[np.int32], F32]:
    """Indices and cosine distances of the k nearest of each unit vector, itself first."""
    indices = np.empty((len(vectors), k), np.int32)
    distances = np.empty((len(vectors), k), np.float32)
    for start in range(0, len(vectors), 1024):
        similar = vectors[start : start + 1024] @ vectors.T
        own = np.arange(len(similar))
        similar[own, start + own] = 2.0  # itself before any exact copy
        near = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        cosine = np.take_along_axis(similar, near, axis=1)
        order = np.lexsort((near, -cosine), axis=1)
        indices[start : start + 1024] = np.take_along_axis(near, order, axis=1)
        sorted_cosine = np.take_along_axis(cosine, order, axis=1)
        distances[start : start + 1024] = np.clip(1 - sorted_cosine, 0, 2)
    return indices, distances


def trust(vectors: F32, places: F32, seed: int) -> dict[str, Any] | None:
    """Trustworthiness on a sample; None for fewer than four points."""
    from sklearn.manifold import trustworthiness

    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:TRUST_SAMPLE])
    k = min(NEIGHBOURS, (len(rows) - 1) // 2)
    if k < 1:
        return None
    value = trustworthiness(vectors[rows], places[rows], n_neighbors=k, metric="cosine")
    return {"value": float(value), "neighbours": k, "n": len(rows)}
