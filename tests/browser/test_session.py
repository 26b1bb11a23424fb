"""The whole session of a researcher, in a browser, against the real server."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Visit, Visitor, serving
from playwright.sync_api import Locator, expect

from lab.core.workspace import Workspace
from lab.mixture.recipe_files import load_recipe
from lab.ui.navigation import VIEWS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
MINUTES = 60_000  # milliseconds
A, B = "synthetic-only", "strict-web"


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    import shutil

    from lab.core.workspace import open_workspace

    root = tmp_path_factory.mktemp("session") / "w"
    shutil.copytree(sample_workspace.root, root)
    return open_workspace(root)


@pytest.fixture(scope="module")
def base(ws: Workspace) -> Iterator[str]:
    with serving(ws) as address:
        yield address


def fill(visitor: Visitor, label: str, value: str, number: int = 0) -> None:
    """Type into a labelled box and commit."""
    box = visitor.page.get_by_label(label, exact=True).nth(number)
    box.fill(value)
    box.press("Enter")
    visitor.idle()


def metric(visitor: Visitor, name: str) -> Locator:
    found = visitor.page.locator("[data-testid=stMetric]").filter(has_text=name).first
    return found.locator("[data-testid=stMetricValue]")


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name).first.click()
    visitor.idle()


def read_documents(visitor: Visitor) -> str:
    """Open a source, click a document of the list, and read."""
    visitor.open("browse?source=web")
    text = visitor.page.locator("[data-testid=stHtml]").last
    expect(text).to_be_visible()
    first = text.inner_text()
    visitor.page.locator(".hit").nth(4).click()
    visitor.page.wait_for_url(re.compile("doc="))
    expect(text).not_to_have_text(first)
    visitor.shoot("browse")
    return visitor.url


def move_a_threshold(visitor: Visitor, ws: Workspace) -> str:
    """Move a minimum, see what falls out, save as a recipe of another name."""
    visitor.open("filters?recipe=web-encyclopaedia-only&source=web")
    before = metric(visitor, "Tokens kept").inner_text()
    fill(visitor, "Minimum", "120")
    visitor.page.wait_for_url(re.compile("cuts"))
    expect(metric(visitor, "Tokens kept")).not_to_have_text(before)
    expect(visitor.page.get_by_text("Read what falls")).to_be_visible()
    visitor.shoot("filters")
    address = visitor.url
    fill(visitor, "Save as", B)
    press(visitor, "Save 1 change")
    expect(visitor.page.get_by_text(f"Saved {B}.yaml")).to_be_visible()
    assert load_recipe(ws, B).sources["web"][-1].min == 120
    return address


def set_weights(visitor: Visitor, ws: Workspace, other: Visitor) -> str:
    """Set weights and a budget and see the epochs; a link carries them before they are saved."""
    visitor.open(f"mixture?recipe={B}")
    before = metric(visitor, "Worth, in fresh tokens").inner_text()
    fill(visitor, "Budget, million tokens", "0.1")
    expect(metric(visitor, "Worth, in fresh tokens")).not_to_have_text(before)
    budgeted = metric(visitor, "Worth, in fresh tokens").inner_text()
    press(visitor, "uniform")
    expect(metric(visitor, "Worth, in fresh tokens")).not_to_have_text(budgeted)
    visitor.idle()
    visitor.page.wait_for_timeout(1000)  # the address follows the widgets one by one
    visitor.shoot("mixture")
    worth = metric(visitor, "Worth, in fresh tokens").inner_text()
    other.open(visitor.url)
    expect(metric(other, "Worth, in fresh tokens")).to_have_text(worth)
    press(visitor, "Save the mixture")
    expect(visitor.page.get_by_text(f"Saved {B}.yaml")).to_be_visible()
    assert load_recipe(ws, B).mixture.tokens == 100_000
    return f"mixture?recipe={B}"


def train_two(visitor: Visitor) -> None:
    """Train two recipes and watch the losses arrive."""
    visitor.open(f"runs?train={A}&train={B}&train_tokens_nano=0.01&seeds=2")
    press(visitor, "Train 4 runs")
    progress = visitor.page.locator("[data-testid=stProgress]").first
    expect(progress).to_be_visible(timeout=MINUTES)
    figure = visitor.page.locator(".js-plotly-plot").first
    expect(figure).to_be_visible(timeout=3 * MINUTES)
    visitor.shoot("runs-live")
    expect(progress).to_be_hidden(timeout=4 * MINUTES)
    visitor.idle()
    visitor.shoot("runs")


def compare_them(visitor: Visitor) -> str:
    """See the verdict, its guardrails, the checks behind it and held-out text, with intervals."""
    visitor.open(f"compare?a={A}&b={B}")
    verdict = visitor.page.locator("[data-testid=stAlert]").first
    expect(verdict).to_contain_text(re.compile(f"{A}|{B}"), timeout=MINUTES)
    expect(visitor.page.get_by_role("heading", name="Guardrails")).to_be_visible()
    expect(visitor.page.locator(".js-plotly-plot").first).to_be_visible(timeout=MINUTES)
    visitor.shoot("compare")
    for view in ("Is it real?", "Held-out text", "Can these metrics be trusted?"):
        visitor.page.get_by_text(view, exact=True).first.click()
        visitor.idle()
        expect(visitor.page.get_by_text("Traceback")).to_have_count(0)
        visitor.shoot("compare-" + view.split()[0].lower())
    expect(visitor.page).to_have_url(re.compile("compare_view="))
    return visitor.url


def export_it(visitor: Visitor, folder: Path) -> str:
    """Write the recipe's files, read one, take them away."""
    visitor.open(f"export?recipe={B}")
    press(visitor, "Write the files")
    download = visitor.page.get_by_role("button", name="Download as zip")
    expect(download).to_be_visible(timeout=2 * MINUTES)
    visitor.idle()
    visitor.shoot("export")
    with visitor.page.expect_download() as waiting:
        download.click()
    path = folder / "export.zip"
    waiting.value.save_as(path)
    names = zipfile.ZipFile(path).namelist()
    assert {f"{B}-recipe/recipe.yaml", f"{B}-recipe/manifest.json"} <= set(names)
    return visitor.url


def test_a_whole_session(visit: Visit, base: str, ws: Workspace, tmp_path: Path) -> None:
    visitor = visit(base)
    visitor.open("")
    visitor.shoot("overview")
    addresses = [
        read_documents(visitor),
        move_a_threshold(visitor, ws),
        set_weights(visitor, ws, visit(base)),
    ]
    train_two(visitor)
    addresses += [compare_them(visitor), export_it(visitor, tmp_path)]
    assert not visitor.foreign, "nothing is asked of another host"
    assert not visitor.faults
    reopened = visit(base)
    for address in addresses:
        reopened.open(address)
        assert reopened.url == address


PAYLOADS: dict[str, int] = {
    "browse?source=web": 100_000,
    "filters?recipe=natural&source=web": 150_000,
    "mixture?recipe=natural": 100_000,
    "sources": 100_000,
    "jobs": 50_000,
}


@pytest.mark.parametrize("address", PAYLOADS)
def test_a_page_sends_no_more_than_its_budget(visit: Visit, base: str, address: str) -> None:
    visitor = visit(base)
    visitor.open(address)
    assert 0 < sum(visitor.received) < PAYLOADS[address]


@pytest.mark.parametrize("address", ["mixture?recipe=natural", "", "browse?source=web"])
def test_the_first_request_of_a_fresh_server_may_be_a_deep_link(
    visit: Visit, sample_workspace: Workspace, address: str
) -> None:
    with serving(sample_workspace) as fresh:
        visitor = visit(fresh)
        visitor.open(address)
        links = visitor.page.get_by_test_id("stSidebarNavLink").all_inner_texts()
        assert [text.strip() for text in links][-1].endswith("Jobs")
        assert len(links) == len(VIEWS)
        title = {"m": "Mixture", "": "Overview", "b": "Browse"}[address[:1]]
        assert visitor.page.locator("h1").first.inner_text() == title


@pytest.mark.parametrize(("width", "scheme"), [(420, "light"), (1400, "dark")])
def test_narrow_and_dark(visit: Visit, base: str, width: int, scheme: str) -> None:
    visitor = visit(base, width, scheme)
    for page in ("mixture?recipe=natural", "browse?source=web"):
        visitor.open(page)
        wide = visitor.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, "no sideways scrolling"
        visitor.shoot(f"{page.split('?')[0]}-{width}-{scheme}")
