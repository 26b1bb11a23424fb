"""Weights by phase from a workspace's runs: the swarm, which runs count, a planted order."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from lab.advice.design.swarm import SwarmSettings, with_weights
from lab.advice.order.answer import LIMITS, answer_phases, phase_evidence, phased_recipe
from lab.advice.order.store import latest_phases, save
from lab.advice.order.swarm import plan_phases, with_phase_weights
from lab.core.errors import ConfigError, DataError
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe
from tests.advice.planted_runs import write_run

EVEN = {"short": 0.5, "long": 0.5}
PHASES = (Phase("broad", 0.75, EVEN), Phase("sharpen", 0.25, EVEN))
RECIPE = Recipe("two", "plain", {"short": (), "long": ()}, Mixture(40_000, PHASES))
ONE = replace(RECIPE, name="one", mixture=Mixture(40_000, (Phase("all", 1.0, EVEN),)))


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    save_recipe(ws, ONE)
    return ws


def swarm(ws: Workspace, count: int = 24) -> list[Recipe]:
    plan = plan_phases(ws, RECIPE, SwarmSettings(count), "nano", 4096)
    return [made for made, _ in plan.pairs]


def trained(ws: Workspace, recipes: Sequence[Recipe], late: float = 3.0) -> None:
    """Short text lowers the loss early, long text late, `late` times as much a token."""
    rng = np.random.default_rng(0)
    for made in recipes:
        loss = 3.0 + rng.normal(0, 0.002)
        for place, phase in enumerate(made.mixture.phases):
            good = phase.weights["long"] * late if place else phase.weights["short"]
            loss -= phase.share * good
        write_run(ws, made, loss)


def test_the_swarm_draws_phases_apart(ws: Workspace) -> None:
    plan = plan_phases(ws, RECIPE, SwarmSettings(24, repeats=1), "nano", 4096)
    design = plan.design
    assert design.sources == ("broad:short", "broad:long", "sharpen:short", "sharpen:long")
    assert (design.needed, design.rank, len(plan.pairs)) == (15, 3, 25)
    assert design.weights[:, :2].sum(axis=1) == pytest.approx(0.75)
    early, late = design.weights[1:, 0], design.weights[1:, 2]
    assert abs(np.corrcoef(early, late)[0, 1]) < 0.5
    first = plan.pairs[0][0].mixture.phases
    assert first[0].weights == first[1].weights, "the natural mixture in both"
    assert 0 <= plan.within <= 24


def test_a_recipe_of_one_phase_has_no_order(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="no order to choose"):
        plan_phases(ws, ONE, SwarmSettings(24), "nano", 4096)
    with pytest.raises(ConfigError, match="no order to choose"):
        answer_phases(ws, "one")


def test_runs_of_one_phase_or_another_split_say_nothing_of_order(ws: Workspace) -> None:
    shares = [{"short": k / 9, "long": 1 - k / 9} for k in range(9)]
    trained(ws, [with_weights(ONE, f"flat{k}", own) for k, own in enumerate(shares)])
    with pytest.raises(DataError, match="says nothing about order") as caught:
        answer_phases(ws, "two")
    assert "mixlab sweep two --phases" in caught.value.next_step
    other = (replace(PHASES[0], share=0.5), replace(PHASES[1], share=0.5))
    trained(ws, [replace(RECIPE, name="half", mixture=Mixture(40_000, other))])
    trained(ws, swarm(ws, 12))
    found = phase_evidence(ws, RECIPE)
    assert found.ratios.height == found.metrics.height == 12
    assert "10 runs are left out" in found.notes[-1]


def test_stale_runs_with_the_phases_are_named(ws: Workspace) -> None:
    trained(ws, swarm(ws, 12))
    rules = {"short": (Rule("gopher.word_count@ws1", min=55.0),), "long": ()}
    save_recipe(ws, replace(RECIPE, sources=rules))
    trained(ws, [replace(ONE, sources=rules)])
    with pytest.raises(DataError, match="No scored run had the phases") as caught:
        answer_phases(ws, "two")
    assert "12 runs are stale, left out: other rules of short now" in str(caught.value.value)


def test_runs_whose_phases_are_alike_cannot_choose_an_order(ws: Workspace) -> None:
    trained(
        ws,
        [with_weights(RECIPE, f"s{k}", {"short": k / 11, "long": 1 - k / 11}) for k in range(12)],
    )
    with pytest.raises(ConfigError, match="No run varied the weights between its phases"):
        answer_phases(ws, "two")


def test_a_planted_order_is_found_stored_and_saved_as_phases(ws: Workspace) -> None:
    trained(ws, swarm(ws))
    recipe, told = answer_phases(ws, "two")
    advice = told.advice
    assert advice.verdict == "better" and advice.order.low > 0
    assert advice.weights["broad"]["short"].value > 0.6 > 0.4 > advice.weights["broad"]["long"].low
    assert advice.weights["sharpen"]["long"].value > 0.6
    assert set(LIMITS) <= set(told.notes)
    assert not any("always move together" in note for note in told.notes), "phases sum to one"
    made = phased_recipe(recipe, told, "two-ordered")
    for phase in made.mixture.phases:
        assert sum(phase.weights.values()) == pytest.approx(1)
        assert phase.weights["short"] == advice.weights[phase.name]["short"].value
    save_recipe(ws, made)
    gone = with_phase_weights(
        replace(recipe, sources={"long": ()}),
        "two",
        {phase: {"long": 1} for phase in ("broad", "sharpen")},
    )
    with pytest.raises(ConfigError, match="weighs short"):
        phased_recipe(gone, told, "two-ordered")
    save(ws, recipe, told)
    again, fresh = latest_phases(ws, RECIPE)  # type: ignore[misc]
    assert fresh and again == told
    longer = replace(RECIPE, mixture=Mixture(80_000, PHASES))
    assert not latest_phases(ws, longer)[1], "caps are those of another budget"  # type: ignore[index]
