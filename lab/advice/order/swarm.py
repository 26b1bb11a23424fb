"""Runs that can say what order is worth: the weights of every phase are drawn apart.

Each phase has a design of its own (`lab.advice.design.design`) around the text that the recipe's
rules leave; the first mixture is natural in all of them, and the others are paired at random, so
that a source's weight in one phase says nothing about its weight in another. The shares of the
phases are the recipe's. A law over phase x source has m = phases x sources columns and needs
3 (m + 1) runs: with two phases twice what a mixture needs, which is what order costs to know.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lab.advice.design.columns import columns_design, swarm_of_columns
from lab.advice.design.design import Design
from lab.advice.design.swarm import Swarm, SwarmSettings, caps_of, swarm_design, unique_tokens
from lab.advice.optimising.phases import SEPARATOR
from lab.advice.simplex import Array
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe

Weights = Mapping[str, Mapping[str, float]]  # phase -> source -> share of the phase


def plan_phases(
    ws: Workspace, recipe: Recipe, settings: SwarmSettings, size: str, tokens: int | None = None
) -> Swarm:
    """The runs whose phases differ, their recipes called RECIPE-order-NAME.

    The design's sources are PHASE:SOURCE. ConfigError for a recipe of one phase, or fewer runs than
    any law can use.
    """
    require_phases(recipe)
    supply = unique_tokens(ws, recipe)
    rng = np.random.default_rng([settings.seed, len(recipe.mixture.phases)])
    parts = []
    for k in range(len(recipe.mixture.phases)):
        drawn = swarm_design(recipe, supply, replace(settings, seed=settings.seed + k))
        places = 1 + rng.permutation(len(drawn.names) - 1)
        parts.append(drawn.weights[[0, *places.tolist()]])
    count = min(map(len, parts))
    names = ["natural", *(f"draw-{k:03d}" for k in range(1, count))]
    design = phased_design(recipe, drawn.sources, [p[:count] for p in parts], names, settings.runs)
    named = []
    for row, name in enumerate(names):
        weights = {
            phase.name: dict(zip(drawn.sources, part[row].tolist(), strict=True))
            for phase, part in zip(recipe.mixture.phases, parts, strict=True)
        }
        named.append(with_phase_weights(recipe, f"{recipe.name}-order-{name}", weights))
    phases = zip(recipe.mixture.phases, parts, strict=True)
    totals = sum((phase.share * part[:count] for phase, part in phases), np.zeros(1))
    caps = caps_of(recipe, supply, drawn)
    return swarm_of_columns(ws, design, named, settings, size, tokens, totals, caps)


def require_phases(recipe: Recipe) -> None:
    """ConfigError unless the recipe has two phases or more."""
    if len(recipe.mixture.phases) < 2:
        raise ConfigError(
            "This recipe has one phase, so there is no order to choose.",
            where=recipe.name,
            next_step="give it two phases on the Mixture page, or start one: `mixlab recipe new "
            f"NAME --template broad-then-sharpened --from {recipe.name}`",
        )


def phased_design(
    recipe: Recipe,
    sources: tuple[str, ...],
    parts: list[Array],
    names: list[str],
    runs: int,
) -> Design:
    """Mixtures of every phase, `parts` [K, s] each, side by side as shares of the whole run."""
    phases = recipe.mixture.phases
    columns = [f"{phase.name}{SEPARATOR}{source}" for phase in phases for source in sources]
    shares = [phase.share * part for phase, part in zip(phases, parts, strict=True)]
    return columns_design(columns, names, np.concatenate(shares, axis=1), runs)


def with_phase_weights(recipe: Recipe, name: str, weights: Weights) -> Recipe:
    """The recipe under another name with these weights in each of its phases."""
    phases = tuple(replace(p, weights=dict(weights[p.name])) for p in recipe.mixture.phases)
    return replace(recipe, name=name, mixture=replace(recipe.mixture, phases=phases))
