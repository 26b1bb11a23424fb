"""A measure of a sample with what each of its units contributed: intervals and paired differences.

To first order any smooth measure of a sample is its value plus the mean of *influences*: what one
more unit of that sort would change (Hampel 1974; the infinitesimal jackknife). So

    variance of a measure        sum over units of (influence / n)^2
    variance of a difference     sum over units of (influence_1 / n_1 - influence_2 / n_2)^2

where a unit in both samples (a kept document is also in the pool) enters once: two measures of
overlapping samples are compared without pretending that they are independent. Units are documents,
or groups of them where one document's part cannot be told (the delete-a-group jackknife, Quenouille
1956). Shares have Wilson's interval (1927) and differences of shares Newcombe's (1998), which do
not claim certainty for zero of ten. A share of documents with a partner counts pairs: both of them
have it or neither, so half the documents decide (on 5,760 documents Wilson's interval over all held
.90 of 200 draws, not .95).

Where it fails: influences are taken with everything else held fixed (a document's nearest neighbour
stays its neighbour), so intervals are a little short where a few documents decide.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lab.core.estimate import Estimate

F64 = NDArray[np.float64]
Kind = Literal["mean", "share", "pairs", "ratio"]  # "ratio": positive, interval on the log scale
Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """`value` of a sample of `n` documents; `influence` [u] of its units, whose numbers `units` [u]
    are the same in every sample that holds them.
    """

    value: float
    influence: F64
    units: NDArray[Any]
    n: int
    unit: str
    kind: Kind = "mean"

    @property
    def parts(self) -> F64:
        """What each unit adds to the error of the value; the sum of squares is its variance."""
        return self.influence / max(len(self.influence), 1)

    def estimate(self) -> Estimate:
        """The value with its interval."""
        if self.kind == "share":
            return wilson(round(self.value * self.n), self.n, self.unit)
        if self.kind == "pairs":
            pairs = self.n // 2
            half_n = wilson(min(round(self.value * self.n / 2), pairs), pairs, self.unit)
            low, high = min(half_n.low, self.value), max(half_n.high, self.value)
            return Estimate(self.value, low, high, self.n, self.unit)
        half = Z * float(np.sqrt((self.parts**2).sum()))
        if self.kind == "ratio":
            factor = float(np.exp(half / max(self.value, 1e-12)))
            return Estimate(self.value, self.value / factor, self.value * factor, self.n, self.unit)
        return Estimate(self.value, self.value - half, self.value + half, self.n, self.unit)


def mean_of(values: NDArray[Any], units: NDArray[Any], unit: str, kind: Kind = "mean") -> Measured:
    """The mean of one number per unit; for kinds "share" and "pairs" they are true or false."""
    wide = np.asarray(values, np.float64)
    mean = float(wide.mean()) if len(wide) else 0.0
    heavy = 2**0.5 if kind == "pairs" else 1.0
    return Measured(mean, heavy * (wide - mean), units, len(wide), unit, kind)


def difference(one: Measured, other: Measured, *, paired: bool) -> Estimate:
    """`one` minus `other`; `paired` if equal unit numbers mean the same document.

    Shares have Newcombe's interval, unless influences of shared documents tell it better.
    """
    change, n = one.value - other.value, min(one.n, other.n)
    half = Z * float(np.sqrt(variance(one, other, paired)))
    if one.kind in ("share", "pairs") and (half == 0 or not paired):
        first, second = one.estimate(), other.estimate()
        down = float(np.hypot(one.value - first.low, second.high - other.value))
        up = float(np.hypot(first.high - one.value, other.value - second.low))
        return Estimate(change, change - down, change + up, n, one.unit)
    return Estimate(change, change - half, change + half, n, one.unit)


def variance(one: Measured, other: Measured, paired: bool) -> float:
    """Variance of the difference."""
    if not paired:
        return float((one.parts**2).sum() + (other.parts**2).sum())
    units = np.concatenate([one.units, other.units])
    parts = np.concatenate([one.parts, -other.parts])
    _, place = np.unique(units, return_inverse=True)
    return float((np.bincount(place, parts) ** 2).sum())


def wilson(hits: int, n: int, unit: str = "share of documents") -> Estimate:
    """A share with Wilson's score interval (1927); n = 0 knows nothing: 0 to 1."""
    if n == 0:
        return Estimate(0.0, 0.0, 1.0, 0, unit)
    share, z2 = hits / n, Z * Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return Estimate(share, min(low, share), max(high, share), n, unit)
