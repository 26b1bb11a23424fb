"""From tables of runs to a surface of predictions, with its own error.

Every law is judged on runs it did not see: K-fold cross-validation in which all repeats of a
mixture fall into one fold, so that a repeat never vouches for its twin. Per metric and law:
Spearman's rho with an interval (Fisher's z with variance 1.06 / (n - 3), Fieller 1957), root mean
squared error, and skill = 1 - squared error / variance, which is zero for a law that knows no more
than the mean. The law of least error is chosen for each metric; rows of the score table show the
others. Nothing is ever stopped or chosen by rows that are not for fitting (RegMix's released
notebook stops its trees on the test rows).

Needs m + 2 different mixtures of m sources; 3 (m + 1) before the error comes near its floor
(Olmix, arXiv:2602.12237). Metrics point down (loss, bits per byte) unless named as pointing up.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt
import polars as pl

from lab.advice.laws import LAWS, get_law
from lab.advice.simplex import Array
from lab.advice.surface import Surface, fit_surface
from lab.advice.tables import join_tables, value_columns
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
    laws: Sequence[str] = tuple(LAWS),
    higher: Collection[str] = (),
    only: Sequence[str] = (),
    folds: int = FOLDS,
    seed: int = 0,
) -> Fit:
    """Fit every metric (or those in `only`); `higher` names metrics where more is better.

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
    heldout = {law: out_of_fold(law, weights, costs, folds, seed) for law in laws}
    scores = score_table(costs, heldout, chosen, signs)
    best = scores.filter("chosen")["law"].to_list()
    unseen = list(compress(table.sources, ~used))
    return Fit(
        table.runs,
        tuple(compress(table.sources, used)),
        tuple(unseen),
        tuple(chosen),
        signs,
        weights,
        costs,
        np.stack([heldout[law][:, t] for t, law in enumerate(best)], axis=1),
        scores,
        fit_surface(weights, costs, best),
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


def fold_of(weights: Array, folds: int, seed: int) -> npt.NDArray[np.intp]:
    """The fold of every run, 0 .. folds - 1, repeats of a mixture together: [K]."""
    _, mixture = np.unique(weights, axis=0, return_inverse=True)
    count = int(mixture.max()) + 1
    order = np.random.default_rng(seed).permutation(count)
    return np.asarray(order[mixture.reshape(-1)] % min(folds, count), dtype=np.intp)


def out_of_fold(law: str, weights: Array, costs: Array, folds: int, seed: int) -> Array:
    """Prediction of every run by a fit that did not see its mixture: [K, T].

    All folds of all metrics are columns of one fit, in which held-out rows count zero.
    """
    runs, metrics = costs.shape
    fold = fold_of(weights, folds, seed)
    number = int(fold.max()) + 1
    counts = (fold[:, None] != np.arange(number)[None, :]).astype(np.float64)
    fitted = get_law(law).fit(weights, np.tile(costs, (1, number)), np.repeat(counts, metrics, 1))
    predictions = fitted.predict(weights).reshape(runs, number, metrics)
    return np.asarray(predictions[np.arange(runs), fold])


def score_table(
    costs: Array, heldout: dict[str, Array], metrics: Sequence[str], signs: Array
) -> pl.DataFrame:
    """One row per metric and law: rho, rho_low, rho_high, rmse, skill, n, chosen."""
    rows: list[dict[str, object]] = []
    for t, metric in enumerate(metrics):
        errors = {law: float(np.mean((h[:, t] - costs[:, t]) ** 2)) for law, h in heldout.items()}
        best = min(errors, key=errors.__getitem__)
        for law, error in errors.items():
            rho, low, high = spearman(heldout[law][:, t], costs[:, t])
            row: dict[str, object] = {
                "metric": metric,
                "better": "lower" if signs[t] > 0 else "higher",
                "law": law,
            }
            row |= {"rho": rho, "rho_low": low, "rho_high": high, "rmse": float(np.sqrt(error))}
            skill = 1 - error / float(costs[:, t].var())
            rows.append(row | {"skill": skill, "n": len(costs), "chosen": law == best})
    return pl.DataFrame(rows)


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


def remarks(weights: Array, unseen: Sequence[str], scores: pl.DataFrame) -> list[str]:
    """What a reader must know before trusting the fit."""
    notes = []
    runs, sources = weights.shape
    if unseen:
        notes.append(f"No run used {', '.join(unseen)}: nothing can be said about it.")
    if (rank := int(np.linalg.matrix_rank(weights, tol=1e-6))) < sources:
        notes.append(
            f"The weights vary in {rank} of {sources} independent ways: some sources always move "
            "together, and their effects cannot be told apart."
        )
    if len(np.unique(weights, axis=0)) < 3 * (sources + 1):
        notes.append(f"{runs} runs are fewer than 3(m + 1) = {3 * (sources + 1)}: wide intervals.")
    poor = scores.filter(pl.col("chosen") & (pl.col("skill") <= 0))["metric"].to_list()
    if poor:
        notes.append(f"No law predicts {', '.join(poor)} better than its mean: leave it out.")
    return notes
