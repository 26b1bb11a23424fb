"""The largest cosine similarity of each vector to one before it, cluster by cluster.

The comparison of SemDeDup (Abbas et al. 2023, arXiv:2303.09540), written anew; `methods` and
`lab.curation.duplicates.semantic`, which explains it, are made of it. A block of `BLOCK` rows is
multiplied with `WIDE` members at a time of those before its end, so memory is at most 34 MB and
the vectors of one cluster (1,000 on average), besides those that k-means is fitted on.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.progress import SILENT, Progress
from lab.diversity.selecting.vectors import F32, Vectors, mean_of, pieces

ORDERS = ("hash", "hard", "easy")
MEMBERS = 1000  # documents a cluster, on average
SEEN = 256  # documents a centroid that k-means is fitted on; more move the centroids little
BLOCK, WIDE = 2048, 4096


def largest_earlier(
    vectors: Vectors, order: str = "hash", progress: Progress = SILENT
) -> tuple[F32, NDArray[np.int64]]:
    """M of each of the unit `vectors` [n, d], given in the order `hash`, and the row it comes from.

    0 and -1 where no earlier vector of the cluster has a positive similarity.
    """
    numbers, distance = assign(vectors)
    key = {"hash": np.zeros(len(vectors)), "hard": -distance, "easy": distance}[order]
    placed = np.lexsort((np.arange(len(vectors)), key, numbers))
    limits = np.flatnonzero(np.diff(numbers[placed], prepend=-1, append=-1))
    largest, before = np.zeros(len(vectors), np.float32), np.full(len(vectors), -1, np.int64)
    for k, (low, high) in enumerate(pairwise(limits)):
        progress(k, len(limits) - 1, "comparing embeddings")
        members = placed[low:high]
        best, at = earlier_in(vectors[members])
        largest[members] = np.clip(best, 0, 1)
        before[members] = np.where(best > 0, members[at], -1)
    return largest, before


def earlier_in(own: F32) -> tuple[F32, NDArray[np.int64]]:
    """The largest positive cosine of each row to one before it, and that row; 0 and 0 without."""
    best, at = np.zeros(len(own), np.float32), np.zeros(len(own), np.int64)
    for start in range(0, len(own), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(own)))
        for first in range(0, rows[-1] + 1, WIDE):
            product = own[rows] @ own[first : min(first + WIDE, rows[-1] + 1)].T
            there = first + np.arange(product.shape[1])
            product[there >= rows[:, None]] = 0
            found = product.argmax(1)
            value = product[np.arange(len(rows)), found]
            better = value > best[rows]
            best[rows[better]], at[rows[better]] = value[better], there[found[better]]
    return best, at


def assign(vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cluster of each vector, and its cosine distance to the centroid."""
    k = len(vectors) // MEMBERS
    distance, numbers = np.empty(len(vectors)), np.zeros(len(vectors), np.int64)
    model = None if k < 2 else fitted(vectors[: k * SEEN].copy(), k)
    centers = mean_of(vectors)[None, :] if model is None else model.cluster_centers_
    for own, piece in pieces(vectors):
        if model is not None:
            numbers[own] = predicted(model, piece)
        distance[own] = 1 - cosine(piece, centers[numbers[own]])
    return numbers, distance


def fitted(vectors: F32, k: int) -> Any:
    """k-means of `vectors`, which it may change."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):  # sums in another order would change the last bits
        return KMeans(k, n_init=1, max_iter=20, random_state=0, copy_x=False).fit(vectors)


def predicted(model: Any, vectors: F32) -> NDArray[np.int64]:
    """The nearest centre of each vector."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return np.asarray(model.predict(vectors), np.int64)


def cosine(vectors: F32, centers: F32) -> NDArray[np.float64]:
    """Cosine of each unit vector with its centre."""
    wide = centers.astype(np.float64)
    length = np.maximum(np.linalg.norm(wide, axis=1), 1e-12)
    return (vectors * wide).sum(1) / length
