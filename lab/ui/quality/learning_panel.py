"""Learn a score: which labels, which head, what it needs first, and how long it takes."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.curation.quality import HEADS
from lab.curation.quality.train import MIN_LABELS
from lab.curation.quality.vectors import SPEED
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import require_embeddings
from lab.ui.columns import whole
from lab.ui.components import table
from lab.ui.formats import count, duration, plural
from lab.ui.job_panel import start
from lab.ui.quality.found import USED, LabelSet
from lab.ui.text import label

NGRAMS = HEADS[0]
NGRAMS_SPEED = 18_000  # documents a second and core, see lab.curation.quality
WORDS = {
    NGRAMS: "Ridge regression on hashed words and pairs of words. Needs nothing but the text, "
    "fits 600 labels in two seconds, scores 18,000 documents a second. It sees vocabulary, not "
    "meaning.",
    "embedding-ridge": "FineWeb-Edu's head: a linear layer on frozen embeddings. Needs every "
    "labelled document embedded to fit, and every document of a source embedded to score it.",
    "embedding-forest": "phi-1's head: a random forest on embeddings. Needs the same; it fits "
    "half a minute, and never scores above the labels it saw.",
}
AUTO = "usual cut"


def show_learning(ws: Workspace, sets: Sequence[LabelSet], sources: Sequence[str]) -> None:
    """The form left, what the head needs right."""
    left, right = st.columns([3, 2], gap="medium")
    with right:
        head = str(st.radio("Head", HEADS, key="head", bind="query-params"))
        st.caption(label(WORDS[head]))
        totals = {s: int(get_source(ws, s).counts.get("documents") or 0) for s in sources}
        ready = show_needs(ws, head, totals)
    with left:
        name = st.text_input(
            "Name of the score", next((s.name for s in sets), "educational"), key="score_name",
            help="Its column will be called quality.NAME.",
        ).strip()  # fmt: skip
        specs, enough = pick_specs(sets)
        cut, groups = pick_folds()
        fit_only = st.toggle(
            "Only learn and evaluate, score nothing", value=not ready, key=f"fit_only.{head}"
        )
        params = {
            "name": name,
            "labels": specs,
            "head": head,
            "threshold": cut,
            "groups": groups,
            "fit_only": fit_only,
        }
        if st.button(
            "Learn the score", key="learn", type="primary", icon=":material/school:",
            disabled=not enough or not name,
        ):  # fmt: skip
            start(ws, "score", params)
        if any(s.origin == USED and s.name == name for s in sets):
            st.caption("There is a score of this name: it is learned anew, its labels are kept.")
        if not fit_only and head == NGRAMS:
            seconds = sum(totals.values()) / NGRAMS_SPEED + 10
            st.caption(f"About {duration(seconds)} on one core, as a job.")


def pick_folds() -> tuple[float | None, str]:
    """The label from which a document is meant to be kept, and what stays in one fold."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cut = st.number_input(
            "Kept from label", None, None, None, 0.5, key="score_cut", placeholder=AUTO, width=170,
            help="F1 and the selection rates speak of this cut. The usual one is 2.5 for grades, "
            "0.5 for yes and no.",
        )  # fmt: skip
        near = st.toggle(
            "Near copies on one side of a fold", key="score_near",
            help="Needs the search for near duplicates; without it the error looks too small "
            "where the labelled documents are copies of each other.",
        )  # fmt: skip
    return cut, "near" if near else "content"


def pick_specs(sets: Sequence[LabelSet]) -> tuple[list[str], bool]:
    """The labels to learn from: sets of the workspace and a file; and whether they may do."""
    by_spec = {s.spec: s for s in sets}
    usual = [max(sets, key=lambda s: s.ratings.height).spec] if sets else []
    chosen = st.multiselect(
        "Labels", list(by_spec), default=usual, key="score_labels",
        format_func=lambda spec: by_spec[spec].words, placeholder="none yet",
        help="Several sets are put together; a document labelled by several gets the mean.",
    )  # fmt: skip
    typed = st.text_input(
        "And a file of labels", key="score_file", placeholder="path to JSON lines: id, label"
    ).strip()
    frames = [by_spec[spec].ratings["id"] for spec in chosen if spec in by_spec]
    documents = pl.concat(frames).n_unique() if frames else 0
    st.caption(
        f"{plural(documents, 'labelled document')} chosen; at least {count(MIN_LABELS)} are "
        "needed, a few hundred give a usable score."
    )
    files = [str(Path(typed).expanduser())] if typed else []
    return [*chosen, *files], bool(typed) or documents >= MIN_LABELS


def show_needs(ws: Workspace, head: str, totals: dict[str, int]) -> bool:
    """What must be embedded for a head, with time and button; True if nothing is missing."""
    if head == NGRAMS:
        return True
    rows = [(source, embedded(ws, source), total) for source, total in totals.items()]
    missing = sum(total - done for _, done, total in rows if done < total)
    table(
        pl.DataFrame(rows, schema=["source", "embedded", "documents"], orient="row"),
        key="embedded",
        alt="Documents embedded per source",
        column_config={"embedded": whole(), "documents": whole()},
    )
    if not missing:
        return True
    st.caption(
        f"{count(missing)} documents are not embedded: about {duration(missing / SPEED)} on one "
        "core. A sample is enough to learn and evaluate if it holds the labelled documents."
    )
    if st.button("Embed all documents", key="embed_all"):
        start(ws, "embed", {"sample": max(max(totals.values()), 2), "encoder": DEFAULT})
    return False


def embedded(ws: Workspace, source: str) -> int:
    """How many documents of a source have a stored embedding."""
    try:
        return int(require_embeddings(ws, source, DEFAULT).manifest["embedded"])
    except ArtifactMissing:
        return 0
