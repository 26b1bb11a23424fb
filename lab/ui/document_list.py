"""The left side of the Browse page: what is wanted, and the list of documents that match."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.corpus.sources import Source, documents
from lab.curation.attributes import attribute_names
from lab.mixture.recipe import Recipe
from lab.ui.browse import OUTCOMES, PAGE, Found, Wanted, page_of, pages
from lab.ui.components import table
from lab.ui.filter_panel import signal_words
from lab.ui.formats import count
from lab.ui.tables import texts
from lab.ui.text import snippet

DOCUMENT = "doc"


def wanted_controls(ws: Workspace, source: Source, recipe: Recipe | None) -> Wanted:
    """The controls above the list."""
    reasons = [rule.words() for rule in recipe.sources.get(source.name, ())] if recipe else []
    first, second = st.columns(2)
    outcome = first.selectbox(
        "Show", [*OUTCOMES, *dict.fromkeys(reasons)], key="show", bind="query-params",
        format_func=lambda o: o if o in OUTCOMES else f"fails: {o}",
    )  # fmt: skip
    sort = second.selectbox(
        "Sort by", ["", *attribute_names(ws, source.name)], key="sort", bind="query-params",
        format_func=lambda name: signal_words(name) if name else "order in the source",
    )  # fmt: skip
    text = st.text_input(
        "Search in the text",
        key="q",
        bind="query-params",
        type="search",
        placeholder="words as written; upper and lower case are the same",
    )
    with st.container(horizontal=True):
        regex = st.toggle("Search is a regular expression", key="regex", bind="query-params")
        falling = st.toggle("Highest first", key="falling", bind="query-params", disabled=not sort)
    return Wanted(str(outcome), str(sort or ""), bool(falling), (text or "").strip(), bool(regex))


def show_found(found: Found) -> None:
    """How many match, and how much was searched."""
    st.caption(f"{count(found.frame.height)} of {count(found.total)} documents match.")
    if found.searched < found.total:
        st.warning(
            f"Only the first {count(found.searched)} were searched within the time limit; choose a "
            "smaller source or sort by a signal first to see others.",
            icon=":material/timer:",
        )


def show_list(ws: Workspace, source: str, found: Found) -> list[str]:
    """One page of the list; a click on a row opens the document. Returns the ids shown."""
    page = st.pagination(pages(found), key="page", bind="query-params")
    rows = page_of(found, min(page, pages(found)))
    ids = rows["id"].to_list()
    wide = "value" in rows.columns
    starts = texts(documents(ws, source), ids, 2 * PAGE * 10)
    shown = rows.select(
        pl.Series("text", [snippet(starts[i], 160) for i in ids], pl.String),
        "tokens",
        *(["value"] if wide else []),
    )
    table(
        shown,
        key="list",
        alt="Documents that match; select a row to read one",
        height=600,
        on_select=lambda: open_row(ids),
        selection_mode="single-row",
        column_config={
            "text": st.column_config.TextColumn("starts with", width=220 if wide else 300),
            "tokens": st.column_config.NumberColumn(format="localized", step=1, width=60),
            "value": st.column_config.NumberColumn(format="%.4g", width=70),
        },
    )
    return ids


def open_row(ids: Sequence[str]) -> None:
    """Callback of the list: the selected row becomes the document in the URL."""
    rows = st.session_state["list"].selection.rows
    if rows and rows[0] < len(ids):
        st.session_state[DOCUMENT] = ids[rows[0]]


def turn(ids: Sequence[str]) -> str:
    """The document to read, by its address or the first of the list, and ways to its neighbours."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    typed = row.text_input("Document", key=DOCUMENT, bind="query-params", placeholder="source/id")
    current = (typed or "").strip() or (ids[0] if ids else "")
    place = ids.index(current) if current in ids else -1

    def go(step: int) -> None:
        st.session_state[DOCUMENT] = ids[min(max(place + step, 0), len(ids) - 1)]

    row.button(
        "Previous", key="previous", shortcut="Left", disabled=place <= 0, on_click=go, args=(-1,)
    )
    last = place >= len(ids) - 1
    row.button("Next", key="next", shortcut="Right", disabled=last, on_click=go, args=(1,))
    return current
