"""Browse in a browser: what the server cannot see. Lists, bars, keys, and hostile text."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Visit, serving
from playwright.sync_api import expect

from lab.core.workspace import Workspace, open_workspace
from lab.corpus.search import index_documents
from lab.corpus.sources import add_source

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
HOSTILE = (
    "river <script>window.hacked = 1</script> <img src=https://evil.example/x onerror='hacked=1'> "
    "![x](https://evil.example/a.png) [a](javascript:hacked=1) <mark onclick=hacked=1>m</mark> "
    "\x1b[31m \u202egnp.exe"
)


@pytest.fixture(scope="module")
def base(plain_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import shutil

    root = tmp_path_factory.mktemp("browse")
    shutil.copytree(plain_workspace.root, root / "w")
    ws = open_workspace(root / "w")
    path = root / "hostile.jsonl"
    ids = ["<img src=x onerror=hacked=1>", "![i](https://evil.example/i.png)", "plain"]
    path.write_text("\n".join(json.dumps({"id": i, "text": HOSTILE}) for i in ids))
    add_source(ws, "hostile", [str(path)], id_column="id")
    for source in ("short", "hostile"):
        index_documents(ws, source)
    with serving(ws) as address:
        yield address


def test_bars_keys_and_the_list(visit: Visit, base: str) -> None:
    visitor = visit(base)
    visitor.open("browse?q=lamp")
    hits, page = visitor.page.locator(".hit"), visitor.page
    expect(hits).to_have_count(20)
    expect(hits.first.locator("mark").first).to_have_text("lamp")
    page.locator(".part", has_text="short").click()
    page.wait_for_url("**source=short**")
    visitor.idle()
    expect(hits.first.locator(".id")).to_contain_text("short/")
    second = hits.nth(1).locator(".id").inner_text()
    page.keyboard.press("j")
    expect(page.locator(".hit.open .id")).to_have_text(second)
    visitor.idle()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".hit.open .id")).not_to_have_text(second)
    visitor.idle()
    page.keyboard.press("s")
    page.keyboard.press("Control+a")
    page.keyboard.type("market")
    page.keyboard.press("Enter")
    visitor.idle()
    expect(hits.first.locator("mark").first).to_have_text("market")
    assert not visitor.faults and not visitor.foreign


def test_hostile_text_is_text(visit: Visit, base: str, tmp_path: Path) -> None:
    visitor = visit(base)
    for address in (
        "browse?source=hostile&q=river",
        "browse?source=hostile&mode=pattern&q=<[^>]*>",
    ):
        visitor.open(address)
        page = visitor.page
        expect(page.locator(".hit")).to_have_count(3)
        page.locator(".hit").first.click()
        visitor.idle()
        assert page.evaluate("typeof window.hacked") == "undefined"
        assert page.locator("[data-testid=stHtml] script, [data-testid=stHtml] img").count() == 0
        assert page.locator(".hit script, .hit img, .hit a").count() == 0
        assert "<script>" in page.locator("[data-testid=stHtml]").last.inner_text()
        assert "\u202e" not in page.locator("[data-testid=stMain]").inner_text()
        assert not visitor.foreign and not visitor.faults
