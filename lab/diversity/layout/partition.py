"""A shared, frozen partition of the embedding: every later text gets its cluster on the same one.

Vectors are centred on the mean of the pool that the partition was made of and scaled to length 1,
then k-means is run in the full dimension (`cluster`). Centring first matters: all texts of an
encoder share a large common direction, and a set that is shifted along it would fall into one
cluster whole. Later texts are centred on the *pool's* mean, which is stored with the centroids;
centring a source on its own mean would hide that it differs from the others.

k is a choice, not a discovery. It is made by size (`cluster.choose_k`) and shown beside its
neighbours k/2 and 2k with their **stability**: k-means on two thirds of the texts apart, both
partitions applied to the last third, and their agreement beyond chance (adjusted Rand index, Hubert
and Arabie 1985; the method is Ben-Hur et al. 2002). 1: the same clusters come back; 0: they are an
accident of the sample. A stable partition may still be too coarse.

`margin` says how clearly a text lies in its cluster: (d2 - d1) / d2 from the distances to the two
nearest centroids (the simplified silhouette of Hruschka et al. 2004). k-means has no noise of its
own, so texts with a margin below `UNCLEAR` are counted as lying between clusters.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import DataError
from lab.diversity.embedding.stored import unit
from lab.diversity.layout.cluster import find_clusters

F32 = NDArray[np.float32]
Numbers = NDArray[np.uint16]
FITTED = 20_000  # texts at most that k-means is run on
TESTED = 4000  # texts at most that stability is measured on
ROWS = 16_384  # vectors assigned at once
UNCLEAR = 0.03  # margin; between two clusters of the sample world's topics lie some per cent


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Centroids [k, d] of centred unit vectors, and the pool's mean [d]."""

    centroids: F32
    mean: F32

    def assign(self, vectors: NDArray[Any]) -> Numbers:
        """Cluster number of each vector, centred on the pool's mean."""
        return assign(vectors, self.centroids, self.mean)


def find_partition(vectors: F32, k: int, seed: int = 0) -> Partition:
    """k clusters of a pool's vectors [n, d], numbered from the largest; fewer if texts are equal.

    At most `FITTED` of them, drawn by `seed`, are clustered; the rest is only assigned.
    """
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:FITTED])
    return Partition(find_clusters(centre(vectors[rows], mean), k, seed).centroids, mean)


def centre(vectors: NDArray[Any], mean: F32 | None = None) -> F32:
    """Unit vectors less `mean` (None: their own), scaled to length 1; equal ones become zeros."""
    wide = unit(vectors)
    moved = wide - (wide.mean(axis=0, dtype=np.float64) if mean is None else mean)
    moved[np.linalg.norm(moved, axis=1) < 1e-5] = 0  # rounding has no direction
    return unit(moved)


def assign(vectors: NDArray[Any], centroids: F32, mean: F32 | None = None) -> Numbers:
    """The nearest centroid [k, d] of each vector [n, d], as numbers from 0.

    `mean` is what the partition was centred on (`mean.npy` beside `centroids.npy`); without it the
    vectors' own, which is right only for the pool itself. DataError for another dimension.
    """
    return assign_with_margin(vectors, centroids, mean)[0]


def assign_with_margin(
    vectors: NDArray[Any], centroids: F32, mean: F32 | None = None
) -> tuple[Numbers, F32]:
    """Cluster numbers and margins in [0, 1]; a margin is 1 where there is one cluster."""
    if vectors.shape[1] != centroids.shape[1]:
        raise DataError(
            "These vectors are of another dimension than the partition.",
            where="partition",
            value=f"{vectors.shape[1]} against {centroids.shape[1]}",
            next_step="embed with the encoder that the map was made with",
        )
    about = unit(vectors).mean(axis=0) if mean is None else mean
    numbers, margins = np.empty(len(vectors), np.uint16), np.ones(len(vectors), np.float32)
    for start in range(0, len(vectors), ROWS):
        block = centre(vectors[start : start + ROWS], about)
        distance = squared_distances(block, centroids)
        numbers[start : start + ROWS] = distance.argmin(axis=1)
        if len(centroids) > 1:
            near = np.sqrt(np.partition(distance, 1, axis=1)[:, :2].clip(0))
            margins[start : start + ROWS] = 1 - near[:, 0] / np.maximum(near[:, 1], 1e-12)
    return numbers, margins


def squared_distances(x: F32, y: F32) -> F32:
    """Squared distance of every row of x to every row of y."""
    return (x**2).sum(axis=1)[:, None] - 2 * (x @ y.T) + (y**2).sum(axis=1)


def shares(
    numbers: NDArray[Any], k: int, weights: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Share of each of k clusters among `numbers`, by count or weight (tokens); zeros if none."""
    counts = np.bincount(numbers, weights, minlength=k).astype(np.float64)
    return counts / max(float(counts.sum()), 1e-300)


def stability(vectors: F32, k: int, seed: int = 0) -> float | None:
    """Agreement of the partitions of two thirds of the texts on the last third, from 0 (chance) to
    1; None where the thirds are too small for k clusters.
    """
    rows = np.random.default_rng(seed).permutation(len(vectors))[:TESTED]
    third = len(rows) // 3
    if third < 2 * k:
        return None
    mean = vectors[rows].mean(axis=0)
    first, second, held = (centre(vectors[part], mean) for part in np.split(rows[: 3 * third], 3))
    found = [find_clusters(half, k, seed, starts=2).centroids for half in (first, second)]
    return adjusted_rand(*(squared_distances(held, c).argmin(axis=1) for c in found))


def adjusted_rand(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Agreement of two partitions beyond chance; 1 for equal ones whatever the names."""
    _, a = np.unique(one, return_inverse=True)
    _, b = np.unique(other, return_inverse=True)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    pairs, left, right = (
        float((c * (c - 1) / 2).sum()) for c in (table, table.sum(axis=1), table.sum(axis=0))
    )
    total = len(a) * (len(a) - 1) / 2
    expected, most = left * right / max(total, 1), (left + right) / 2
    return 1.0 if most == expected else (pairs - expected) / (most - expected)


def stability_table(vectors: F32, k: int, seed: int = 0) -> list[dict[str, Any]]:
    """Rows {k, stability} for k/2, k and 2k, where there are enough texts to say."""
    tried = [max(k // 2, 2), k, 2 * k] if k > 2 else [k, 2 * k]
    return [{"k": n, "stability": stability(vectors, n, seed)} for n in dict.fromkeys(tried)]


def load_partition(folder: Path) -> Partition:
    """The partition stored in the folder of a map."""
    centroids, mean = (
        np.load(folder / name, allow_pickle=False) for name in ("centroids.npy", "mean.npy")
    )
    return Partition(centroids, mean)
