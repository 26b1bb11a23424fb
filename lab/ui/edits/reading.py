"""Read what changed: a seeded sample of documents, or the largest changes, each as a difference.

The document that is open is in the address (`doc`), so a doubtful edit can be sent to somebody. The
edited text is made anew for the open document, by the functions that made the stored ones: 0.1 ms.
"""

from collections.abc import Sequence
from contextlib import suppress

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, DataError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.corpus.tokens import require_tokens
from lab.curation.edits import apply_edits, diff
from lab.ui.columns import whole
from lab.ui.components import link, table
from lab.ui.edits.effect import find_edited, removed_of, sample_texts
from lab.ui.edits.verdict import DOCUMENT, show_ballot
from lab.ui.formats import count, percent, plural
from lab.ui.highlight import show_changes
from lab.ui.tables import texts
from lab.ui.text import label, show_document

PAGE = 12
READ = 200_000  # characters of a document that are compared
RANDOM, LARGEST, EMPTIED = "random", "largest change", "left empty"
WHICH = (RANDOM, LARGEST, EMPTIED)
SAMPLE_KEY = "edit_sample"


def show_reading(ws: Workspace, source: str, edits: Sequence[str], tokenizer: str) -> None:
    """The list on the left, the difference on the right."""
    changed, whole_source = changed_documents(ws, source, edits, tokenizer)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        which = str(
            st.segmented_control(
                "Read", WHICH, default=RANDOM, key="edit_read", bind="query-params", required=True
            )
        )
        pool = changed.filter("emptied") if which == EMPTIED else changed
        with st.container(horizontal=True, vertical_alignment="bottom"):
            seed = int(
                st.number_input(
                    "Sample", 0, 9999, 0, key=SAMPLE_KEY, bind="query-params", width=110
                )
            )
            st.button("Next sample", key="next_edits", icon=":material/casino:", on_click=turn_page)
        rows = choose(pool, which, seed)
        basis = f"of {source}" if whole_source else "of the sample; edit the source to see all"
        st.caption(f"{plural(pool.height, 'such document')} {label(basis)}.")
        ids = document_list(rows) if rows.height else []
    with right:
        document = opened(ids)
        if document:
            show_document_change(ws, document, edits)
            show_ballot(ws, source, document, ids, edits)
        elif not rows.height:
            st.caption("No document of this kind. Choose another above, or other edits.")


def turn_page() -> None:
    """Callback: the next sample; the first of it is opened."""
    st.session_state[SAMPLE_KEY] = (int(st.session_state.get(SAMPLE_KEY, 0)) + 1) % 10_000
    st.session_state[DOCUMENT] = ""


def changed_documents(
    ws: Workspace, source: str, edits: Sequence[str], tokenizer: str
) -> tuple[pl.DataFrame, bool]:
    """Columns id, removed, emptied of the documents that change, and whether of all documents."""
    made = find_edited(ws, source, edits)
    if made is not None:
        return stored_changes(ws, source, made, tokenizer, made.id), True
    sample = sample_texts(ws, source, documents(ws, source).id)
    edited = apply_edits(sample["text"], edits)
    frame = sample.select("id", removed=removed_of(sample["text"], edited), emptied=edited == "")
    return frame.filter(edited != sample["text"]), False


@st.cache_resource(max_entries=8, show_spinner=False)
def stored_changes(
    _ws: Workspace, source: str, _made: Artifact, tokenizer: str, key: str
) -> pl.DataFrame:
    """The changed documents of the edited texts `key`. A text of no token is an empty one."""
    frame = _made.scan().select("id", "changed", removed="removed_chars").collect()
    empty = emptied(_ws, source, _made, tokenizer)
    return frame.with_columns(emptied=empty).filter("changed").drop("changed")


def emptied(ws: Workspace, source: str, made: Artifact, tokenizer: str) -> pl.Series:
    """Which edited texts are empty: by their tokens if these are counted, since texts are large."""
    if tokenizer:
        with suppress(ArtifactMissing):
            found = require_tokens(ws, source, tokenizer, made)
            return found.scan().select(pl.col("tokens") == 0).collect().to_series()
    return made.scan().select(pl.col("text") == "").collect().to_series()


def choose(pool: pl.DataFrame, which: str, seed: int) -> pl.DataFrame:
    """At most PAGE documents: drawn with `seed`, or the seed-th page of the largest changes."""
    if which == LARGEST:
        pages = max(1, -(-pool.height // PAGE))
        ordered = pool.sort("removed", "id", descending=[True, False])
        return ordered.slice(seed % pages * PAGE, PAGE)
    return pool.sample(min(PAGE, pool.height), shuffle=True, seed=seed)


def document_list(rows: pl.DataFrame) -> list[str]:
    """The documents to read; a click opens one."""
    ids: list[str] = rows["id"].to_list()

    def open_row() -> None:
        selected = st.session_state["edit_rows"].selection.rows
        if selected and selected[0] < len(ids):
            st.session_state[DOCUMENT] = ids[selected[0]]

    table(
        rows.select("id", "removed"),
        key="edit_rows",
        alt="Documents that the edits change; select a row to read what changed",
        on_select=open_row,
        selection_mode="single-row",
        column_config={
            "id": st.column_config.TextColumn("document"),
            "removed": whole("characters less", width=115),
        },
    )
    return ids


def opened(ids: Sequence[str]) -> str:
    """The document in the address or the first of the list, and ways to its neighbours."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    hint = ids[0] if ids else "source/id"
    typed = row.text_input("Document", key=DOCUMENT, bind="query-params", placeholder=hint)
    current = (typed or "").strip() or (ids[0] if ids else "")
    place = ids.index(current) if current in ids else -1

    def go(step: int) -> None:
        st.session_state[DOCUMENT] = ids[min(max(place + step, 0), len(ids) - 1)]

    row.button(
        "Previous", key="edit_previous", shortcut="Left", disabled=place <= 0, on_click=go,
        args=(-1,),
    )  # fmt: skip
    last = place >= len(ids) - 1
    row.button("Next", key="edit_next", shortcut="Right", disabled=last, on_click=go, args=(1,))
    return current


def show_document_change(ws: Workspace, document: str, edits: Sequence[str]) -> None:
    """One document: how much goes, and where."""
    source = document.partition("/")[0]
    found = texts(documents(ws, get_source(ws, source).name), [document], READ)
    if document not in found:
        raise DataError("No document has this id.", value=document, next_step="choose a row")
    text = found[document]
    edited = apply_edits(pl.Series([text]), edits)[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        link("browse", "Open in Browse", source=source, doc=document)
        st.caption(label(change_words(text, edited)), width="stretch")
    if text == edited:
        st.caption("These edits leave this document as it is.")
        show_document(text)
    else:
        show_changes(diff(text, edited))
    if len(text) == READ:
        st.caption(f"Only the first {count(READ)} characters are compared here.")


def change_words(text: str, edited: str) -> str:
    """Sizes before and after, in words made of numbers."""
    if not edited:
        return f"{count(len(text))} characters, nothing is left."
    part = percent((len(text) - len(edited)) / max(len(text), 1))
    return f"{count(len(text))} characters before, {count(len(edited))} after ({part} less)."
