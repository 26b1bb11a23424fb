"""From runs whose phases differ to stored weights for every phase of a recipe.

Evidence are runs on the data as the recipe means it now (`lab.advice.evidence.evidence`) that had
its phases: the same names, in order, with the same shares. Runs of one phase, or of another split,
say nothing of order here and are left out, said in the notes; runs whose phases share their weights
count, they tell what the totals are worth. Caps are those of the whole run.

What the method cannot know: `LIMITS`, shown with every answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lab.advice.design.swarm import unique_tokens
from lab.advice.evidence.branches import ordinary_runs
from lab.advice.evidence.evidence import Evidence, tables_from_runs
from lab.advice.evidence.stale import stale_notes, stale_table
from lab.advice.fitting.fit import Fit
from lab.advice.optimising.phases import PhaseAdvice, advise_phases, phase_ratios, phases_of
from lab.advice.order.swarm import require_phases, with_phase_weights
from lab.advice.proposing.from_runs import fit_evidence, foreseeable
from lab.advice.simplex import supply_caps
from lab.advice.stored import require_sources
from lab.core.errors import DataError
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import scored_runs, usual_budget
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe

SPLIT = 1e-6  # largest difference of shares between phases that are the same
LIMITS = (
    "Only the shares of the phases that were trained are judged: another split was not tried.",
    "A law of phases adds up what each did and has no memory of order beyond that; what an anneal "
    "is worth moves with the learning rate, and the real run's schedule is another one.",
)


@dataclass(frozen=True, slots=True)
class PhaseAnswer:
    """Weights by phase for a recipe and what they rest on; `natural` and `caps` by source."""

    advice: PhaseAdvice
    shares: Mapping[str, float]
    natural: Mapping[str, float]
    caps: Mapping[str, float]
    size: str
    tokens: int
    runs: tuple[str, ...]
    targets: tuple[str, ...]
    notes: tuple[str, ...]


def answer_phases(
    ws: Workspace, recipe: str, metric: str | None = None
) -> tuple[Recipe, PhaseAnswer]:
    """Weights for every phase of a recipe, from the workspace's runs.

    Raises what `tables_from_runs`, `fit_table` and `advise_phases` raise; DataError if no run had
    the recipe's phases.
    """
    base = load_recipe(ws, recipe)
    require_phases(base)
    found = phase_evidence(ws, base)
    fit = fit_evidence(ws, found, metric)
    sources = phases_of(fit).sources
    supply = unique_tokens(ws, base)
    natural = {name: supply[name] for name in sources}
    caps = supply_caps(natural, float(base.mixture.tokens), base.mixture.repeat_cap)
    targets = foreseeable(fit)
    advice = advise_phases(fit, natural, caps=caps, targets=targets)
    total = sum(natural.values())
    return base, PhaseAnswer(
        advice,
        {phase.name: phase.share for phase in base.mixture.phases},
        {name: tokens / total for name, tokens in natural.items()},
        caps,
        found.size,
        found.tokens,
        fit.runs,
        tuple(targets),
        (*told_notes(fit, len(base.mixture.phases)), *left_out(base, sources), *LIMITS),
    )


def told_notes(fit: Fit, phases: int) -> list[str]:
    """The notes of a fit, without that on rank where it only says that every phase sums to one."""
    full = int(np.linalg.matrix_rank(fit.weights, tol=1e-6)) == len(fit.sources) - phases + 1
    return [note for note in fit.notes if not (full and note.startswith("The weights vary in "))]


def left_out(recipe: Recipe, sources: tuple[str, ...]) -> list[str]:
    """A note on sources of the recipe that no run used."""
    absent = [name for name in recipe.sources if name not in sources]
    return [f"No run used {', '.join(absent)}: it gets no weight here."] if absent else []


def phase_evidence(ws: Workspace, recipe: Recipe) -> Evidence:
    """Tables over PHASE:SOURCE of the runs that had the recipe's phases, at their usual budget."""
    split = [(phase.name, phase.share) for phase in recipe.mixture.phases]
    known, _ = ordinary_runs(scored_runs(ws))
    same = {run.spec["id"]: run for run in known if has_split(run.spec, split)}
    stale = stale_table(ws, recipe, list(same.values()))
    fresh = [run for name, run in same.items() if name not in set(stale["run"])]
    if not fresh:
        raise no_phases(recipe, split, stale_notes(stale))
    size, tokens, _ = usual_budget(fresh, None, None)
    found = tables_from_runs(ws, size, tokens, recipe)
    listed = [run for run in found.ratios["run"] if run in same]
    if not listed:
        raise no_phases(recipe, split, found.notes)
    parts = {
        run: [
            (phase["name"], phase["share"], phase["weights"])
            for phase in same[run].spec["mapping"]["mixture"]["phases"]
        ]
        for run in listed
    }
    other = found.ratios.height - len(listed)
    said = f"{other} runs are left out: other phases than the recipe's say nothing of its order."
    return replace(
        found,
        ratios=phase_ratios(parts),
        metrics=found.metrics.filter(found.metrics["run"].is_in(listed)),
        notes=(*found.notes, *([said] if other else [])),
    )


def no_phases(
    recipe: Recipe, split: Sequence[tuple[str, float]], notes: Sequence[str]
) -> DataError:
    """What to raise where no run can say what order is worth; `notes` on those left out."""
    phases = ", ".join(f"{name} {share:g}" for name, share in split)
    return DataError(
        "No scored run had the phases of this recipe, and a run of one phase says nothing about "
        "order.",
        where=recipe.name,
        value="; ".join([phases, *notes]),
        next_step=f"`mixlab sweep {recipe.name} --phases --runs K` trains some",
    )


def has_split(spec: Mapping[str, Any], split: Sequence[tuple[str, float]]) -> bool:
    """True if a run had phases of these names and shares, in this order."""
    own = spec["mapping"]["mixture"]["phases"]
    return [phase["name"] for phase in own] == [name for name, _ in split] and all(
        abs(phase["share"] - share) <= SPLIT for phase, (_, share) in zip(own, split, strict=True)
    )


def phased_recipe(recipe: Recipe, told: PhaseAnswer, name: str) -> Recipe:
    """The recipe with the proposed weights in each of its phases.

    ConfigError if it lacks a source of the answer.
    """
    require_sources(recipe, told.natural)
    weights = {
        phase: {source: own[source].value if source in own else 0.0 for source in recipe.sources}
        for phase, own in told.advice.weights.items()
    }
    return with_phase_weights(recipe, name, weights)
