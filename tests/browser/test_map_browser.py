"""The map in a real browser: lasso, box, keys, pinch, hover, a lost context, and no WebGL."""

import io
import math
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from conftest import Visit, Visitor, serving
from PIL import Image
from playwright.sync_api import Browser

from lab.core.workspace import Workspace, open_workspace
from lab.curation.selections.points import Points, read_points, resolve
from lab.curation.selections.predicate import STEPS, parse_predicate
from lab.diversity.layout.stored import find_map

sys.path.append(str(Path(__file__).parents[1] / "pages"))
from planted_map import HOSTILE, plant_map

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
WITHOUT = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === "webgl2" ? null : real.call(this, kind, ...rest);
};
"""


@pytest.fixture(scope="module")
def mapped(plain_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Plain text on a planted map with hostile words."""
    root = tmp_path_factory.mktemp("mapped") / "w"
    shutil.copytree(plain_workspace.root, root)
    ws = open_workspace(root)
    plant_map(ws)
    return ws


@pytest.fixture(scope="module")
def base(mapped: Workspace) -> Iterator[str]:
    with serving(mapped) as address:
        yield address


def opened(visitor: Visitor, address: str = "map") -> Visitor:
    visitor.open(address)
    visitor.page.locator("#atlas[data-loads='1'][data-drawn='870']").wait_for(timeout=60_000)
    return visitor


def frame(visitor: Visitor) -> dict[str, float]:
    surface = visitor.page.locator("#overlay")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box
    return dict(box)


def line_of(visitor: Visitor) -> str:
    """The selection in the address."""
    return parse_qs(urlsplit(visitor.page.url).query).get("sel", [""])[0]


def wait_line(visitor: Visitor, pattern: str) -> str:
    visitor.page.wait_for_url(re.compile(pattern))
    visitor.idle()
    return line_of(visitor)


def told(visitor: Visitor, count: int) -> None:
    """Wait until the page says how many are selected."""
    visitor.page.get_by_text(f"{count} of 870 documents on the map").wait_for()


def circle(visitor: Visitor, share: float = 0.3, x: float = 0.5, y: float = 0.5) -> None:
    """Drag around a place of the frame."""
    box = frame(visitor)
    middle = box["x"] + x * box["width"], box["y"] + y * box["height"]
    radius = share * min(box["width"], box["height"])
    visitor.page.mouse.move(middle[0] + radius, middle[1])
    visitor.page.mouse.down()
    for k in range(1, 41):
        angle = 2 * math.pi * 0.985 * k / 40
        visitor.page.mouse.move(
            middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle)
        )
    visitor.page.mouse.up()


def place_on_screen(visitor: Visitor, points: Points, row: int) -> tuple[float, float]:
    """Where a point is drawn now, in pixels of the page."""
    box, shown = frame(visitor), visitor.page.locator("#atlas").get_attribute("data-view") or ""
    zoom, dx, dy = map(float, shown.split())
    wide, high = box["width"], box["height"]
    sx, sy = zoom * min(1, high / wide), zoom * min(1, wide / high)
    x = ((points.x[row] / STEPS * 2 - 1) * sx + dx + 1) / 2 * wide
    y = (1 - (points.y[row] / STEPS * 2 - 1) * sy - dy) / 2 * high
    return box["x"] + float(x), box["y"] + float(y)


def colours_drawn(visitor: Visitor) -> int:
    """Pixels of the picture of points that are not background."""
    shot = Image.open(io.BytesIO(visitor.page.locator("#frame").screenshot())).convert("RGB")
    pixels = np.asarray(shot).reshape(-1, 3).astype(int)
    return int((np.ptp(pixels, axis=1) > 40).sum())


def test_a_lasso_selects_exactly_what_it_surrounds(
    visit: Visit, base: str, mapped: Workspace
) -> None:
    visitor, sent = visit(base), []
    visitor.page.on("websocket", lambda s: s.on("framesent", lambda data: sent.append(len(data))))
    opened(visitor)
    visitor.page.get_by_text("Lasso", exact=True).click()
    sent.clear()
    visitor.received.clear()
    circle(visitor)
    line = wait_line(visitor, "sel=map")
    ids = resolve(mapped, parse_predicate(line))
    assert 0 < len(ids) < 870
    told(visitor, len(ids))
    assert max(sent) < 4000, "a polygon goes up, never ids"
    assert sum(visitor.received) < 200_000
    atlas = visitor.page.locator("#atlas")
    assert atlas.get_attribute("data-loads") == "1", "the points are sent once"
    assert int(atlas.get_attribute("data-corners") or 0) == len(parse_predicate(line).area)
    visitor.shoot("map-lasso")
    other = opened(visit(base), f"map?{urlsplit(visitor.page.url).query}")
    told(other, len(ids))
    assert line_of(other) == line, "the address holds all of it"
    visitor.page.get_by_role("button", name="Back", exact=True).click()
    visitor.page.locator("#atlas[data-corners='0']").wait_for()
    assert not visitor.faults and not visitor.foreign


def test_a_box_and_keys_select_too_and_escape_gives_it_up(
    visit: Visit, base: str, mapped: Workspace
) -> None:
    visitor = opened(visit(base))
    visitor.page.get_by_text("Box", exact=True).click()
    box = frame(visitor)
    visitor.page.mouse.move(box["x"] + 3, box["y"] + 3)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3, steps=4)
    visitor.page.mouse.up()
    line = wait_line(visitor, "sel=map")
    assert len(parse_predicate(line).area) == 4
    told(visitor, len(resolve(mapped, parse_predicate(line))))
    surface = visitor.page.locator("#overlay")
    surface.focus()
    visitor.page.keyboard.press("Escape")
    visitor.page.wait_for_url(re.compile(r"map(\?(?!.*sel=).*)?$"))
    visitor.page.keyboard.press("+")
    visitor.page.keyboard.press("ArrowLeft")
    visitor.page.keyboard.press("Enter")
    line = wait_line(visitor, "sel=map")
    ids = resolve(mapped, parse_predicate(line))
    assert 0 < len(ids) < 870, "what is in view is a part"
    told(visitor, len(ids))


def test_wheel_and_pinch_zoom_and_more_words_appear(
    browser: Browser, visit: Visit, base: str
) -> None:
    visitor = opened(visit(base))
    box = frame(visitor)
    visitor.page.mouse.move(box["x"] + 100, box["y"] + 100)
    visitor.page.mouse.wheel(0, -600)
    visitor.page.wait_for_timeout(300)
    assert view_of(visitor)[0] > 1.5
    context = browser.new_context(viewport={"width": 420, "height": 900}, has_touch=True)
    try:
        page = context.new_page()
        phone = opened(Visitor(page, base))
        box = frame(phone)
        touch = context.new_cdp_session(page)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind, apart in (("touchStart", 30), ("touchMove", 60), ("touchMove", 90)):
            fingers = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(300)
        assert view_of(phone)[0] == pytest.approx(0.94 * 3, rel=0.05)
    finally:
        context.close()


def view_of(visitor: Visitor) -> list[float]:
    shown = visitor.page.locator("#atlas").get_attribute("data-view") or "0"
    return [float(part) for part in shown.split()]


def test_a_rest_of_the_pointer_shows_the_document_and_loads_nothing_again(
    visit: Visit, base: str, mapped: Workspace
) -> None:
    visitor = opened(visit(base))
    points = read_points(find_map(mapped, ""))
    row = int(np.argmax(points.x))  # alone at the edge
    x, y = place_on_screen(visitor, points, row)
    visitor.received.clear()
    visitor.page.mouse.move(x - 30, y - 30)
    visitor.page.mouse.move(x, y, steps=3)
    visitor.page.get_by_role("link", name=str(points.ids[row])).wait_for()
    assert visitor.page.locator("#tip").inner_text() == points.sources[points.source[row]]
    assert sum(visitor.received) < 60_000
    assert visitor.page.locator("#atlas").get_attribute("data-loads") == "1"


def test_hostile_words_are_words(visit: Visit, base: str) -> None:
    visitor = opened(visit(base), "map?by=cluster&sel=cluster%3D0,1")
    shown = visitor.page.locator("#labels span").all_text_contents()
    assert {text[:12] for text in shown} == {text[:12] for text in HOSTILE}
    for drawing in ("", "&drawing=picture"):
        visitor.open(f"map?by=cluster{drawing}")
        visitor.page.wait_for_timeout(500)
        assert visitor.page.evaluate("window.hacked") is None
    assert not visitor.foreign
    assert visitor.page.locator("img[src='x']").count() == 0


def test_a_ticked_row_is_a_selection_and_a_job_says_what_distinguishes_it(
    visit: Visit, base: str, mapped: Workspace
) -> None:
    visitor = opened(visit(base))
    points = read_points(find_map(mapped, ""))
    largest = int(np.bincount(points.cluster).argmax())
    rows = visitor.page.locator("[class*=st-key-clusters] canvas").first
    rows.scroll_into_view_if_needed()
    box = rows.bounding_box()
    assert box
    visitor.page.mouse.click(box["x"] + 16, box["y"] + 36 + 18)  # the box of the first row
    line = wait_line(visitor, f"sel=map.*cluster%3D{largest}")
    assert parse_predicate(line).clusters == (largest,)
    told(visitor, len(resolve(mapped, parse_predicate(line))))
    visitor.page.get_by_text("has not been compared").wait_for()
    visitor.page.get_by_role("button", name="Compare them").click()
    visitor.page.get_by_text(re.compile("^A sample: ")).wait_for(timeout=120_000)
    visitor.idle()
    assert visitor.page.get_by_text("has not been compared").count() == 0
    assert visitor.page.locator("#atlas").get_attribute("data-loads") == "1", "no point again"
    assert visitor.page.evaluate("window.hacked") is None
    assert not visitor.faults and not visitor.foreign
    visitor.shoot("map-marks")


def test_a_lost_context_is_drawn_again(visit: Visit, base: str) -> None:
    visitor = opened(visit(base))
    before = colours_drawn(visitor)
    assert before > 2000
    lose = """canvas => {
      const held = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
      held.loseContext();
      setTimeout(() => held.restoreContext(), 300);
    }"""
    visitor.page.locator("#points").evaluate(lose)
    visitor.page.locator("#atlas[data-restored='1']").wait_for()
    visitor.page.wait_for_timeout(500)
    assert colours_drawn(visitor) == pytest.approx(before, rel=0.05)
    assert not visitor.faults


def test_it_follows_its_frame_and_the_density_of_the_screen(
    browser: Browser, visit: Visit, base: str
) -> None:
    visitor = opened(visit(base))
    wide = sizes(visitor)
    visitor.page.set_viewport_size({"width": 900, "height": 700})
    visitor.page.wait_for_timeout(800)
    assert sizes(visitor)[0] != wide[0]
    assert sizes(visitor)[0] == pytest.approx(frame(visitor)["width"], abs=3)
    context = browser.new_context(viewport={"width": 900, "height": 700}, device_scale_factor=2)
    try:
        sharp = opened(Visitor(context.new_page(), base))
        assert sizes(sharp)[0] == pytest.approx(2 * frame(sharp)["width"], abs=5)
    finally:
        context.close()


def sizes(visitor: Visitor) -> list[int]:
    return [
        int(n) for n in (visitor.page.locator("#atlas").get_attribute("data-size") or "").split()
    ]


def test_without_webgl_there_is_a_picture_whose_lasso_selects_alike(
    visit: Visit, base: str, mapped: Workspace
) -> None:
    visitor = visit(base)
    visitor.page.add_init_script(WITHOUT)
    visitor.open("map?by=cluster")
    visitor.page.get_by_text("This browser has no WebGL 2").wait_for()
    plot = visitor.page.locator(".js-plotly-plot .nsewdrag").first
    plot.wait_for()
    visitor.idle()
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    side = min(box["width"], box["height"])
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    for dx, dy in ((0.5, 0), (0.5, 0.5), (0, 0.5), (0, 0.02)):
        visitor.page.mouse.move(x + dx * side, y - dy * side, steps=8)
    visitor.page.mouse.up()
    line = wait_line(visitor, "sel=map")
    ids = resolve(mapped, parse_predicate(line))
    assert 0 < len(ids) < 870
    told(visitor, len(ids))
    visitor.shoot("map-without-webgl")


@pytest.mark.parametrize(("width", "scheme"), [(420, "light"), (1400, "dark")])
def test_narrow_and_dark_map(visit: Visit, base: str, width: int, scheme: str) -> None:
    visitor = opened(visit(base, width, scheme), "map?by=signal&sel=cluster%3D1")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visitor.faults
    visitor.shoot(f"map-{width}-{scheme}")
