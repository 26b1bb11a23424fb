"""Predictions for mixtures that were not run, with an interval that a new run should fall into.

The half width is the (K + 1) level / K quantile of the absolute errors of held-out runs (cross-
conformal prediction, Vovk 2015): it covers what the law gets wrong and the noise of one run, is
the same for all mixtures, and holds for mixtures drawn as the fitted ones were. It says nothing
about mixtures far from them, nor about models of another size. Of a cost that is positive in every
run the interval ends at zero.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from lab.advice.evidence.tables import KEYS, normalised, numbers, require_unique
from lab.advice.fitting.fit import Fit
from lab.advice.laws.law import counted, least_possible
from lab.advice.simplex import Array
from lab.core.errors import ConfigError, DataError, nearest

LEVEL = 0.9


def predict_table(
    fit: Fit, ratios: pl.DataFrame, metric: str, level: float = LEVEL
) -> pl.DataFrame:
    """Columns run, `metric`, low, high for every row of `ratios` (columns as they were fitted).

    ConfigError for an unknown metric, DataError for weights that cannot be used.
    """
    if metric not in fit.metrics:
        raise ConfigError(f"Unknown metric {metric!r}.", next_step=nearest(metric, fit.metrics))
    key = next((name for name in KEYS if name in ratios.columns), None)
    if key is None:
        raise DataError(
            "No column names the mixtures.",
            value=ratios.columns[:4],
            next_step="add a column 'run'",
        )
    require_unique(ratios, key, "ratios")
    weights = weights_of(fit, ratios, key)
    column = fit.metrics.index(metric)
    costs = fit.surface.predict(weights)[0][:, column]
    half = half_width(fit.costs[:, column] - fit.heldout[:, column], level)
    floor = least_possible(*counted(fit.costs[:, [column]], None))[0, 0]
    ends = fit.signs[column] * np.array([np.maximum(costs - half, floor), costs + half])
    low, high = np.sort(ends, axis=0)
    value = fit.signs[column] * costs
    return pl.DataFrame({"run": ratios[key], metric: value, "low": low, "high": high})


def half_width(errors: Array, level: float) -> float:
    """The quantile of the absolute errors that covers a new run with probability `level`."""
    sizes = np.sort(np.abs(errors))
    rank = int(np.ceil((len(sizes) + 1) * level))
    return float(sizes[min(rank, len(sizes)) - 1])


def weights_of(fit: Fit, ratios: pl.DataFrame, key: str) -> Array:
    """Weights [n, m] in the order of the fit; DataError for sources that the fit cannot judge."""
    missing = [name for name in fit.sources if name not in ratios.columns]
    if missing:
        raise DataError(
            "The table lacks sources that were fitted.",
            where="ratios",
            value=missing,
            next_step="give every source of the fit a column",
        )
    others = [name for name in ratios.columns if name not in (*fit.sources, *KEYS)]
    frame = ratios.with_columns(numbers(ratios, [*fit.sources, *others], key, "ratios"))
    require_known(fit, frame, others)
    weights, _ = normalised(frame.select(fit.sources).to_numpy(), frame[key].to_list())
    return weights


def require_known(fit: Fit, ratios: pl.DataFrame, others: Sequence[str]) -> None:
    """DataError if a source that no fitted run used has weight."""
    used = [name for name in others if bool((ratios[name] != 0).any())]
    if used:
        raise DataError(
            "These sources have weight, but no fitted run used them.",
            where="ratios",
            value=used,
            next_step="train runs that use them, or set them to zero",
        )
