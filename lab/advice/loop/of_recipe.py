"""The loop around a recipe: its supply, its runs, its advice.

The first round takes in what was trained already: scored runs of the recipe's sources, as they are
now, at that size and budget, count towards the `start` mixtures. Baseline, supply and caps are
those of `lab.advice.proposing.of_recipe`. Every proposal on the way is an ordinary recipe's weights
and every run an ordinary run folder, so pages and comparisons see them as any others; the last
advice is stored as the workspace's latest.

With `confirm` a share of the budget is kept for the proposal, natural and uniform at a second size
under two seeds (`lab.advice.proposing.validation`). Levels and noise differ between sizes and only
orders carry over, so the two sizes' scores are never fitted together: the first decides, the second
says whether it holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lab.advice.design.design import natural_mixture
from lab.advice.design.swarm import (
    SwarmSettings,
    best_so_far,
    swarm_design,
    trained_mixtures,
    unique_tokens,
    usable_runs,
    with_weights,
)
from lab.advice.evidence.stale import weights_of
from lab.advice.loop.record import FILE, Wanted, read_record
from lab.advice.loop.rounds import (
    Outcome,
    Train,
    Trained,
    first_round,
    judge,
    repeats_of,
    run_loop,
)
from lab.advice.loop.terms import Terms
from lab.advice.optimising.optimise import KL_PATH
from lab.advice.proposing.from_runs import fit_runs
from lab.advice.proposing.live import keep_replicates
from lab.advice.proposing.of_recipe import supply_for
from lab.advice.proposing.places import Place
from lab.advice.proposing.request import Request
from lab.advice.proposing.store import save
from lab.advice.simplex import supply_caps
from lab.core.engine import cores
from lab.core.errors import ConfigError
from lab.core.files import digest, read_json
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
SEEDS = 2  # of every mixture at the size that confirms
CONFIRMING = 3 * SEEDS  # runs there: proposal, natural, uniform
ROUNDING = 1e-5  # total variation up to which weights are the same, rounded to a grid of 2^-20


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What a loop over proxies of one size is asked for.

    `start` mixtures before the first fit (0: m + 1 + `EXTRA`), `batch` runs a round (0: as many as
    train side by side, at least two), `repeats` of the natural mixture for noise. `confirm` is a
    second size to validate the decision at, with `confirm_tokens` a run. `repetition`: runs see a
    source as often as the real run will.
    """

    budget: float  # minutes
    size: str = "nano"
    tokens: int | None = None
    metric: str | None = None
    seed: int = 0
    start: int = 0
    batch: int = 0
    repeats: int = 0
    confirm: str = ""
    confirm_tokens: int | None = None
    repetition: bool = True


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
    require_second(settings)
    base = load_recipe(ws, recipe)
    supply = {name: tokens for name, tokens in unique_tokens(ws, base).items() if tokens > 0}
    terms = terms_of(ws, base, supply, settings)
    shape = get_size(settings.size)
    tokens = shape.steps(settings.tokens or shape.default_tokens) * shape.tokens_per_step
    folder = loop_folder(ws, base, settings)
    first = [] if read_record(folder).rounds else opening(ws, base, supply, settings)
    about = {"recipe": base.name, "tokens_trained": tokens, "settings": asdict(settings)}
    outcome = run_loop(
        folder,
        terms,
        first,
        trainer(ws, base, train, terms.together),
        lambda: fit_runs(ws, settings.metric, recipe=base, size=settings.size, tokens=tokens),
        about=about,
        progress=progress,
    )
    fit, advice = judge(terms, outcome.fit, KL_PATH, keep_replicates(ws, outcome.fit))
    asked = Request(targets=(settings.metric,) if settings.metric else ())
    _, said = supply_for(ws, base, fit, supply)
    advice = outcome.stands(replace(advice, asked=asked, notes=(*advice.notes, *said)))
    save(ws, fit, advice, base)
    return replace(outcome, advice=advice)


def require_second(settings: LoopSettings) -> None:
    """ConfigError if the size that confirms is the one that decides."""
    if settings.confirm == settings.size:
        raise ConfigError(
            "A decision is confirmed at another size than the one it was made at.",
            where="--confirm",
            value=settings.confirm,
            next_step="name a larger one, such as micro",
        )


def reserve_of(ws: Workspace, settings: LoopSettings) -> float:
    """Minutes of the budget that the confirmation will take."""
    if not settings.confirm:
        return 0.0
    speed, _ = speed_of(ws, settings.confirm)
    tokens = settings.confirm_tokens or get_size(settings.confirm).default_tokens
    return CONFIRMING * tokens / speed / 60 / min(cores(), CONFIRMING)


def latest_loop(ws: Workspace, recipe: str) -> Path | None:
    """Folder of the loop that last wrote its record for the recipe of that name."""
    records = ws.folder("loops").glob(f"*/{FILE}")
    found = [path for path in records if about_loop(path.parent)["recipe"] == recipe]
    newest = max(found, key=lambda path: (path.stat().st_mtime, path.parent.name), default=None)
    return newest.parent if newest else None


def about_loop(folder: Path) -> dict[str, Any]:
    """What the loop recorded in `folder` is for: recipe, settings."""
    return {"recipe": ""} | dict(read_json(folder / FILE)["about"])


def loop_folder(ws: Workspace, recipe: Recipe, settings: LoopSettings) -> Path:
    """Where the record of this loop lies; the budget is no part of its name."""
    asked = [settings.size, settings.tokens, settings.metric, settings.seed]
    asked += [settings.start, settings.batch, settings.repeats, settings.repetition]
    return ws.folder("loops", f"{recipe.name}-{digest([recipe_id(recipe), asked])[:8]}")


def terms_of(
    ws: Workspace, recipe: Recipe, supply: dict[str, float], settings: LoopSettings
) -> Terms:
    """Baseline, caps and the cost of a run."""
    shape = get_size(settings.size)
    speed, _ = speed_of(ws, settings.size)
    tokens = shape.steps(settings.tokens or shape.default_tokens) * shape.tokens_per_step
    minutes = tokens / speed / 60
    budget, epochs = float(recipe.mixture.tokens), recipe.mixture.repeat_cap
    return Terms(
        supply,
        settings.budget,
        caps=supply_caps(supply, budget, epochs),
        reserve=reserve_of(ws, settings),
        places=(Place(settings.size, minutes, tokens=tokens),),
        batch=settings.batch or max(2, cores()),
        together=cores(),
        seed=settings.seed,
        supply=lambda fit: supply_for(ws, recipe, fit, supply)[0],
        current={name: w for name, w in recipe.average_weights().items() if w > 0},
    )


def opening(
    ws: Workspace, recipe: Recipe, supply: dict[str, float], settings: LoopSettings
) -> list[Wanted]:
    """The runs of the first round: what a first fit lacks, and repeats of the natural mixture."""
    before = trained_mixtures(ws, recipe, settings.size, settings.tokens)
    start = settings.start or len(supply) + 1 + EXTRA
    lacking = start - len(before)
    wanted: list[Wanted] = []
    if lacking > 0:
        how = SwarmSettings(runs=lacking, seed=settings.seed)
        design = swarm_design(recipe, supply, how, best_so_far(ws, recipe), before)
        wanted = first_round(design, settings.seed, settings.size)
    natural = natural_mixture(supply)
    taken = seeds_of(ws, recipe, natural, settings)
    again = repeats_of(natural, wanted, taken, settings.repeats, settings.seed, settings.size)
    return [*wanted, *again]


def seeds_of(
    ws: Workspace, recipe: Recipe, weights: Mapping[str, float], settings: LoopSettings
) -> set[int]:
    """Seeds under which a mixture was trained at the loop's size and budget."""
    shape = get_size(settings.size)
    tokens = shape.steps(settings.tokens or shape.default_tokens) * shape.tokens_per_step
    found = set()
    for run in usable_runs(ws, recipe, settings.size, tokens):
        own = weights_of(run)
        apart = sum(abs(own.get(n, 0.0) - weights.get(n, 0.0)) for n in {*own, *weights})
        if apart / 2 < ROUNDING:
            found.add(int(run.spec["seed"]))
    return found


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
