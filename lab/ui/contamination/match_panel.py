"""Read a match and decide: the document and the item with what they share marked, keep or drop.

The match that is open is in the address (`doc`, `item`), so it can be sent to a second reviewer. A
decision is a line in a journal and can be taken back; it counts in every recipe that protects the
benchmark.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.core.errors import DataError, LabError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.curation.contamination import decisions, override, undo
from lab.curation.contamination.located import place, texts_of_items
from lab.curation.contamination.method import SHORT_NGRAM
from lab.curation.contamination.spans import matched_spans
from lab.curation.contamination.verdicts import LONG, PARTIAL, SHORT
from lab.ui.components import link, table
from lab.ui.contamination.evidence import Findings
from lab.ui.formats import count, number
from lab.ui.highlight import Mark, show_marked
from lab.ui.tables import texts
from lab.ui.text import label, show_plain

PAGE = 12
LINES = 40  # of an excerpt
READ = 500_000  # characters of a document in which the place is looked for: a sixth of a second
WORDS = {LONG: "long run", SHORT: "7-word runs", PARTIAL: "partial"}
ALL, DECIDED = "all", "decided by a reviewer"
DOCUMENT, ITEM = "doc", "item"
MESSAGE = "review_message"


def show_matches(ws: Workspace, found: Findings, ngram: int) -> None:
    """The list on the left, the open match on the right."""
    left, right = st.columns([4, 5], gap="medium")
    with left:
        rows = narrowed(found.pairs)
        st.caption(f"{count(rows.height)} of {count(found.pairs.height)} matches")
        default = match_list(rows) if rows.height else None
    with right:
        row = opened(found.pairs, default)
        if row:
            show_match(ws, row, ngram)
        else:
            st.caption("No match here. Lower the limits, or choose another verdict.")
        review_line(ws)


def narrowed(pairs: pl.DataFrame) -> pl.DataFrame:
    """Matches of a verdict, source and item, the strongest first."""
    first, second = st.columns(2)
    shown = first.selectbox(
        "Verdict", [ALL, *WORDS, DECIDED], key="verdict", bind="query-params",
        format_func=lambda v: WORDS.get(v, v), on_change=close_match,
    )  # fmt: skip
    sources = [ALL, *pairs["source"].unique().sort().to_list()]
    source = second.selectbox(
        "Source", sources, key="match_source", bind="query-params", on_change=close_match
    )
    item = st.text_input(
        "Item",
        key=ITEM,
        bind="query-params",
        placeholder="benchmark/item; empty for all",
        on_change=close_match,
    )
    keep = pl.lit(True)
    if shown == DECIDED:
        keep &= pl.col("decision").is_not_null()
    elif shown != ALL:
        keep &= pl.col("verdict") == shown
    if source != ALL:
        keep &= pl.col("source") == source
    if item:
        benchmark, _, name = item.strip().partition("/")
        keep &= (pl.col("benchmark") == benchmark) & (pl.col("item_id") == name)
    order = {"verdict": False, "ratio": True, "ngrams": True, "id": False, "item_id": False}
    return pairs.filter(keep).sort(list(order), descending=list(order.values()), nulls_last=True)


def close_match() -> None:
    """Callback: a narrower list opens on its own first match."""
    st.session_state[DOCUMENT] = ""


def match_list(rows: pl.DataFrame) -> Mapping[str, Any]:
    """One page of matches; a click opens one. Returns the first row of the page."""
    pages = -(-rows.height // PAGE)
    page = st.pagination(pages, key="match_page", bind="query-params", max_visible_pages=5)
    shown = rows.slice((min(page, pages) - 1) * PAGE, PAGE)

    def open_match() -> None:
        selected = st.session_state["matches"].selection.rows
        if selected and selected[0] < shown.height:
            row = shown.row(selected[0], named=True)
            st.session_state[DOCUMENT] = f"{row['id']} {row['benchmark']}/{row['item_id'] or ''}"

    words = pl.col("verdict").replace(WORDS)
    item = pl.concat_str("benchmark", "item_id", separator="/", ignore_nulls=True).alias("item")
    table(
        shown.select("id", item, words, "ratio", "decision"),
        key="matches",
        alt="Documents that quote items; select a row to read both texts",
        on_select=open_match,
        selection_mode="single-row",
        column_config={
            "id": st.column_config.TextColumn("document", width=130),
            "item": st.column_config.TextColumn(width=130),
            "verdict": st.column_config.TextColumn(width=75),
            "ratio": st.column_config.NumberColumn("r", format="%.2f", width=40),
            "decision": st.column_config.TextColumn("said", width=45),
        },
    )
    return shown.row(0, named=True)


def opened(pairs: pl.DataFrame, default: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The match in the address, or the first of the list."""
    hint = f"{default['id']} {default['benchmark']}/{default['item_id'] or ''}" if default else ""
    typed = st.text_input(
        "Open match", key=DOCUMENT, bind="query-params", placeholder=hint or "document item"
    )
    if not (typed or "").strip():
        return default
    document, _, item = str(typed).strip().partition(" ")
    benchmark, _, name = item.partition("/")
    found = pairs.filter(
        (pl.col("id") == document)
        & (pl.col("benchmark") == benchmark)
        & (pl.col("item_id").fill_null("") == name)
    )
    if found.is_empty():
        raise DataError(
            "No match of this name at these limits.",
            value=typed,
            next_step="choose a row, or write DOCUMENT BENCHMARK/ITEM",
        )
    return found.row(0, named=True)


def show_match(ws: Workspace, row: Mapping[str, Any], ngram: int) -> None:
    """Both texts with what they share, the verdict in words, and the decision."""
    source = str(row["source"])
    artifact = documents(ws, get_source(ws, source).name)
    text = texts(artifact, [row["id"]], READ).get(row["id"], "")
    st.markdown(f"**{label(row['id'])}** and **{label(row['benchmark'])} {label(row['item_id'])}**")
    st.caption(label(verdict_words(row, ngram)))
    if row["item_id"] is None:
        show_marked(text, [], limit=1500, lines=LINES)
    else:
        n = ngram if row["ngrams"] else SHORT_NGRAM
        both = shared_text(ws, row, text, n)
        st.caption("The document")
        show_marked(text, both[0], limit=1500, lines=LINES)
        st.caption("The item")
        show_marked(both[2], both[1], limit=3000, lines=LINES)
        if not both[0]:
            st.caption(f"The place lies beyond the first {count(READ)} characters. What is shared:")
            show_plain(row["ngram"] or "")
    link("browse", "Read the whole document", source=source, doc=str(row["id"]))
    decide(ws, row)


def verdict_words(row: Mapping[str, Any], ngram: int) -> str:
    """The verdict on a pair in a sentence."""
    runs, ratio = int(row["ngrams"]), float(row["ratio"])
    seen = f"{runs:,} shared runs of {ngram} words, " if runs else ""
    said = f"{seen}r = {number(ratio, 2)} of the 7-word runs: {WORDS.get(row['verdict'], 'clean')}"
    state = "removed" if row["removed"] else "stays"
    by = f" (a reviewer said {row['decision']})" if row["decision"] else ""
    return f"{said}. The document {state}{by}."


def shared_text(
    ws: Workspace, row: Mapping[str, Any], text: str, n: int
) -> tuple[Sequence[Mark], Sequence[Mark], str]:
    """Marks in the document, marks in the item, and the text of the item that shares most."""
    wanted = pl.DataFrame({k: [row[k]] for k in ("benchmark", "item_id")})
    found = texts_of_items(ws, wanted)
    if found.is_empty():
        raise DataError("The benchmark has no such item.", value=row["item_id"])
    item = place(text, found["item_texts"][0].to_list(), n)["item_text"]
    shared = matched_spans(text, item, n)
    marks = [
        [Mark(span.start, span.end, f"shared run of {n} words") for span in spans]
        for spans in (shared.document, shared.item)
    ]
    return marks[0], marks[1], item


def decide(ws: Workspace, row: Mapping[str, Any]) -> None:
    """Keep or drop, with a note; about this item, or about the whole benchmark."""
    key = f"{row['id']} {row['benchmark']} {row['item_id']}"
    note = st.text_input("Note", key=f"note.{key}", placeholder="why; for whoever comes next")
    with st.container(horizontal=True, vertical_alignment="center"):
        for decision, icon in (("keep", ":material/check:"), ("drop", ":material/close:")):
            st.button(
                "Keep the document" if decision == "keep" else "Drop the document",
                key=f"review_{decision}",
                icon=icon,
                disabled=row["decision"] == decision,
                on_click=store,
                args=(ws, row, decision, note or ""),
            )


def store(ws: Workspace, row: Mapping[str, Any], decision: str, note: str) -> None:
    """Callback: write the decision down."""
    try:
        override(ws, row["id"], row["benchmark"], row["item_id"], decision, note)
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    st.session_state[MESSAGE] = f"{decision}: {row['id']}, {row['benchmark']} {row['item_id']}"


def take_back(ws: Workspace) -> None:
    """Callback: undo the last decision."""
    try:
        record = undo(ws)
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    st.session_state[MESSAGE] = (
        f"Taken back: {record['decision']} {record['id']}" if record else "Nothing to take back."
    )


def review_line(ws: Workspace) -> None:
    """What was decided last, the undo, and all decisions in force."""
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)
    made = decisions(ws)
    st.button(
        "Take back the last decision", key="review_undo", icon=":material/undo:", type="tertiary",
        disabled=made.is_empty(), on_click=take_back, args=(ws,),
    )  # fmt: skip
    if made.height:
        with st.expander("Decisions in force"):
            table(made.reverse(), key="decisions", alt="Decisions of reviewers, newest first")
