"""A design as recipes: the same decisions about documents, other weights.

Every mixture of the design becomes the given recipe with these weights in each of its phases, so
filters, duplicates and budget stay as decided. Natural means the unique tokens that the recipe's
rules leave of each source. Anchors are the recipe's own weights, UniMax at its budget and repeat
cap, and in a design that extends what was trained the best so far: the last proposal for it.
Otherwise a design depends on the recipe and the settings alone, so that the same command goes on
with the same runs whatever was learnt meanwhile. Unless asked for, the design is not capped: a law
must have seen large shares, and what repeating them costs, to judge them; caps belong to the
proposal (Olmix, arXiv:2602.12237: capping both ends at .7855 bits per byte, capping the optimiser
alone at .7647).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lab.advice.design.design import Design, design_mixtures, unimax
from lab.advice.evidence.branches import ordinary_runs
from lab.advice.evidence.evidence import tables_from_runs
from lab.advice.evidence.stale import stale_table
from lab.advice.proposing.store import latest
from lab.advice.simplex import SLACK, supply_caps, vector
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import ScoredRun, scored_runs
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe
from lab.mixture.supply import measure_supply
from lab.proxy.sizes import get_size
from lab.proxy.speed import estimate_seconds


@dataclass(frozen=True, slots=True)
class SwarmSettings:
    """How a swarm is drawn; see `lab.advice.design.design`.

    `runs` mixtures, the first of them again under `repeats` further seeds; `capped` keeps the
    recipe's supply caps in the design; `extend` counts the recipe's scored runs as taken.
    """

    runs: int = 12
    seed: int = 0
    method: str = "dirichlet"
    temper: float = 0.5
    strengths: tuple[float, float] = (0.1, 5.0)
    minimum: float = 2e-3
    capped: bool = False
    repeats: int = 0
    extend: bool = False


@dataclass(frozen=True, slots=True)
class Swarm:
    """A design, the recipes that train it with their seeds, and what it takes.

    `allowed` is the share of the recipe's budget that its supply caps admit over all sources, below
    1 nothing can be exported; `within` counts mixtures that respect the caps. `seconds` of training
    and `basis`, where the speed comes from.
    """

    design: Design
    pairs: tuple[tuple[Recipe, int], ...]
    allowed: float
    within: int
    seconds: float
    basis: str


def plan_swarm(
    ws: Workspace, recipe: str, settings: SwarmSettings, size: str, tokens: int | None = None
) -> Swarm:
    """The swarm around the recipe named `recipe`, its recipes called RECIPE-sweep-NAME."""
    base = load_recipe(ws, recipe)
    supply = unique_tokens(ws, base)
    design = swarm_design(base, supply, settings, *known(ws, base, settings, size, tokens))
    return swarm_of(ws, base, supply, design, settings, size, tokens)


def swarm_of(
    ws: Workspace,
    base: Recipe,
    supply: Mapping[str, float],
    design: Design,
    settings: SwarmSettings,
    size: str,
    tokens: int | None,
) -> Swarm:
    """A design with its recipes, feasibility and cost."""
    named = [
        with_weights(base, f"{base.name}-sweep-{name}", dict(zip(design.sources, row, strict=True)))
        for name, row in zip(design.names, design.weights.tolist(), strict=True)
    ]
    pairs = [(made, settings.seed) for made in named]
    pairs += [(named[0], settings.seed + k + 1) for k in range(settings.repeats if named else 0)]
    caps = caps_of(base, supply, design)
    fits = (design.weights <= caps + SLACK).all(axis=1)
    budget = get_size(size).default_tokens if tokens is None else tokens
    seconds, basis = estimate_seconds(ws, size, budget, max(len(pairs), 1))
    return Swarm(design, tuple(pairs), float(caps.sum()), int(fits.sum()), seconds, basis)


def caps_of(recipe: Recipe, supply: Mapping[str, float], design: Design) -> np.ndarray:
    """Largest share of every source of the design under the recipe's budget and repeat cap, [m]."""
    known = {name: supply[name] for name in design.sources}
    caps = supply_caps(known, float(recipe.mixture.tokens), recipe.mixture.repeat_cap)
    return np.minimum(vector(caps, design.sources, "caps"), 1.0)


def unique_tokens(ws: Workspace, recipe: Recipe) -> dict[str, float]:
    """Unique training tokens of every source under the recipe's rules, the natural mixture."""
    supply = measure_supply(ws, recipe).sources
    return {
        name: float(tokens) for name, tokens in supply.select("source", "unique_tokens").iter_rows()
    }


def swarm_design(
    recipe: Recipe,
    supply: Mapping[str, float],
    settings: SwarmSettings,
    best: Mapping[str, float] | None = None,
    before: Mapping[str, Mapping[str, float]] | None = None,
) -> Design:
    """The design around a recipe with `supply` unique tokens a source; empty ones are left out.

    `best` is a mixture to include as the best so far, `before` what was trained.
    """
    known = {name: tokens for name, tokens in supply.items() if tokens > 0}
    budget, epochs = float(recipe.mixture.tokens), recipe.mixture.repeat_cap
    anchors = {}
    for name, weights in (("recipe", recipe.average_weights()), ("best", best or {})):
        own = {source: weight for source, weight in weights.items() if source in known}
        if sum(own.values()) > 0:
            anchors[name] = own
    if budget <= epochs * sum(known.values()):
        anchors["unimax"] = unimax(known, budget, epochs)
    return design_mixtures(
        known,
        settings.runs,
        settings.seed,
        method=settings.method,
        temper=settings.temper,
        strengths=settings.strengths,
        minimum=settings.minimum,
        caps=supply_caps(known, budget, epochs) if settings.capped else None,
        anchors=anchors,
        before=before,
    )


def known(
    ws: Workspace, recipe: Recipe, settings: SwarmSettings, size: str, tokens: int | None
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The best so far and the trained mixtures that a design is to extend; nothing otherwise."""
    if not settings.extend:
        return {}, {}
    return best_so_far(ws, recipe), trained_mixtures(ws, recipe, size, tokens)


def best_so_far(ws: Workspace, recipe: Recipe) -> dict[str, float]:
    """The last proposal for a recipe; empty if there is none."""
    found = latest(ws, recipe.name)
    return found[1].proposal if found else {}


def trained_mixtures(
    ws: Workspace, recipe: Recipe, size: str, tokens: int | None
) -> dict[str, dict[str, float]]:
    """Mixtures of the recipe's sources that were trained and scored at this size, by name.

    Runs of its sweeps go by the name in the design, others by the name of their recipe; a name that
    stands for other weights already, as in sweeps under two seeds, gives way to the run's. Empty if
    no run is evidence of the data as it is now.
    """
    budget = get_size(size).default_tokens if tokens is None else tokens
    steps = get_size(size).steps(budget) * get_size(size).tokens_per_step
    if not usable_runs(ws, recipe, size, steps):
        return {}
    ratios = tables_from_runs(ws, size, steps, recipe).ratios
    sources = ratios.columns[2:]
    found: dict[str, dict[str, float]] = {}
    for row in ratios.iter_rows(named=True):  # at most some hundred runs
        weights = {source: float(row[source]) for source in sources}
        name = str(row["name"]).removeprefix(f"{recipe.name}-sweep-")
        if found.setdefault(name, weights) != weights and weights not in found.values():
            found[str(row["run"])] = weights
    return found


def usable_runs(ws: Workspace, recipe: Recipe, size: str, tokens: int) -> list[ScoredRun]:
    """Runs at `size` and exactly `tokens` that do not branch and are not stale for the recipe."""
    runs = [r for r in scored_runs(ws) if (r.spec["size"], r.spec["tokens"]) == (size, tokens)]
    runs, _ = ordinary_runs(runs)
    old = set(stale_table(ws, recipe, runs)["run"])
    return [run for run in runs if run.spec["id"] not in old]


def with_weights(recipe: Recipe, name: str, weights: Mapping[str, float]) -> Recipe:
    """The recipe under another name with `weights` in all its phases."""
    phases = tuple(replace(phase, weights=weights) for phase in recipe.mixture.phases)
    return replace(recipe, name=name, mixture=replace(recipe.mixture, phases=phases))


def require_mixtures(swarm: Swarm) -> None:
    """ConfigError if the design found nothing new to train."""
    if not swarm.pairs:
        raise ConfigError(
            "No mixture is left that differs from those that were trained.",
            next_step="loosen the caps, or train repeats of a mixture: `mixlab train --seeds`",
        )
