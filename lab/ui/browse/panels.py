"""Below the text, one panel at a time: signals, copies with what differs, edits, what came with it.

Only the panel that is open is computed.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import list_tokenizers
from lab.curation.duplicates import MinHash
from lab.curation.duplicates.regroup import stored_settings
from lab.curation.edits.difference import diff
from lab.mixture.recipe import Recipe
from lab.ui.browse.signals import document_signals
from lab.ui.components import link, table
from lab.ui.duplicates.stored import Stored, groups_at, load_stored
from lab.ui.formats import count
from lab.ui.highlight import show_changes
from lab.ui.tables import manifests, texts
from lab.ui.text import label, show_diff, show_document
from lab.ui.word_diff import diff_lines

PANELS = ("signals", "copies", "edits", "meta")
READ = 100_000  # characters of each text that are compared
SHOWN = 12  # copies of a document


def show_panels(
    ws: Workspace, source: str, document: str, row: Mapping[str, Any], recipe: Recipe | None
) -> None:
    """The switch and the panel that is open."""
    which = st.segmented_control(
        "More", PANELS, key="panel", bind="query-params", label_visibility="collapsed"
    )
    if which == "signals":
        show_signals(ws, source, document, recipe)
    elif which == "copies":
        show_copies(ws, document, str(row["text"]), recipe)
    elif which == "edits":
        show_edits(ws, source, document, str(row["text"]))
    elif which == "meta" and row["meta"]:
        st.json(row["meta"])
    elif which == "meta":
        st.caption("Nothing came with this document.")


def show_signals(ws: Workspace, source: str, document: str, recipe: Recipe | None) -> None:
    """Every stored signal of the document."""
    signals = document_signals(ws, source, document, recipe)
    if signals.is_empty():
        st.caption("The signals of this source have not been measured.")
        link("filters", "Measure on the Filters page", source=source)
        return
    table(
        signals,
        key="document_signals",
        alt="Signals of this document with their place in the source and the recipe's limits",
        height=360,
        column_config={
            "signal": st.column_config.TextColumn(width=210),
            "value": st.column_config.TextColumn(width=60),
            "limits": st.column_config.TextColumn(width=100),
            "percentile": st.column_config.ProgressColumn(
                "percentile", format="%d", min_value=0, max_value=100, width=90
            ),
        },
    )


def show_copies(ws: Workspace, document: str, text: str, recipe: Recipe | None) -> None:
    """Documents of the same group of copies, and what differs from one of them."""
    try:
        found = copies(ws, document, recipe)
    except ArtifactMissing as error:
        st.caption(label(error.what))
        return
    if not found:
        st.caption("No copy of this document is known.")
        link("duplicates", "Look for near duplicates")
        return
    st.caption(f"{count(len(found))} other documents in the same group of copies.")
    other = st.selectbox("Compare with", found[:SHOWN], key="copy")
    source = str(other).partition("/")[0]
    body = texts(documents(ws, source), [str(other)], READ).get(str(other), "")
    link("browse", "Read it", source=source, doc=str(other))
    if body == text[:READ]:
        st.caption("Word for word the same.")
    else:
        st.caption("Lines with - are only in the open document, lines with + only in the other.")
        show_diff(diff_lines(text[:READ], body), height=360)


def copies(ws: Workspace, document: str, recipe: Recipe | None) -> list[str]:
    """Ids of the other members of the document's group, at the recipe's similarity or the usual.

    Raises ArtifactMissing if tokens are not counted.
    """
    if not list_tokenizers(ws):
        raise ArtifactMissing("Nothing has been measured yet.")
    own = recipe.dedup.minhash if recipe and recipe.dedup else None
    minhash = own or next(iter(stored_settings(ws)), None)
    stored = load_stored(ws, minhash, recipe.tokenizer if recipe and recipe.tokenizer else "")
    cut = (minhash or MinHash()).jaccard if stored.pairs else None
    members = grouped(stored, cut, f"{stored.key} {cut}")
    place = members["id"].index_of(document)
    if place is None or members["group"][place] is None:
        return []
    same = members.filter(pl.col("group") == members["group"][place])["id"]
    return [name for name in same if name != document]


@st.cache_resource(max_entries=4, show_spinner=False)
def grouped(_stored: Stored, _cut: float | None, key: str) -> pl.DataFrame:
    """Columns id, group of the documents that may have copies, for `key`."""
    groups = groups_at(_stored.graph, _cut)
    own = groups.gather(_stored.grouped["row"]).alias("group")
    return _stored.grouped.select("id").with_columns(own)


def show_edits(ws: Workspace, source: str, document: str, text: str) -> None:
    """What stored edits changed in this document."""
    found = stored_edits(ws, source)
    if not found:
        st.caption("The texts of this source have not been edited.")
        link("edits", "Try edits on them", source=source)
        return
    chosen = st.selectbox("Edits", list(found), key="edited_by")
    edited = texts(found[str(chosen)], [document], READ).get(document)
    if edited is None or edited == text[:READ]:
        st.caption("These edits leave this document as it is.")
    elif not edited:
        st.caption("These edits leave nothing of this document.")
        show_document(text[:READ], height=300)
    else:
        show_changes(diff(text[:READ], edited))


def stored_edits(ws: Workspace, source: str) -> dict[str, Artifact]:
    """Edited texts of the present documents, by the names of the edits."""
    current = documents(ws, source).id
    return {
        ", ".join(artifact.manifest["config"]["edits"]): artifact
        for artifact in manifests(ws, "edits")
        if artifact.manifest["inputs"] == [current]
    }
