"""What is asked for: the box and its four ways, the scope, filters, order. All of it in the URL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.curation.signals.registry import BY_ID
from lab.ui.browse.facets import Filters, read_filters, toggled, write_filters
from lab.ui.browse.finding import BASE, KEYWORDS, MEANING, MODES, PATTERN, SQL
from lab.ui.browse.ordering import RANDOM, STORED
from lab.ui.browse.pool import Pool, column_names
from lab.ui.components import table
from lab.ui.signal_words import signal_words
from lab.ui.state import forget_unknown
from lab.ui.text import label

QUERY, MODE, FILTERS, PAGE, SOURCE, LONGER = "q", "mode", "f", "page", "source", "longer"
ALL = "all sources"
SECONDS, LONG_SECONDS = 2.0, 20.0
HINTS = {
    KEYWORDS: 'words, "an exact phrase", -without',
    PATTERN: r"a regular expression: \bcolou?r\b",
    MEANING: "a sentence about what the documents should be about",
    SQL: "tokens > 500 AND text ILIKE '%river%'",
}
HELP = {
    KEYWORDS: "Documents with all these words, those about them first (BM25). No stemming, in any "
    "language; upper and lower case are the same.",
    PATTERN: "RE2 syntax: no look-around, no back-references. Case does not matter unless the "
    "pattern begins with (?-i). Read against the clock.",
    MEANING: "Embedded documents by cosine similarity to what is typed, or to a document: "
    "like:SOURCE/ID.",
    SQL: "What could stand after WHERE, on the columns of a document. Nothing can be written, and "
    "no file can be read.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is asked for."""

    mode: str
    text: str
    seconds: float
    filters: Filters
    sort: str
    falling: bool
    seed: int


def pick_scope(ws: Workspace) -> list[str]:
    """The sources looked at: one, or all."""
    names = [source.name for source in list_sources(ws)]
    forget_unknown(SOURCE, [ALL, *names])
    chosen = st.selectbox("Source", [ALL, *names], key=SOURCE, bind="query-params")
    return names if chosen == ALL else [str(chosen)]


def ask_for() -> tuple[str, str]:
    """The way of searching, and what is in the box."""
    left, right = st.columns([5, 3], vertical_alignment="bottom")
    mode = right.segmented_control(
        "Search by", MODES, default=KEYWORDS, key=MODE, bind="query-params", required=True,
        on_change=first_page, width="stretch",
    )  # fmt: skip
    mode = str(mode or KEYWORDS)
    text = left.text_input(
        "Search", key=QUERY, bind="query-params", type="search", placeholder=HINTS[mode],
        on_change=first_page,
    )  # fmt: skip
    st.caption(label(HELP[mode]))
    return mode, (text or "").strip()


def first_page() -> None:
    """Callback: what is found changes, so the list begins again."""
    st.session_state[PAGE] = 1
    st.session_state.pop(LONGER, None)


def filters_box() -> Filters:
    """The filters as one line of text, which the bars write."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    text = row.text_input(
        "Filters", key=FILTERS, bind="query-params", on_change=first_page,
        placeholder="click a bar: kind=organic | verdict=dropped",
    )  # fmt: skip
    asks = bool(text or st.session_state.get(QUERY))
    row.button("Clear", key="clear", shortcut="Escape", on_click=clear, disabled=not asks)
    return read_filters(text or "")


def toggle_filter(name: str, part: str) -> None:
    """Callback of a bar: add or remove a filter; a source is the scope of the page."""
    if name == SOURCE:
        now = st.session_state.get(SOURCE)
        st.session_state[SOURCE] = ALL if now == part else part
    else:
        filters = read_filters(st.session_state.get(FILTERS) or "")
        st.session_state[FILTERS] = write_filters(toggled(filters, name, part))
    first_page()


def clear() -> None:
    """Callback: no search, no filters."""
    st.session_state[QUERY] = ""
    st.session_state[FILTERS] = ""
    first_page()


def search_longer() -> None:
    """Callback: more time for the same search."""
    st.session_state[LONGER] = True


def seconds_allowed() -> float:
    """How long a search may read."""
    return LONG_SECONDS if st.session_state.get(LONGER) else SECONDS


def order_controls(ws: Workspace, pool: Pool) -> tuple[str, bool, int]:
    """Sorting: (column, RANDOM or STORED; highest first; seed)."""
    names = [STORED, RANDOM, "tokens", "bytes", *column_names(ws, pool)]
    first, second = st.columns([3, 2], vertical_alignment="bottom")
    sort = str(
        first.selectbox(
            "Order", names, key="sort", bind="query-params", format_func=signal_words,
            on_change=first_page,
            help="As found: the best match first, else the order of the source. Random sample: the "
            "same number of every source, another one for every seed.",
        )
    )  # fmt: skip
    falling, seed = False, 0
    with second:
        if sort == RANDOM:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                seed = int(
                    st.number_input("Sample", 0, 9999, 0, key="seed", bind="query-params", width=90)
                )
                st.button("Next", key="next_sample", icon=":material/casino:", on_click=next_seed)
        elif sort != STORED:
            falling = st.toggle(
                "Highest first", key="falling", bind="query-params", on_change=first_page
            )
    return sort, falling, seed


def next_seed() -> None:
    """Callback: another sample."""
    st.session_state["seed"] = (int(st.session_state.get("seed", 0)) + 1) % 10_000
    st.session_state[PAGE] = 1


def jump_buttons(place: Callable[[float], int], jumps: Sequence[int], size: int) -> None:
    """Buttons to the page where a percentile of the sorting column lies."""

    def go(percent: float) -> None:
        st.session_state[PAGE] = place(percent) // size + 1

    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.caption("Jump to the percentile", width="content")
        for percent in jumps:
            st.button(
                f"p{percent:d}", key=f"jump.{percent}", on_click=go, args=(percent,),
                type="tertiary",
            )  # fmt: skip


def column_list(ws: Workspace, pool: Pool) -> None:
    """The columns that a condition may read."""
    with st.popover("Columns", icon=":material/view_column:"):
        st.caption(
            "Write a signal with or without its definition after the @. Texts and meta are read "
            "from disk, everything else is in memory. Fields of meta: meta->>'url'."
        )
        names = column_names(ws, pool)
        kinds = [*BASE.items(), ("text", "String"), ("meta", "JSON")]
        about = [BY_ID[name].label if name in BY_ID else "" for name in names]
        frame = pl.DataFrame(
            {
                "column": [*(name for name, _ in kinds), *names],
                "what": [*(kind for _, kind in kinds), *about],
            }
        )
        table(frame, key="columns_table", alt="Columns that a condition may read", height=420)
