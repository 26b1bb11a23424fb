"""Links inside the app keep the recipe and the source in view."""

from collections.abc import Iterator

import pytest
from conftest import Visit, serving

from lab.core.workspace import Workspace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def base(sample_workspace: Workspace) -> Iterator[str]:
    with serving(sample_workspace) as address:
        yield address


@pytest.mark.parametrize(
    ("address", "words", "shown"),
    [
        ("mixture?recipe=phi-like", "Loosen or tighten a rule", "phi-like"),
        ("sources?source=textbooks", "Read its documents", "textbooks"),
        ("browse?source=textbooks", "Move a threshold", "textbooks"),
    ],
)
def test_a_link_keeps_what_is_in_view(
    visit: Visit, base: str, address: str, words: str, shown: str
) -> None:
    visitor = visit(base)
    visitor.open(address)
    before = address.partition("?")[0]
    visitor.page.get_by_text(words).last.click()
    visitor.page.wait_for_url(lambda url: f"/{before}" not in url)
    visitor.idle()
    chosen = visitor.page.get_by_test_id("stSelectbox").locator("input").all()
    assert shown in [box.input_value() for box in chosen]
    copied = visit(base)
    copied.open(visitor.url)
    copied.page.get_by_test_id("stSelectbox").first.wait_for()
    copied.idle()
    again = copied.page.get_by_test_id("stSelectbox").locator("input").all()
    assert shown in [box.input_value() for box in again], "a copied address shows the same page"
