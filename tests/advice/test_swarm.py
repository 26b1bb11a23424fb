"""Designs as recipes: the decisions stay, the weights change."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lab.advice.cheap.source_runs import source_recipes
from lab.advice.design.design import natural_mixture
from lab.advice.design.swarm import (
    SwarmSettings,
    plan_swarm,
    swarm_design,
    trained_mixtures,
    unique_tokens,
    with_weights,
)
from lab.advice.loop.of_recipe import LoopSettings, loop_folder, opening
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe
from tests.advice.planted_runs import write_run

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


def test_runs_that_are_no_evidence_leave_a_design_to_be_drawn(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    """Branches of a shared mixture, and a run under other rules: nothing was trained."""
    ws, base = copy_of(plain_workspace), recipe(20_000)
    supply = unique_tokens(ws, base)
    for made in source_recipes(base, supply, shared=0.5):
        write_run(ws, made, 2.0)
    assert trained_mixtures(ws, base, "nano", 4096) == {}
    other = replace(base, name="other", sources={"short": (RULE,), "long": (RULE,)})
    write_run(ws, with_weights(other, "other", {"short": 0.5, "long": 0.5}), 2.0)
    assert trained_mixtures(ws, base, "nano", 4096) == {}
    write_run(ws, with_weights(base, "mine-sweep-a", {"short": 0.5, "long": 0.5}), 2.0)
    assert list(trained_mixtures(ws, base, "nano", 4096)) == ["a"]


def test_sweeps_under_two_seeds_do_not_hide_each_other(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws, base = copy_of(plain_workspace), recipe(20_000)
    mixes = [(0, 0.5), (1, 0.25), (2, 0.5), (3, 0.25)]
    for seed, share in mixes:
        made = with_weights(base, "mine-sweep-draw-001", {"short": share, "long": 1 - share})
        write_run(ws, made, 2.0, seed=seed)
    found = trained_mixtures(ws, base, "nano", 4096)
    assert {name: mix["short"] for name, mix in found.items()} == {
        "draw-001": 0.5,
        "mine-sweep-draw-001-s1": 0.25,
    }


def test_a_loop_repeats_the_natural_mixture_whatever_was_trained(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws, base = copy_of(plain_workspace), recipe(20_000)
    supply = unique_tokens(ws, base)
    natural = natural_mixture(supply)
    asked = LoopSettings(60.0, tokens=4096, repeats=2, start=4)
    fresh = opening(ws, base, supply, asked)
    assert [(w.name, w.seed) for w in fresh if w.weights == natural] == [
        ("natural", 0),
        ("natural", 1),
        ("natural", 2),
    ]
    assert len(fresh) == 6
    write_run(ws, with_weights(base, "mine-sweep-natural", natural), 2.0, seed=0)
    write_run(ws, with_weights(base, "mine-sweep-natural", natural), 2.0, seed=2)
    later = opening(ws, base, supply, asked)
    assert [w.seed for w in later if w.weights == natural] == [1, 3]
    enough = opening(ws, base, supply, replace(asked, start=1))
    assert [(w.weights, w.seed) for w in enough] == [(natural, 1), (natural, 3)]


def test_loops_with_and_without_repetition_keep_records_of_their_own(
    plain_workspace: Workspace,
) -> None:
    asked = LoopSettings(60.0)
    folders = {
        loop_folder(plain_workspace, recipe(20_000), replace(asked, repetition=match, budget=b))
        for match in (True, False)
        for b in (60.0, 90.0)
    }
    assert len(folders) == 2
