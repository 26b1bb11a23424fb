"""How far sources overlap: near neighbours across, and shares of one partition in common.

near: of n texts of the row's source, how many have a text of the column's (of n as well) at a
cosine above `NEAR`: the same n everywhere, because more texts are nearer. It is not symmetric: a
small source can lie inside a large one. clusters: sum over clusters of min(p, q), one minus the
total variation distance; 1 means the same topics in the same shares. Both are blind to what the
other sees: two sources may share all topics and no text. At small n the second is too low.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import DataError
from lab.core.estimate import Estimate
from lab.diversity.breadth.measured import Measured, wilson
from lab.diversity.breadth.measures import CLOSE, check, chosen, nearest_similarity, unit_rows

ROWS = {
    "source": pl.String, "other": pl.String, "near": pl.Float64, "near_low": pl.Float64,
    "near_high": pl.Float64, "clusters": pl.Float64, "clusters_low": pl.Float64,
    "clusters_high": pl.Float64, "n": pl.Int64,
}  # fmt: skip


def overlap(
    vectors: Mapping[str, NDArray[Any]],
    clusters: Mapping[str, NDArray[Any]],
    *,
    threshold: float = CLOSE,
    size: int = 1000,
) -> pl.DataFrame:
    """One row per ordered pair of sources (`ROWS`), at the smallest source's n, at most `size`.

    Raises DataError for fewer than two sources, or vectors that cannot be compared.
    """
    if len(vectors) < 2:
        raise DataError("An overlap is between two sources.", value=sorted(vectors))
    for x in vectors.values():
        check(x)
    n = min(size, *(len(x) for x in vectors.values()))
    taken = {name: chosen(len(x), n) for name, x in vectors.items()}
    unit = {name: unit_rows(vectors[name][rows]) for name, rows in taken.items()}
    found = []
    for one in vectors:
        for other in vectors:
            if one != other:
                hits = int((nearest_similarity(unit[one], unit[other]) > threshold).sum())
                near, shares = wilson(hits, n), cluster_overlap(clusters[one], clusters[other])
                band = (shares.value, shares.low, shares.high)
                found.append((one, other, near.value, near.low, near.high, *band, n))
    return pl.DataFrame(found, schema=ROWS, orient="row")


def cluster_overlap(one: NDArray[Any], other: NDArray[Any]) -> Estimate:
    """Sum of min(p, q) over clusters, with the interval that its influences give."""
    k = int(max(np.max(one), np.max(other))) + 1
    p, q = (np.bincount(numbers, minlength=k) / len(numbers) for numbers in (one, other))
    value = min(float(np.minimum(p, q).sum()), 1.0)  # the sum may round above it
    halves = []
    for numbers, less in ((one, p < q), (other, q <= p)):
        inside = less[numbers].astype(np.float64)
        units = np.arange(len(numbers))
        part = Measured(value, inside - inside.mean(), units, len(numbers), "share")
        band = part.estimate()
        halves.append(band.high - band.value)
    half = float(np.hypot(halves[0], halves[1]))
    n = min(len(one), len(other))
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0), n, "share of texts")
