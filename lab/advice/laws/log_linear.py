"""Log-linear law: cost = offset + exp(bias + slope . r), one per metric.

Data Mixing Laws (Ye et al., arXiv:2403.16952) and Olmix (arXiv:2602.12237, section 3.2): m + 1
free parameters, Huber's loss with delta = .02 in the metric's unit. Olmix writes exp(c) for the
offset; here it is free, because then every start tried on the published RegMix runs ends in one
and the same optimum, and because the negative of an accuracy has a negative offset; for a cost that
is positive in every run it is not below zero (`least_possible`). `bias` holds the scale on which
the fit was done. The law is convex in r, so a mean of several has one optimum.

On RegMix's 512 runs: rank correlation .962 / .957 / .985 with unseen mixtures at 1M, 60M and 1B
parameters. Weak where one source has a sharp effect near zero (a power law), and below about m + 2
runs, where any law only interpolates. Cost: see `gauss_newton`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lab.advice.laws.gauss_newton import Evaluate, Normal, alike, best_start, minimise
from lab.advice.laws.law import Fitted, counted, least_possible, standardise
from lab.advice.laws.linear import least_squares
from lab.advice.simplex import Array

STARTS = (0.1, 0.5)  # how far below the best run the offset starts, in ranges of the cost
STEEPEST = 30.0  # bound on slopes in units of log(standard deviations): exp(30) is no real effect
# precision of the prior that slopes are alike; Huber's loss counts a run less than squares do, so
# it is smaller than the power law's: 1e-4 loses .006 of rank correlation on 64 of RegMix's runs
ALIKE = 1e-5


@dataclass(frozen=True, slots=True)
class LogLinearFit:
    """offset [B], bias [B], slope [B, m]."""

    offset: Array
    bias: Array
    slope: Array
    law: ClassVar[str] = "log_linear"
    convex: ClassVar[bool] = True

    def predict(self, weights: Array) -> Array:
        """[n, m] -> [n, B]."""
        return np.asarray(self.offset + np.exp(self.bias + weights @ self.slope.T))

    def at(self, points: Array) -> tuple[Array, Array]:
        """[B, m] -> cost [B], slope [B, m]."""
        rise = np.exp(self.bias + (points * self.slope).sum(axis=1))
        return self.offset + rise, rise[:, None] * self.slope

    def take(self, columns: Sequence[int]) -> "LogLinearFit":
        """Only the given columns."""
        index = np.asarray(columns, dtype=np.intp)
        return LogLinearFit(self.offset[index], self.bias[index], self.slope[index])

    def mapping(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return {
            "law": self.law,
            "offset": self.offset.tolist(),
            "bias": self.bias.tolist(),
            "slope": self.slope.tolist(),
        }


@dataclass(frozen=True, slots=True)
class LogLinear:
    """Settings of the fit: Huber's `delta` in the metric's unit, and steps from each start."""

    delta: float = 0.02
    steps: int = 60
    name: ClassVar[str] = "log_linear"

    def fit(
        self,
        weights: Array,
        values: Array,
        counts: Array | None = None,
        start: Fitted | None = None,
    ) -> LogLinearFit:
        """Fit every column of `values` [K, B]."""
        rows, counts = counted(values, counts)
        centre, spread = standardise(rows, counts)
        scaled = (rows - centre) / spread
        if isinstance(start, LogLinearFit):
            thetas = [rescaled(start, centre, spread)]
        else:
            thetas = [first_guess(weights, scaled, counts, below) for below in STARTS]
        bound = np.full((len(rows), weights.shape[1]), STEEPEST)
        least = (least_possible(rows, counts) - centre) / spread
        model = evaluator(weights)
        ends = [
            minimise(
                model,
                theta,
                scaled,
                counts,
                delta=self.delta / spread,
                low=np.hstack([least, -bound]),
                high=np.hstack([np.full_like(least, np.inf), bound]),
                prior=alike(weights.shape[1], 1, ALIKE),
                steps=self.steps,
            )
            for theta in thetas
        ]
        theta = best_start([end[0] for end in ends], [end[1] for end in ends])
        offset = centre[:, 0] + spread[:, 0] * theta[:, 0]
        return LogLinearFit(offset, np.log(spread[:, 0]), theta[:, 1:])

    def restore(self, mapping: Mapping[str, Any]) -> LogLinearFit:
        """The fit that `LogLinearFit.mapping` wrote."""
        return LogLinearFit(*(np.array(mapping[key]) for key in ("offset", "bias", "slope")))


def rescaled(fit: LogLinearFit, centre: Array, spread: Array) -> Array:
    """The parameters of `fit` on the scale of this problem: [B, m + 1]; weights sum to one."""
    offset = (fit.offset[:, None] - centre) / spread
    return np.hstack([offset, fit.slope + fit.bias[:, None] - np.log(spread)])


def first_guess(weights: Array, values: Array, counts: Array, below: float) -> Array:
    """Offset `below` ranges under the lowest cost; the rest is linear in log(cost - offset)."""
    lowest = np.where(counts > 0, values, np.inf).min(axis=1, keepdims=True)
    highest = np.where(counts > 0, values, -np.inf).max(axis=1, keepdims=True)
    offset = lowest - below * np.maximum(highest - lowest, 1e-6)
    rise = np.log(np.maximum(values - offset, 1e-12))  # rows of count 0 may be lower
    slope = least_squares(weights, rise, counts)
    return np.hstack([offset, np.clip(slope, -STEEPEST, STEEPEST)])


def evaluator(weights: Array) -> Evaluate:
    """Predictions and normal equations of offset + exp(slope . r) at mixtures [K, m]."""
    rows, size = weights.shape
    products = (weights[:, :, None] * weights[:, None, :]).reshape(rows, size * size)

    def evaluate(theta: Array) -> tuple[Array, Normal]:
        rise = np.exp(theta[:, 1:] @ weights.T)

        def normal(weight: Array, pull: Array) -> tuple[Array, Array]:
            slanted = weight * rise
            curvature = np.empty((len(theta), size + 1, size + 1))
            curvature[:, 0, 0] = weight.sum(axis=1)
            curvature[:, 0, 1:] = curvature[:, 1:, 0] = slanted @ weights
            curvature[:, 1:, 1:] = ((slanted * rise) @ products).reshape(-1, size, size)
            gradient = np.column_stack([pull.sum(axis=1), (pull * rise) @ weights])
            return curvature, gradient

        return theta[:, :1] + rise, normal

    return evaluate
