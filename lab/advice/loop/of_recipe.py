"""The loop around a recipe: its supply, its runs, its advice.

The first round takes in what was trained already: scored runs of the recipe's sources, as they are
now, at that size and budget, count towards the `start` mixtures. Baseline and caps are those of
`lab.advice.proposing.from_runs`. Every proposal on the way is an ordinary recipe's weights and
every run an ordinary run folder, so pages and comparisons see them as any others; the last advice
is stored as the workspace's latest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.advice.design.swarm import (
    SwarmSettings,
    best_so_far,
    swarm_design,
    trained_mixtures,
    unique_tokens,
    with_weights,
)
from lab.advice.loop.record import Wanted, read_record
from lab.advice.loop.rounds import (
    Outcome,
    Terms,
    Train,
    Trained,
    first_round,
    judge,
    run_loop,
)
from lab.advice.optimising.optimise import KL_PATH
from lab.advice.proposing.from_runs import fit_runs
from lab.advice.proposing.live import keep_replicates
from lab.advice.proposing.next_runs import Place
from lab.advice.proposing.store import save
from lab.advice.simplex import supply_caps
from lab.core.engine import cores
from lab.core.files import digest
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe, recipe_id
from lab.mixture.recipe_files import load_recipe
from lab.proxy.runs import read_status
from lab.proxy.sizes import get_size
from lab.proxy.speed import speed_of

TrainRuns = Callable[[Sequence[tuple[Recipe, int]], Progress], dict[str, Any]]
# trains and scores recipes under seeds; returns the ids as "runs" and the messages of "failed" ones
EXTRA = 3  # mixtures of the first round above the m + 1 parameters of a law


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What a loop over proxies of one size is asked for.

    `start` mixtures before the first fit (0: m + 1 + `EXTRA`), `batch` runs a round (0: as many as
    train side by side, at least two), `repeats` of the natural mixture for noise.
    """

    budget: float  # minutes
    size: str = "nano"
    tokens: int | None = None
    metric: str | None = None
    seed: int = 0
    start: int = 0
    batch: int = 0
    repeats: int = 0


def loop(
    ws: Workspace,
    recipe: str,
    settings: LoopSettings,
    train: TrainRuns,
    progress: Progress = SILENT,
) -> Outcome:
    """Run or continue the loop for the recipe of that name, and store what it decided.

    Raises what `run_loop`, `fit_runs` and the recipe's caps raise; Cancelled on request.
    """
    base = load_recipe(ws, recipe)
    supply = {name: tokens for name, tokens in unique_tokens(ws, base).items() if tokens > 0}
    terms = terms_of(ws, base, supply, settings)
    shape = get_size(settings.size)
    tokens = shape.steps(settings.tokens or shape.default_tokens) * shape.tokens_per_step
    folder = loop_folder(ws, base, settings)
    first = [] if read_record(folder).rounds else opening(ws, base, supply, settings)
    about = {"recipe": base.name, "size": settings.size, "tokens": tokens}
    outcome = run_loop(
        folder,
        terms,
        first,
        trainer(ws, base, train, terms.together),
        lambda: fit_runs(ws, settings.metric, recipe=base, size=settings.size, tokens=tokens),
        about=about | {"metric": settings.metric},
        progress=progress,
    )
    fit, advice = judge(terms, outcome.fit, KL_PATH)
    save(ws, fit, advice, base)
    keep_replicates(ws, fit)
    return replace(outcome, advice=advice)


def loop_folder(ws: Workspace, recipe: Recipe, settings: LoopSettings) -> Path:
    """Where the record of this loop lies; the budget is no part of its name."""
    asked = [settings.size, settings.tokens, settings.metric, settings.seed]
    asked += [settings.start, settings.batch, settings.repeats]
    return ws.folder("loops", f"{recipe.name}-{digest([recipe_id(recipe), asked])[:8]}")


def terms_of(
    ws: Workspace, recipe: Recipe, supply: dict[str, float], settings: LoopSettings
) -> Terms:
    """Baseline, caps and the cost of a run."""
    shape = get_size(settings.size)
    speed, _ = speed_of(ws, settings.size)
    minutes = (settings.tokens or shape.default_tokens) / speed / 60
    budget, epochs = float(recipe.mixture.tokens), recipe.mixture.repeat_cap
    return Terms(
        supply,
        settings.budget,
        supply_caps(supply, budget, epochs),
        places=(Place(settings.size, minutes),),
        batch=settings.batch or max(2, cores()),
        together=cores(),
        seed=settings.seed,
    )


def opening(
    ws: Workspace, recipe: Recipe, supply: dict[str, float], settings: LoopSettings
) -> list[Wanted]:
    """The runs of the first round: what a first fit lacks."""
    before = trained_mixtures(ws, recipe, settings.size, settings.tokens)
    start = settings.start or len(supply) + 1 + EXTRA
    lacking = start - len(before)
    if lacking <= 0:
        return []
    how = SwarmSettings(runs=lacking, seed=settings.seed)
    design = swarm_design(recipe, supply, how, best_so_far(ws, recipe), before)
    return first_round(design, settings.seed, settings.repeats, settings.size)


def trainer(ws: Workspace, base: Recipe, train: TrainRuns, together: int) -> Train:
    """A trainer of mixtures as runs of RECIPE-loop-NAME."""

    def train_round(wanted: Sequence[Wanted], progress: Progress) -> Trained:
        pairs = [
            (with_weights(base, f"{base.name}-loop-{run.name}", run.weights), run.seed)
            for run in wanted
        ]
        if not pairs:
            return Trained()
        result = train(pairs, progress)
        statuses = (read_status(ws.runs / name) for name in result["runs"])
        seconds = sum(float(status.get("seconds") or 0.0) for status in statuses)
        side_by_side = max(1, min(together, len(pairs)))
        return Trained(seconds / 60 / side_by_side, tuple(result["failed"]))

    return train_round
