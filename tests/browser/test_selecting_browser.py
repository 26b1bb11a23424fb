"""Selecting as a new user does it: embed, choose, put it into the recipe, take it back."""

import re
import shutil
from collections.abc import Iterator

import pytest
from conftest import Visit, Visitor, serving
from playwright.sync_api import expect

from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import list_sources
from lab.jobs.selections import listed
from lab.mixture.recipe_files import load_recipe
from lab.mixture.selections import selections_in

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
MINUTES = 240_000  # milliseconds
RECIPE = "natural"


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("choosing") / "w"
    shutil.copytree(sample_workspace.root, root)
    return open_workspace(root)


@pytest.fixture(scope="module")
def source(ws: Workspace) -> str:
    """The source of the recipe with the fewest documents."""
    used = load_recipe(ws, RECIPE).sources
    sizes = {s.name: s.counts["documents"] for s in list_sources(ws) if s.name in used}
    return min(sizes, key=lambda name: sizes[name])


@pytest.fixture(scope="module")
def base(ws: Workspace) -> Iterator[str]:
    with serving(ws) as address:
        yield address


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).first.click()


def test_embed_choose_use_and_take_back(
    visit: Visit, base: str, ws: Workspace, source: str
) -> None:
    visitor = visit(base)
    visitor.open(f"selecting?source={source}&recipe={RECIPE}")
    visitor.shoot("selecting-empty")
    press(visitor, "Embed this source")
    expect(visitor.page.get_by_label("Budget, tokens", exact=True)).to_be_visible(timeout=MINUTES)
    visitor.idle()
    visitor.shoot("selecting-form")
    press(visitor, "Choose documents")
    words = visitor.page.get_by_text(re.compile("of a budget of"))
    expect(words).to_be_visible(timeout=MINUTES)
    visitor.idle()
    visitor.shoot("selecting-chosen")
    (one,) = listed(ws, source)
    assert 0 < one.tokens <= one.budget
    before = (ws.recipes / f"{RECIPE}.yaml").read_bytes()
    press(visitor, f"Add to {RECIPE}")
    expect(visitor.page.get_by_role("button", name=f"Undo in {RECIPE}")).to_be_visible()
    visitor.idle()
    assert selections_in(load_recipe(ws, RECIPE).sources[source]) == [one.column]
    visitor.shoot("selecting-added")
    visitor.page.get_by_role("link", name="Read the chosen").click()
    visitor.page.get_by_role("heading", name="Browse").wait_for()
    visitor.idle()
    expect(visitor.page.get_by_text(re.compile(rf"\b{one.documents:,}\b")).first).to_be_visible()
    visitor.shoot("selecting-browse")
    assert not visitor.foreign and not visitor.faults
    (ws.recipes / f"{RECIPE}.yaml").write_bytes(before)


def test_undo_and_the_looks_of_it(visit: Visit, base: str, ws: Workspace, source: str) -> None:
    before = (ws.recipes / f"{RECIPE}.yaml").read_bytes()
    visitor = visit(base, scheme="dark")
    visitor.open(f"selecting?source={source}&recipe={RECIPE}")
    press(visitor, f"Add to {RECIPE}")
    press(visitor, f"Undo in {RECIPE}")
    expect(visitor.page.get_by_text("as it did before")).to_be_visible()
    assert (ws.recipes / f"{RECIPE}.yaml").read_bytes() == before
    visitor.shoot("selecting-dark")
    phone = visit(base, width=420)
    phone.open(f"selecting?source={source}&recipe={RECIPE}")
    expect(phone.page.get_by_role("button", name=f"Add to {RECIPE}")).to_be_visible()
    expect(phone.page.get_by_label("Budget, tokens", exact=True)).to_be_visible()
    phone.shoot("selecting-phone")
    wide = phone.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 420


def test_a_window_is_filled(visit: Visit, base: str) -> None:
    visitor = visit(base)
    visitor.open("selecting?view=A+window+for+a+prompt")
    box = visitor.page.get_by_label("Queries, one a line", exact=True)
    box.fill("how do ferries cross in winter\nbread and cheese")
    box.press("Control+Enter")
    visitor.idle()
    press(visitor, "Fill the window")
    expect(visitor.page.get_by_text(re.compile("of 4,096 tokens")).first).to_be_visible(
        timeout=MINUTES
    )
    visitor.idle()
    visitor.shoot("selecting-window")
    with visitor.page.expect_download() as taken:
        press(visitor, "Take the windows as JSON lines")
    assert taken.value.suggested_filename == "windows.jsonl"
