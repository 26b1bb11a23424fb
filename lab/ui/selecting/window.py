"""Documents for a prompt: queries, the nearest documents re-ranked for diversity, a full window.

The search is that of the Browse page by meaning and runs where that runs, when the button is
pressed; the answer stays until the next one. Only encoders that embed a query without torch are
offered, because the server must not load it; for the others the page names the command.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.diversity.embedding.nearest import searched_words
from lab.diversity.embedding.query import LIGHT, is_imported
from lab.diversity.embedding.stored import require_embeddings
from lab.diversity.selecting.handing import about_retrieved
from lab.diversity.selecting.retrieval import NONE, SCHEMA, WAYS, Window, nothing_fits, retrieve
from lab.ui.columns import whole
from lab.ui.components import empty, link, table
from lab.ui.formats import count, percent, plural
from lab.ui.selecting.asking import encoders_of, pick_encoder
from lab.ui.text import label, show_document, show_error, show_plain, snippet

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
    stored = encoders_of(ws, [source.name for source in list_sources(ws)])
    found = {name: sources for name, sources in stored.items() if name in LIGHT}
    if not stored:
        with empty("No source is embedded, so nothing can be found by meaning."):
            st.caption("Embedding a sample of a source takes about a minute.")
            link("map", "Embed the sources")
        return
    others = {name: sources for name, sources in stored.items() if name not in found}
    if not found:
        with empty("No source is embedded by an encoder that this page can embed a query with."):
            show_elsewhere(ws, others)
        return
    encoder = pick_encoder(found)
    show_elsewhere(ws, others)
    queries = ask(found[encoder])
    window = settings(ws, encoder)
    go = st.button(
        "Fill the window", key="window_go", type="primary", icon=":material/manage_search:",
        disabled=not queries or not st.session_state["window_sources"],
    )  # fmt: skip
    if go:
        fill_it(ws, st.session_state["window_sources"], queries, window)
    show_filled()


def show_elsewhere(ws: Workspace, others: Mapping[str, Sequence[str]]) -> None:
    """How to ask by encoders that need torch, or that made imported vectors."""
    if not others:
        return
    st.caption("By other encoders documents are found from the shell:")
    lines = []
    for encoder, names in others.items():
        imported = any(is_imported(require_embeddings(ws, name, encoder)) for name in names)
        asked = f"--like {names[0]}/ID" if imported else "'QUERY'"
        command = f"mixlab retrieve {asked} --encoder {shlex.quote(encoder)}"
        why = "    # imported: no query in words can be embedded" if imported else ""
        lines.append(command + why)
    show_plain("\n".join(lines))


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
            found = retrieve(ws, list(names), list(queries), window)
            told = about_retrieved(ws, found)
    except LabError as error:
        show_error(error)
        return
    st.session_state[FILLED] = {
        "rows": found.frame.to_dicts(), "windows": found.windows.to_dicts(), "about": told,
        "window": window.tokens, "searched": searched_words(found.counts),
    }  # fmt: skip


def show_filled() -> None:
    """What stands in each window, one document of it to read, and the download."""
    held = st.session_state.get(FILLED)
    if not held:
        return
    frame = pl.DataFrame(held["rows"], schema=SCHEMA)
    st.caption(label(held["searched"]))
    for row in held["windows"]:
        st.caption(label(filled_words(row, held["window"])))
    if frame.is_empty():
        return
    short = [snippet(text or "", 120) for text in frame["text"]]
    event = table(
        frame.drop("text", "meta").with_columns(pl.Series("begins", short, pl.String)),
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
    with st.container(horizontal=True, gap="xsmall"):
        downloads(frame, held["about"])
    if event.selection.rows and event.selection.rows[0] < frame.height:
        show_document(str(frame["text"][event.selection.rows[0]] or ""))
    else:
        st.caption("Select a row to read the document.")


def filled_words(row: Mapping[str, Any], tokens: int) -> str:
    """How full the window of a query is, or why it is empty."""
    query = row["query"]
    if not row["documents"]:
        return f"{query}: {nothing_fits(row['shortest'], tokens)}"
    return (
        f"{query}: {plural(row['documents'], 'document')}, {count(row['tokens'])} of "
        f"{count(tokens)} tokens ({percent(row['tokens'] / tokens, 0)})."
    )


def downloads(frame: pl.DataFrame, told: Mapping[str, Any]) -> None:
    """The documents, and what made the windows."""
    st.download_button(
        "Take the windows as JSON lines", frame.write_ndjson, "windows.jsonl", key="window_take",
        on_click="ignore", icon=":material/download:",
        help="Query, rank, id, source, similarity, tokens, text and metadata of every document.",
    )  # fmt: skip
    st.download_button(
        "What made them, as JSON", lambda: json.dumps(told, indent=1), "windows.jsonl.about.json",
        key="window_about", on_click="ignore", icon=":material/data_object:",
        help="Settings, queries, licences, how many documents were searched, inputs.",
    )  # fmt: skip
