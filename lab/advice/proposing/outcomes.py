"""Predicted against measured: what a fit said of runs that it had not seen, and what they scored.

Four kinds of points, none of which the prediction has seen:

    fitted     a run of the fit, predicted without its fold (repeats of a mixture share a fold)
    new        a run at the same size that came after the fit, on the same documents and items
    proposal, natural, uniform    the same, where its mixture is one of these
    and the validation's rows of these at a second size

At the size of the fit a point has the interval that covers a new run with probability `LEVEL`
(`lab.advice.fitting.predict`). A second size has other levels, so there only the order of points
means anything, and no interval is given.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from lab.advice.evidence.branches import ordinary_runs
from lab.advice.evidence.evidence import metric_table, scored_alike, weight_table
from lab.advice.evidence.stale import pool_of, weights_of
from lab.advice.fitting.fit import Fit
from lab.advice.fitting.predict import LEVEL, half_width
from lab.advice.laws.law import counted, least_possible
from lab.advice.optimising.outlook import SAME
from lab.advice.proposing.advise import Advice
from lab.advice.proposing.validation import Validation, validation_mixtures
from lab.advice.simplex import variation
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import ScoredRun, scored_runs

FITTED, NEW = "fitted", "new"
OUTCOMES = {
    "metric": pl.String,
    "run": pl.String,
    "kind": pl.String,
    "size": pl.String,  # empty: that of the fit
    "predicted": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "measured": pl.Float64,
}


def outcomes(
    ws: Workspace, fit: Fit, advice: Advice, validation: Validation | None = None
) -> pl.DataFrame:
    """Columns of `OUTCOMES`, one row per metric and run (of a second size: and mixture)."""
    rows = [*fitted_rows(fit), *new_rows(fit, advice, unseen_runs(ws, fit))]
    if validation is not None:
        rows += [
            {"metric": row["metric"], "run": f"{row['runs']} runs", "kind": row["mixture"],
             "size": validation.size, "predicted": row["predicted"], "measured": row["measured"]}
            for row in validation.rows.iter_rows(named=True)
        ]  # fmt: skip
    return pl.DataFrame(rows, OUTCOMES)


def widths(fit: Fit) -> list[tuple[float, float]]:
    """Half the interval of a new run and where it ends at the latest, per metric."""
    errors = (fit.costs - fit.heldout).T
    floors = least_possible(*counted(fit.costs, None))[:, 0].tolist()
    return [(half_width(own, LEVEL), floor) for own, floor in zip(errors, floors, strict=True)]


def fitted_rows(fit: Fit) -> list[dict[str, Any]]:
    """The runs of the fit, each predicted without its fold."""
    values, said = fit.costs * fit.signs, fit.heldout * fit.signs
    halves = widths(fit)
    return [
        place(metric, run, FITTED, said[k, t], halves[t], values[k, t])
        for t, metric in enumerate(fit.metrics)
        for k, run in enumerate(fit.runs)
    ]


def place(
    metric: str, run: str, kind: str, predicted: float, width: tuple[float, float], measured: float
) -> dict[str, Any]:
    """One row at the size of the fit."""
    at, (half, floor) = float(predicted), width
    row: dict[str, Any] = {"metric": metric, "run": run, "kind": kind, "size": "", "predicted": at}
    return row | {"low": max(at - half, floor), "high": at + half, "measured": float(measured)}


def unseen_runs(ws: Workspace, fit: Fit) -> list[ScoredRun]:
    """Scored runs that the fit has not seen, at its size and budget, on its documents and rules.

    First a run that it has seen, whose items the others must share; empty if none is left of those.
    """
    runs = {run.spec["id"]: run for run in ordinary_runs(scored_runs(ws))[0]}
    known = [runs[name] for name in fit.runs if name in runs]
    if not known:
        return []
    pools = {(s, pool_of(run, s)) for run in known for s in weights_of(run)}
    return [known[0]] + [
        run
        for name, run in runs.items()
        if name not in fit.runs
        and run.budget == known[0].budget
        and all((s, pool_of(run, s)) in pools for s in weights_of(run))
    ]


def new_rows(fit: Fit, advice: Advice, runs: Sequence[ScoredRun]) -> list[dict[str, Any]]:
    """Runs after the first of `unseen_runs`, as the whole fit predicts them.

    Of each run the metrics that it scored on the same items as the first: one that was scored anew
    on other items tells nothing, and takes nothing from the others.
    """
    if len(runs) < 2:
        return []
    weights = weight_table(list(runs[1:]), list(fit.sources)).select(fit.sources).to_numpy()
    said, halves = fit.predict(weights), widths(fit)
    rows = []
    for k, run in enumerate(runs[1:]):  # tens of runs
        alike = set(scored_alike([runs[0], run])[0])
        names = [(t, name) for t, name in enumerate(fit.metrics) if name in alike]
        scores = metric_table([run], [name for _, name in names])
        kind = kind_of(fit, advice, weights[k])
        rows += [
            place(name, run.spec["id"], kind, said[k, t], halves[t], scores[name][0])
            for t, name in names
        ]
    return rows


def kind_of(fit: Fit, advice: Advice, mixture: Any) -> str:
    """proposal, natural or uniform, if the mixture is one of them; else new."""
    for name, shares in validation_mixtures(advice).items():
        row = np.array([[shares.get(source, 0.0) for source in fit.sources]])
        if float(variation(mixture[None, :], row)[0, 0]) < SAME:
            return name
    return NEW
