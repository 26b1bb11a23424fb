"""Steps of first answers: a run per source, and what cheap predictors make of them."""

from typing import Any

from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps.runs import train_all

Result = dict[str, Any]


def source_runs(ws: Workspace, p: a.Sweep, progress: Progress) -> Result:
    """A run per source of a recipe, trained side by side and scored."""
    from lab.advice.cheap.source_runs import plan_source_runs
    from lab.mixture.recipe_files import load_recipe
    from lab.proxy.trackers import require_tracker

    require_tracker(p.track)
    recipes = plan_source_runs(ws, load_recipe(ws, p.recipe), p.shared)
    return train_all(ws, [(recipe, p.seed) for recipe in recipes], p, progress)


def first_answer(ws: Workspace, p: a.FirstAnswer, progress: Progress) -> Result:
    """The proposal of a cheap predictor and its agreement with real runs, stored."""
    from lab.advice.cheap.answers import answer_mapping
    from lab.advice.cheap.first_answer import first_answer as answer

    told = answer(
        ws,
        p.recipe,
        p.method,
        metric=p.metric,
        size=p.size,
        tokens=p.tokens,
        seed=p.seed,
        pieces=p.pieces,
        progress=progress,
    )
    return answer_mapping(told)
