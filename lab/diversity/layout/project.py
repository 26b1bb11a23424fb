"""A map: every embedded document of several sources at a place in the plane, and in a cluster.

Laid out and clustered is a sample of at most `reducer.ANCHORS` texts of the pool; every other is
placed and assigned, part by part, so that memory does not grow with the corpus, and on the workers
of an engine if there are some. What that takes is stored as plain arrays beside the parts:

    part-N.parquet        id, source, x, y, cluster, topic, margin
    clusters.parquet      cluster, label, size
    reducer.safetensors   places any vector on this map (`reducer`)
    centroids.npy, mean.npy   the frozen partition (`partition`)

so a later source can be put onto a finished map (`onto`): same places, same clusters, same names.
`topic` is the cluster's number and words, what a document is about as a facet; `margin` says how
clearly it belongs there. The manifest holds how far the map can be trusted (`quality`), and k with
the stability of the partition.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, asked_now, build
from lab.core.engine import run_shards
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.diversity.breadth.measures import effective_clusters
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.index import gather
from lab.diversity.embedding.stored import (
    check_dimensions,
    read_part,
    require_embeddings,
)
from lab.diversity.layout.cluster import choose_k, label_clusters
from lab.diversity.layout.partition import (
    find_partition,
    stability_table,
)
from lab.diversity.layout.placing import (
    CLUSTERS,
    Fitted,
    Task,
    place_part,
    read_fitted,
    save_fitted,
    write_sizes,
)
from lab.diversity.layout.quality import AMONG, recall, trust
from lab.diversity.layout.reducer import (
    ANCHORS,
    FILE,
    METHODS,
    fit_reducer,
)
from lab.diversity.layout.stored import STEP, VERSION, find_map, topics_id

LABEL_CHARACTERS = 2000  # of each text are read for labels

F32 = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Parts of all sources one after another: source, file, ids and vectors (on disk) of each."""

    sources: list[str]
    files: list[Path]
    ids: list[pl.Series]
    vectors: list[NDArray[np.float16]]

    @property
    def starts(self) -> Rows:
        """The first row of each part, and the number of all rows."""
        return np.cumsum([0, *map(len, self.vectors)])


def project(
    ws: Workspace,
    sources: Sequence[str],
    *,
    encoder: str = DEFAULT,
    clusters: int | None = None,
    seed: int = 0,
    method: str = "umap",
    onto: str | None = None,
    progress: Progress = SILENT,
) -> Artifact:
    """Map and clusters of the embedded samples of `sources`; see above for the files.

    `method` pca is the instant preview. `onto` is the id of a finished map on which all is
    placed, or its beginning. Raises ArtifactMissing if a source has not been embedded, ConfigError
    for no source, impossible clusters or an unknown method, DataError for vectors of different
    dimensions.
    """
    check_request(sources, clusters, method)
    names = sorted(set(sources))
    found = {name: require_embeddings(ws, name, encoder) for name in names}
    base = finished_map(ws, onto, encoder) if onto else None
    inputs = [artifact.id for artifact in found.values()] + ([base.id] if base else [])

    def make(folder: Path) -> dict[str, Any]:
        pool = read_pool(found, encoder)
        about = {"encoder": encoder, "samples": {n: sample_of(a) for n, a in found.items()}}
        if base:
            fitted, own = read_fitted(base.path), None
            for name in (FILE, "centroids.npy", "mean.npy", CLUSTERS):
                shutil.copyfile(base.path / name, folder / name)
            about |= {"onto": base.id, "topics_of": topics_id(base), "k": base.manifest["k"]}
        else:
            fitted, own, more = fit(ws, pool, clusters, seed, method, progress)
            save_fitted(fitted, folder)
            about |= more
        run_shards(
            place_part, tasks_of(folder, pool, own), processes_from=sys.maxsize,
            progress=progress.part(0.75, 1), message="placing all documents",
        )  # fmt: skip
        write_sizes(folder, fitted.labels)
        return about | facts(folder, pool, fitted, own, seed)

    settings = {"clusters": clusters, "seed": seed, "method": method}
    return asked_now(build(ws, STEP, VERSION, settings, inputs, make))


def check_request(sources: Sequence[str], clusters: int | None, method: str) -> None:
    """ConfigError for what no map can be made of."""
    if not sources or (clusters is not None and not 1 <= clusters <= 65_535):
        raise ConfigError(
            "A map needs a source, and from 1 to 65,535 clusters.",
            where="map",
            value=clusters if sources else [],
            next_step="`mixlab embed`, then `mixlab map`",
        )
    if method not in METHODS:
        raise ConfigError(
            "Unknown way to lay out a map.", where="map.method", value=method,
            next_step=f"one of {', '.join(METHODS)}",
        )  # fmt: skip


def finished_map(ws: Workspace, start: str, encoder: str) -> Artifact:
    """The map whose id begins so, made by this version; ArtifactMissing otherwise, ConfigError for
    one of another encoder: its topics would be given to vectors that do not lie in its space.
    """
    found = find_map(ws, start)
    if found.manifest.get("encoder", encoder) != encoder:
        raise ConfigError(
            f"This map is of {found.manifest['encoder']} embeddings.",
            where="map.onto", value=encoder,
            next_step=f"`--encoder {found.manifest['encoder']}`, or a map of your own",
        )  # fmt: skip
    if found.manifest["version"] != VERSION:
        raise ArtifactMissing(
            "This map was made by an older version and cannot take new texts.",
            where=str(found.path),
            value=found.id,
            next_step="`mixlab map` draws a new one",
        )
    return found


def sample_of(artifact: Artifact) -> str:
    """The sample that was embedded, in words."""
    return str(artifact.manifest.get("sample", f"{artifact.manifest['embedded']:,} documents"))


def read_pool(found: dict[str, Artifact], encoder: str) -> Pool:
    """All parts that hold a vector; the vectors stay on disk."""
    parts = [(name, part, *read_part(part)) for name, a in found.items() for part in a.parts]
    kept = [part for part in parts if len(part[2])]
    check_dimensions({name: vectors.shape[1] for name, _, _, vectors in kept}, encoder)
    sources, files, ids, vectors = zip(*kept, strict=True) if kept else ((), (), (), ())
    return Pool(list(sources), list(files), list(ids), list(vectors))


def fit(
    ws: Workspace, pool: Pool, clusters: int | None, seed: int, method: str, progress: Progress
) -> tuple[Fitted, tuple[Rows, F32], dict[str, Any]]:
    """Layout, partition and labels from a sample of the pool; its rows and places; facts."""
    total = int(pool.starts[-1])
    rows = np.sort(np.random.default_rng(seed).permutation(total)[:ANCHORS])
    vectors = gather(pool.vectors, rows)
    progress(0, 4, "laying out the map")
    reducer, places = fit_reducer(vectors, seed, method)
    progress(1, 4, "clusters")
    k = clusters or choose_k(total)
    partition = find_partition(vectors, k, seed)
    progress(2, 4, "labels")
    numbers = partition.assign(vectors)
    labels = label_clusters(sampled_texts(ws, pool, rows), numbers)
    tried = stability_table(vectors, len(partition.centroids), seed)
    how = "asked for" if clusters else "the square root of a tenth of the texts, from 2 to 64"
    about = {
        "k": {"value": len(partition.centroids), "how": how, "tried": tried},
        "laid_out": len(rows),
    }
    return Fitted(reducer, partition, labels.select("cluster", "label")), (rows, places), about


def sampled_texts(ws: Workspace, pool: Pool, rows: Rows) -> pl.Series:
    """The beginnings of the texts of some rows of the pool, in their order."""
    part = np.searchsorted(pool.starts, rows, side="right") - 1
    ids = pl.concat([pool.ids[n].gather(rows[part == n] - pool.starts[n]) for n in np.unique(part)])
    wanted = pl.col("id").is_in(ids.implode())
    beginning = pl.col("text").str.slice(0, LABEL_CHARACTERS)
    scans = [
        documents(ws, name).scan().filter(wanted).select("id", beginning)
        for name in sorted(set(pool.sources))
    ]
    found = pl.concat(scans).collect()
    return pl.DataFrame({"id": ids}).join(found, on="id", how="left", maintain_order="left")["text"]


def tasks_of(folder: Path, pool: Pool, own: tuple[Rows, F32] | None) -> list[Task]:
    """One task a part, with those of its rows that were laid out."""
    tasks = []
    for number, (source, file) in enumerate(zip(pool.sources, pool.files, strict=True)):
        laid = None
        if own is not None:
            start, end = np.searchsorted(own[0], pool.starts[number : number + 2])
            laid = (own[0][start:end] - pool.starts[number], own[1][start:end])
        tasks.append(Task(folder, number, source, file, laid))
    return tasks


def facts(
    folder: Path, pool: Pool, fitted: Fitted, own: tuple[Rows, F32] | None, seed: int
) -> dict[str, Any]:
    """Numbers of the finished map for its manifest."""
    placed = Artifact(folder, {}).scan().select("source", "x", "y", "cluster").collect()
    rows = np.sort(np.random.default_rng(seed).permutation(placed.height)[:AMONG])
    vectors = gather(pool.vectors, rows)
    places = placed.select("x", "y")[rows].to_numpy()
    measured = {"recall": recall(vectors, places, seed)}
    if own is not None and len(own[0]) < placed.height:
        measured["recall_laid_out"] = recall(gather(pool.vectors, own[0]), own[1], seed)
    return {
        "points": dict(placed.group_by("source").len().sort("source").iter_rows()),
        "method": fitted.reducer.method,
        "clusters": fitted.labels.height,
        "trustworthiness": trust(vectors, places, seed),
        **measured,
        "effective_clusters": {
            str(name): asdict(effective_clusters(rows["cluster"].to_numpy()))
            for (name,), rows in placed.group_by("source", maintain_order=True)
        },
    }
