"""Shared by the tests of pages: opening one, and reading what it says."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
Open = Callable[..., AppTest]


def words_of(app: AppTest) -> str:
    """All text a visitor could read on the page, for looking things up."""
    elements = [*app.markdown, *app.caption, *app.code, *app.error, *app.warning, *app.title]
    return "\n".join(str(element.value) for element in elements)
