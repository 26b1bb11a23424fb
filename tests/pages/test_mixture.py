from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.workspace import Workspace
from lab.mixture.ledger import compute_ledger
from lab.mixture.recipe_files import load_recipe
from lab.proxy.sizes import SIZES

Copy = Callable[[Workspace], Workspace]
BROAD_SHORT, BROAD_LONG = "weight.both.broad.short", "weight.both.broad.long"


@pytest.fixture
def page(recipe_workspace: Workspace, open_page: Open) -> AppTest:
    return open_page(recipe_workspace, "mixture", recipe="both")


def ledger(app: AppTest) -> dict[str, dict[str, object]]:
    frame = next(d.value for d in app.dataframe if "effective_tokens" in d.value.columns)
    return {row["source"]: row for row in frame.to_dict("records")}


def test_the_ledger_is_that_of_the_stage(page: AppTest, recipe_workspace: Workspace) -> None:
    found = compute_ledger(recipe_workspace, load_recipe(recipe_workspace, "both")).sources
    shown = ledger(page)
    for row in found.iter_rows(named=True):
        for column in ("weight", "unique_tokens", "epochs", "effective_tokens"):
            assert shown[row["source"]][column] == pytest.approx(row[column]), column


def test_moving_a_weight_moves_the_epochs(page: AppTest) -> None:
    before = ledger(page)["short"]["epochs"]
    page.number_input(key=BROAD_SHORT).set_value(90.0).run()
    assert ledger(page)["short"]["epochs"] > before
    assert "sum to 140.0" in words_of(page), "dividing by the sum is said, not silent"


def test_a_link_reopens_unsaved_weights(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(
        recipe_workspace, "mixture", recipe="both", **{BROAD_SHORT: "10.0", BROAD_LONG: "90.0"}
    )
    shares = 0.75 * 0.1 + 0.25 * 0.2
    assert ledger(app)["short"]["weight"] == pytest.approx(shares)


def test_all_zero_weights_are_an_error_in_words(page: AppTest) -> None:
    page.number_input(key=BROAD_SHORT).set_value(0.0)
    page.number_input(key=BROAD_LONG).set_value(0.0).run()
    assert not page.exception
    assert "phase 'broad'" in words_of(page)


def test_a_budget_out_of_reach_is_said_before_training(page: AppTest) -> None:
    page.number_input(key="budget.both").set_value(50.0).run()
    assert page.warning[0].value == "This mixture cannot be trained as written."
    assert {row["state"][0] for row in ledger(page).values()} == {"over the cap"}


@pytest.mark.parametrize("preset", ["natural", "uniform", "UniMax"])
def test_presets_fill_every_phase(page: AppTest, preset: str) -> None:
    page.button(key=f"preset_{preset}").click().run()
    assert not page.exception
    for phase in ("broad", "sharpen"):
        numbers = [page.number_input(key=f"weight.both.{phase}.{s}") for s in ("short", "long")]
        assert sum(n.value for n in numbers) == pytest.approx(100, abs=0.02)
    shown = ledger(page)
    if preset == "uniform":
        assert shown["short"]["weight"] == shown["long"]["weight"]
    if preset == "natural":
        assert shown["short"]["epochs"] == pytest.approx(shown["long"]["epochs"], rel=1e-3)
    page.button(key="forget").click().run()
    assert page.number_input(key="weight.both.sharpen.short").value == 20.0


def test_saving_writes_normalised_weights(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "mixture", recipe="both")
    assert app.button(key="save_weights").disabled
    app.number_input(key=BROAD_SHORT).set_value(150.0 / 2).run()
    app.button(key="save_weights").click().run()
    assert "Saved both.yaml" in words_of(app)
    broad = load_recipe(ws, "both").mixture.phases[0].weights
    assert broad["short"] == pytest.approx(75 / 125)
    assert sum(broad.values()) == pytest.approx(1)
    assert app.button(key="save_weights").disabled


def test_phases_can_be_split_and_removed(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "mixture", recipe="long-only")
    next(b for b in app.button if b.label == "Split the last phase").click().run()
    assert [p.share for p in load_recipe(ws, "long-only").mixture.phases] == [0.5, 0.5]
    assert not app.exception
    next(b for b in app.button if b.label == "Remove the last phase").click().run()
    assert [p.share for p in load_recipe(ws, "long-only").mixture.phases] == [1.0]


def test_a_source_that_was_unused_has_supply_once_it_gets_a_weight(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    """Which weights are zero decides the pools of a phase: the draft's, not the saved recipe's."""
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "mixture", recipe="both")
    app.number_input(key="weight.both.sharpen.short").set_value(0.0).run()
    app.button(key="save_weights").click().run()
    app.number_input(key="weight.both.sharpen.short").set_value(50.0).run()
    assert not app.warning
    assert ledger(app)["short"]["state"] == ["as good as fresh"]


def test_signals_that_vanish_while_the_page_is_open_are_an_error_in_words(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    import shutil

    import streamlit as st

    ws = copy_of(recipe_workspace)
    app = open_page(ws, "mixture", recipe="both")
    shutil.rmtree(ws.artifacts / "signals")
    st.cache_resource.clear()
    app.number_input(key=BROAD_SHORT).set_value(30.0).run()
    assert not app.exception
    assert app.warning[0].value == "This has not been computed yet."
    assert "mixlab measure" in words_of(app)


def epochs(app: AppTest) -> dict[str, dict[str, float]]:
    frame = next(d.value for d in app.dataframe if "unmatched" in d.value.columns)
    return {row["source"]: row for row in frame.to_dict("records")}


def test_what_a_proxy_would_repeat_stands_beside_the_real_run(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    """A budget of 20M tokens against nano's own of 1.7M: a thirteenth."""
    app = open_page(recipe_workspace, "mixture", recipe="both", **{"budget.both": "20.0"})
    found = compute_ledger(recipe_workspace, load_recipe(recipe_workspace, "both")).sources
    shown, factor = epochs(app), SIZES["nano"].default_tokens / 20e6
    for row in found.iter_rows(named=True):
        real = row["epochs"] * 100  # the saved recipe has 200,000 tokens
        assert shown[row["source"]]["target"] == pytest.approx(real)
        assert shown[row["source"]]["unmatched"] == pytest.approx(real * factor)
        assert shown[row["source"]]["matched"] == pytest.approx(real, rel=0.01)
    assert "factor of 1.5" not in words_of(app)
    app.checkbox(key="match_repetition").uncheck().run()
    assert "factor of 1.5" in words_of(app)
    assert any("repeats text otherwise" in w.value for w in app.warning)
    app.selectbox(key="proxy_size").select("base").run()
    assert "repeats everything more" in words_of(app)


def test_a_template_replaces_phases_and_can_be_taken_back(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    before = load_recipe(ws, "both")
    app = open_page(ws, "mixture", recipe="both")
    app.number_input(key=BROAD_SHORT).set_value(90.0).run()
    app.selectbox(key="template").select("broad-then-sharpened").run()
    assert "No proportions are disclosed" in words_of(app)
    app.button(key="use_template").click().run()
    assert not app.exception
    saved = load_recipe(ws, "both")
    assert [p.name for p in saved.mixture.phases] == ["broad", "sharpened"]
    assert (saved.sources, saved.dedup) == (before.sources, before.dedup)
    assert saved.mixture.phases[0].weights == {"short": 1.0}, "long is synthetic"
    assert app.number_input(key=BROAD_SHORT).value == 100.0, "unsaved weights do not stay"
    assert app.number_input(key="weight.both.sharpened.long").value == pytest.approx(30.0)
    assert saved.note in words_of(app)
    assert app.button(key="save_weights").disabled
    restore = next(b for b in app.button if b.label == "Restore this version")
    restore.click().run()
    assert load_recipe(ws, "both") == before


def test_the_one_phase_twin_is_saved_beside_the_recipe(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "mixture", recipe="both")
    for name in ("both-one-phase", "both-one-phase-2"):
        app.button(key="save_twin").click().run()
        assert f"Saved {name}.yaml" in words_of(app)
        twin = load_recipe(ws, name)
        assert twin.average_weights() == pytest.approx(load_recipe(ws, "both").average_weights())
    assert open_page(ws, "mixture", recipe="long-only").button(key="save_twin").disabled
