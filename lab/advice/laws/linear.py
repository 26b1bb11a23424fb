"""Linear law: cost = offset + slope . r, by ordinary least squares.

The baseline of RegMix (arXiv:2407.01492, table 2: rank correlation .90 at the size it was fitted
on, .88 at a thousand times the size, on 512 runs). Since weights sum to one, offset and slope are
not both determined; the solution of least norm is taken, which predicts the same. Fails where a
source's return diminishes, which is nearly everywhere: an optimum of this law is always a corner
of what the caps allow. Kept as the yardstick that other laws must beat. Where costs are positive
in every run, predictions end at zero, and the slope with them; sources held to costs of zero or
more instead rank worse (.69 for .73 on RegMix's 13 metrics at 64 runs). Cost: one
eigendecomposition of [m + 1, m + 1] a column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from lab.advice.laws.law import Fitted, counted, least_possible
from lab.advice.simplex import Array

NULL = 1e-12  # eigenvalues below this share of the largest are directions no run varies


@dataclass(frozen=True, slots=True)
class LinearFit:
    """offset [B], slope [B, m]; columns in `positive` [B] predict no less than zero."""

    offset: Array
    slope: Array
    positive: npt.NDArray[np.bool_]
    law: ClassVar[str] = "linear"
    convex: ClassVar[bool] = True

    def predict(self, weights: Array) -> Array:
        """[n, m] -> [n, B]."""
        return np.asarray(self.ended(weights @ self.slope.T + self.offset))

    def at(self, points: Array) -> tuple[Array, Array]:
        """[B, m] -> cost [B], slope [B, m]."""
        line = self.offset + (points * self.slope).sum(axis=1)
        cost = self.ended(line)
        return cost, np.where((cost == line)[:, None], self.slope, 0.0)

    def ended(self, line: Array) -> Array:
        """Costs of values on the line, columns on the last axis."""
        return np.where(self.positive, np.maximum(line, 0.0), line)

    def take(self, columns: Sequence[int]) -> "LinearFit":
        """Only the given columns."""
        index = np.asarray(columns, dtype=np.intp)
        return LinearFit(self.offset[index], self.slope[index], self.positive[index])

    def mapping(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return {"law": self.law, **{name: getattr(self, name).tolist() for name in NAMES}}


NAMES = ("offset", "slope", "positive")


@dataclass(frozen=True, slots=True)
class Linear:
    """Ordinary least squares."""

    name: ClassVar[str] = "linear"

    def fit(
        self,
        weights: Array,
        values: Array,
        counts: Array | None = None,
        start: Fitted | None = None,  # the solution is closed: a start changes nothing
    ) -> LinearFit:
        """Fit every column of `values` [K, B]."""
        design = np.column_stack([np.ones(len(weights)), weights])
        rows, counts = counted(values, counts)
        theta = least_squares(design, rows, counts)
        positive = least_possible(rows, counts)[:, 0] == 0
        return LinearFit(theta[:, 0], theta[:, 1:], positive)

    def restore(self, mapping: Mapping[str, Any]) -> LinearFit:
        """The fit that `LinearFit.mapping` wrote."""
        return LinearFit(*(np.array(mapping[name]) for name in NAMES))


def least_squares(design: Array, values: Array, counts: Array) -> Array:
    """Weighted least squares of least norm: design [K, P], values and counts [B, K] -> [B, P]."""
    rows, size = design.shape
    products = (design[:, :, None] * design[:, None, :]).reshape(rows, size * size)
    gram = (counts @ products).reshape(-1, size, size)
    eigenvalues, vectors = np.linalg.eigh(gram)
    known = eigenvalues > NULL * eigenvalues[:, -1:]
    inverse = np.where(known, 1.0 / np.where(known, eigenvalues, 1.0), 0.0)
    rotated = np.einsum("bpq,bp->bq", vectors, (counts * values) @ design)
    return np.asarray(np.einsum("bpq,bq->bp", vectors, rotated * inverse))
