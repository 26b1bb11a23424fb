"""How well laws predict runs that they did not see, in the five ways that matter for a choice.

- rho: Spearman's rank correlation, with Fisher's z and variance 1.06 / (n - 3) (Fieller 1957);
- rmse, and skill = 1 - squared error / variance, zero for a law that knows only the mean;
- regret (at 1): what the run predicted best of each held-out fold costs more than that fold's best,
  on average over folds, in the metric's unit. Zero: every fold's best run would have been chosen;
- optimism: how much worse than predicted are the runs of the tenth that is predicted best. An
  optimiser looks for mixtures just there, so this, not the mean error, is what it runs into.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from lab.advice.simplex import Array

LOWER_TAIL = 0.1


def score_table(
    costs: Array,
    heldout: Mapping[str, Array],
    chosen: Sequence[str],
    fold: npt.NDArray[np.intp],
    metrics: Sequence[str],
    signs: Array,
) -> pl.DataFrame:
    """One row per metric and law: metric, better, law, the scores above, n, chosen.

    `costs` and every one of `heldout` are [K, T]; `chosen` [T] names the law of each metric.
    """
    rows = []
    for t, metric in enumerate(metrics):
        better = "lower" if signs[t] > 0 else "higher"
        for law, predictions in heldout.items():
            row: dict[str, object] = {"metric": metric, "better": better, "law": law}
            row |= scores(predictions[:, t], costs[:, t], fold)
            rows.append(row | {"n": len(costs), "chosen": law == chosen[t]})
    return pl.DataFrame(rows)


def scores(predictions: Array, costs: Array, fold: npt.NDArray[np.intp]) -> dict[str, float]:
    """The scores of one metric under one law, all [K]."""
    rho, low, high = spearman(predictions, costs)
    error = float(np.mean((predictions - costs) ** 2))
    return {
        "rho": rho,
        "rho_low": low,
        "rho_high": high,
        "rmse": float(np.sqrt(error)),
        "skill": 1 - error / float(costs.var()),
        "regret": regret(predictions, costs, fold),
        "optimism": optimism(predictions, costs),
    }


def regret(predictions: Array, costs: Array, fold: npt.NDArray[np.intp]) -> float:
    """Mean over folds of the cost of the run predicted lowest, less the lowest cost there."""
    parts = [np.flatnonzero(fold == number) for number in range(int(fold.max()) + 1)]
    lost = [costs[part][predictions[part].argmin()] - costs[part].min() for part in parts]
    return float(np.mean(lost))


def optimism(predictions: Array, costs: Array) -> float:
    """Mean of cost less prediction over the tenth of the runs that is predicted lowest."""
    count = max(round(LOWER_TAIL * len(costs)), 1)
    lowest = np.argsort(predictions, kind="stable")[:count]
    return float((costs - predictions)[lowest].mean())


def spearman(one: Array, other: Array, deviations: float = 1.96) -> tuple[float, float, float]:
    """Spearman's rho of two vectors with its interval; zero where either is constant."""
    ranks = [pl.Series(v).rank("average").to_numpy() for v in (one, other)]
    if min(np.ptp(ranks[0]), np.ptp(ranks[1])) == 0:
        return 0.0, -1.0, 1.0
    rho = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    z, half = (
        np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12)),
        deviations * np.sqrt(1.06 / max(len(one) - 3, 1)),
    )
    return rho, float(np.tanh(z - half)), float(np.tanh(z + half))
