"""Placing: what a map needs to give any vector its place and topic, and one part of it at a time.

A map's folder holds the reducer, the partition and the clusters' words; `place_part` reads them
there, so a part can be placed by any process that sees the folder. Nearest laid-out texts are
found part by part: memory does not grow with the corpus.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, write_part
from lab.diversity.embedding.stored import read_part
from lab.diversity.layout.partition import Partition, assign_with_margin, load_partition
from lab.diversity.layout.reducer import FILE, Reducer, load_reducer, place, save_reducer

CLUSTERS = "clusters.parquet"

F32 = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a map is: where a vector is placed, its cluster, and the clusters' words."""

    reducer: Reducer
    partition: Partition
    labels: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Task:
    """Part `number` of the map in `folder`: the embeddings of `source` in `file`, and which rows of
    it were laid out, with their places.
    """

    folder: Path
    number: int
    source: str
    file: Path
    own: tuple[Rows, F32] | None


def save_fitted(fitted: Fitted, folder: Path) -> None:
    """Write what places later documents on this map."""
    save_reducer(fitted.reducer, folder / FILE)
    write_array(folder / "centroids.npy", fitted.partition.centroids)
    write_array(folder / "mean.npy", fitted.partition.mean)
    write_part(fitted.labels, folder / CLUSTERS)


def read_fitted(folder: Path) -> Fitted:
    """What `save_fitted` wrote, with the labels."""
    labels = pl.read_parquet(folder / CLUSTERS, columns=["cluster", "label"])
    return Fitted(load_reducer(folder / FILE), load_partition(folder), labels)


def locate(fitted: Fitted, vectors: NDArray[Any]) -> pl.DataFrame:
    """Columns x, y, cluster, topic, margin of any vectors [n, d] on a map. DataError for another
    dimension.
    """
    places = place(vectors, fitted.reducer)
    numbers, margins = assign_with_margin(
        vectors, fitted.partition.centroids, fitted.partition.mean
    )
    frame = pl.DataFrame({"x": places[:, 0], "y": places[:, 1], "cluster": numbers})
    named = frame.join(fitted.labels, on="cluster", how="left", maintain_order="left")
    topic = pl.format("{}: {}", "cluster", pl.col("label").fill_null("(no words)"))
    return named.select("x", "y", "cluster", topic=topic, margin=pl.Series(margins))


held = lru_cache(maxsize=1)(read_fitted)  # a process places one part after another: 77 MB, .1 s


def place_part(task: Task) -> None:
    """Write a part of the map unless it is there; texts that were laid out keep their own place."""
    target = task.folder / f"part-{task.number:05d}.parquet"
    if target.exists():
        return
    ids, vectors = read_part(task.file)
    frame = locate(held(task.folder), vectors)
    if task.own is not None:
        places = frame.select("x", "y").to_numpy().astype(np.float32)
        places[task.own[0]] = task.own[1]
        frame = frame.with_columns(x=pl.Series(places[:, 0]), y=pl.Series(places[:, 1]))
    source = pl.lit(task.source).alias("source")
    write_part(frame.select(pl.Series("id", ids), source, pl.all()), target)


def write_sizes(folder: Path, labels: pl.DataFrame) -> None:
    """`clusters.parquet`: the clusters with their words and how many texts each has."""
    sizes = Artifact(folder, {}).scan().group_by("cluster").agg(size=pl.len()).collect()
    sized = labels.join(sizes, on="cluster", how="left").sort("cluster")
    write_part(sized.with_columns(pl.col("size").fill_null(0)), folder / CLUSTERS)
