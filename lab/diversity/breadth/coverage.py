"""Coverage: how much of a reference set lies near a text of a selection.

A reference text is covered if some text of the selection is no farther from it than its own k-th
nearest neighbour in the reference (Naeem et al. 2020, arXiv:2002.09797). A selection covers more
the more texts it has, so two are compared at one n. A text that is in both sets does not cover
itself. Cost O(n m d): 1 s for 3,000 by 1,000 texts at 384 dimensions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.diversity.breadth.measured import Measured, mean_of
from lab.diversity.breadth.measures import check, unit_rows
from lab.diversity.breadth.moments import linear_algebra

NEIGHBOURS = 5
REFERENCE = 1000  # texts of a reference are enough for a share within 3 points
SLACK = 1e-6  # of the cosine of equal vectors in float32


def coverage(
    vectors: NDArray[Any],
    reference: NDArray[Any],
    own: NDArray[np.int64] | None = None,
    k: int = NEIGHBOURS,
) -> Measured:
    """Share of `reference` [m, d] covered by `vectors` [n, d]; units are the reference's rows.

    `own` [m] is the row of `vectors` that is the same text, or -1. Raises DataError for fewer than
    two vectors in either, or numbers that are not finite.
    """
    check(vectors)
    check(reference)
    points, targets = unit_rows(vectors), unit_rows(reference)
    with linear_algebra().limit(limits=1):
        among = targets @ targets.T
        np.fill_diagonal(among, -np.inf)
        k = min(k, len(targets) - 1)
        radius = np.partition(among, -k, axis=1)[:, -k]
        near = targets @ points.T
    if own is not None:
        rows = np.flatnonzero(own >= 0)
        near[rows, own[rows]] = -np.inf
    covered = near.max(axis=1) >= radius - SLACK
    return mean_of(covered, np.arange(len(targets)), "share of the reference", "share")


def own_rows(ids: NDArray[Any], reference_ids: NDArray[Any]) -> NDArray[np.int64]:
    """For each reference id its place among `ids`, or -1."""
    order = np.argsort(ids, kind="stable")
    place = np.minimum(np.searchsorted(ids, reference_ids, sorter=order), max(len(ids) - 1, 0))
    if not len(ids):
        return np.full(len(reference_ids), -1, np.int64)
    found = order[place]
    return np.where(ids[found] == reference_ids, found, -1).astype(np.int64)
