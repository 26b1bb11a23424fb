"""From tables of runs to a surface of predictions, with its own error.

Every law is fitted to every metric and judged on runs it did not see (`crossval`, `scores`); one is
chosen for each metric on that evidence (`choice`), and the score table shows the others beside it.
Its rows named `auto` are of the choice itself, made without the runs it is scored on. Nothing is
ever stopped or chosen by rows that are not for fitting (RegMix's released notebook stops its trees
on the test rows).

Needs m + 2 different mixtures of m sources; 3 (m + 1) before the error comes near its floor
(Olmix, arXiv:2602.12237). Metrics point down (loss, bits per byte) unless named as pointing up.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import polars as pl

from lab.advice.evidence.tables import join_tables, value_columns
from lab.advice.fitting.choice import choose, crossed
from lab.advice.fitting.crossval import cross_validate, fit_laws, fold_of
from lab.advice.fitting.scores import score_table
from lab.advice.fitting.surface import Surface, assemble
from lab.advice.laws import AUTO
from lab.advice.simplex import Array
from lab.advice.words import few
from lab.core.errors import ConfigError, DataError, nearest

FOLDS = 10
FLAT = 1e-12  # relative spread below which a metric counts as constant


@dataclass(frozen=True, slots=True)
class Fit:
    """What the runs say: weights [K, m], costs and out-of-fold predictions [K, T], one surface.

    `unseen` are sources that no run used: nothing can be said about them, so they are left out.
    `signs` [T] turn costs back into values: value = sign * cost.
    """

    runs: tuple[str, ...]
    sources: tuple[str, ...]
    unseen: tuple[str, ...]
    metrics: tuple[str, ...]
    signs: Array
    weights: Array
    costs: Array
    heldout: Array
    scores: pl.DataFrame
    surface: Surface
    notes: tuple[str, ...]

    def predict(self, weights: Array) -> Array:
        """Values of the metrics at mixtures [n, m], in their own direction: [n, T]."""
        return np.asarray(self.surface.predict(weights)[0] * self.signs)


def fit_table(
    ratios: pl.DataFrame,
    metrics: pl.DataFrame,
    *,
    laws: Sequence[str] = AUTO,
    higher: Collection[str] = (),
    only: Sequence[str] = (),
    folds: int = FOLDS,
    seed: int = 0,
) -> Fit:
    """Fit every metric (or those in `only`); `higher` names metrics where more is better.

    `laws` are those to choose from, see `lab.advice.laws.candidates` for a name or "auto".
    DataError for tables that cannot be used (see `join_tables`), too few mixtures, or a metric that
    is the same in all runs; ConfigError for unknown names.
    """
    measured = value_columns(metrics, "metrics")
    chosen = list(only) or measured
    require_metrics([*chosen, *higher], measured)
    table = join_tables(ratios, metrics.drop(set(measured) - set(chosen)))
    used = table.weights.max(axis=0) > 0
    weights = table.weights[:, used]
    signs = np.array([-1.0 if name in higher else 1.0 for name in chosen])
    costs = table.values[:, [table.metrics.index(name) for name in chosen]] * signs
    require_runs(weights)
    require_spread(costs, chosen)
    fits = fit_laws(laws, weights, costs)
    fold = fold_of(weights, folds, seed)
    heldout = cross_validate(fits, weights, costs, fold)
    best, nested = choose(heldout, costs), crossed(heldout, costs, fold)
    shown = heldout | ({"auto": nested} if len(heldout) > 1 else {})
    scores = score_table(costs, shown, best, fold, chosen, signs)
    unseen = list(compress(table.sources, ~used))
    return Fit(
        table.runs,
        tuple(compress(table.sources, used)),
        tuple(unseen),
        tuple(chosen),
        signs,
        weights,
        costs,
        nested,
        scores,
        assemble(fits, best),
        (*table.notes, *remarks(weights, unseen, scores)),
    )


def require_metrics(names: Sequence[str], known: Sequence[str]) -> None:
    """ConfigError for the first of `names` that is not known."""
    for name in names:
        if name not in known:
            raise ConfigError(f"Unknown metric {name!r}.", next_step=nearest(name, known))


def require_runs(weights: Array) -> None:
    """DataError unless there are m + 2 different mixtures of m >= 2 sources."""
    mixtures, sources = len(np.unique(weights, axis=0)), weights.shape[1]
    if sources < 2:
        raise DataError(
            "Every run used one and the same source, so there is no mixture to choose.",
            where="ratios",
            value=f"{len(weights)} runs, {sources} source with weight",
            next_step="train runs on mixtures of two sources or more",
        )
    if mixtures < sources + 2:
        raise DataError(
            f"Too few different mixtures to fit {sources} sources.",
            where="ratios",
            value=f"{mixtures} mixtures in {len(weights)} runs",
            next_step=f"train at least {sources + 2 - mixtures} more (that makes m + 2); "
            f"{3 * (sources + 1)} in all, 3(m + 1), give a fit worth trusting",
        )


def require_spread(costs: Array, metrics: Sequence[str]) -> None:
    """DataError naming the first metric that is the same in all runs."""
    flat = np.ptp(costs, axis=0) <= FLAT * np.maximum(np.abs(costs).max(axis=0), 1e-300)
    if flat.any():
        column = int(np.argmax(flat))
        raise DataError(
            "This metric is the same in every run, so mixtures cannot be told apart by it.",
            where=f"metrics, column {metrics[column]!r}",
            value=float(costs[0, column]),
            next_step="leave the column out",
        )


def remarks(weights: Array, unseen: Sequence[str], scores: pl.DataFrame) -> list[str]:
    """What a reader must know before trusting the fit."""
    notes = []
    sources = weights.shape[1]
    if unseen:
        notes.append(f"No run used {few(unseen)}: nothing can be said about it.")
    if (rank := int(np.linalg.matrix_rank(weights, tol=1e-6))) < sources:
        notes.append(
            f"The weights vary in {rank} of {sources} independent ways: some sources always move "
            "together, and their effects cannot be told apart."
        )
    if (different := len(np.unique(weights, axis=0))) < (enough := 3 * (sources + 1)):
        notes.append(f"{different} mixtures are fewer than 3(m + 1) = {enough}: wide intervals.")
    poor = scores.filter(pl.col("chosen") & (pl.col("skill") <= 0))["metric"].to_list()
    if poor:
        notes.append(f"No law predicts {few(poor)} better than its mean: leave it out.")
    return notes
