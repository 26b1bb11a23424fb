"""Panels of the advice page: stale evidence and what mends it, weights by phase, thresholds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from visiting import Open, words_of

from lab.advice.cuts.cut import parse_cuts, threshold_of
from lab.advice.cuts.swarm import plan_cuts
from lab.advice.design.swarm import SwarmSettings, plan_swarm, unique_tokens
from lab.advice.order.swarm import plan_phases
from lab.advice.proposing.advise import advise
from lab.advice.proposing.from_runs import fit_runs
from lab.advice.proposing.store import save
from lab.advice.reuse.restore import plan_restoring, restore
from lab.core.progress import SILENT
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.jobs.actions import run_action
from lab.jobs.store import list_jobs
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import load_recipe, save_recipe
from tests.advice.planted_runs import write_run

METRIC = "heldout/long/bpb"
WEIGHTS = {"short": 0.5, "long": 0.5}
FLAT = Recipe(
    "flat", "plain", {"short": (), "long": ()}, Mixture(30_000, (Phase("all", 1.0, WEIGHTS),))
)
TWO = replace(
    FLAT,
    name="two",
    mixture=Mixture(30_000, (Phase("broad", 0.75, WEIGHTS), Phase("sharpen", 0.25, WEIGHTS))),
)
CUT = "gopher.word_count@ws1@short=none,50,70"


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    ws = copy_of(plain_workspace)
    save_recipe(ws, FLAT)
    save_recipe(ws, TWO)
    return ws


def train(ws: Workspace, recipes: list[Recipe]) -> None:
    """Long text is good, late more so; short text above 50 words is better than the rest."""
    rng = np.random.default_rng(0)
    for made in recipes:
        loss = 3 + rng.normal(0, 0.003)
        for place, phase in enumerate(made.mixture.phases):
            low = threshold_of(made, "short", "gopher.word_count@ws1")
            loss -= phase.share * phase.weights["short"] * (1.5 if low > 0 else 0.2)
            loss -= phase.share * phase.weights["long"] * (1 + place)
        write_run(ws, made, loss)


def advised(ws: Workspace) -> None:
    """Advice for `flat` from a sweep, after which its short text was cut."""
    plan = plan_swarm(ws, "flat", SwarmSettings(10), "nano", 4096)
    train(ws, [made for made, _ in plan.pairs])
    fit = fit_runs(ws, METRIC, recipe=FLAT)
    save(ws, fit, advise(fit, unique_tokens(ws, FLAT), replicates=20), FLAT)


def change(ws: Workspace) -> Recipe:
    rules = (Rule("gopher.word_count@ws1", min=55.0),)
    save_recipe(ws, replace(FLAT, sources={"short": rules, "long": ()}))
    return load_recipe(ws, "flat")


def keys_of(app: object) -> set[str]:
    return {button.key for button in app.button}  # type: ignore[attr-defined]


def test_nothing_is_said_of_reuse_while_nothing_changed(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "advice", recipe="flat")
    assert not app.exception and "reuse" not in keys_of(app)
    advised(ws)
    app = open_page(ws, "advice", recipe="flat")
    assert not app.exception and "reuse" not in keys_of(app)
    app.text_input(key="advice_name.flat").set_value("two").run()
    app.button(key="save_advice").click().run()
    assert "a recipe of this name already" in words_of(app) and load_recipe(ws, "two") == TWO


def test_a_changed_source_is_named_with_the_runs_that_mend_it(
    ws: Workspace, open_page: Open
) -> None:
    advised(ws)
    changed = change(ws)
    app = open_page(ws, "advice", recipe="flat")
    assert not app.exception
    words = words_of(app)
    assert "The data has changed since this advice was drawn" in words
    assert "- short: other rules now" in words
    assert "of the 10 runs that it rests on used what is no longer there" in words
    assert "9 runs restore the decision" in words
    app.button(key="reuse").click().run()
    (job,) = list_jobs(ws)
    assert job.action == "reuse"
    assert job.params == {"recipe": "flat", "size": "nano", "tokens": 4096}
    plan = plan_restoring(ws, "flat", tokens=4096)
    shares = plan.mixtures.items()
    mixed = [(name, Phase("all", 1.0, dict(weights))) for name, weights in shares]
    train(ws, [replace(changed, name=n, mixture=Mixture(30_000, (p,))) for n, p in mixed])
    restore(ws, plan, METRIC)
    app = open_page(ws, "advice", recipe="flat")
    assert not app.exception and "Restored: " in words_of(app)
    app.button(key="reuse_save").click().run()
    made = load_recipe(ws, "flat-restored")
    assert made.sources == changed.sources
    assert sum(made.mixture.phases[0].weights.values()) == pytest.approx(1)


def test_weights_by_phase_are_trained_asked_shown_and_saved(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "advice", recipe="flat")
    assert "there is no order to choose" in words_of(app) and "phases" not in keys_of(app)
    app = open_page(ws, "advice", recipe="two")
    assert not app.exception and "say nothing about order" in words_of(app)
    app.button(key="phase_sweep").click().run()
    (job,) = list_jobs(ws)
    assert job.params == {"recipe": "two", "by_phase": True, "runs": 15}
    plan = plan_phases(ws, TWO, SwarmSettings(15), "nano", 4096)
    train(ws, [made for made, _ in plan.pairs])
    run_action(ws, "phases", {"recipe": "two", "metric": METRIC}, SILENT)
    app = open_page(ws, "advice", recipe="two")
    assert not app.exception
    words = words_of(app)
    assert "Odds that order helps" in words and "another split was not tried" in words
    app.button(key="phases_save").click().run()
    phases = load_recipe(ws, "two-ordered").mixture.phases
    assert [sum(phase.weights.values()) for phase in phases] == pytest.approx([1, 1])
    assert phases[0].weights != phases[1].weights


def test_thresholds_are_trained_asked_shown_and_saved(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "advice", recipe="flat")
    assert not app.exception
    app.text_input(key="cut_thresholds.short.gopher.word_count@ws1").set_value("none, 50, 70").run()
    app.button(key="cut_sweep").click().run()
    (job,) = list_jobs(ws)
    assert job.action == "sweep" and job.params["runs"] == 15
    assert job.params["thresholds"] == ["gopher.word_count@ws1@short=none, 50, 70"]
    plan = plan_cuts(ws, FLAT, parse_cuts([CUT], FLAT), SwarmSettings(15), "nano", 4096)
    train(ws, [made for made, _ in plan.pairs])
    run_action(ws, "thresholds", {"recipe": "flat", "metric": METRIC}, SILENT)
    app = open_page(ws, "advice", recipe="flat")
    assert not app.exception
    words = words_of(app)
    assert "of the replicates cut alike" in words and "Of that the thresholds are worth" in words
    app.text_input(key="cuts_name.flat").set_value("two").run()
    app.button(key="cuts_save").click().run()
    assert "a recipe of this name already" in words_of(app) and load_recipe(ws, "two") == TWO
    app.text_input(key="cuts_name.flat").set_value("flat-cut").run()
    app.button(key="cuts_save").click().run()
    (rule,) = load_recipe(ws, "flat-cut").sources["short"]
    assert rule.signal == "gopher.word_count@ws1" and rule.min in (50, 70)
    change(ws)
    app = open_page(ws, "advice", recipe="flat")
    assert "Drawn for data or rules of before" in words_of(app)
