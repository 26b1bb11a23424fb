"""What is measured for a source, what is missing or stale, and the button that computes it."""

import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import default_tokenizer, list_tokenizers
from lab.corpus.tokens import require_tokens
from lab.curation.measure import stored_signals
from lab.ui.components import empty
from lab.ui.job_panel import start
from lab.ui.tables import manifests


def tokens_counted(ws: Workspace, source: str) -> bool:
    """True if the source's current documents have token counts under the default tokenizer."""
    if not list_tokenizers(ws):
        return False
    try:
        require_tokens(ws, source, default_tokenizer(ws))
    except ArtifactMissing:
        return False
    return True


def signals_state(ws: Workspace, source: str) -> str:
    """`measured`, `stale` (measured before the documents changed) or `missing`."""
    if stored_signals(ws, source):
        return "measured"
    current = documents(ws, source).id
    older = [
        a for a in manifests(ws, "signals")
        if a.manifest.get("source") == source and current not in a.manifest["inputs"]
    ]  # fmt: skip
    return "stale" if older else "missing"


def offer_measuring(ws: Workspace, source: str) -> bool:
    """If tokens or signals of a source are missing, say so with the button that computes them."""
    state = signals_state(ws, source)
    if state == "measured" and tokens_counted(ws, source):
        return False
    with empty(
        "The documents changed after they were measured."
        if state == "stale"
        else "The signals of this source have not been measured."
    ):
        st.caption(
            "Measuring counts tokens and computes every signal once, in a process of its own."
        )
        if st.button("Measure this source", key="measure_source", type="primary"):
            start(ws, "measure", {"source": source})
    return True
