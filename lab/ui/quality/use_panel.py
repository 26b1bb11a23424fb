"""The score on every document: its distribution, what a cut keeps, and the way to a rule.

The ways to use it are those of `lab.ui.quality.ways`. The page links to the Filters page with the
rule as an unsaved change; it saves nothing itself.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.effect.distribution import histogram
from lab.curation.quality import find_quality
from lab.mixture.recipe import Recipe
from lab.ui.columns import share, whole
from lab.ui.components import empty, link, pick_recipe, table
from lab.ui.figures import DASHES, add_cut, blank, draw, source_colours
from lab.ui.formats import number, percent
from lab.ui.quality.ways import by_sampling, by_share, by_threshold
from lab.ui.tables import attribute_key, attribute_table
from lab.ui.text import figure_text, label

WAYS = ("threshold", "top share", "temperature sampling")


def show_use(ws: Workspace, name: str, head: Artifact, sources: Sequence[str]) -> None:
    """The picture, the cut, the table, the links."""
    scored = [source for source in sources if find_quality(ws, name, source)]
    if not scored:
        with empty("No document has this score yet."):
            st.caption("*Learn a score* with scoring switched on stores it for every document.")
        return
    column = f"quality.{name}"
    frame = pool(ws, scored, column)
    way = st.segmented_control(
        "Use it by", WAYS, default=WAYS[0], key="way", bind="query-params", required=True
    )
    cut: float | None = None
    if way == WAYS[0]:
        rule, table_frame, cut = by_threshold(frame, column, float(head.manifest["threshold"]))
    elif way == WAYS[1]:
        rule, table_frame = by_share(frame, column)
    else:
        rule, table_frame = by_sampling(frame, name, float(head.manifest["label_sd"]))
    left, right = st.columns([3, 4], gap="medium")
    with left:
        show_distribution(ws, frame, column, cut)
    with right:
        show_kept(table_frame)
        signal = rule.partition("=")[0]
        show_links(pick_recipe(ws), scored, signal, rule)


def pool(ws: Workspace, sources: Sequence[str], column: str) -> pl.DataFrame:
    """Columns source, tokens, content_hash, score of the training documents of all sources."""
    keys = [attribute_key(ws, source, [column], default_tokenizer(ws)) for source in sources]
    return cached_pool(ws, tuple(sources), column, " ".join(keys))


@st.cache_resource(max_entries=4, show_spinner=False)
def cached_pool(_ws: Workspace, sources: tuple[str, ...], column: str, key: str) -> pl.DataFrame:
    """The pool for `key`: 40 ms a million documents."""
    frames: list[pl.DataFrame] = [attribute_table(_ws, source, [column]) for source in sources]
    score = pl.col(column).alias("score")
    wanted = ["source", "tokens", "content_hash", score]
    return pl.concat([f.filter(~pl.col("heldout")).select(wanted) for f in frames])


def show_kept(found: pl.DataFrame) -> None:
    """What stays of each source."""
    table(
        found,
        key="score_kept",
        alt="Per source: documents and tokens kept, share of the pool, mean score",
        column_config={
            "source": st.column_config.TextColumn(width=95),
            "documents": whole(width=78),
            "kept": share("kept", width=58),
            "kept_tokens": whole("tokens left", width=80),
            "before": share("of pool", width=58),
            "after": share("after", width=55),
            "mean": st.column_config.NumberColumn("mean", format="%.2f", width=48),
            "kept_mean": st.column_config.NumberColumn("of kept", format="%.2f", width=55),
        },
    )
    moved = found.with_columns(move=pl.col("after") - pl.col("before"))
    up, down = (moved.sort("move", descending=d).row(0, named=True) for d in (True, False))
    if up["move"] > 0.005:
        st.caption(
            f"The pool shifts: {label(up['source'])} from {percent(up['before'])} to "
            f"{percent(up['after'])} of the tokens, {label(down['source'])} from "
            f"{percent(down['before'])} to {percent(down['after'])}. Training documents, before "
            "any other rule."
        )


def show_distribution(ws: Workspace, frame: pl.DataFrame, column: str, cut: float | None) -> None:
    """Share of each source's documents by score; the quantiles beside it in a table."""
    found = histogram(frame.select("source", "tokens", pl.col("score").alias(column)), column, 40)
    colour, edges = source_colours(ws), np.array(found.edges)
    figure = blank(420, x="score", y="share of the source's documents")
    for k, source in enumerate(frame["source"].unique().sort()):
        heights = found.heights(source, "documents")
        figure.add_scatter(
            x=(edges[1:] + edges[:-1]) / 2, y=heights / max(heights.sum(), 1), mode="lines",
            name=figure_text(source), line={"color": colour.get(source), "dash": DASHES[k % 6]},
            hovertemplate="%{x:.2f}: %{y:.1%}",
        )  # fmt: skip
    if cut is not None:
        add_cut(figure, cut, f"keep from {number(cut, 3)}")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    draw(figure, "score_distribution", "Distribution of the score in every source")
    with st.expander("The distribution as a table"):
        marks = [
            pl.col("score").quantile(q).alias(f"{100 * q:.0f} %")
            for q in (0.1, 0.25, 0.5, 0.75, 0.9)
        ]
        table(
            frame.group_by("source").agg(pl.len().alias("documents"), *marks).sort("source"),
            key="score_quantiles", alt="Quantiles of the score per source",
        )  # fmt: skip


def show_links(recipe: Recipe | None, scored: Sequence[str], signal: str, rule: str) -> None:
    """The Filters page with the rule as an unsaved change, for every source of the recipe."""
    if recipe is None:
        st.caption("With a recipe, the rule can be opened on the Filters page.")
        return
    names = [source for source in recipe.sources if source in scored]
    if not names:
        st.caption("No source of the recipe has this score.")
        return
    draft = "; ".join(f"{source} {rule}" for source in names)
    link(
        "filters", f"Open as a rule of {recipe.name}", recipe=recipe.name, source=names[0],
        signal=signal, **{f"cuts.{recipe.name}": draft},
    )  # fmt: skip
    st.caption("Nothing is saved by the link: the Filters page shows what the rule takes first.")
