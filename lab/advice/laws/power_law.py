"""Power law: cost = offset + scale (a . r)^-alpha with a >= 0 the usefulness of every source.

A run's useful data is the sum of what each source gives, a . r; the cost falls with it as a power,
as loss does with data (Kaplan et al., arXiv:2001.08361; Aioli compares such forms,
arXiv:2411.05735). m + 2 free parameters, squared loss, fitted in (offset, ln alpha, ln a). Convex
in r. A source cannot do harm in it, only be useless, so it is wrong where a source hurts a metric
beyond the share it takes. `scale` holds the unit on which the fit was done.

On RegMix's 512 runs: rank correlation .970 / .964 / .990 with unseen mixtures at 1M, 60M and 1B
parameters, the best of the parametric laws across sizes. For a cost that is positive in every run
the offset is not below zero: a loss has a floor there (E > 0 in Hoffmann et al., arXiv:2203.15556,
where it is the entropy of text), and a fit without one extrapolates to negative losses. Cost: three
starts of up to 100 steps, see `gauss_newton`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lab.advice.laws.gauss_newton import Evaluate, Normal, alike, best_start, minimise
from lab.advice.laws.law import Fitted, counted, least_possible, standardise
from lab.advice.laws.linear import least_squares
from lab.advice.simplex import TINY, Array

# (ranges that the offset starts below the best run, alpha): of seven tried, the three that ended
# lowest on the 13 targets of RegMix
STARTS = ((0.5, 0.3), (0.1, 1.0), (0.3, 0.1))
USELESS = 20.0  # |ln a| at most this: exp(-20) of the best source's usefulness is none
# precision of the prior that sources are alike in ln a, with costs of variance one. Of seven from 0
# to 3e-2 the largest that loses no more than .004 of rank correlation on 24 to 512 of RegMix's runs
ALIKE = 1e-4
ALPHA = (0.02, 3.0)  # beyond these the law is a logarithm or an exponential in all but name


@dataclass(frozen=True, slots=True)
class PowerLawFit:
    """offset [B], scale [B], alpha [B], usefulness [B, m]."""

    offset: Array
    scale: Array
    alpha: Array
    usefulness: Array
    law: ClassVar[str] = "power_law"
    convex: ClassVar[bool] = True

    def predict(self, weights: Array) -> Array:
        """[n, m] -> [n, B]."""
        useful = np.maximum(weights @ self.usefulness.T, TINY)
        return np.asarray(self.offset + self.scale * useful**-self.alpha)

    def at(self, points: Array) -> tuple[Array, Array]:
        """[B, m] -> cost [B], slope [B, m]."""
        useful = np.maximum((points * self.usefulness).sum(axis=1), TINY)
        rise = self.scale * useful**-self.alpha
        return self.offset + rise, (-self.alpha * rise / useful)[:, None] * self.usefulness

    def take(self, columns: Sequence[int]) -> "PowerLawFit":
        """Only the given columns."""
        index = np.asarray(columns, dtype=np.intp)
        return PowerLawFit(
            self.offset[index], self.scale[index], self.alpha[index], self.usefulness[index]
        )

    def mapping(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return {
            "law": self.law,
            "offset": self.offset.tolist(),
            "scale": self.scale.tolist(),
            "alpha": self.alpha.tolist(),
            "usefulness": self.usefulness.tolist(),
        }


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Settings of the fit: steps from each start."""

    steps: int = 100
    name: ClassVar[str] = "power_law"

    def fit(
        self,
        weights: Array,
        values: Array,
        counts: Array | None = None,
        start: Fitted | None = None,
    ) -> PowerLawFit:
        """Fit every column of `values` [K, B]."""
        rows, counts = counted(values, counts)
        centre, spread = standardise(rows, counts)
        scaled = (rows - centre) / spread
        if isinstance(start, PowerLawFit):
            thetas = [rescaled(start, centre, spread)]
        else:
            thetas = [first_guess(weights, scaled, counts, *pair) for pair in STARTS]
        model = evaluator(weights)
        bound = np.full((len(rows), weights.shape[1]), USELESS)
        alphas = np.broadcast_to(np.log(ALPHA), (len(rows), 2))
        least = (least_possible(rows, counts) - centre) / spread
        ends = [
            minimise(
                model,
                theta,
                scaled,
                counts,
                delta=np.inf,
                low=np.hstack([least, alphas[:, :1], -bound]),
                high=np.hstack([np.full_like(least, np.inf), alphas[:, 1:], bound]),
                prior=alike(weights.shape[1], 2, ALIKE),
                steps=self.steps,
            )
            for theta in thetas
        ]
        theta = best_start([end[0] for end in ends], [end[1] for end in ends])
        offset = centre[:, 0] + spread[:, 0] * theta[:, 0]
        return PowerLawFit(offset, spread[:, 0], np.exp(theta[:, 1]), np.exp(theta[:, 2:]))

    def restore(self, mapping: Mapping[str, Any]) -> PowerLawFit:
        """The fit that `PowerLawFit.mapping` wrote."""
        keys = ("offset", "scale", "alpha", "usefulness")
        return PowerLawFit(*(np.array(mapping[key]) for key in keys))


def rescaled(fit: PowerLawFit, centre: Array, spread: Array) -> Array:
    """The parameters of `fit` on the scale of this problem: [B, m + 2]."""
    unit = (fit.scale[:, None] / spread) ** (-1 / fit.alpha[:, None])
    useful = np.clip(np.log(fit.usefulness * unit), -USELESS, USELESS)
    offset = (fit.offset[:, None] - centre) / spread
    return np.hstack([offset, np.log(fit.alpha[:, None]), useful])


def first_guess(weights: Array, values: Array, counts: Array, below: float, alpha: float) -> Array:
    """With offset and alpha set, (cost - offset)^(-1 / alpha) is linear in r, with a > 0."""
    lowest = np.where(counts > 0, values, np.inf).min(axis=1, keepdims=True)
    highest = np.where(counts > 0, values, -np.inf).max(axis=1, keepdims=True)
    offset = lowest - below * np.maximum(highest - lowest, 1e-6)
    rise = np.where(counts > 0, values - offset, 1.0)
    useful = least_squares(weights, rise ** (-1 / alpha), counts)
    floor = 0.01 * np.abs(useful).max(axis=1, keepdims=True) + 1e-9
    logs = np.clip(np.log(np.maximum(useful, floor)), -USELESS, USELESS)
    return np.hstack([offset, np.full_like(offset, np.log(alpha)), logs])


def evaluator(weights: Array) -> Evaluate:
    """Predictions and normal equations of offset + (a . r)^-alpha at mixtures [K, m]."""
    rows, size = weights.shape
    products = (weights[:, :, None] * weights[:, None, :]).reshape(rows, size * size)

    def evaluate(theta: Array) -> tuple[Array, Normal]:
        alpha, useful = np.exp(theta[:, 1:2]), np.exp(theta[:, 2:])
        data = np.maximum(useful @ weights.T, TINY)
        rise = data**-alpha
        by_alpha = -alpha * rise * np.log(data)
        by_data = -alpha * rise / data

        def normal(weight: Array, pull: Array) -> tuple[Array, Array]:
            slanted = weight * by_data
            curvature = np.empty((len(theta), size + 2, size + 2))
            curvature[:, 0, 0] = weight.sum(axis=1)
            curvature[:, 0, 1] = curvature[:, 1, 0] = (weight * by_alpha).sum(axis=1)
            curvature[:, 1, 1] = (weight * by_alpha**2).sum(axis=1)
            curvature[:, 0, 2:] = curvature[:, 2:, 0] = (slanted @ weights) * useful
            curvature[:, 1, 2:] = ((slanted * by_alpha) @ weights) * useful
            curvature[:, 2:, 1] = curvature[:, 1, 2:]
            inner = ((slanted * by_data) @ products).reshape(-1, size, size)
            curvature[:, 2:, 2:] = inner * useful[:, :, None] * useful[:, None, :]
            sums = np.column_stack([pull.sum(axis=1), (pull * by_alpha).sum(axis=1)])
            return curvature, np.hstack([sums, ((pull * by_data) @ weights) * useful])

        return theta[:, :1] + rise, normal

    return evaluate
