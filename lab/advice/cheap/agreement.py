"""How well a cheap predictor orders mixtures that were really trained.

Spearman's rho between predicted and measured costs over n mixtures (means over seeds). Interval by
Fisher's z with Bonett & Wright's variance (1 + rho^2 / 2) / (n - 3) (Psychometrika 2000), after a
correction for continuity: the possible values of rho lie 12 / (n (n^2 - 1)) apart, and half a step
is taken off its size, so that a perfect order of few mixtures is not called certain. `chance` is
the share of random orders that agree at least as well: of five mixtures one order in 120 is the
right one. Below four mixtures the interval is everything.

Where it fails: rho weighs all mixtures alike; a predictor may order the poor ones and miss the
best, so `regret` says what choosing by it costs: the measured cost of its favourite over that of
the best.
"""

import math
from itertools import permutations
from statistics import NormalDist

import numpy as np
import polars as pl

from lab.advice.simplex import Array
from lab.core.estimate import Estimate

EXACT = 7  # mixtures up to which all orders are counted: 5,040
DRAWS = 10_000
AGREEMENT = {
    "metric": pl.String,
    "mixtures": pl.Int64,
    "rho": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "chance": pl.Float64,  # share of random orders that agree as well
    "regret": pl.Float64,  # cost of the mixture that it favours over that of the best
}


def agreement_table(
    metrics: list[str], predicted: Array, measured: Array, level: float = 0.9
) -> pl.DataFrame:
    """One row of AGREEMENT per metric: `predicted` and `measured` costs [n, B] of n mixtures.

    Costs point down in both. Without two mixtures, or where one side is constant, rho is null.
    """
    rows = [
        agreement_row(name, predicted[:, t], measured[:, t], level)
        for t, name in enumerate(metrics)
    ]
    return pl.DataFrame(rows, schema=AGREEMENT)


def agreement_row(name: str, predicted: Array, measured: Array, level: float) -> dict[str, object]:
    """A row of AGREEMENT."""
    row: dict[str, object] = {"metric": name, "mixtures": len(measured)}
    if len(measured) < 2 or np.ptp(predicted) == 0 or np.ptp(measured) == 0:
        return row
    found = spearman_estimate(predicted, measured, level)
    regret = float(measured[int(np.argmin(predicted))] - measured.min())
    row |= {"rho": found.value, "low": found.low, "high": found.high, "regret": regret}
    return row | {"chance": chance(predicted, measured)}


def ranks(values: Array) -> Array:
    """Ranks from 1, ties at their mean."""
    return np.asarray(pl.Series(values).rank("average").to_numpy(), dtype=np.float64)


def spearman(first: Array, second: Array) -> float:
    """Spearman's rho; neither side may be constant."""
    return round(float(np.corrcoef(ranks(first), ranks(second))[0, 1]), 12)  # 1 is 1


def spearman_estimate(predicted: Array, measured: Array, level: float) -> Estimate:
    """rho with its interval; see the module's text."""
    count, rho = len(measured), spearman(predicted, measured)
    if count < 4:
        return Estimate(rho, -1.0, 1.0, count, "rho", level)
    half = 6.0 / (count * (count**2 - 1))
    centre = math.copysign(max(abs(rho) - half, 0.0), rho)
    width = NormalDist().inv_cdf(0.5 + level / 2) * math.sqrt((1 + rho**2 / 2) / (count - 3))
    low, high = (math.tanh(math.atanh(centre) + side * width) for side in (-1, 1))
    return Estimate(rho, min(low, rho), max(high, rho), count, "rho", level)


def chance(predicted: Array, measured: Array) -> float:
    """Share of orders, all or `DRAWS` of them, whose rho is at least the one found."""
    first, second = ranks(predicted), ranks(measured)
    if len(first) <= EXACT:
        orders = np.array(list(permutations(range(len(first)))))
    else:
        rng = np.random.default_rng(0)
        orders = np.argsort(rng.random((DRAWS, len(first))), axis=1)
    sums = first[orders] @ second
    return float((sums >= first @ second - 1e-9).mean())
