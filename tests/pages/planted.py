"""A fit planted in a workspace: known laws, invented runs, so that nothing has to be trained."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.proposing.advise import advise
from lab.advice.proposing.live import keep_replicates
from lab.advice.proposing.store import save
from lab.core.workspace import Workspace

METRICS = ("heldout/first/bpb", "heldout/second/bpb", "benchmark/facts/gold_bpb")


def plant_fit(
    ws: Workspace,
    sources: Sequence[str],
    metrics: Sequence[str] = METRICS,
    runs: int = 24,
    *,
    replicates: int = 100,
) -> Fit:
    """Store a fit and advice as if `runs` mixtures of `sources` had been trained; the cost of
    metric t falls with the weight of source t and rises with that of the next.
    """
    rng = np.random.default_rng(5)
    m, count = len(sources), len(metrics)
    weights = rng.dirichlet(np.ones(m), runs)
    slopes = rng.normal(0, 0.15, (m, count))
    slopes[np.arange(count) % m, np.arange(count)] -= 1.2
    slopes[(np.arange(count) + 1) % m, np.arange(count)] += 0.5
    costs = 1.4 + np.exp(weights @ slopes) + rng.normal(0, 0.012, (runs, count))
    names = [f"planted-{k:02d}" for k in range(runs)]
    fit = fit_table(
        pl.DataFrame({"run": names, **dict(zip(sources, weights.T, strict=True))}),
        pl.DataFrame({"run": names, **dict(zip(metrics, costs.T, strict=True))}),
        laws=["log_linear"],
    )
    save(ws, fit, advise(fit, dict.fromkeys(sources, 1.0), replicates=20))
    if replicates:
        keep_replicates(ws, fit, replicates)
    return fit
