"""What a selection did to breadth: the panel of all candidates and of the chosen, and lost topics.

Both are measured at one n (`measures`: most measures depend on it), on a partition of the
candidates made for this purpose (k-means of at most 20,000 of them, k by size, `layout.cluster`),
so that effective clusters and topics exist without a map; its topics are not those of a map. A
topic is lost if less than a quarter of its tokens is left and less than of the whole (`topics`).
Names are the words that mark a topic in `NAMED` texts. Cost: seconds; memory of a piece of vectors.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.estimate import Estimate
from lab.diversity.breadth.measures import SIZE, chosen, measure_vectors
from lab.diversity.breadth.topics import retention
from lab.diversity.layout.cluster import label_clusters
from lab.diversity.selecting.methods import partition_of
from lab.diversity.selecting.problem import Rows
from lab.diversity.selecting.vectors import Stored, pieces

SEED = 0  # of the partition: whatever chance chose, selections are held to the same clusters
NAMED, BEGINNING = 4000, 2000  # texts that topics are named by, and characters of each


def before_and_after(
    found: Artifact,
    pool: pl.DataFrame,
    vectors: Stored,
    rows: Rows,
    quality: NDArray[Any] | None,
) -> dict[str, Any]:
    """`before` and `after`, measures with intervals; `topics`, least kept first; `quality_mean`.

    Empty for fewer than two chosen `rows`, whose breadth is no number.
    """
    report: dict[str, Any] = {"before": {}, "after": {}, "topics": []}
    if len(rows) > 1:
        able = np.flatnonzero(np.concatenate([p.any(axis=1) for _, p in pieces(vectors)]))
        numbers = clusters_of(vectors, able)
        size = min(SIZE, len(rows))
        for name, some in (("before", able), ("after", np.sort(rows))):
            estimates = panel_of(vectors, some, numbers, size)
            report[name] = {k: asdict(e) for k, e in estimates.items()}
        report["topics"] = topics_of(found, pool, able, numbers, rows)
    if quality is not None and len(rows):
        means = {"before": float(quality.mean()), "after": float(quality[rows].mean())}
        report["quality_mean"] = means
    return report


def clusters_of(vectors: Stored, able: Rows) -> NDArray[np.int64]:
    """Cluster of each vector; those that are not `able` have none: -1."""
    numbers = np.full(len(vectors), -1, np.int64)
    partition, some = partition_of(vectors.part(able), SEED), vectors.part(able)
    for own, piece in pieces(some):
        numbers[able[own]] = partition.assign(piece)
    return numbers


def panel_of(
    vectors: Stored, rows: Rows, numbers: NDArray[np.int64], size: int
) -> dict[str, Estimate]:
    """The measures of `size` of the rows."""
    own = rows[chosen(len(rows), size)]
    found = measure_vectors(vectors[own], own, numbers[own])
    return {name: measured.estimate() for name, measured in found.items()}


def topics_of(
    found: Artifact,
    pool: pl.DataFrame,
    able: Rows,
    numbers: NDArray[np.int64],
    rows: Rows,
) -> list[dict[str, Any]]:
    """What is left of each topic (`topics.retention`)."""
    read = np.sort(np.random.default_rng(SEED).permutation(able)[:NAMED])
    ids = pool["id"].gather(read)
    beginning = pl.col("text").str.slice(0, BEGINNING)
    texts = found.scan().filter(pl.col("id").is_in(ids.implode())).select("id", beginning)
    text = ids.to_frame("id").join(texts.collect(), on="id", how="left", maintain_order="left")
    labels = label_clusters(text["text"].fill_null(""), numbers[read].astype(np.uint16))
    kept = np.zeros(len(numbers), bool)
    kept[rows] = True
    tokens = pool["tokens"].to_numpy()
    return retention(numbers[able], tokens[able], kept[able], labels).to_dicts()
