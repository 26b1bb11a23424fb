"""The map of embedded documents: a sample drawn as points, clusters as a table, a lasso as a
filter.

At most 20,000 points are drawn, chosen evenly from each source; the caption says of how many. A
lasso comes back as a polygon, never as the points inside (thousands of ids would travel to the
server with every rerun): the points inside are found here, by the even-odd rule, over the whole
map.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.diversity.embedding.embed import require_embeddings
from lab.ui.components import link, table
from lab.ui.figures import CONFIG, blank, colours, source_colours
from lab.ui.formats import count, number
from lab.ui.tables import manifests, texts
from lab.ui.text import figure_text, label, show_document

DRAWN = 20_000  # points; beyond, a lasso in plotly gets slow
READ = 5  # documents shown of a selection
MOST_COLOURS = 10


def newest_map(ws: Workspace) -> tuple[Artifact | None, bool]:
    """The newest map and whether it is stale: drawn from embeddings that are no longer current."""
    maps = sorted(manifests(ws, "map"), key=lambda a: a.manifest["created"])
    if not maps:
        return None, False
    current = set(embedded(ws).values())
    return maps[-1], not set(maps[-1].manifest["inputs"]) <= current


def embedded(ws: Workspace) -> dict[str, str]:
    """Sources with current embeddings, and the id of these."""
    found = {}
    for source in list_sources(ws):
        try:
            found[source.name] = require_embeddings(ws, source.name).id
        except ArtifactMissing:
            continue
    return found


@st.cache_resource(max_entries=4, show_spinner=False)
def places(_artifact: Artifact, key: str) -> pl.DataFrame:
    """id, source, x, y, cluster, and the cluster's label."""
    clusters = pl.read_parquet(_artifact.path / "clusters.parquet")
    frame = _artifact.scan().collect()
    return frame.join(clusters.select("cluster", "label"), on="cluster", maintain_order="left")


def drawn_sample(frame: pl.DataFrame, limit: int = DRAWN) -> pl.DataFrame:
    """At most `limit` points, every k-th of the map in the order of the sources."""
    if frame.height <= limit:
        return frame
    return frame.sort("source", "id").gather_every(-(-frame.height // limit))


def map_figure(ws: Workspace, frame: pl.DataFrame, by: str) -> go.Figure:
    """Points coloured by source, or by the ten largest clusters."""
    if by == "source":
        paint = source_colours(ws)
    else:
        sizes = frame["label"].value_counts(sort=True)["label"].to_list()
        paint = colours(sizes[:MOST_COLOURS])
    column = "source" if by == "source" else "label"
    named = frame.with_columns(
        pl.when(pl.col(column).is_in(list(paint)))
        .then(column)
        .otherwise(pl.lit("other"))
        .alias("k")
    )
    figure = blank(560)
    for (name,), part in named.group_by(["k"], maintain_order=True):
        figure.add_scattergl(
            x=part["x"].to_numpy(), y=part["y"].to_numpy(), mode="markers",
            name=figure_text(name), text=[figure_text(i) for i in part["id"]],
            marker={"size": 4, "opacity": 0.65, "color": paint.get(str(name), "#9aa5a2")},
            hovertemplate="%{text}",
        )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure.update_layout(
        dragmode="lasso", legend={"itemsizing": "constant"}, modebar={"orientation": "v"}
    )
    return figure


def show_map(ws: Workspace, frame: pl.DataFrame, by: str) -> list[tuple[float, float]]:
    """Draw the map and return the lasso's polygon, empty without one."""
    event = st.plotly_chart(
        map_figure(ws, drawn_sample(frame), by),
        key=f"map_{by}",
        alt=f"Map of {frame.height} documents, coloured by {by}",
        config=CONFIG | {"displayModeBar": True, "modeBarButtonsToRemove": ["select2d"]},
        on_select="rerun",
        selection_mode="lasso",
    )
    return polygon_of(event.selection.get("lasso", []))


def polygon_of(lassos: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """The corners of the last lasso."""
    if not lassos:
        return []
    last = lassos[-1]
    return list(zip(last["x"], last["y"], strict=True))


def inside(frame: pl.DataFrame, polygon: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """True for the points of `frame` (x, y) inside `polygon`, by the even-odd rule."""
    x, y = frame["x"].to_numpy().astype(np.float64), frame["y"].to_numpy().astype(np.float64)
    found = np.zeros(x.size, bool)
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        found ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return found


def show_clusters(frame: pl.DataFrame) -> None:
    """Clusters with size, and the share of each source in them."""
    sources = frame["source"].unique().sort().to_list()
    counted = frame.group_by("cluster", "label").agg(
        pl.len().alias("documents"),
        *((pl.col("source") == source).mean().mul(100).alias(source) for source in sources),
    )
    table(
        counted.sort("documents", descending=True),
        key="clusters",
        alt="Clusters with their words, size and share of each source",
        column_config={s: st.column_config.NumberColumn(format="%.0f %%") for s in sources}
        | {"label": st.column_config.TextColumn("words that mark it", width=260)},
    )


MEASURES = {
    "near_duplicates": "near duplicates, share",
    "nearest_distance": "distance to nearest",
    "vendi_1": "Vendi score",
    "vendi_2": "Vendi score, order 2",
}


def show_breadth(ws: Workspace) -> None:
    """How varied each source is: several measures, because any single one can be fooled."""
    rows = []
    for source in embedded(ws):
        found = require_embeddings(ws, source).manifest.get("panel", {})
        row = {"source": source, "n": next((m["n"] for m in found.values()), 0)}
        rows.append(row | {words: spread(found.get(key)) for key, words in MEASURES.items()})
    if rows:
        table(pl.DataFrame(rows), key="breadth", alt="Measures of diversity of each source")
        st.caption(
            "Measured on the embedded sample, with 95 % intervals. More is not better by itself: "
            "random noise has the highest Vendi score. Compare sources at equal n only."
        )


def spread(estimate: dict[str, float] | None) -> str:
    """A value with its interval."""
    if not estimate:
        return ""
    low, high = number(estimate["low"], 3), number(estimate["high"], 3)
    return f"{number(estimate['value'], 3)} ({low} to {high})"


def show_selection(ws: Workspace, chosen: pl.DataFrame) -> None:
    """What a lasso or a cluster holds: counts by source, and some documents to read."""
    counts = chosen["source"].value_counts(sort=True)
    words = ", ".join(f"{name} {amount}" for name, amount in counts.iter_rows())
    st.markdown(f"**{count(chosen.height)} documents**: {label(words)}")
    for row in chosen.sort("id").head(READ).iter_rows(named=True):
        link("browse", str(row["id"]), doc=str(row["id"]), source=str(row["source"]))
        body = texts(documents(ws, row["source"]), [row["id"]], 500)
        show_document(body.get(row["id"], ""), height=110)


def trust_words(artifact: Artifact) -> str:
    """How far the map can be trusted."""
    trust = artifact.manifest.get("trustworthiness")
    method = str(artifact.manifest.get("method", ""))
    if not trust:
        return f"Laid out by {method}."
    return (
        f"Laid out by {method}; trustworthiness {number(trust['value'], 3)} at "
        f"{trust['neighbours']} neighbours (1: every neighbour on the map is one in the "
        f"embedding; n = {trust['n']:,})."
    )
