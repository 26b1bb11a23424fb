"""From the workspace's runs to a fit of what may be optimised for.

Before anything is fitted, every metric passes the signal gate (`lab.evaluation.gate.gate`) on the
scored runs of that size and budget. One that failed cannot be optimised for, by name or by default:
its differences between mixtures are noise, chance or reversed by training, and a law fitted to them
would be confident about nothing. One that could not be judged for lack of repeats may be fitted,
and the fit says so."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from lab.advice.evidence.evidence import Evidence, tables_from_runs
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.laws import candidates
from lab.advice.words import few
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.evaluation.gate.gate import Gate, gate
from lab.mixture.recipe import Recipe


def fit_runs(
    ws: Workspace,
    metric: str | None = None,
    *,
    recipe: Recipe | None = None,
    size: str | None = None,
    tokens: int | None = None,
    model: str = "auto",
) -> Fit:
    """The fit of comparable runs to `metric`, by default to all in bits per byte that may be.

    With `recipe` the evidence is what used its sources as they are now; `size` and `tokens` default
    to where most runs are; `model` names a law, see `lab.advice.laws.candidates`. Raises
    ConfigError for a metric that failed the signal gate, or if all did, and what `tables_from_runs`
    and `fit_table` raise.
    """
    found = tables_from_runs(ws, size, tokens, recipe)
    return fit_evidence(ws, found, metric, model)


def fit_evidence(ws: Workspace, found: Evidence, metric: str | None, model: str = "auto") -> Fit:
    """The fit of these tables to what may be optimised for."""
    judged = gate(ws, size=found.size, tokens=found.tokens)
    only, notes = admitted(judged, (metric,) if metric else found.default, named=bool(metric))
    laws = candidates(model)
    fit = fit_table(found.ratios, found.metrics, laws=laws, higher=found.higher, only=only)
    return replace(fit, notes=(*fit.notes, *found.notes, *notes))


def admitted(
    judged: Gate, names: Sequence[str], *, named: bool
) -> tuple[tuple[str, ...], list[str]]:
    """Those of `names` (SCOPE/ON/METRIC) that did not fail, and notes; ConfigError if none is left.

    `named`: somebody asked for exactly these.
    """
    rows = {f"{r.metric.scope}/{r.metric.on}/{r.metric.metric}": r for r in judged.rows}
    failed = {name: rows[name].reason for name in names if name in rows and rows[name].failed}
    kept = tuple(name for name in names if name not in failed)
    if failed and (named or not kept):
        passed = [name for name, row in rows.items() if row.passed]
        raise ConfigError(
            "This metric did not pass the signal gate and cannot be optimised for."
            if named
            else "No metric passed the signal gate: none can be optimised for.",
            where="signal gate",
            value="; ".join(f"{name}: {reason}" for name, reason in failed.items()),
            next_step="choose one that passed: " + ", ".join(passed)
            if passed
            else "`mixlab gate` shows all metrics and what would settle them",
        )
    notes = []
    if failed:
        notes.append(
            f"Failed the signal gate, left out: {few(list(failed))}. `mixlab gate` says why."
        )
    unknown = [name for name in kept if name in rows and not rows[name].passed]
    if unknown:
        notes.append(f"Not judged by the signal gate, may be noise: {few(unknown)}.")
        notes.append(f"To settle it: {rows[unknown[0]].settle.split('; ')[0]}.")
    return kept, notes


def foreseeable(fit: Fit) -> list[str]:
    """Metrics that the fit predicts better than their mean; all of them if it predicts none."""
    skilled = fit.scores.filter(pl.col("chosen") & (pl.col("skill") > 0))["metric"].to_list()
    return [name for name in fit.metrics if name in skilled or not skilled]


def unforeseen(fit: Fit) -> list[str]:
    """Metrics that no law predicts better than their mean: `skill` of the chosen law is not
    positive. What is said of them for a mixture is worth nothing.
    """
    poor = fit.scores.filter(pl.col("chosen") & ~(pl.col("skill") > 0))["metric"].to_list()
    return [name for name in fit.metrics if name in poor]
