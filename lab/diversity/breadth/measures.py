"""The panel: how broad and how redundant a set of embedded texts is, each with an interval.

    near_duplicates     share of texts with another at cosine > .95      sees copies best
    near_duplicates_90  the same at .90
    nearest_distance    mean cosine distance to the nearest other text   sees copies
    vendi_1, vendi_2    centred Vendi scores, see `moments`              nearly blind to copies
    effective_clusters  exp of the entropy of cluster shares             blind inside a cluster

and, of the texts themselves, `surface`: zstd_ratio, self_repetition; `coverage` of a reference set.
All are taken at one n (`SIZE`, or all if there are fewer; `Estimate.n` says which), because most of
them depend on it. No single one means diversity: random noise has the largest distances and Vendi
scores of all, so they are read beside quality. What each cannot see stands in `BLIND`.

Intervals, 95 %, by influence (`measured`): for the Vendi scores the influence of a text x is the
gradient of `mixture` at D = x x^T - x mu^T - mu x^T, one product with log P for all texts; for
clusters exp(H) (-log p_c - H). A bootstrap would hold 63 % of the texts and be biased down. Cost:
0.4 s at n = 1000, d = 384; O(n^2 d).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import DataError
from lab.core.estimate import Estimate
from lab.diversity.breadth.measured import F64, Measured, mean_of, wilson
from lab.diversity.breadth.moments import (
    effective_number,
    linear_algebra,
    moments,
    slopes,
    spectrum,
)

__all__ = ["effective_clusters", "measure_vectors", "panel", "wilson"]

SIZE = 1000
NEAR, CLOSE = 0.95, 0.90
CHUNK = 2048  # rows of the similarity matrix at once: 16 MB at 2,000 texts

LABELS = {
    "near_duplicates": "near-duplicates (cosine > 0.95)",
    "near_duplicates_90": "close texts (cosine > 0.90)",
    "nearest_distance": "distance to the nearest text",
    "vendi_1": "Vendi score",
    "vendi_2": "Vendi score, order 2",
    "effective_clusters": "effective clusters",
    "zstd_ratio": "zstd ratio, long window",
    "self_repetition": "self-repetition, 8 words",
    "coverage": "coverage of the reference",
}
BLIND = {
    "near_duplicates": "It sees only pairs inside the sample: of a source n texts stand for, most "
    "copies have their twin outside. Compare at equal n and equal size of the source.",
    "near_duplicates_90": "Short texts of one template count as close although each says something "
    "else; and only pairs inside the sample are seen.",
    "nearest_distance": "It falls as n grows, whatever the texts; scattered junk raises it.",
    "vendi_1": "It hardly feels copies, is too low at small n, cannot exceed the dimensions of the "
    "encoder; junk that scatters raises it, junk that the encoder puts in one place hardly moves "
    "it.",
    "vendi_2": "It is ruled by the few largest directions: a rare topic can vanish unseen.",
    "effective_clusters": "It is blind inside a cluster: a thousand copies of one text count "
    "like a thousand texts on one topic; and what lies off the partition goes to the "
    "nearest cluster.",
    "zstd_ratio": "It knows letters, not meaning: a paraphrase is new to it, and long texts of "
    "one language compress better than short ones.",
    "self_repetition": "It counts repeated strings of 8 words only: a template whose slots are "
    "closer together is missed; long texts repeat more.",
    "coverage": "It asks only whether something lies near each reference text, not how much; "
    "what the reference lacks does not count.",
}


def panel(
    embeddings: NDArray[Any],
    clusters: NDArray[Any] | None = None,
    *,
    size: int = SIZE,
    seed: int = 0,
) -> dict[str, Estimate]:
    """The measures of unit vectors [n, d], of `size` of them; `clusters` adds effective_clusters.

    Raises DataError for fewer than two vectors or for numbers that are not finite.
    """
    check(embeddings)
    rows = chosen(len(embeddings), size, seed)
    numbers = None if clusters is None else np.asarray(clusters)[rows]
    found = measure_vectors(embeddings[rows], rows, numbers)
    return {name: measured.estimate() for name, measured in found.items()}


def chosen(n: int, size: int, seed: int = 0) -> NDArray[np.int64]:
    """Row numbers of a uniform sample of `size` of n rows, sorted; all if there are fewer."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:size])


def measure_vectors(
    vectors: NDArray[Any], units: NDArray[Any], clusters: NDArray[Any] | None = None
) -> dict[str, Measured]:
    """The measures of all rows; `units` [n] number the documents, for paired differences."""
    check(vectors)
    x = unit_rows(vectors)
    nearest = nearest_similarity(x)
    share = "share of documents"
    found = {
        "near_duplicates": mean_of(nearest > NEAR, units, share, "pairs"),
        "near_duplicates_90": mean_of(nearest > CLOSE, units, share, "pairs"),
        "nearest_distance": mean_of(1 - nearest, units, "cosine distance"),
        **vendi(x, units),
    }
    if clusters is not None:
        found["effective_clusters"] = measure_clusters(clusters, units)
    return found


def check(embeddings: NDArray[Any]) -> None:
    """DataError unless there are at least two finite vectors."""
    if embeddings.ndim != 2 or len(embeddings) < 2:
        raise DataError(
            "Diversity needs at least two embedded documents.",
            value=embeddings.shape,
            next_step="embed a larger sample",
        )
    if not np.isfinite(embeddings).all():
        raise DataError("Some embeddings are not finite numbers.", next_step="embed again")


def unit_rows(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Rows of length 1 in float32; float16 had changed their length. A row of zeros stays."""
    x = vectors.astype(np.float32)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.float32(1e-12))
    return x


def nearest_similarity(
    x: NDArray[np.float32], to: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Cosine of each unit row to the nearest other row, or to the nearest row of `to`: O(n m d)."""
    best = np.empty(len(x))
    with linear_algebra().limit(limits=1):
        for start in range(0, len(x), CHUNK):
            block = x[start : start + CHUNK] @ (x if to is None else to).T
            if to is None:
                block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
            best[start : start + CHUNK] = block.max(axis=1)
    return np.clip(best, -1, 1)


def vendi(x: NDArray[np.float32], units: NDArray[Any]) -> dict[str, Measured]:
    """Centred Vendi scores of order 1 and 2; without any influence where all texts are equal."""
    of = spectrum(moments(x))
    wide = x.astype(np.float64)
    with linear_algebra().limit(limits=1):
        traces = 1 - 2 * wide @ of.mean
        one, two = slopes(
            of, quadratic(wide, of.log, of.mean), quadratic(wide, of.share, of.mean), traces
        )
    return {
        name: Measured(value, given - given.mean(), units, len(x), "directions", "ratio")
        for name, value, given in (("vendi_1", of.vendi_1, one), ("vendi_2", of.vendi_2, two))
    }


def quadratic(x: F64, matrix: F64, mean: F64) -> F64:
    """<x x^T - x mu^T - mu x^T, matrix> for each row of x and a symmetric matrix."""
    product = x @ matrix
    return np.asarray(np.einsum("ij,ij->i", product, x) - 2 * product @ mean)


def measure_clusters(clusters: NDArray[Any], units: NDArray[Any]) -> Measured:
    """Effective number of clusters among the members' cluster numbers."""
    _, place, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    value = float(effective_number(counts)) if len(counts) else 0.0
    surprise = -np.log(counts / max(counts.sum(), 1))[place]
    influence = value * (surprise - (surprise.mean() if len(surprise) else 0.0))
    return Measured(value, influence, units, len(place), "clusters", "ratio")


def effective_clusters(clusters: NDArray[Any]) -> Estimate:
    """Effective number of clusters with its interval."""
    return measure_clusters(clusters, np.arange(len(clusters))).estimate()
