"""The cut lines of the Filters page, dragged and moved with keys in a real browser."""

import json
import re
import shutil
from collections.abc import Iterator

import polars as pl
import pytest
from conftest import Visit, Visitor, serving
from playwright.sync_api import Locator, expect

from lab.core.workspace import Workspace, open_workspace
from lab.mixture.recipe_files import load_recipe
from lab.ui.cuts import drafted_recipe
from lab.ui.draft_text import parse_draft
from lab.ui.filters.evidence import judged

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
WORDS = "gopher.word_count@ws1"
PAGE = f"filters?recipe=natural&source=web&signal={WORDS}"


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("filters") / "w"
    shutil.copytree(sample_workspace.root, root)
    return open_workspace(root)


@pytest.fixture(scope="module")
def base(ws: Workspace) -> Iterator[str]:
    with serving(ws) as address:
        yield address


def total(visitor: Visitor) -> Locator:
    return visitor.page.locator("#total[data-tokens]")


def shown(visitor: Visitor) -> tuple[int, int]:
    """Documents and tokens that the picture says are kept."""
    box = total(visitor)
    return int(box.get_attribute("data-documents") or 0), int(box.get_attribute("data-tokens") or 0)


def kept_by_rules(ws: Workspace, draft: str) -> tuple[int, int]:
    """The same from the rules, without a cube."""
    recipe = drafted_recipe(load_recipe(ws, "natural"), parse_draft(draft))
    kept = [judged(ws, recipe, s, rules).passing for s, rules in recipe.sources.items()]
    return sum(k.documents for k in kept), sum(k.tokens for k in kept)


def box_value(visitor: Visitor, name: str) -> str:
    return visitor.page.get_by_label(name, exact=True).first.input_value()


def test_a_drag_is_added_up_in_the_browser_and_committed_when_let_go(
    visit: Visit, base: str, ws: Workspace
) -> None:
    visitor = visit(base)
    sent: list[int] = []
    visitor.page.on("websocket", lambda s: s.on("framesent", lambda data: sent.append(len(data))))
    visitor.open(PAGE)
    total(visitor).wait_for()
    before, address = shown(visitor), visitor.url
    assert before == kept_by_rules(ws, "")
    line = visitor.page.get_by_role("slider", name="Minimum line")
    stage = visitor.page.locator("#stage").bounding_box()
    place = line.bounding_box()
    assert stage and place
    visitor.page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    visitor.page.mouse.down()
    visitor.idle()
    visitor.page.wait_for_timeout(300)
    sent.clear()
    visitor.received.clear()
    seen = set()
    for share in (0.2, 0.3, 0.4, 0.5):
        visitor.page.mouse.move(stage["x"] + share * stage["width"], place["y"] + 20, steps=4)
        visitor.page.wait_for_timeout(60)
        seen.add((box_value(visitor, "Minimum"), *shown(visitor)))
    visitor.page.wait_for_timeout(400)
    assert len(seen) == 4, "the picture follows the mouse"
    assert not sent and not visitor.received, "nothing is asked of the server"
    assert visitor.url == address
    preview, low = shown(visitor), box_value(visitor, "Minimum")
    visitor.shoot("filters-drag")
    visitor.page.mouse.up()
    visitor.page.wait_for_url(re.compile("cuts"))
    visitor.idle()
    assert sent and max(sent) < 2000, "one short message"
    draft = visitor.page.get_by_label("Unsaved changes", exact=True).input_value()
    assert draft == f"web {WORDS}={low}.."
    assert shown(visitor) == preview == kept_by_rules(ws, draft), "preview, server and rules agree"
    undo = visitor.page.get_by_role("button", name="Undo")
    undo.click()
    expect(visitor.page.get_by_label("Unsaved changes", exact=True)).to_have_value("")
    visitor.idle()
    assert shown(visitor) == before
    assert not visitor.faults and not visitor.foreign


def test_keys_move_a_line_by_one_place_and_a_link_reopens_it(
    visit: Visit, base: str, ws: Workspace
) -> None:
    visitor = visit(base)
    visitor.open(PAGE)
    total(visitor).wait_for()
    line = visitor.page.get_by_role("slider", name="Minimum line")
    line.focus()
    for _ in range(3):
        line.press("ArrowRight")
    visitor.page.wait_for_url(re.compile("cuts"))
    visitor.idle()
    value = line.get_attribute("aria-valuenow")
    assert "tokens kept" in (line.get_attribute("aria-valuetext") or "")
    assert box_value(visitor, "Minimum") == value
    other = visit(base)
    other.open(visitor.url)
    total(other).wait_for()
    assert box_value(other, "Minimum") == value
    assert shown(other) == shown(visitor)


def test_a_number_between_places_is_exact(visit: Visit, base: str, ws: Workspace) -> None:
    visitor = visit(base)
    visitor.open(PAGE)
    total(visitor).wait_for()
    box = visitor.page.get_by_label("Maximum", exact=True).first
    box.fill("123.456")
    box.press("Enter")
    visitor.page.wait_for_url(re.compile("cuts"))
    visitor.idle()
    draft = visitor.page.get_by_label("Unsaved changes", exact=True).input_value()
    assert draft == f"web {WORDS}=..123.456"
    expect(total(visitor)).to_have_attribute("data-tokens", str(kept_by_rules(ws, draft)[1]))


@pytest.mark.parametrize(("width", "scheme"), [(420, "light"), (1400, "dark")])
def test_narrow_and_dark(visit: Visit, base: str, width: int, scheme: str) -> None:
    visitor = visit(base, width, scheme)
    visitor.open(PAGE)
    total(visitor).wait_for()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    stage = visitor.page.locator("#stage").bounding_box()
    assert stage and stage["width"] > 250
    visitor.shoot(f"filters-{width}-{scheme}")


def test_what_goes_down_is_small_and_holds_no_text(visit: Visit, base: str, ws: Workspace) -> None:
    from lab.corpus.sources import documents
    from lab.ui.filters.cut_view import payload
    from lab.ui.filters.scene import Scene, lines_of

    recipe = load_recipe(ws, "natural")
    scene = Scene(ws, recipe, recipe, parse_draft(""), "web", WORDS)
    lines, _ = lines_of(scene)
    text = json.dumps(payload(ws, recipe, lines, WORDS, (None, None), "tokens"))
    assert len(text) < 50_000
    first = documents(ws, "web").scan().select("text").head(1).collect().item()
    assert first[:20] not in text


def test_what_lies_beyond_the_picture_is_counted_and_not_drawn(
    visit: Visit, base: str, ws: Workspace
) -> None:
    from lab.ui.tables import attribute_table

    visitor = visit(base)
    visitor.open(PAGE)
    total(visitor).wait_for()
    words = visitor.page.locator("#note").inner_text()
    below, above = map(
        int, re.search(r"(\d+) documents lie below .* and (\d+) above", words).groups()
    )
    marks = visitor.page.locator("#axis span").all_inner_texts()
    low = float(marks[0])
    recipe = load_recipe(ws, "natural")
    tables = [attribute_table(ws, s, [WORDS]).filter(~pl.col("heldout")) for s in recipe.sources]
    values = pl.concat([t.select(WORDS) for t in tables])[WORDS]
    assert below == (values < low).sum()
    assert 0 < above <= 0.02 * values.len()
