"""The table of clusters, whose ticked rows are the selection, and which sources they belong to.

A tick writes `cluster=` into the line of the page, as a lasso writes `area=`; what is done with a
selection is the same for both. A lasso counts what it took of each cluster and nothing else.
"""

import numpy as np
import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.curation.selections.points import Points
from lab.curation.selections.polygon import Mask
from lab.curation.selections.predicate import Predicate
from lab.diversity.layout.table import clearest
from lab.mixture.recipe import Recipe
from lab.ui.columns import share, whole
from lab.ui.components import table
from lab.ui.formats import count
from lab.ui.map import line
from lab.ui.map.held import numeric_columns
from lab.ui.map.known import Known, known_of
from lab.ui.signal_words import signal_words
from lab.ui.text import label, show_plain

MEANS, MOST_MEANS = "means", 6
CLEAREST = 12  # pairs of cluster and source that are shown where no cluster is ticked


def show_clusters(
    ws: Workspace,
    artifact: Artifact,
    points: Points,
    mask: Mask,
    predicate: Predicate,
    recipe: Recipe | None,
) -> None:
    """Both tables and the choice of signals."""
    st.subheader("Clusters", anchor=False)
    means = pick_means(ws, points)
    known = known_of(ws, artifact, points, recipe, means)
    show_table(points, with_selected(known.table, points, mask), predicate, means)
    st.caption(
        "Ticked rows are the selection, together with what else its line says. Tokens are those on "
        "the map, scaled up to their sources. Kept is of the documents that "
        f"{label(recipe.name) if recipe else 'a recipe'} judges; copies have an exact or near copy "
        "in the workspace; unclear lie between two clusters."
    )
    show_missing(known)
    show_sources(points, known.odds, predicate)


def pick_means(ws: Workspace, points: Points) -> tuple[str, ...]:
    """The columns whose means are in the table: first scores of quality and perplexity."""
    columns = numeric_columns(ws, points)
    if not columns:
        return ()
    first = [c for c in columns if c.startswith("quality.") or "perplexity" in c] or columns
    picked = st.multiselect(
        "Means of", columns, default=first[:2], key=MEANS, bind="query-params",
        max_selections=MOST_MEANS, format_func=signal_words, placeholder="no signal",
    )  # fmt: skip
    return tuple(picked)


def with_selected(known: pl.DataFrame, points: Points, mask: Mask) -> pl.DataFrame:
    """The table with the share of each cluster that is selected, the largest cluster first."""
    taken = np.bincount(points.cluster[mask], minlength=len(points.labels))
    selected = pl.Series(taken)[known["cluster"]] / known["documents"]
    return known.with_columns(selected=selected).sort("documents", descending=True)


def show_table(
    points: Points, frame: pl.DataFrame, predicate: Predicate, means: tuple[str, ...]
) -> None:
    """The table; drawn anew when the clusters of the line change elsewhere, with these ticked."""
    numbers = frame["cluster"].to_list()
    ticked = [numbers.index(k) for k in predicate.clusters if k in numbers]
    key = f"clusters.{points.short}.{'_'.join(map(str, sorted(predicate.clusters)))}"

    def picked() -> None:
        rows = st.session_state[key].selection.rows
        line.change(points, clusters=tuple(sorted(numbers[row] for row in rows)))

    columns = ["cluster", "label", "documents", "tokens", "kept", "copies", "unclear"]
    if predicate.demands:
        columns.insert(3, "selected")
    if "tokens" in frame.columns:
        frame = frame.with_columns(pl.col("tokens").round(0).cast(pl.Int64))
    table(
        frame.select(*(c for c in columns if c in frame.columns), *means),
        key=key, alt="Clusters with their words, size, selected share and what is known of them",
        on_select=picked, selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
        column_config={
            "cluster": st.column_config.NumberColumn("number", width=64),
            "label": st.column_config.TextColumn("words that mark it", width=215),
            "documents": whole(width=90), "selected": share(width=75),
            "tokens": whole("tokens, about", width=105),
            "kept": share(width=70), "copies": share(width=70), "unclear": share(width=70),
        } | {name: mean_column(name) for name in means},
    )  # fmt: skip


def mean_column(name: str) -> ColumnConfig:
    """A mean of a signal, named as the signal."""
    words = signal_words(name).partition(" [")[0]
    return st.column_config.NumberColumn(f"mean {words}", format="%.4g", width=125)


def show_missing(known: Known) -> None:
    """What would fill the columns that are not there, and about how long that takes."""
    steps = {
        "tokens": "tokens: `mixlab measure`, some minutes",
        "copies": "copies: `mixlab dedup`, a minute for 100,000 documents",
    }
    missing = [words for name, words in steps.items() if name not in known.table.columns]
    if missing:
        st.caption("Not known yet:")
        show_plain("\n".join(missing))
    if known.problem:
        with st.expander("Why there is no share that is kept"):
            show_plain(known.problem)


def show_sources(points: Points, odds: pl.DataFrame, predicate: Predicate) -> None:
    """Over- and under-representation: of the ticked clusters, else where it is clearest."""
    st.subheader("Which sources they belong to", anchor=False)
    if len(points.sources) < 2:
        st.caption("There is one source on the map, and nothing to compare it with.")
        return
    ticked = [k for k in predicate.clusters if k < len(points.labels)]
    found = odds.filter(pl.col("cluster").is_in(ticked)) if ticked else clearest(odds)
    if found.is_empty():
        st.caption(
            "No source is resolved as more or less common in any cluster than the others are; tick "
            "a cluster to see its sources."
        )
        return
    table(
        in_words(points, found if ticked else found.head(CLEAREST)), key="cluster_sources",
        alt="Odds of each source in a cluster against the other sources, with interval",
        column_config={
            "cluster": st.column_config.NumberColumn("number", width=64),
            "words": st.column_config.TextColumn("words that mark it", width=200),
            "documents": whole(width=90),
            "share": share("of the source", width=95),
            "reading": st.column_config.TextColumn("against the others", width=125),
        } | {c: st.column_config.NumberColumn(format="%.3g", width=75) for c in ODDS},
    )  # fmt: skip
    st.caption(
        "Odds that a document of the source lies in the cluster, over the odds for the other "
        "sources on the map, with a 95 % interval; 1 is as common as elsewhere, and beyond "
        f"{MOST:,.0f} to one either way is shown as that. "
        + (
            "Of the ticked clusters."
            if ticked
            else f"The clearest {count(min(CLEAREST, found.height))} of {count(found.height)} that "
            "are resolved; tick a cluster to see all its sources."
        )
    )


ODDS = ("odds", "low", "high")
MOST = 1000.0  # odds beyond: the cluster is as good as the source's own


def in_words(points: Points, odds: pl.DataFrame) -> pl.DataFrame:
    """Rows of odds with names, ratios in place of logarithms, and what they say."""
    over, under = pl.col("low") > 0, pl.col("high") < 0
    return odds.select(
        "cluster",
        words=pl.Series([points.labels[k] for k in odds["cluster"]], dtype=pl.String),
        source=pl.Series([points.sources[k] for k in odds["source"]], dtype=pl.String),
        reading=pl.when(over)
        .then(pl.lit("more common"))
        .when(under)
        .then(pl.lit("less common"))
        .otherwise(pl.lit("unresolved")),
        documents="documents",
        share="share",
        odds=pl.col("log_odds").exp().clip(1 / MOST, MOST),
        low=pl.col("low").exp().clip(1 / MOST, MOST),
        high=pl.col("high").exp().clip(1 / MOST, MOST),
    )
