"""The door for text that is not ours: documents, names, error messages.

Corpus text is hostile. Streamlit's Markdown elements, widget labels included, fetch remote images
and draw links from it; `st.code(language=None)`, `st.text` and `st.dataframe` show it as it is. So
a document is shown by `show_document` and nothing else, a name inside a label passes through
`label`, and an error is a title of ours with its message in an inert block. A test reads the syntax
trees of `pages/` and `lab/ui` and refuses any other way.
"""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lab.core.errors import (
    ArtifactMissing,
    ConfigError,
    DataError,
    DependencyMissing,
    LabError,
    WorkspaceError,
)

MARKUP = re.compile(r"([\\`*_{}\[\]()#+.!|~$:<>&@/-])")
LONG = 40_000  # characters; longer documents are cut in the middle
SNIPPET = 240  # characters of a list entry


def show_document(text: str, *, height: int | None = None) -> None:
    """Show corpus text, inert; a very long one as head and tail with the gap counted."""
    if len(text) > LONG:
        half = LONG // 2
        gap = len(text) - 2 * half
        text = f"{text[:half]}\n\n[... {gap:,} characters not shown ...]\n\n{text[-half:]}"
    st.code(text, language=None, wrap_lines=True, height=height or "content")


def show_diff(lines: str, *, height: int | None = None) -> None:
    """Show the difference of two texts of a corpus, inert; lines start with `- `, `+ ` or blanks.

    The language only colours whole lines by their first character.
    """
    st.code(lines, language="diff", wrap_lines=True, height=height or "content")


def show_plain(text: object) -> None:
    """Show a message, path, log or identifier, inert and in one block."""
    st.code(str(text), language=None, wrap_lines=True)


def label(name: object) -> str:
    """`name` with every character that Markdown or Streamlit could read as markup escaped."""
    return MARKUP.sub(r"\\\1", " ".join(str(name).split()))


def figure_text(name: object) -> str:
    """`name` for a plotly figure, which reads a little HTML in its texts."""
    return html.escape(" ".join(str(name).split()), quote=False)


def snippet(text: str, limit: int = SNIPPET) -> str:
    """The start of `text` on one line, for a table cell."""
    flat = " ".join(text[: limit * 2].split())
    return flat if len(flat) <= limit else flat[:limit] + "..."


def show_error(error: LabError) -> None:
    """The one way an error is shown: a literal title, then what, where, value and next step."""
    if isinstance(error, ArtifactMissing):
        st.warning("This has not been computed yet.", icon=":material/pending:")
    elif isinstance(error, ConfigError):
        st.error("A setting does not work as written.", icon=":material/error:")
    elif isinstance(error, DataError):
        st.error("This data cannot be used as it is.", icon=":material/error:")
    elif isinstance(error, WorkspaceError):
        st.error("The workspace cannot be used now.", icon=":material/error:")
    elif isinstance(error, DependencyMissing):
        st.warning("An optional part is not installed.", icon=":material/extension_off:")
    else:
        st.error("This did not work.", icon=":material/error:")
    show_plain(error)


@contextmanager
def guarded() -> Iterator[None]:
    """Show a LabError raised inside the block instead of losing the page.

    The router guards the whole page; a fragment needs its own, since it reruns without the router.
    """
    try:
        yield
    except LabError as error:
        show_error(error)
