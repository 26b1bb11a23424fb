"""Weights dragged, typed, locked and undone in a real browser, with predictions that follow."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import Visit, Visitor, serving
from playwright.sync_api import expect

from lab.advice.fitting.fit import Fit
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents
from lab.diversity.embedding.external import import_vectors
from lab.jobs.actions import run_action
from lab.jobs.breadth.mixtures import breadth_of_weights, ground_of_stored, stored_for
from lab.mixture.ledger import compute_ledger
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe_files import load_recipe, save_recipe

sys.path.append(str(Path(__file__).parents[1] / "pages"))
from planted import plant_fit

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SOURCES = ["web", "encyclopaedia", "textbooks"]
PAGE = "mixture?recipe=three"
SETTLED = "#lab[data-state=settled]"


@pytest.fixture(scope="module")
def planted(
    sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, Fit]:
    """The sample world with a recipe of three sources and a fit of invented runs."""
    root = tmp_path_factory.mktemp("weights") / "w"
    shutil.copytree(sample_workspace.root, root)
    ws = open_workspace(root)
    phases = [{"name": "all", "weights": {"web": 0.5, "encyclopaedia": 0.2, "textbooks": 0.3}}]
    mixture = {"tokens": 100_000, "phases": phases}
    tokenizer = load_recipe(ws, "natural").tokenizer
    body = {"tokenizer": tokenizer, "sources": {s: {} for s in SOURCES}, "mixture": mixture}
    save_recipe(ws, parse_recipe({"name": "three", **body}, "three"))
    measure_breadth(ws, root)
    return ws, plant_fit(ws, SOURCES, ["heldout/web/bpb", "benchmark/facts/gold_bpb"])


def measure_breadth(ws: Workspace, root: Path) -> None:
    """Embeddings of each source in directions of its own, a map, and breadth."""
    rng = np.random.default_rng(0)
    for k, source in enumerate(SOURCES):
        count = documents(ws, source).scan().collect().height
        vectors = (
            rng.normal(size=(count, 16)) + 3 * np.eye(16)[rng.integers(3 * k, 3 * k + 4, count)]
        )
        np.save(root / "v.npy", vectors)
        import_vectors(ws, source, root / "v.npy", encoder="mine")
    run_action(ws, "map", {"source": SOURCES, "encoder": "mine", "clusters": 9}, SILENT)
    run_action(ws, "diversity", {"recipe": "three", "encoder": "mine"}, SILENT)


@pytest.fixture(scope="module")
def base(planted: tuple[Workspace, Fit]) -> Iterator[str]:
    with serving(planted[0]) as address:
        yield address


def opened(visitor: Visitor, address: str = PAGE) -> Visitor:
    visitor.open(address)
    visitor.page.locator(SETTLED).wait_for()
    return visitor


def shares(visitor: Visitor) -> list[float]:
    """Weights that the panel shows, as shares."""
    text = visitor.page.locator("#lab").get_attribute("data-weights") or ""
    return [float(part) / 100 for part in text.split()]


def predicted(visitor: Visitor) -> list[float]:
    """The predictions on screen, one per metric."""
    cells = visitor.page.locator("#metrics tbody tr:not(.group) td:nth-child(2)").all_inner_texts()
    return [float(cell.split()[0].replace("\u2212", "-")) for cell in cells]


def grab(visitor: Visitor, source: str) -> tuple[float, float, float]:
    """Take a slider into the hand: its left end, width and height on the screen."""
    box = visitor.page.get_by_label(source, exact=True).first.bounding_box()
    assert box
    now = shares(visitor)[SOURCES.index(source)]
    y = box["y"] + box["height"] / 2
    visitor.page.mouse.move(box["x"] + 8 + (box["width"] - 16) * now, y)
    visitor.page.mouse.down()
    return box["x"], box["width"], y


def test_breadth_follows_the_drag_as_the_server_would_compute_it(
    visit: Visit, base: str, planted: tuple[Workspace, Fit]
) -> None:
    visitor, ws = opened(visit(base)), planted[0]
    ground = ground_of_stored(stored_for(ws, load_recipe(ws, "three"), "mine"))
    assert ground is not None
    left, width, y = grab(visitor, "web")
    visitor.page.wait_for_timeout(300)
    visitor.received.clear()
    seen = []
    for share in (0.1, 0.4, 0.8):
        visitor.page.mouse.move(left + 8 + (width - 16) * share, y, steps=4)
        visitor.page.wait_for_timeout(80)
        box = visitor.page.locator("#breadth")
        shown = [
            float(box.get_attribute(f"data-{name}") or "nan") for name in ("order2", "clusters")
        ]
        weights = dict(zip(SOURCES, shares(visitor), strict=True))
        found, _ = breadth_of_weights(ground, weights)
        assert found is not None
        exact = [found.scores[name].value for name in ("vendi_2", "effective_clusters")]
        np.testing.assert_allclose(shown, exact, rtol=2e-3)
        seen.append(shown)
    assert not visitor.received, "nothing is asked of the server"
    assert np.ptp(seen, axis=0).min() > 0.1, "the scores move"
    visitor.shoot("mixture-breadth-drag")
    visitor.page.mouse.up()


def test_a_drag_predicts_in_the_browser_and_is_confirmed_when_let_go(
    visit: Visit, base: str, planted: tuple[Workspace, Fit]
) -> None:
    visitor, fit = visit(base), planted[1]
    sent: list[int] = []
    visitor.page.on("websocket", lambda s: s.on("framesent", lambda data: sent.append(len(data))))
    opened(visitor)
    left, width, y = grab(visitor, "web")
    visitor.page.wait_for_timeout(300)
    sent.clear()
    visitor.received.clear()
    seen = []
    for share in (0.3, 0.42, 0.61):
        visitor.page.mouse.move(left + 8 + (width - 16) * share, y, steps=4)
        visitor.page.wait_for_timeout(80)
        seen.append((shares(visitor), predicted(visitor)))
    assert not sent and not visitor.received, "nothing is asked of the server"
    for weights, shown in seen:
        exact = fit.predict(np.array([weights]))[0]
        np.testing.assert_allclose(shown, exact, atol=0.006)
        assert weights[1] / weights[2] == pytest.approx(2 / 3, abs=0.01), "others in proportion"
    visitor.shoot("mixture-drag")
    visitor.page.mouse.up()
    visitor.page.wait_for_url(re.compile("weight.three.all.web"))
    visitor.idle()
    visitor.page.locator(SETTLED).wait_for()
    assert max(sent) < 2000, "short messages"
    weights = shares(visitor)
    assert weights[0] == pytest.approx(0.61, abs=0.01)
    np.testing.assert_allclose(predicted(visitor), fit.predict(np.array([weights]))[0], atol=6e-4)
    other = opened(visit(base), visitor.url)
    assert shares(other) == weights, "the address reopens the draft"
    visitor.page.get_by_role("button", name="Undo").click()
    panel = visitor.page.locator("#lab")
    expect(panel).to_have_attribute("data-weights", re.compile(r"^50(\.0*)? 20(\.0*)? 30(\.0*)?$"))
    visitor.idle()
    assert not visitor.faults and not visitor.foreign


def test_a_lock_holds_a_share_and_a_typed_number_moves_the_rest(visit: Visit, base: str) -> None:
    visitor = opened(visit(base))
    visitor.page.get_by_label("Lock textbooks", exact=True).click()
    visitor.idle()
    box = visitor.page.locator("#rows").get_by_label("web, percent", exact=True)
    box.fill("60")
    box.press("Enter")
    visitor.page.wait_for_url(re.compile("weight.three.all.web=60"))
    visitor.idle()
    assert shares(visitor) == [0.6, 0.1, 0.3]
    box.fill("95")
    box.press("Enter")
    visitor.page.wait_for_url(re.compile("weight.three.all.web=70"))
    visitor.idle()
    assert shares(visitor) == [0.7, 0.0, 0.3], "a locked share cannot be taken"


def test_keys_move_a_weight_and_epochs_are_the_ledgers(
    visit: Visit, base: str, planted: tuple[Workspace, Fit]
) -> None:
    from dataclasses import replace

    visitor = opened(visit(base))
    slider = visitor.page.get_by_label("encyclopaedia", exact=True).first
    slider.focus()
    for _ in range(20):
        slider.press("ArrowRight")
    visitor.page.wait_for_url(re.compile("weight.three.all.encyclopaedia=22"))
    visitor.idle()
    assert "epochs" in (slider.get_attribute("aria-valuetext") or "")
    slider.page.keyboard.press("ArrowRight")  # the answer has not taken the focus away
    visitor.page.wait_for_url(re.compile("weight.three.all.encyclopaedia=22.1"))
    visitor.idle()
    recipe = load_recipe(planted[0], "three")
    phase = replace(
        recipe.mixture.phases[0], weights=dict(zip(SOURCES, shares(visitor), strict=True))
    )
    drafted = replace(recipe, mixture=replace(recipe.mixture, phases=(phase,)))
    found = compute_ledger(planted[0], drafted).sources
    box = visitor.page.locator("#worth")
    worth = float(box.get_attribute("data-worth") or 0)
    assert worth == pytest.approx(found["effective_tokens"].sum(), rel=1e-3)
    most = float(box.get_attribute("data-most") or 0)
    assert most == pytest.approx(found["epochs"].max(), rel=1e-3)


def test_a_click_on_the_map_takes_the_mixture_there(visit: Visit, base: str) -> None:
    visitor = opened(visit(base))
    triangle = visitor.page.locator("#triangle")
    frame = triangle.bounding_box()
    assert frame
    scale, bottom = frame["width"] / 440, 34 + 360 * 3**0.5 / 2
    place = {"x": (40 + 360 * 0.25) * scale, "y": (bottom - 3) * scale}
    triangle.click(position=place)
    visitor.page.wait_for_url(re.compile("weight.three.all.web=75"))
    visitor.idle()
    assert shares(visitor) == pytest.approx([0.75, 0.25, 0.0], abs=0.001)
    visitor.page.get_by_role("button", name="interval width").click()
    assert "narrow" in (triangle.text_content() or "")


@pytest.mark.parametrize(("width", "scheme"), [(420, "light"), (1400, "dark")])
def test_narrow_and_dark(visit: Visit, base: str, width: int, scheme: str) -> None:
    visitor = opened(visit(base, width, scheme))
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    box = visitor.page.get_by_label("web", exact=True).first.bounding_box()
    assert box and box["width"] > 100
    assert not visitor.faults
    visitor.shoot(f"mixture-{width}-{scheme}")
