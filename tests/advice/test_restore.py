"""Restoring a decision in a workspace: what changed is named, few runs are planned, it holds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lab.advice.design.swarm import SwarmSettings, plan_swarm, unique_tokens, with_weights
from lab.advice.proposing.advise import advise
from lab.advice.proposing.from_runs import fit_runs
from lab.advice.proposing.request import Request
from lab.advice.proposing.store import latest, save
from lab.advice.reuse.damage import UNUSED, damage_of
from lab.advice.reuse.restore import plan_restoring, restore, virtual_supply
from lab.advice.reuse.restored import latest_restored, restored_recipe
from lab.advice.reuse.reuse import Frozen
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe
from tests.advice.planted_runs import write_run

RULE = Rule("gopher.word_count@ws1", min=55.0)
WEIGHTS = {"short": 0.4, "long": 0.3, "copies": 0.3}
SOURCES: dict[str, tuple[Rule, ...]] = dict.fromkeys(WEIGHTS, ())
RECIPE = Recipe("mine", "plain", SOURCES, Mixture(20_000, (Phase("all", 1.0, WEIGHTS),)))
CUT = replace(RECIPE, sources={**SOURCES, "short": (RULE,)})


def train(ws: Workspace, recipes: list[Recipe], good: dict[str, float]) -> list[str]:
    rng = np.random.default_rng(len(recipes))
    names = []
    for made in recipes:
        weights = made.mixture.phases[0].weights
        loss = 3 - sum(good[name] * weights.get(name, 0) for name in good) + rng.normal(0, 0.003)
        names.append(write_run(ws, made, loss))
    return names


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    """Advice from a sweep of three sources, of which `short` was then cut."""
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    plan = plan_swarm(ws, "mine", SwarmSettings(16), "nano", 4096)
    train(ws, [made for made, _ in plan.pairs], {"short": 0.2, "long": 1.0, "copies": 0.5})
    fit = fit_runs(ws, "heldout/long/bpb", recipe=RECIPE)
    save(ws, fit, advise(fit, unique_tokens(ws, RECIPE), replicates=20), RECIPE)
    save_recipe(ws, CUT)
    return ws


def test_what_changed_is_named_and_counted(ws: Workspace) -> None:
    fit = fit_runs(ws, "heldout/long/bpb", recipe=RECIPE)
    assert damage_of(ws, RECIPE, fit.runs).sources == {}
    found = damage_of(ws, CUT, fit.runs)
    assert found.sources == {"short": "rules"}
    assert found.runs == 16 and 10 < found.stale < 16, "runs without it are not stale"
    only = damage_of(ws, RECIPE, ())
    assert set(only.sources.values()) == {UNUSED} and (only.stale, only.runs) == (0, 0)


def test_few_runs_are_planned_and_the_decision_is_restored(ws: Workspace) -> None:
    plan = plan_restoring(ws, "mine", tokens=4096)
    assert plan.damage.sources == {"short": "rules"} and plan.frozen.changed == ("short",)
    assert plan.needed == 9 and len(plan.mixtures) + plan.reused == 9
    hint = plan.coupling()
    assert hint is None or 0 <= hint <= 1
    recipes = [with_weights(CUT, f"mine-reuse-{n}", w) for n, w in plan.mixtures.items()]
    train(ws, recipes, {"short": 3.0, "long": 1.0, "copies": 0.5})  # the cut text is the best now
    told = restore(ws, plan, "heldout/long/bpb")
    assert told.verdict == "better" and told.weights["short"].value > 0.5
    assert sum(weight.value for weight in told.weights.values()) == pytest.approx(1)
    ratios = plan.frozen.ratios
    kept = 1 - told.weights["short"].value
    assert told.weights["long"].value == pytest.approx(kept * ratios["long"])
    again, fresh = latest_restored(ws, CUT)  # type: ignore[misc]
    assert fresh and again == told
    assert not latest_restored(ws, RECIPE)[1], "of other rules than these"  # type: ignore[index]
    made = restored_recipe(CUT, told, "mine-restored")
    assert made.sources == CUT.sources
    assert sum(made.mixture.phases[0].weights.values()) == pytest.approx(1)
    assert plan_restoring(ws, "mine", tokens=4096).mixtures == {}, "nothing more to train"


def test_nothing_changed_is_nothing_to_restore(ws: Workspace) -> None:
    save_recipe(ws, RECIPE)
    with pytest.raises(ConfigError, match="nothing to restore"):
        plan_restoring(ws, "mine", tokens=4096)


def test_the_question_of_the_last_advice_is_asked_again(ws: Workspace) -> None:
    """A cap and a strong pull to natural bind again; what cannot be carried over is said."""
    fit, advice = latest(ws, "mine")  # type: ignore[misc]
    asked = Request(caps={"short": 0.3}, guards={"benchmark/none/acc": 0.0}, groups={"all": ()})
    save(ws, fit, replace(advice, kl=10.0, asked=asked), RECIPE)
    plan = plan_restoring(ws, "mine", tokens=4096)
    recipes = [with_weights(CUT, f"mine-reuse-{n}", w) for n, w in plan.mixtures.items()]
    train(ws, recipes, {"short": 3.0, "long": 1.0, "copies": 0.5})
    near = restore(ws, plan, None)
    assert near.caps["short"] == 0.3
    assert near.weights["short"].value == pytest.approx(min(near.natural["short"], 0.3), abs=0.05)
    assert any("benchmark/none/acc" in note for note in near.notes)
    assert any("not carried over" in note for note in near.notes)
    far = restore(ws, replace(plan, advice=replace(plan.advice, kl=0.0)), None)
    assert far.weights["short"].value == pytest.approx(0.3, abs=1e-3)


def test_a_virtual_source_repeats_as_its_members_do_on_average() -> None:
    """u = (.5, .5) of 100 and 300 tokens: a share of 400 tokens repeats .5 * 2 + .5 * 2 / 3."""
    frozen = Frozen({"a": 0.5, "b": 0.5}, ("c",))
    found = virtual_supply(frozen, {"a": 100.0, "b": 300.0, "c": 7.0})
    assert found == pytest.approx({"(kept)": 400 / (0.5 * 2 + 0.5 * 2 / 3), "c": 7.0})
