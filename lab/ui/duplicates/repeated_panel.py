"""Repeated lines and paragraphs: how much of each source stands in another document.

Menus, licences and pasted paragraphs that neither exact nor near copies show. Nothing falls by this
alone: it is a signal, cut on the Filters page like any other.
"""

from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.duplicates import MinHash
from lab.curation.duplicates.repeated import COLUMNS, MIN_CHARACTERS, require_repeated
from lab.ui.columns import share, whole
from lab.ui.components import empty, link, table
from lab.ui.duplicates.curves import draw_curves
from lab.ui.duplicates.search_panel import search_params
from lab.ui.job_panel import start

UNITS = list(MIN_CHARACTERS)  # lines, paragraphs
GRID = [k / 20 for k in range(1, 21)]


def show_repeated(ws: Workspace, minhash: MinHash) -> None:
    """The share of documents that are repeated from a share of their characters up, per source."""
    try:
        stored = {source.name: require_repeated(ws, source.name) for source in list_sources(ws)}
    except ArtifactMissing:
        with empty("Repeated lines and paragraphs have not been looked for."):
            st.caption("About 120 MB of text a second on one core; the near copies are reused.")
            if st.button("Look for repeated lines", key="search_lines"):
                start(ws, "dedup", {**search_params(minhash, minhash.jaccard), "lines": True})
        return
    first, second = st.columns(2)
    unit = first.segmented_control(
        "Repeated", UNITS, default=UNITS[0], key="repeated_unit", bind="query-params",
        required=True,
    )  # fmt: skip
    cut = second.slider(
        "Of a document's characters at least", 0.05, 1.0, 0.5, 0.05, key="repeated_from",
        bind="query-params",
    )  # fmt: skip
    curve = curve_of(ws, stored, str(unit))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_curve(ws, curve, cut)
    with right:
        show_table(curve.filter((pl.col("at") - cut).abs() < 1e-9))
        link("filters", "Cut by repeated text", signal=f"duplicates.{unit}@lab1")
        st.caption(
            "A line counts from 20 characters, a paragraph from 40, and only if a document before "
            "it (by content hash) has the same; so of every text one owner stays clean."
        )


def curve_of(ws: Workspace, stored: Mapping[str, Artifact], unit: str) -> pl.DataFrame:
    """source, at, documents, tokens (share of each from `at` up), over all documents."""
    name = default_tokenizer(ws)
    tokens = {source: require_tokens(ws, source, name) for source in stored}
    ids = [a.id for a in (*stored.values(), *tokens.values())]
    return cached_curve(stored, tokens, unit, digest(ids))


@st.cache_resource(max_entries=6, show_spinner=False)
def cached_curve(
    _stored: Mapping[str, Artifact], _tokens: Mapping[str, Artifact], unit: str, key: str
) -> pl.DataFrame:
    """The curve for `key`."""
    rows = [
        row
        for source, artifact in _stored.items()
        for row in shares(source, artifact, _tokens[source], COLUMNS[UNITS.index(unit)])
    ]
    return pl.DataFrame(rows)


def shares(
    source: str, artifact: Artifact, tokens: Artifact, column: str
) -> Sequence[dict[str, object]]:
    """One row a threshold: documents, and shares of documents and tokens, from it up."""
    values = artifact.scan().select(value=column).collect()
    frame = values.hstack(tokens.scan().select("tokens").collect())
    total = max(int(frame["tokens"].sum()), 1)
    rows = []
    for at in GRID:
        over = frame.filter(pl.col("value") >= at)
        rows.append(
            {
                "source": source,
                "at": at,
                "documents": over.height,
                "share": over.height / max(frame.height, 1),
                "tokens": int(over["tokens"].sum()),
                "token_share": int(over["tokens"].sum()) / total,
            }
        )
    return rows


def show_curve(ws: Workspace, curve: pl.DataFrame, cut: float) -> None:
    """Share of each source's tokens in documents repeated from a share up."""
    axes = ("repeated share of a document", "share of the source's tokens")
    alt = "Share of each source in documents that repeat others"
    draw_curves(ws, curve, ("at", "token_share"), axes, cut, "repeated_curve", alt)


def show_table(rows: pl.DataFrame) -> None:
    """The numbers at the chosen share."""
    table(
        rows.select("source", "documents", "share", "tokens", "token_share"),
        key="repeated",
        alt="Documents and tokens repeated from the chosen share up",
        column_config={
            "documents": whole(width=75),
            "share": share(width=55),
            "tokens": whole(width=75),
            "token_share": share("of tokens", width=65),
        },
    )
