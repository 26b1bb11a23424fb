"""What may be asked of the runs: every metric, whether it passed, and if not why.

Read from summaries (1 ms a run) and kept until a run or a score appears.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from lab.advice.evidence.evidence import Evidence, tables_from_runs
from lab.advice.fitting.fit import Fit
from lab.advice.proposing.from_runs import unforeseen
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.registry import list_benchmarks
from lab.evaluation.gate.gate import Gate, gate
from lab.mixture.recipe import Recipe, recipe_id
from lab.mixture.supply import supply_key
from lab.ui.comparison.results import stamp

NO_SKILL = "no law predicts it better than its mean"
OTHER_UNIT = "not in bits per byte, and not yet passed by the signal gate"


@dataclass(frozen=True, slots=True)
class Choice:
    """A metric; `usual` ones are targets by default; `reason` says why it may not be asked for."""

    name: str
    unit: str
    usual: bool
    reason: str = ""


def choices_of(ws: Workspace, recipe: Recipe) -> tuple[Choice, ...]:
    """Every metric that all comparable runs scored, twins left out, usual ones first.

    DataError if no run can be used.
    """
    return cached_choices(ws, recipe, f"{recipe_id(recipe)} {supply_key(ws, recipe)} {stamp(ws)}")


@st.cache_resource(max_entries=16, show_spinner="Reading scores of the runs")
def cached_choices(_ws: Workspace, _recipe: Recipe, key: str) -> tuple[Choice, ...]:
    """The choices for `key`."""
    found = tables_from_runs(_ws, recipe=_recipe)
    return judged_choices(found, gate(_ws, size=found.size, tokens=found.tokens))


def judged_choices(found: Evidence, judged: Gate) -> tuple[Choice, ...]:
    """The metrics of these tables with the gate's word on each."""
    rows = {f"{r.metric.scope}/{r.metric.on}/{r.metric.metric}": r for r in judged.rows}
    choices = []
    for name in found.metrics.columns:
        if name not in rows or name.startswith("twin/"):
            continue
        row, usual = rows[name], name in found.default
        reason = row.reason if row.failed else "" if usual or row.passed else OTHER_UNIT
        choices.append(Choice(name, row.metric.unit, usual, reason))
    return tuple(sorted(choices, key=lambda c: not c.usual))


def unforeseen_of(fit: Fit) -> dict[str, str]:
    """Metrics that no law predicts better than their mean, with the reason in words."""
    return dict.fromkeys(unforeseen(fit), NO_SKILL)


def default_groups(ws: Workspace, choices: Sequence[Choice]) -> Mapping[str, list[str]]:
    """Two groups that may be at odds: knowledge and reasoning, else benchmarks and held-out text;
    fewer where there are none.
    """
    usual = [choice.name for choice in choices if choice.usual and not choice.reason]
    kinds = {bench.name: bench.group for bench in list_benchmarks(ws)}
    found: dict[str, list[str]] = {"knowledge": [], "reasoning": []}
    for name in usual:
        kind = kinds.get(name.split("/")[1], "") if name.startswith("benchmark/") else ""
        if kind in found:
            found[kind].append(name)
    if all(found.values()):
        return found
    scopes = {"benchmarks": "benchmark/", "held-out text": "heldout/"}
    return {words: [n for n in usual if n.startswith(scope)] for words, scope in scopes.items()}
