"""Combination: the plain mean of the CES power law and the Gaussian process.

Two predictors that err in different ways (Bates and Granger 1969): the process is the best at the
size of the runs and learns what is peculiar to it, the law is the best across sizes and too stiff
within one. Equal weights are the point. Weights from cross-validation see the runs' size only and
go to the process as runs grow in number; on RegMix's 512 runs, Pile-CC, that costs .013 of rank
correlation at 1B and gains .002 at 1M. A process on the law's residuals loses as much there
(.953-.976 for .985) and fails at 32 runs, where residuals of a fit are too small.

Not convex, because the process is not. Cost: the sum of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lab.advice.laws.ces import Ces, CesFit
from lab.advice.laws.gp import GaussianProcess, GPFit
from lab.advice.laws.law import Fitted
from lab.advice.simplex import Array

PARTS = ("ces", "gp")


@dataclass(frozen=True, slots=True)
class CombinedFit:
    """Both fits, of the same columns."""

    ces: CesFit
    gp: GPFit
    law: ClassVar[str] = "combined"
    convex: ClassVar[bool] = False

    def predict(self, weights: Array) -> Array:
        """[n, m] -> [n, B]."""
        return np.asarray((self.ces.predict(weights) + self.gp.predict(weights)) / 2)

    def at(self, points: Array) -> tuple[Array, Array]:
        """[B, m] -> cost [B], slope [B, m]."""
        (one, steep), (other, slope) = self.ces.at(points), self.gp.at(points)
        return (one + other) / 2, (steep + slope) / 2

    def take(self, columns: Sequence[int]) -> "CombinedFit":
        """Only the given columns."""
        return CombinedFit(self.ces.take(columns), self.gp.take(columns))

    def mapping(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return {"law": self.law, "ces": self.ces.mapping(), "gp": self.gp.mapping()}


@dataclass(frozen=True, slots=True)
class Combined:
    """Fits both parts to the same runs."""

    name: ClassVar[str] = "combined"

    def fit(
        self,
        weights: Array,
        values: Array,
        counts: Array | None = None,
        start: Fitted | None = None,
    ) -> CombinedFit:
        """Fit every column of `values` [K, B]."""
        warm = start if isinstance(start, CombinedFit) else None
        ces = Ces().fit(weights, values, counts, warm.ces if warm else None)
        return CombinedFit(
            ces, GaussianProcess().fit(weights, values, counts, warm.gp if warm else None)
        )

    def restore(self, mapping: Mapping[str, Any]) -> CombinedFit:
        """The fit that `CombinedFit.mapping` wrote."""
        return CombinedFit(Ces().restore(mapping["ces"]), GaussianProcess().restore(mapping["gp"]))
