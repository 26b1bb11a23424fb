"""Copies in meaning: how many embedded documents are close to one before them, at any epsilon.

The stored similarity is moved past a threshold, nothing is compared again. Only a sample is
embedded as a rule, so these are counts of the sample, and they become a rule in a recipe only where
every document of a source is embedded.
"""

from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.curation.duplicates import MinHash
from lab.curation.duplicates.semantic import PREFIX, semantic_columns, stored_semantic
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import require_embeddings
from lab.ui.columns import share, whole
from lab.ui.components import empty, link, table
from lab.ui.duplicates.curves import draw_curves
from lab.ui.duplicates.pairs_panel import show_pair
from lab.ui.duplicates.search_panel import search_params
from lab.ui.formats import number
from lab.ui.job_panel import start

EPSILONS = [k / 100 for k in range(1, 31)]
EDGE = 20  # pairs shown around the threshold


def show_semantic(ws: Workspace, minhash: MinHash) -> None:
    """The curve over epsilon, the numbers at one, and pairs around it."""
    sources = [source.name for source in list_sources(ws)]
    if not embedded(ws, sources):
        with empty("The sources are not all embedded, so meanings cannot be compared."):
            link("map", "Embed the sources")
        return
    try:
        stored = {source: stored_semantic(ws, source, DEFAULT) for source in sources}
    except ArtifactMissing:
        with empty("The embeddings have not been compared."):
            st.caption("About a second for 20,000 embedded documents.")
            if st.button("Compare the embeddings", key="search_meaning"):
                start(ws, "dedup", {**search_params(minhash, minhash.jaccard), "semantic": True})
        return
    epsilon = st.slider(
        "Epsilon", 0.01, 0.3, 0.05, 0.01, key="epsilon", bind="query-params",
        help="SemDeDup (arXiv:2303.09540). Its own README says the direction the other way round.",
    )  # fmt: skip
    st.caption(
        f"Drops a document that is more similar than {1 - epsilon:.2f} to one before it in its "
        "cluster. A larger epsilon removes more."
    )
    frame = similarities(stored, digest([artifact.id for artifact in stored.values()]))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_curve(ws, frame, epsilon)
    with right:
        show_table(frame, epsilon)
        show_rule(ws, sources, epsilon)
    show_edge(ws, frame, epsilon)


def embedded(ws: Workspace, sources: Sequence[str]) -> bool:
    """True if every source has current embeddings."""
    try:
        for source in sources:
            require_embeddings(ws, source, DEFAULT)
    except ArtifactMissing:
        return False
    return True


@st.cache_resource(max_entries=2, show_spinner=False)
def similarities(_stored: Mapping[str, Artifact], key: str) -> pl.DataFrame:
    """source, id, similarity, nearest of all embedded documents."""
    columns = ("id", pl.col(PREFIX + DEFAULT).alias("similarity"), "nearest")
    frames = [
        a.scan().select(pl.lit(source).alias("source"), *columns).drop_nulls("similarity")
        for source, a in _stored.items()
    ]
    return pl.concat(frames).collect()


def counts(frame: pl.DataFrame, epsilon: float) -> pl.DataFrame:
    """source, embedded, fall, share at an epsilon."""
    return (
        frame.group_by("source")
        .agg(embedded=pl.len(), fall=(pl.col("similarity") > 1 - epsilon).sum())
        .with_columns(share=pl.col("fall") / pl.col("embedded"))
        .sort("source")
    )


def show_curve(ws: Workspace, frame: pl.DataFrame, epsilon: float) -> None:
    """Share of each source's embedded documents that falls, over epsilon."""
    curve = pl.concat(counts(frame, e).with_columns(epsilon=pl.lit(e)) for e in EPSILONS)
    axes = ("epsilon: larger removes more", "share of embedded documents")
    alt = "Share of embedded documents that falls, over epsilon"
    draw_curves(ws, curve, ("epsilon", "share"), axes, epsilon, "semantic_curve", alt)


def show_table(frame: pl.DataFrame, epsilon: float) -> None:
    """The numbers at the chosen epsilon."""
    table(
        counts(frame, epsilon), key="semantic", alt="Embedded documents that fall, per source",
        column_config={
            "embedded": whole(width=80), "fall": whole(width=60), "share": share(width=60),
        },
    )  # fmt: skip


def show_rule(ws: Workspace, sources: Sequence[str], epsilon: float) -> None:
    """Where it can be a rule, the way there; elsewhere why not."""
    column = PREFIX + DEFAULT
    ready = [source for source in sources if column in semantic_columns(ws, source)]
    if not ready:
        st.caption("A sample is embedded: a rule in a recipe needs every document of a source.")
        return
    st.caption(f"As a rule: {number(1 - epsilon, 2)} is the maximum of the similarity.")
    link("filters", "Cut by meaning", source=ready[0], signal=column)


def show_edge(ws: Workspace, frame: pl.DataFrame, epsilon: float) -> None:
    """Pairs on either side of the threshold, and the two texts of one."""
    limit = 1 - epsilon
    near = (
        frame.drop_nulls("nearest")
        .with_columns(distance=(pl.col("similarity") - limit).abs())
        .sort("distance", "id")
        .head(EDGE)
        .sort("similarity", descending=True)
    )
    if near.is_empty():
        return
    left, right = st.columns([2, 3], gap="medium")
    falls = pl.when(pl.col("similarity") > limit).then(pl.lit("falls")).otherwise(pl.lit("stays"))
    with left:
        event = table(
            near.select(falls.alias("verdict"), "similarity", "id", "nearest"),
            key="semantic_edge",
            alt="Pairs around the threshold; select one to read both texts",
            on_select="rerun",
            selection_mode="single-row",
            column_config={
                "verdict": st.column_config.TextColumn("", width=50),
                "similarity": st.column_config.NumberColumn(format="%.3f", width=65),
                "id": st.column_config.TextColumn("document", width=150),
                "nearest": st.column_config.TextColumn("nearest before it", width=150),
            },
        )
    chosen = event.selection.rows[0] if event.selection.rows else 0
    row = near.row(min(chosen, near.height - 1), named=True)
    with right:
        words = f"similarity in meaning {number(row['similarity'], 3)}."
        show_pair(ws, row["nearest"], row["id"], words)
