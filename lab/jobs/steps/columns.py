"""Steps of decisions finer than a weight a source: thresholds with weights, weights by phase."""

from typing import Any

from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a

Result = dict[str, Any]


def planned_columns(ws: Workspace, p: a.Sweep, settings: Any) -> Any:
    """The swarm over nested pools, or over phases, of a sweep; `settings` as of any swarm."""
    from lab.advice.cuts.cut import parse_cuts
    from lab.advice.cuts.swarm import plan_cuts
    from lab.advice.order.swarm import plan_phases
    from lab.mixture.recipe_files import load_recipe

    if p.thresholds and p.by_phase:
        raise ConfigError(
            "A sweep varies thresholds or phases, not both at once.",
            next_step="choose thresholds first, then order under the chosen ones",
        )
    base = load_recipe(ws, p.recipe)
    if p.by_phase:
        return plan_phases(ws, base, settings, p.size, p.tokens)
    cuts = parse_cuts(p.thresholds or [], base)
    return plan_cuts(ws, base, cuts, settings, p.size, p.tokens)


def phases(ws: Workspace, p: a.Phases, progress: Progress) -> Result:
    """Weights for every phase of a recipe, stored."""
    from lab.advice.order.answer import answer_phases
    from lab.advice.order.store import answer_mapping, save

    progress(0, 1, "fitting the runs")
    recipe, told = answer_phases(ws, p.recipe, p.metric)
    save(ws, recipe, told)
    progress(1, 1, "weights by phase stored")
    return answer_mapping(told)


def thresholds(ws: Workspace, p: a.Thresholds, progress: Progress) -> Result:
    """The best threshold and weight of every source of a recipe, stored."""
    from lab.advice.cuts.answer import answer_cuts
    from lab.advice.cuts.cut import parse_signals
    from lab.advice.cuts.store import answer_mapping, save
    from lab.mixture.recipe_files import load_recipe

    progress(0, 1, "fitting the runs")
    signals = parse_signals(p.by, load_recipe(ws, p.recipe)) if p.by else None
    recipe, told = answer_cuts(ws, p.recipe, p.metric, signals)
    save(ws, recipe, told)
    progress(1, 1, "thresholds stored")
    return answer_mapping(told)
