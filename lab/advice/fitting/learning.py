"""How the error of a fit falls with the number of runs, from the runs there are.

Random subsets of k runs are fitted with the laws that the whole fit chose, and rank the runs left
out (Spearman's rho, mean over metrics). Where the curve is still rising at the end, more runs pay;
where it is flat, the noise of a run or the law is the limit. Subsets keep all repeats of a mixture
on one side. Cost: `repeats` fits at each of four sizes; scales are sought anew for each.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from lab.advice.fitting.fit import Fit
from lab.advice.fitting.scores import spearman
from lab.advice.laws import get_law

PARTS = (0.2, 0.35, 0.55, 0.8)  # of the mixtures, fitted; the rest is what is ranked
FEWEST = 5  # mixtures left out at least: a rank correlation of fewer says nothing


def learning_curve(fit: Fit, repeats: int = 5, seed: int = 0) -> pl.DataFrame:
    """Columns k (runs fitted), rho, low and high: mean, least and most over `repeats` subsets.

    Sizes below m + 2 mixtures are left out, so the frame may have no rows.
    """
    rng = np.random.default_rng(seed)
    mixture = np.unique(fit.weights, axis=0, return_inverse=True)[1].reshape(-1)
    count = int(mixture.max()) + 1
    rows = []
    for size in sorted({round(part * count) for part in PARTS}):
        if size < fit.weights.shape[1] + 2 or count - size < FEWEST:
            continue
        drawn = [np.isin(mixture, rng.permutation(count)[:size]) for _ in range(repeats)]
        found = [rank_left_out(fit, inside) for inside in drawn]
        runs = int(np.mean([inside.sum() for inside in drawn]))
        rows.append((runs, float(np.mean(found)), min(found), max(found)))
    schema = {"k": pl.Int64, "rho": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def rank_left_out(fit: Fit, inside: npt.NDArray[np.bool_]) -> float:
    """Mean rho over metrics of runs outside `inside` [K] by fits to those inside."""
    found: list[float] = []
    for member, law in zip(fit.surface.members, fit.surface.laws, strict=True):
        costs = fit.costs[:, list(member)]
        fitted = get_law(law.law).fit(fit.weights[inside], costs[inside])
        predictions = fitted.predict(fit.weights[~inside])
        pairs = zip(predictions.T, costs[~inside].T, strict=True)
        found += [spearman(one, other)[0] for one, other in pairs]
    return float(np.mean(found))
