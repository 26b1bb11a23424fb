"""CES power law: cost = offset + scale (sum_j a_j ((r_j + e)^g - e^g))^-alpha, with g = .75.

The power law with one change: more of one source is worth less and less, so a mixture of two
useful sources beats either alone. A sum of such powers is what economics calls an aggregate of
constant elasticity of substitution, 1 / (1 - g) = 4 here (Arrow, Chenery, Minhas and Solow 1961);
g = 1 is the power law. The sum is concave in r and x^-alpha falls and is convex, so the law is
convex in r and its optimum exact. e = .001 keeps the slope finite where a source is absent.

g is set, not fitted: of .4, .5, .6, .7, .8, .9 and 1 on RegMix's runs, rank correlation at the size
of the runs is best at .6-.7 and across sizes at .5-.9, depending on the metric; fitted per metric,
or per source, it gains at the runs' size (.001-.003) and loses on Pile-CC at 1B (.01). On 64 runs,
Pile-CC: .977 / .975 / .986 at 1M, 60M and 1B, where the power law has .952 / .948 / .981. Fails as
that does where a source hurts a metric. Cost: that of the power law.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lab.advice.laws.law import Fitted
from lab.advice.laws.power_law import PowerLaw, PowerLawFit
from lab.advice.simplex import Array

RETURNS = 0.75  # the exponent g: see above
FAINT = 1e-3  # the share e below which a source is as good as absent; published weights end here


@dataclass(frozen=True, slots=True)
class CesFit:
    """A power law of what the weights return."""

    inner: PowerLawFit
    law: ClassVar[str] = "ces"
    convex: ClassVar[bool] = True

    def predict(self, weights: Array) -> Array:
        """[n, m] -> [n, B]."""
        return self.inner.predict(returns(weights))

    def at(self, points: Array) -> tuple[Array, Array]:
        """[B, m] -> cost [B], slope [B, m]."""
        cost, slope = self.inner.at(returns(points))
        return cost, slope * RETURNS * (points + FAINT) ** (RETURNS - 1)

    def take(self, columns: Sequence[int]) -> "CesFit":
        """Only the given columns."""
        return CesFit(self.inner.take(columns))

    def mapping(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return self.inner.mapping() | {"law": self.law}


@dataclass(frozen=True, slots=True)
class Ces:
    """Settings of the fit: steps from each start."""

    steps: int = 100
    name: ClassVar[str] = "ces"

    def fit(
        self,
        weights: Array,
        values: Array,
        counts: Array | None = None,
        start: Fitted | None = None,
    ) -> CesFit:
        """Fit every column of `values` [K, B]."""
        inner = start.inner if isinstance(start, CesFit) else None
        return CesFit(PowerLaw(self.steps).fit(returns(weights), values, counts, inner))

    def restore(self, mapping: Mapping[str, Any]) -> CesFit:
        """The fit that `CesFit.mapping` wrote."""
        return CesFit(PowerLaw().restore(mapping))


def returns(weights: Array) -> Array:
    """What shares give: (r + e)^g - e^g, zero at zero."""
    return np.asarray((weights + FAINT) ** RETURNS - FAINT**RETURNS)
