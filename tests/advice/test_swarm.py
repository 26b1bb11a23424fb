"""Designs as recipes: the decisions stay, the weights change."""

from collections.abc import Callable

import numpy as np
import pytest

from lab.advice.design.swarm import SwarmSettings, plan_swarm, swarm_design
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe

RULE = Rule("gopher.word_count@ws1", min=5)


def recipe(budget: int) -> Recipe:
    phases = (
        Phase("broad", 0.75, {"short": 0.8, "long": 0.2}),
        Phase("sharpen", 0.25, {"long": 1.0}, {"long": (RULE,)}),
    )
    return Recipe("mine", "plain", {"short": (), "long": (RULE,)}, Mixture(budget, phases))


def test_anchors_are_the_recipe_s_own_average_and_unimax() -> None:
    supply = {"short": 900.0, "long": 100.0}
    design = swarm_design(recipe(1000), supply, SwarmSettings(12))
    anchors = dict(zip(design.names, design.weights.tolist(), strict=True))
    assert anchors["natural"] == pytest.approx([0.9, 0.1], abs=1e-6)
    assert anchors["recipe"] == pytest.approx([0.6, 0.4], abs=1e-6)
    assert "unimax" not in anchors  # four epochs of 100 tokens are .4 of 1000: the recipe again
    large = swarm_design(recipe(2000), supply, SwarmSettings(12))
    assert dict(zip(large.names, large.weights.tolist(), strict=True))["unimax"] == pytest.approx(
        [0.8, 0.2], abs=1e-6
    )


def test_a_budget_beyond_the_supply_and_an_empty_source_leave_a_design() -> None:
    supply = {"short": 900.0, "long": 100.0, "gone": 0.0}
    design = swarm_design(recipe(10**9), supply, SwarmSettings(10))
    assert design.sources == ("short", "long")
    assert "unimax" not in design.names


def test_the_best_so_far_is_an_anchor() -> None:
    supply = {"short": 900.0, "long": 100.0}
    design = swarm_design(recipe(1000), supply, SwarmSettings(8), {"short": 0.3, "long": 0.7})
    anchors = dict(zip(design.names, design.weights.tolist(), strict=True))
    assert anchors["best"] == pytest.approx([0.3, 0.7], abs=1e-6)


def test_recipes_keep_every_decision_but_the_weights(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(plain_workspace)
    save_recipe(ws, recipe(20_000))
    swarm = plan_swarm(ws, "mine", SwarmSettings(8, seed=1, repeats=2), "nano", 4096)
    recipes = [made for made, seed in swarm.pairs if seed == 1]
    assert len(recipes) == 8
    assert len({r.name for r in recipes}) == 8
    assert recipes[0].name == "mine-sweep-natural"
    assert [(r.name, seed) for r, seed in swarm.pairs[8:]] == [
        ("mine-sweep-natural", 2),
        ("mine-sweep-natural", 3),
    ]
    assert swarm.seconds > 0 and swarm.basis.startswith("typical speed")
    assert 0 < swarm.within <= 8
    for made in recipes:
        assert (made.sources, made.dedup) == (recipe(20_000).sources, None)
        assert [p.share for p in made.mixture.phases] == [0.75, 0.25]
        assert made.mixture.phases[1].filters == {"long": (RULE,)}
        weights = [p.weights for p in made.mixture.phases]
        assert weights[0] == weights[1]
        assert np.sum(list(weights[0].values())) == 1


def test_capped_designs_stay_within_what_the_supply_allows(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(plain_workspace)
    save_recipe(ws, recipe(400_000))
    swarm = plan_swarm(ws, "mine", SwarmSettings(8, capped=True), "nano", 4096)
    assert 1 < swarm.allowed < 2
    assert swarm.within == len(swarm.design.names) == 8
    free = plan_swarm(ws, "mine", SwarmSettings(8), "nano", 4096)
    assert free.within < 8
