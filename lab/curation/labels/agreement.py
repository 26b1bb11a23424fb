"""How far labellers agree: what a head can at best be asked to reach.

- Krippendorff's alpha (2011) for numbers: 1 - observed / expected squared difference, over all
  labellers at once, any of whom may have left documents out. 1 is agreement, 0 chance; content
  analysts ask for .8, and for tentative conclusions .667.
- Cohen's kappa with quadratic weights (1968) for each pair: the same idea, for the documents that
  both labelled, each labeller keeping their own habits.

Intervals are percentile bootstraps over documents. A labeller who labelled a document twice counts
with the mean. Few documents in common give a wide interval: read it, not the value.
"""

from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.estimate import Estimate

F64 = NDArray[np.float64]
DRAWS = 1000
SCHEMA = {
    "measure": pl.String,
    "a": pl.String,
    "b": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
}


def agreement(ratings: pl.DataFrame) -> pl.DataFrame:
    """Columns measure, a, b, value, low, high, n (documents) from ratings (id, by, label).

    Empty if no document has two labellers, or nothing varies. Pairs in alphabetical order.
    """
    by = ratings.group_by("id", "by").agg(pl.col("label").sort().mean()).sort("id", "by")
    rows = []
    if (alpha := krippendorff(by)) is not None:
        rows.append(("alpha", "", "", alpha.value, alpha.low, alpha.high, alpha.n))
    for a, b in combinations(by["by"].unique().sort(), 2):
        left, right = (by.filter(pl.col("by") == name).drop("by") for name in (a, b))
        both = left.join(right, on="id").sort("id")
        if (e := cohen(both["label"].to_numpy(), both["label_right"].to_numpy())) is not None:
            rows.append(("kappa", a, b, e.value, e.low, e.high, e.n))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def krippendorff(ratings: pl.DataFrame, seed: int = 0) -> Estimate | None:
    """Alpha of ratings (id, by, label); None without documents labelled twice, or variation."""
    label = pl.col("label")
    units = (
        ratings.group_by("id")
        .agg(pl.len().alias("m"), label.sum().alias("s"), (label**2).sum().alias("q"))
        .filter(pl.col("m") > 1)
        .sort("id")
    )
    if units.is_empty():
        return None
    sums = units.select("m", "s", "q").to_numpy().astype(np.float64)
    rng = np.random.default_rng(seed)
    draws = [alpha(sums[k]) for k in rng.integers(len(sums), size=(DRAWS, len(sums)))]
    return estimate(alpha(sums), np.array(draws), len(sums))


def alpha(sums: F64) -> float:
    """Alpha from each document's number, sum and sum of squares of labels [documents, 3]."""
    m, s, q = sums.T
    n, total, squares = m.sum(), s.sum(), q.sum()
    observed = (2 * (m * q - s**2) / (m - 1)).sum() / n
    chance = 2 * (n * squares - total**2) / (n * (n - 1))
    return 1 - observed / chance if chance > 1e-12 else float("nan")


def cohen(a: F64, b: F64, seed: int = 0) -> Estimate | None:
    """Quadratically weighted kappa of two labellers; None for fewer than two documents."""
    if len(a) < 2:
        return None
    rng = np.random.default_rng(seed)
    draws = [kappa(a[k], b[k]) for k in rng.integers(len(a), size=(DRAWS, len(a)))]
    return estimate(kappa(a, b), np.array(draws), len(a))


def kappa(a: F64, b: F64) -> float:
    """1 - mean squared difference / that of labels paired at random."""
    chance = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    return 1 - float(((a - b) ** 2).mean()) / chance if chance > 1e-12 else float("nan")


def estimate(value: float, draws: F64, n: int) -> Estimate | None:
    """The value with the interval of its draws; None where it is not defined."""
    if not np.isfinite(value):
        return None
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Estimate(value, float(low), float(high), n)
