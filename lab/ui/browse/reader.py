"""One document with everything known about it: verdict with values, text with marks, tags, panels.

The text is inert (`lab.ui.highlight`). Of a long one head and tail are shown and the middle on
request, at most `WINDOW` characters at a time, so that a document of 50 MB opens like any other.
"""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.mixture.recipe import Recipe
from lab.mixture.selection import Verdicts
from lab.ui.browse.excerpts import marks_for
from lab.ui.browse.listing import DOCUMENT
from lab.ui.browse.panels import show_panels
from lab.ui.browse.reasons import chips_of, failing_columns
from lab.ui.browse.tagging import show_tagging
from lab.ui.components import empty
from lab.ui.formats import count
from lab.ui.highlight import show_chips, show_stretch
from lab.ui.tables import read_document
from lab.ui.text import label, show_plain

HEAD, TAIL = 6000, 2000  # characters of a long document
LONG = HEAD + TAIL + 1000
WINDOW = 60_000


def document_id(typed: str) -> str:
    """An id as it is stored: `source:id` in an address means `source/id`."""
    source, colon, rest = typed.strip().partition(":")
    return f"{source}/{rest}" if colon and "/" not in source else typed.strip()


def turn(ids: Sequence[str], turn_page: Callable[[int], None]) -> str:
    """The document to read, by its address or the first of the list, and ways to its neighbours.

    `turn_page` is called with -1 or 1 at either end of the list.
    """
    row = st.container(horizontal=True, vertical_alignment="bottom")
    typed = row.text_input("Document", key=DOCUMENT, bind="query-params", placeholder="source/id")
    current = document_id(typed or "") or (ids[0] if ids else "")
    go = stepper(ids, turn_page)
    row.button("Previous", key="previous", shortcut="K", disabled=not ids, on_click=go, args=(-1,))
    row.button("Next", key="next", shortcut="J", disabled=not ids, on_click=go, args=(1,))
    with row.popover("Link", icon=":material/link:", disabled=not current):
        st.caption("This document, to send to somebody with the same workspace.")
        address = (st.context.url or "browse").partition("?")[0]
        show_plain(f"{address}?doc={current.replace('/', ':', 1)}")
    return current


def stepper(ids: Sequence[str], turn_page: Callable[[int], None]) -> Callable[[int], None]:
    """A callback that opens the neighbour of the open document in the list."""

    def go(step: int) -> None:
        current = document_id(st.session_state.get(DOCUMENT) or "") or (ids[0] if ids else "")
        place = ids.index(current) + step if current in ids else 0
        if 0 <= place < len(ids):
            st.session_state[DOCUMENT] = ids[place]
        elif ids:
            st.session_state[DOCUMENT] = ""
            turn_page(step)

    return go


def show_reader(
    ws: Workspace,
    document: str,
    recipe: Recipe | None,
    verdicts: Mapping[str, Verdicts],
    mode: str,
    asked: str,
) -> None:
    """The document called `document`, or a note that there is none; `verdicts` are the recipe's."""
    source = document.partition("/")[0]
    row = read_document(documents(ws, get_source(ws, source).name), document)
    if row is None:
        with empty("No document has this id."):
            show_plain(document)
        return
    text = str(row["text"])
    held = ", held out: never trained on" if row["heldout"] else ""
    st.markdown(f"**{label(document)}**")
    st.caption(f"{count(len(text))} characters, {count(row['bytes'])} bytes" + label(held))
    columns = show_verdict(ws, source, document, recipe, verdicts)
    show_text(text, mode, asked, columns, document)
    show_tagging(ws, document)
    show_panels(ws, source, document, row, recipe)


def show_verdict(
    ws: Workspace,
    source: str,
    document: str,
    recipe: Recipe | None,
    verdicts: Mapping[str, Verdicts],
) -> list[str]:
    """A chip for every rule with value and threshold; the columns of the rules that fail."""
    if recipe is None:
        return []
    if source not in recipe.sources:
        st.caption(f"Recipe {label(recipe.name)} does not use this source.")
        return []
    if source not in verdicts:
        st.caption(f"No verdict of {label(recipe.name)}: something has not been measured.")
        return []
    verdict = verdicts[source]
    place = verdict.frame["id"].index_of(document)
    if place is None:
        return []
    show_chips(chips_of(ws, verdict, place))
    return failing_columns(verdict, int(verdict.frame["mask"][place]))


def show_text(text: str, mode: str, asked: str, columns: Sequence[str], document: str) -> None:
    """The text with its marks; a long one in parts."""
    if not text:
        st.caption("The text is empty.")
        return
    long = len(text) > LONG
    with st.container(horizontal=True, vertical_alignment="center"):
        fixed = st.toggle("Fixed width", key="fixed", persist_state="session")
        middle = long and st.toggle(
            f"Show the middle ({count(len(text) - HEAD - TAIL)} characters)",
            key=f"middle.{document}",
        )
    if middle:
        windows = -(-len(text) // WINDOW)
        part = 1
        if windows > 1:
            st.caption(f"Shown {count(WINDOW)} characters at a time.")
            part = st.pagination(windows, key=f"window.{document}", max_visible_pages=7)
        text = text[(part - 1) * WINDOW : part * WINDOW]
    if not long or middle:
        show_stretch(text, marks_for(text, mode, asked, columns), fixed=fixed)
        return
    head, tail = text[:HEAD], text[-TAIL:]
    show_stretch(head, marks_for(head, mode, asked, columns), fixed=fixed)
    st.caption(f"... {count(len(text) - HEAD - TAIL)} characters not shown ...")
    show_stretch(tail, marks_for(tail, mode, asked, columns), fixed=fixed)
