"""Documents for a prompt: queries, the nearest documents re-ranked for diversity, a full window.

The search is that of the Browse page by meaning and runs where that runs, when the button is
pressed; the answer stays until the next one.
"""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.diversity.selecting.retrieval import NONE, SCHEMA, WAYS, Window, retrieve
from lab.ui.columns import whole
from lab.ui.components import empty, link, table
from lab.ui.formats import count, percent, plural
from lab.ui.selecting.asking import encoders_of, pick_encoder
from lab.ui.text import label, show_document, show_error, snippet

FILLED = "window.filled"
MOST = 20  # queries at once
WORDS = {
    NONE: "none: the nearest as they are",
    "mmr": "maximal marginal relevance (MMR)",
    "dpp": "determinantal point process (DPP)",
    "facility": "facility location",
    "quality-diversity": "similarity times diversity",
}


def show_window(ws: Workspace) -> None:
    """Queries and settings, the button, the answer."""
    found = encoders_of(ws, [source.name for source in list_sources(ws)])
    if not found:
        with empty("No source is embedded, so nothing can be found by meaning."):
            st.caption("Embedding a sample of a source takes about a minute.")
            link("map", "Embed the sources")
        return
    encoder = pick_encoder(found)
    queries = ask(found[encoder])
    window = settings(ws, encoder)
    go = st.button(
        "Fill the window", key="window_go", type="primary", icon=":material/manage_search:",
        disabled=not queries or not st.session_state["window_sources"],
    )  # fmt: skip
    if go:
        fill_it(ws, st.session_state["window_sources"], queries, window)
    show_filled()


def ask(names: Sequence[str]) -> list[str]:
    """The queries, one a line; in which sources."""
    text = st.text_area(
        "Queries, one a line", key="window_queries", height=100, bind="query-params",
        placeholder="how do ferries cross in winter",
        help="Each fills a window of its own.",
    )  # fmt: skip
    held = st.session_state.get("window_sources", names)
    known = [n for n in held if n in names]
    st.session_state["window_sources"] = known if known or not held else list(names)
    if not st.multiselect("In", list(names), key="window_sources"):
        st.caption("Name at least one source to search in.")
    found = [line.strip() for line in (text or "").splitlines() if line.strip()]
    if len(found) > MOST:
        st.caption(f"The first {count(MOST)} of {plural(len(found), 'query', 'queries')}.")
    return found[:MOST]


def settings(ws: Workspace, encoder: str) -> Window:
    """How a window is filled."""
    usual = Window("")
    grid = st.grid(min_column_width=190, gap="small", vertical_alignment="bottom")
    tokens = grid.number_input("Window, tokens", 1, 10**7, usual.tokens, key="window_tokens")
    k = grid.number_input(
        "Nearest to choose among", 1, 1000, usual.k, key="window_k",
        help="The embedded documents closest to the query in meaning.",
    )  # fmt: skip
    way = grid.selectbox(
        "Re-ranked by", WAYS, index=WAYS.index(usual.way), key="window_way",
        format_func=lambda name: WORDS[name],
    )  # fmt: skip
    balance = grid.slider(
        "Weight of similarity", 0.0, 0.95, usual.balance, 0.05, key="window_balance",
        disabled=way in (NONE, "quality-diversity"),
        help="Beside diversity: 0 looks at diversity alone.",
    )  # fmt: skip
    return Window(default_tokenizer(ws), int(k), str(way), float(balance), int(tokens), encoder)


def fill_it(ws: Workspace, names: Sequence[str], queries: Sequence[str], window: Window) -> None:
    """Keep the answer in the session."""
    try:
        with st.spinner("Searching by meaning"):
            frame = retrieve(ws, list(names), list(queries), window)
    except LabError as error:
        show_error(error)
        return
    st.session_state[FILLED] = {"rows": frame.to_dicts(), "window": window.tokens, "k": window.k}


def show_filled() -> None:
    """What stands in each window, one document of it to read, and the download."""
    held = st.session_state.get(FILLED)
    if not held:
        return
    frame = pl.DataFrame(held["rows"], schema=SCHEMA)
    if frame.is_empty():
        st.info("Nothing fits: every document found is longer than the window.")
        return
    used = frame.group_by("query", maintain_order=True).agg(pl.col("tokens").sum(), pl.len())
    for query, tokens, documents in used.iter_rows():
        st.caption(
            f"{label(query)}: {plural(documents, 'document')}, {count(tokens)} of "
            f"{count(held['window'])} tokens ({percent(tokens / held['window'], 0)})."
        )
    short = [snippet(text or "", 120) for text in frame["text"]]
    event = table(
        frame.drop("text").with_columns(pl.Series("begins", short, pl.String)),
        key="window_rows",
        alt="Documents in the windows: query, rank chosen, rank by nearness, similarity, tokens",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "tokens": whole(width=70), "rank": whole(width=55),
            "nearest_rank": whole("by nearness", width=90),
            "similarity": st.column_config.NumberColumn(format="%.3f", width=80),
        },
    )  # fmt: skip
    st.download_button(
        "Take the windows as JSON lines", frame.write_ndjson, "windows.jsonl", key="window_take",
        on_click="ignore", icon=":material/download:",
        help="Query, rank, id, source, similarity, tokens and text of every document.",
    )  # fmt: skip
    if event.selection.rows and event.selection.rows[0] < frame.height:
        show_document(str(frame["text"][event.selection.rows[0]] or ""))
    else:
        st.caption("Select a row to read the document.")
