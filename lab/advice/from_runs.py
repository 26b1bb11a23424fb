"""From the workspace's runs and a recipe to stored advice: one path for page, terminal and worker.

The natural mixture and the caps are the recipe's: unique tokens that its rules leave of each
source, and its budget and repeat cap.

Before anything is fitted, every metric passes the signal gate (`lab.evaluation.gate.gate`) on the
scored runs of that size and budget. One that failed cannot be optimised for, by name or by default:
its differences between mixtures are noise, chance or reversed by training, and a law fitted to them
would be confident about nothing. One that could not be judged for lack of repeats may be fitted,
and the fit says so."""

from collections.abc import Sequence
from dataclasses import replace

from lab.advice.advise import Advice, advise
from lab.advice.evidence import tables_from_runs
from lab.advice.fit import Fit, fit_table
from lab.advice.simplex import supply_caps
from lab.advice.store import save
from lab.advice.swarm import unique_tokens
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.evaluation.gate.gate import Gate, gate
from lab.mixture.recipe_files import load_recipe


def fit_runs(ws: Workspace, metric: str | None = None) -> Fit:
    """The fit of all comparable runs to `metric`, by default to all in bits per byte that may be.

    Raises ConfigError for a metric that failed the signal gate, or if all of them did.
    """
    found = tables_from_runs(ws)
    judged = gate(ws, size=found.size, tokens=found.tokens)
    only, notes = admitted(judged, (metric,) if metric else found.default, named=bool(metric))
    fit = fit_table(found.ratios, found.metrics, higher=found.higher, only=only)
    return replace(fit, notes=(*fit.notes, *notes))


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
    notes = [f"{name} is left out, signal gate: {reason}." for name, reason in failed.items()]
    unknown = [name for name in kept if name in rows and not rows[name].passed]
    if unknown:
        listed, settle = ", ".join(unknown), rows[unknown[0]].settle
        notes.append(f"Not judged by the signal gate, may be noise: {listed}. To settle: {settle}.")
    return kept, notes


def advise_from_runs(ws: Workspace, recipe: str, metric: str | None = None) -> tuple[Fit, Advice]:
    """A fit and the advice for `recipe`, stored as the workspace's latest.

    Raises DataError or ConfigError if the runs are too few or too alike, or if no mixture fits the
    recipe's caps.
    """
    base = load_recipe(ws, recipe)
    fit = fit_runs(ws, metric)
    natural = unique_tokens(ws, base)
    caps = supply_caps(natural, base.mixture.tokens, base.mixture.repeat_cap)
    advice = advise(fit, natural, caps=caps)
    save(ws, fit, advice)
    return fit, advice
