"""The Mixture page with a fit: what it predicts, what it says when it cannot, undo, locks, presets.

The panel itself is a component and runs in a browser (`tests/browser/test_weights_browser.py`).
"""

import base64
import shutil
from collections.abc import Callable

import numpy as np
import pytest
from planted import plant_fit
from visiting import Open, words_of

from lab.advice.fitting.bootstrap import bootstrap
from lab.advice.fitting.fit import Fit
from lab.core.workspace import Workspace, open_workspace
from lab.mixture.ledger import compute_ledger
from lab.mixture.recipe_files import load_recipe
from lab.ui.live.evidence import evidence_of, onto
from lab.ui.live.ground import ground_of
from lab.ui.live.panel import checked_locks, checked_weights
from lab.ui.live.payload import payload
from lab.ui.live.scene import Scene

Copy = Callable[[Workspace], Workspace]
SHORT = "weight.both.broad.short"


@pytest.fixture
def ws(recipe_workspace: Workspace, copy_of: Copy) -> Workspace:
    return copy_of(recipe_workspace)


@pytest.fixture(scope="module")
def planted(
    recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, Fit]:
    """A fit of both sources. Read only."""
    root = tmp_path_factory.mktemp("planted") / "w"
    shutil.copytree(recipe_workspace.root, root)
    ws = open_workspace(root)
    return ws, plant_fit(ws, ["short", "long"])


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def scene(ws: Workspace, locked: frozenset[str] = frozenset()) -> Scene:
    recipe = load_recipe(ws, "both")
    return Scene(ws, recipe, recipe.mixture, ground_of(ws, recipe), 0, locked, evidence_of(ws))


def test_without_a_fit_the_page_says_what_to_do(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "mixture", recipe="both")
    assert not app.exception
    assert "no runs were fitted yet" in words_of(app)
    assert "mixlab sweep" in words_of(app)


def test_a_fit_without_replicates_is_said(ws: Workspace, open_page: Open) -> None:
    plant_fit(ws, ["short", "long"], replicates=0)
    app = open_page(ws, "mixture", recipe="both")
    assert not app.exception
    assert "without its replicates" in words_of(app)


def test_a_source_that_no_run_used_is_said(ws: Workspace, open_page: Open) -> None:
    plant_fit(ws, ["short", "copies"])
    app = open_page(ws, "mixture", recipe="both")
    assert not app.exception
    assert "long" in next(c.value for c in app.code if "the rest, in proportion" in c.value)
    assert any("no longer in the workspace" in c.value for c in app.code), "planted runs are gone"
    only = open_page(ws, "mixture", recipe="long-only")
    assert "no run used any source" in words_of(only)


def test_the_panel_gets_the_fit_and_its_replicates(
    planted: tuple[Workspace, Fit],
) -> None:
    ws, fit = planted
    here = scene(ws)
    sent = payload(here, fit.metrics[0], None)
    now = unpacked(sent["prediction"]["now"]).reshape(len(fit.metrics), 9)
    recipe = here.recipe
    point = np.array([[recipe.average_weights()[s] for s in fit.sources]])
    np.testing.assert_allclose(now[:, 0], fit.predict(point)[0], rtol=1e-6)
    worlds = bootstrap(fit, 100).predict(point)[:, 0]
    np.testing.assert_allclose(now[:, 1], np.quantile(worlds, 0.05, axis=0), rtol=1e-6)
    np.testing.assert_allclose(now[:, 2], np.quantile(worlds, 0.95, axis=0), rtol=1e-6)
    np.testing.assert_allclose(now[:, 6:], 0, atol=1e-12, err_msg="the draft is the saved recipe")
    natural = np.array([[here.ground.natural(0)[s] for s in fit.sources]])
    apart = fit.predict(point)[0] - fit.predict(natural)[0]
    np.testing.assert_allclose(now[:, 3], apart, atol=1e-6)


def test_a_path_ends_where_the_weight_is_all_and_passes_the_mixture(
    planted: tuple[Workspace, Fit],
) -> None:
    ws, fit = planted
    sent = payload(scene(ws), fit.metrics[0], None)["prediction"]
    shares = unpacked(sent["shares"]).reshape(2, -1)
    slices = unpacked(sent["slices"]).reshape(2, shares.shape[1], len(fit.metrics), 9)
    assert (np.diff(shares) >= 0).all() and shares[0, 0] == 0 and shares[0, -1] == 1
    now = unpacked(sent["now"]).reshape(-1, 9)
    at = int(np.argmin(abs(shares[0] - 0.5)))
    np.testing.assert_allclose(slices[0, at], now, rtol=1e-5, atol=1e-6)
    rest = 0.25 * np.array([0.2, 0.8])  # the second phase stands still
    ends = fit.predict((rest + np.array([0.75, 0.0]))[None, :])[0]
    np.testing.assert_allclose(slices[0, -1, :, 0], ends, rtol=1e-6)


def test_a_locked_source_keeps_its_share_on_every_other_path(
    planted: tuple[Workspace, Fit],
) -> None:
    ws, fit = planted
    sent = payload(scene(ws, frozenset({"long"})), fit.metrics[0], None)["prediction"]
    slices = unpacked(sent["slices"]).reshape(2, -1, len(fit.metrics), 9)
    np.testing.assert_array_equal(slices[0, 0], slices[0, -1])


def test_the_pools_of_the_panel_are_those_of_the_ledger(recipe_workspace: Workspace) -> None:
    frame = compute_ledger(recipe_workspace, load_recipe(recipe_workspace, "both")).sources
    found = {row["source"]: row for row in frame.iter_rows(named=True)}
    sent = payload(scene(recipe_workspace), "", None)
    assert sent["prediction"] is None
    for row in sent["sources"]:
        here = row["weight"] * sent["draw"] / row["pool"]
        seen = max(before + here * mine for _, before, mine in row["patterns"])
        assert seen == pytest.approx(found[row["name"]]["epochs"])
        trained = row["trained"] + row["weight"] * sent["draw"]
        assert trained == pytest.approx(found[row["name"]]["trained_tokens"])


def test_unknown_sources_leave_the_rest_in_proportion() -> None:
    mixtures = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(onto(mixtures, [1, -1, 0], 3), [[1 / 3, 2 / 3, 0], [0, 0, 0]])


def test_undo_and_redo_walk_over_the_drafts(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(recipe_workspace, "mixture", recipe="both")
    assert app.button(key="undo_weights").disabled
    app.number_input(key=SHORT).set_value(30.0).run()
    app.button(key="preset_uniform").click().run()
    assert app.number_input(key=SHORT).value == 50.0
    assert app.number_input(key="weight.both.sharpen.short").value == 50.0
    app.button(key="undo_weights").click().run()
    assert app.number_input(key=SHORT).value == 30.0
    assert app.number_input(key="weight.both.sharpen.short").value == 20.0
    app.button(key="undo_weights").click().run()
    assert app.number_input(key=SHORT).value == 50.0
    assert app.button(key="save_weights").disabled
    app.button(key="redo_weights").click().run()
    assert app.number_input(key=SHORT).value == 30.0
    app.number_input(key=SHORT).set_value(35.0).run()
    assert app.button(key="redo_weights").disabled


def test_published_shares_by_kind_and_what_has_no_counterpart(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    """`short` is organic (15 %), `long` synthetic (40 %); rewrites, code, reference are missing."""
    app = open_page(recipe_workspace, "mixture", recipe="both")
    app.button(key="preset_phi-4").click().run()
    assert not app.exception
    for phase in ("broad", "sharpen"):
        share = app.number_input(key=f"weight.both.{phase}.short").value
        assert share == pytest.approx(100 * 15 / 55, abs=0.01)
    assert any("No source is of kind rewrite, code, reference" in c.value for c in app.code)


def test_tempered_shares_lie_between_natural_and_uniform(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "mixture", recipe="both")
    natural = ground_of(recipe_workspace, load_recipe(recipe_workspace, "both")).natural(0)
    app.number_input(key="preset_tau").set_value(0.5).run()
    app.button(key="preset_tempered").click().run()
    roots = {name: share**0.5 for name, share in natural.items()}
    expected = 100 * roots["short"] / sum(roots.values())
    assert app.number_input(key=SHORT).value == pytest.approx(expected, abs=0.01)


def test_two_phases_after_phi3(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(recipe_workspace, "mixture", recipe="both")
    app.button(key="preset_phi-3").click().run()
    assert app.number_input(key="share.both.broad").value == pytest.approx(70)
    assert app.number_input(key=SHORT).value == 100.0, "long is synthetic"
    assert app.number_input(key="weight.both.sharpen.long").value == pytest.approx(30)
    one = open_page(recipe_workspace, "mixture", recipe="long-only")
    one.button(key="preset_phi-3").click().run()
    assert any("this recipe has 1" in c.value for c in one.code)


def test_what_the_browser_sends_is_checked() -> None:
    good = {"of": "r p", "weights": {"a": 30, "b": 70.004}}
    assert checked_weights(good, "r p", ["a", "b"]) == {"a": 30.0, "b": 70.0}
    for bad in (
        None,
        {**good, "of": "other p"},
        {**good, "weights": {"a": 30}},
        {**good, "weights": {"a": 30, "b": "70"}},
        {**good, "weights": {"a": True, "b": 1}},
        {**good, "weights": {"a": float("nan"), "b": 1}},
        {**good, "weights": {"a": -1, "b": 1}},
        {**good, "weights": {"a": 0, "b": 0}},
        {**good, "weights": {"a": 1, "b": 101}},
    ):
        assert checked_weights(bad, "r p", ["a", "b"]) is None, bad
    assert checked_locks({"of": "r p", "locked": ["b", "x"]}, "r p", ["a", "b"]) == ["b"]
    for bad in (None, {"of": "r p"}, {"of": "r p", "locked": "ab"}, {"of": "q", "locked": []}):
        assert checked_locks(bad, "r p", ["a", "b"]) is None, bad


def test_hostile_metric_names_stay_inert(ws: Workspace, open_page: Open) -> None:
    from lab.ui.live.payload import metric_row

    evil = "![x](https://evil.example/p.png)/<b>y</b>/**z**"
    plant_fit(ws, ["short", "long"], ["heldout/a/bpb", evil])
    app = open_page(ws, "mixture", recipe="both")
    assert not app.exception
    assert "evil" not in words_of(app)
    row = metric_row("<img>", 1.0)
    assert (row["group"], row["on"]) == ("Metrics", "<img>")


def test_a_recipe_whose_phases_changed_starts_a_new_history(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "mixture", recipe="long-only")
    next(b for b in app.button if b.label == "Split the last phase").click().run()
    assert not app.exception
    assert app.button(key="undo_weights").disabled
    assert len(load_recipe(ws, "long-only").mixture.phases) == 2
