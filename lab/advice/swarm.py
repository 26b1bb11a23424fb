"""A design as recipes: the same decisions about documents, other weights.

Every mixture of the design becomes the given recipe with these weights in each of its phases, so
filters, duplicates and budget stay as decided. Natural means the unique tokens that the recipe's
rules leave of each source. Anchors are the recipe's own weights and UniMax at its budget and
repeat cap. The design is not capped: a law must have seen large shares, and what repeating
them costs, to judge them; caps belong to the proposal (Olmix, arXiv:2602.12237: capping both ends
at .7855 bits per byte, capping the optimiser alone at .7647).
"""

from collections.abc import Mapping
from dataclasses import replace

from lab.advice.design import Design, design_mixtures, unimax
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe
from lab.mixture.supply import measure_supply


def swarm_recipes(ws: Workspace, recipe: str, runs: int, seed: int = 0) -> list[Recipe]:
    """`runs` recipes around the one named `recipe`, called RECIPE-sweep-NAME."""
    base = load_recipe(ws, recipe)
    design = swarm_design(base, unique_tokens(ws, base), runs, seed)
    return [
        with_weights(base, f"{base.name}-sweep-{name}", dict(zip(design.sources, row, strict=True)))
        for name, row in zip(design.names, design.weights.tolist(), strict=True)
    ]


def unique_tokens(ws: Workspace, recipe: Recipe) -> dict[str, float]:
    """Unique training tokens of every source under the recipe's rules, the natural mixture."""
    supply = measure_supply(ws, recipe).sources
    return {
        name: float(tokens) for name, tokens in supply.select("source", "unique_tokens").iter_rows()
    }


def swarm_design(recipe: Recipe, supply: Mapping[str, float], runs: int, seed: int) -> Design:
    """The design around a recipe with `supply` unique tokens a source; empty ones are left out."""
    known = {name: tokens for name, tokens in supply.items() if tokens > 0}
    own = {name: weight for name, weight in recipe.average_weights().items() if name in known}
    anchors = {"recipe": own} if sum(own.values()) > 0 else {}
    budget, epochs = float(recipe.mixture.tokens), recipe.mixture.repeat_cap
    if budget <= epochs * sum(known.values()):
        anchors["unimax"] = unimax(known, budget, epochs)
    return design_mixtures(known, runs, seed, anchors=anchors)


def with_weights(recipe: Recipe, name: str, weights: Mapping[str, float]) -> Recipe:
    """The recipe under another name with `weights` in all its phases."""
    phases = tuple(replace(phase, weights=weights) for phase in recipe.mixture.phases)
    return replace(recipe, name=name, mixture=replace(recipe.mixture, phases=phases))
