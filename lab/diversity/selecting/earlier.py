"""The largest cosine similarity of each vector to one before it, cluster by cluster.

The comparison of SemDeDup (Abbas et al. 2023, arXiv:2303.09540), written anew; `methods` and
`lab.curation.duplicates.semantic`, which explains it, are made of it. A block of `BLOCK` rows is
multiplied with all members before its end, so memory is BLOCK x members of a cluster, 8 MB on
average.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lab.core.progress import SILENT, Progress

ORDERS = ("hash", "hard", "easy")
MEMBERS = 1000  # documents a cluster, on average
SEEN = 256  # documents a centroid that k-means is fitted on; more move the centroids little
BLOCK = 2048

F32 = NDArray[np.float32]


def largest_earlier(
    vectors: F32, order: str = "hash", progress: Progress = SILENT
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
        for start in range(0, len(members), BLOCK):
            block = members[start : start + BLOCK]
            product = vectors[block] @ vectors[members[: start + len(block)]].T
            earlier = np.arange(product.shape[1]) < start + np.arange(len(block))[:, None]
            product = np.where(earlier, product, np.float32(0))
            at = product.argmax(1)
            best = product[np.arange(len(block)), at]
            largest[block] = np.clip(best, 0, 1)
            before[block] = np.where(best > 0, members[at], -1)
    return largest, before


def assign(vectors: F32) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cluster of each vector, and its cosine distance to the centroid."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    k = len(vectors) // MEMBERS
    if k < 2:  # few enough to compare all with all
        center = vectors.mean(0)
        return np.zeros(len(vectors), np.int64), 1 - cosine(vectors, center[None, :])
    with threadpool_limits(1):  # sums in another order would change the last bits
        model = KMeans(k, n_init=1, max_iter=20, random_state=0).fit(vectors[: k * SEEN])
        numbers = model.predict(vectors).astype(np.int64)
    return numbers, 1 - cosine(vectors, model.cluster_centers_[numbers])


def cosine(vectors: F32, centers: F32) -> NDArray[np.float64]:
    """Cosine of each unit vector with its centre, or with the only one."""
    wide = centers.astype(np.float64)
    length = np.maximum(np.linalg.norm(wide, axis=1), 1e-12)
    return (vectors * wide).sum(1) / length
