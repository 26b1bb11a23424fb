"""Threshold and weight from runs: what a cut is, which runs count, and a planted best cut."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from lab.advice.cuts.answer import answer_cuts, cut_recipe
from lab.advice.cuts.cut import (
    UNCUT,
    Cut,
    parse_cuts,
    parse_signals,
    pool_name,
    threshold_of,
    with_cut,
    with_cuts,
)
from lab.advice.cuts.evidence import cut_evidence
from lab.advice.cuts.store import latest_cuts, save
from lab.advice.cuts.swarm import plan_cuts, pool_tokens
from lab.advice.design.swarm import SwarmSettings, with_weights
from lab.core.errors import ConfigError, DataError
from lab.core.files import read_json, write_json
from lab.core.workspace import Workspace
from lab.curation.duplicates import DedupConfig
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe
from tests.advice.planted_runs import write_run

SIGNAL = "gopher.word_count@ws1"
OTHER = "gopher.mean_word_length@ws1"
PHASES = (Phase("all", 1.0, {"short": 0.5, "long": 0.5}),)
RECIPE = Recipe("mine", "plain", {"short": (), "long": ()}, Mixture(40_000, PHASES))
CUT = Cut("short", SIGNAL, (UNCUT, 50.0, 70.0))
TEXT = f"{SIGNAL}@short=70,none,50"


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    return ws


def test_a_cut_is_written_as_in_a_recipe() -> None:
    assert parse_cuts([TEXT], RECIPE) == (CUT,)
    assert parse_cuts(["gopher.word_count@short=none,50,70"], RECIPE) == (CUT,), "the default"
    assert parse_signals(["gopher.word_count@short"], RECIPE) == {"short": SIGNAL}
    assert [pool_name("web", t) for t in (UNCUT, 50.0, 0.25)] == ["web@none", "web@50", "web@0.25"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["gopher.word_count=1,2"], "is written"),
        (["gopher.word_count@short=1"], "two thresholds"),
        (["gopher.word_count@shirt=1,2"], "Unknown source"),
        (["gopher.word_coun@short=1,2"], "nknown signal"),
        (["gopher.word_count@short=1,1.0"], "named twice"),
        (["gopher.word_count@short=1,many"], "a number, or none"),
        (["gopher.word_count@short=1,inf"], "a number, or none"),
        (["gopher.word_count@short=1,2", f"{OTHER}@short=1,2"], "one signal at a time"),
    ],
)
def test_what_is_no_cut_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_cuts(texts, RECIPE)


def test_a_phase_that_filters_by_the_same_signal_is_refused() -> None:
    rule = {"short": (Rule(SIGNAL, min=60),)}
    phases = (Phase("all", 1.0, {"short": 0.5, "long": 0.5}, rule),)
    both = replace(RECIPE, mixture=Mixture(1000, phases))
    with pytest.raises(ConfigError, match="two cuts"):
        parse_cuts([TEXT], both)


def test_a_cut_moves_the_lower_bound_and_nothing_else() -> None:
    rules = (Rule(OTHER, min=2.0), Rule(SIGNAL, min=20.0, max=900.0), Rule(SIGNAL, min=30.0))
    base = replace(RECIPE, sources={"short": rules, "long": rules})
    assert threshold_of(base, "short", SIGNAL) == 30
    cut = with_cut(base, "short", SIGNAL, 60.0)
    assert cut.sources["short"] == (Rule(OTHER, min=2.0), Rule(SIGNAL, min=60.0, max=900.0))
    assert cut.sources["long"] == rules
    free = with_cut(cut, "short", SIGNAL, UNCUT)
    assert free.sources["short"] == (Rule(OTHER, min=2.0), Rule(SIGNAL, max=900.0))
    assert with_cut(RECIPE, "short", SIGNAL, UNCUT) == RECIPE
    percentile = replace(RECIPE, sources={"short": (Rule(SIGNAL, min_percentile=30.0),)})
    assert with_cut(percentile, "short", SIGNAL, 5.0).sources["short"] == (Rule(SIGNAL, min=5.0),)


def test_the_swarm_deals_every_threshold_over_small_and_large_weights(ws: Workspace) -> None:
    swarm = plan_cuts(ws, RECIPE, [CUT], SwarmSettings(24, repeats=2), "nano", 4096)
    pools = ["short@none", "short@50", "short@70"]
    assert set(swarm.design.sources) == {"long", *pools}
    assert (swarm.design.needed, swarm.design.rank) == (15, 4)
    columns = [swarm.design.weights[:, swarm.design.sources.index(pool)] for pool in pools]
    for own in np.stack(columns, axis=1):
        assert (own > 0).sum() <= 1, "a run trains on one cut of a source"
    used = [int((column > 0).sum()) for column in columns]
    assert max(used) - min(used) <= 1
    means = [float(column[column > 0].mean()) for column in columns]
    assert max(means) - min(means) < 0.15, "thresholds are not confused with weights"
    assert len(swarm.pairs) == 26 and len({made.name for made, _ in swarm.pairs}) == 24
    for k, (made, _) in enumerate(swarm.pairs[:24]):
        low = threshold_of(made, "short", SIGNAL)
        share = made.mixture.phases[0].weights["short"]
        column = swarm.design.sources.index(pool_name("short", low))
        assert swarm.design.weights[k, column] == pytest.approx(share)
        assert made.name.startswith("mine-cut-")
    again = plan_cuts(ws, RECIPE, [CUT], SwarmSettings(24, repeats=2), "nano", 4096)
    assert [made for made, _ in again.pairs] == [made for made, _ in swarm.pairs]


def test_swarms_that_cannot_tell_anything_are_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="5 runs cannot tell 4 weights apart"):
        plan_cuts(ws, RECIPE, [CUT], SwarmSettings(5), "nano", 4096)
    empty = Cut("short", SIGNAL, (UNCUT, 100_000.0))
    with pytest.raises(ConfigError, match="leaves no text"):
        plan_cuts(ws, RECIPE, [empty], SwarmSettings(12), "nano", 4096)
    with pytest.raises(ConfigError, match="cannot extend"):
        plan_cuts(ws, RECIPE, [CUT], SwarmSettings(12, extend=True), "nano", 4096)


USEFUL = {"long": 1.0, "short@none": 0.6, "short@50": 2.5, "short@70": 2.7}


def trained(
    ws: Workspace,
    recipes: Sequence[Recipe],
    useful: dict[str, float],
    noise: float = 5e-4,
    matched: bool = False,
) -> None:
    """Finished runs of these recipes, their loss a power law of the shares of pools."""
    rng = np.random.default_rng(0)
    for number, made in enumerate(recipes):
        weights = dict(made.mixture.phases[0].weights)
        low = threshold_of(made, "short", SIGNAL)
        seen = weights["long"] * useful["long"]
        seen += weights["short"] * useful.get(pool_name("short", low), 0.0)
        loss = 1 + seen**-0.5 + rng.normal(0, noise)
        write_run(ws, made, loss, f"{made.name}-{number}", matched=matched)


def swarm(ws: Workspace, count: int = 36) -> list[Recipe]:
    plan = plan_cuts(ws, RECIPE, [CUT], SwarmSettings(count), "nano", 4096)
    return [made for made, _ in plan.pairs]


def test_runs_that_differ_in_thresholds_only_are_evidence(ws: Workspace) -> None:
    made = swarm(ws, 12)
    stale = with_cut(replace(made[0], name="other"), "short", OTHER, 3.0)
    trained(ws, [*made, stale], USEFUL)
    found = cut_evidence(ws, RECIPE)
    (cut,) = found.cuts
    assert cut == CUT, "which signal cuts which source is read off the runs"
    assert found.tables.ratios.height == 12
    assert found.tables.ratios.drop("run", "name").sum_horizontal().to_list() == pytest.approx(
        [1.0] * 12
    )
    assert "1 of 13 scored runs are left out" in found.tables.notes[0]
    assert not found.matched
    shared = replace(
        with_cut(RECIPE, "short", SIGNAL, 50.0), filters=(Rule(SIGNAL, min=50.0),),
    )  # fmt: skip
    assert cut_evidence(ws, shared).tables.ratios.height == 12, "how a rule is written is no change"
    deduplicated = replace(RECIPE, dedup=DedupConfig())
    with pytest.raises(DataError, match="was trained at two thresholds"):
        cut_evidence(ws, deduplicated)


def test_without_such_runs_it_says_how_to_train_them(ws: Workspace) -> None:
    trained(ws, [with_weights(RECIPE, "mine", {"short": 0.5, "long": 0.5})], USEFUL)
    with pytest.raises(DataError, match="at two thresholds") as caught:
        answer_cuts(ws, "mine")
    assert "mixlab sweep mine --thresholds" in caught.value.next_step


@pytest.mark.parametrize(("share", "expected"), [(0.5, 70.0), (12.0, 50.0)])
def test_a_planted_cut_is_found_and_loosens_as_the_budget_grows(
    ws: Workspace, share: float, expected: float
) -> None:
    """Text above 70 words is little better than text above 50 and there is much less of it: it
    wins while one epoch is enough, not where it would be read a dozen times.
    """
    supply = dict(pool_tokens(ws, RECIPE, [CUT]))
    assert supply["short@none"] > supply["short@50"] > supply["short@70"]
    budget = int(share * supply["short@70"])
    base = replace(RECIPE, mixture=Mixture(budget, PHASES, repeat_cap=16.0))
    save_recipe(ws, base)
    trained(ws, swarm(ws), USEFUL)
    recipe, told = answer_cuts(ws, "mine", "heldout/long/bpb")
    choice = told.choice
    assert told.thresholds == {"short": expected}
    assert (choice.verdict, told.signals) == ("better", {"short": SIGNAL})
    assert sum(told.proposal.values()) == pytest.approx(1)
    assert choice.weights["short"].low > 0.5
    assert choice.worth.low > 0 and choice.p_worth > 0.9, "uncut text is worth less than `long`"
    assert choice.bound <= choice.cost + 1e-6
    assert choice.table["chosen_by"].sum() == pytest.approx(1)
    made = cut_recipe(recipe, told, "mine-cut")
    assert made.sources["short"] == (Rule(SIGNAL, min=expected),)
    assert made.mixture.phases[0].weights == pytest.approx(told.proposal)
    save_recipe(ws, made)


def test_where_thresholds_make_no_difference_none_is_claimed(ws: Workspace) -> None:
    same = dict.fromkeys(USEFUL, 1.5) | {"long": 1.0}
    trained(ws, swarm(ws), same, noise=0.02)
    _, told = answer_cuts(ws, "mine", "heldout/long/bpb")
    assert told.choice.p_worth < 0.9 or told.choice.worth.low <= 0
    assert told.choice.p_same < 0.95


def test_what_is_stored_reads_back_and_knows_its_recipe(ws: Workspace) -> None:
    trained(ws, swarm(ws, 18), USEFUL, matched=True)
    recipe, told = answer_cuts(ws, "mine", "heldout/long/bpb", {"short": SIGNAL})
    save(ws, recipe, told)
    found = latest_cuts(ws, RECIPE)
    assert found is not None
    again, fresh = found
    assert fresh
    assert (again.thresholds, again.notes, again.runs) == (told.thresholds, told.notes, told.runs)
    assert again.choice.weights == told.choice.weights
    assert again.pools.equals(told.pools) and again.choice.table.equals(told.choice.table)
    other = replace(told, notes=())
    for one in (other, told, other):
        save(ws, recipe, one)
        latest = latest_cuts(ws, RECIPE)
        assert latest is not None and latest[0].notes == one.notes, "asked again is the latest"
    moved = with_weights(RECIPE, "mine", {"short": 0.1, "long": 0.9})
    assert latest_cuts(ws, moved)[1], "weights are what it proposes, not what it rests on"  # type: ignore[index]
    assert not latest_cuts(ws, with_cut(RECIPE, "long", OTHER, 1.0))[1]  # type: ignore[index]
    assert latest_cuts(ws, replace(RECIPE, name="other")) is None


def test_a_threshold_of_today_that_no_run_had_is_said(ws: Workspace) -> None:
    save_recipe(ws, with_cut(RECIPE, "short", SIGNAL, 60.0))
    trained(ws, swarm(ws, 18), USEFUL)
    recipe, told = answer_cuts(ws, "mine", "heldout/long/bpb")
    assert not told.choice.today
    assert told.choice.compared == {"short": "short@none", "long": "long"}
    (said,) = [note for note in told.notes if "thresholds of today" in note]
    assert "natural under" in said and "short@none" in said
    gone = replace(recipe, sources={"long": ()})
    with pytest.raises(ConfigError, match="weighs short"):
        cut_recipe(gone, told, "mine-cut")


def test_repetition_is_what_the_runs_account_and_branches_stay_out(ws: Workspace) -> None:
    trained(ws, swarm(ws, 12), USEFUL, matched=True)
    assert not cut_evidence(ws, RECIPE).matched, "these account for no repetition at all"
    use = {"pool_tokens": 10_000, "epochs_target": 4.0, "epochs_here": 4.0}
    for path in ws.runs.glob("*/run.json"):
        account = {"match": True, "target_tokens": 40_000, "sources": {"long": use}}
        write_json(path, read_json(path) | {"repetition": account})
    found = cut_evidence(ws, RECIPE)
    assert found.matched
    assert any("not counted again" in note for note in found.tables.notes)
    longer = replace(RECIPE, mixture=Mixture(400_000, PHASES))
    assert not cut_evidence(ws, longer).matched, "matched to another budget than today's"
    parts = (Phase("shared", 0.5, PHASES[0].weights), Phase("own", 0.5, {"short": 0, "long": 1}))
    write_run(ws, replace(RECIPE, name="branch", mixture=Mixture(40_000, parts)), 3.0)
    again = cut_evidence(ws, RECIPE)
    assert again.tables.ratios.height == 12
    assert "trained a shared mixture" in again.tables.notes[0]


def test_several_sources_may_be_cut(ws: Workspace) -> None:
    cuts = [CUT, Cut("long", OTHER, (UNCUT, 4.0))]
    plan = plan_cuts(ws, RECIPE, cuts, SwarmSettings(24), "nano", 4096)
    assert len(plan.design.sources) == 5
    pairs = Counter(
        (threshold_of(made, "short", SIGNAL), threshold_of(made, "long", OTHER))
        for made, _ in plan.pairs
        if all(w > 0 for w in made.mixture.phases[0].weights.values())
    )
    assert len(pairs) == 6, "every combination is seen"
    assert with_cuts(RECIPE, cuts, {"short": 50.0}).sources["long"] == ()
