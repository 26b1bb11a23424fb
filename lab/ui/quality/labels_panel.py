"""The labels there are, how they are spread, and how far those who gave them agree."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.ui.columns import whole
from lab.ui.components import empty, table
from lab.ui.figures import blank, colours, draw
from lab.ui.job_panel import start
from lab.ui.quality.found import FILE, LabelSet, agreement_between
from lab.ui.text import figure_text, label


def show_labels(ws: Workspace, sets: Sequence[LabelSet]) -> None:
    """All sets; without any, the three ways to get some."""
    if not sets:
        show_ways()
        return
    offer_world(ws, sets)
    table(
        set_frame(sets),
        key="label_sets",
        alt="Sets of labels: origin, number, mean, sources and how they came about",
        column_config={
            "labels": whole(width=65),
            "documents": whole(width=85),
            "mean": st.column_config.NumberColumn(format="%.2f", width=60),
            "about": st.column_config.TextColumn("how they came about"),
        },
    )
    left, right = st.columns([3, 4], gap="medium")
    with left:
        draw(spread_figure(sets), "label_spread", "Share of each label in every set")
    with right:
        st.subheader("Do those who label agree?", anchor=False)
        show_agreement(agreement_between(sets))
    st.subheader("Labels per source", anchor=False)
    table(source_frame(sets), key="label_sources", alt="Labelled documents per source and set")


def show_ways() -> None:
    """What to do without labels."""
    with empty("No document has been labelled yet."):
        st.markdown(
            "A score is learned from a few hundred labels. There are three ways to get them:\n\n"
            "- **Grade by hand**: read fifty documents and press a key for each.\n"
            "- **Ask a model**: a language model grades some hundred by the same scale.\n"
            "- **Learn a score**: name a file of JSON lines, `id` and `label`."
        )


def offer_world(ws: Workspace, sets: Sequence[LabelSet]) -> None:
    """One click where the sample world's labels lie unused."""
    for found in (s for s in sets if s.origin == FILE):
        with empty("The sample world brings labels that no score was learned from."):
            if st.button("Learn a score from them", key=f"world.{found.name}", type="primary"):
                start(ws, "score", {"name": found.name, "labels": found.spec})


def set_frame(sets: Sequence[LabelSet]) -> pl.DataFrame:
    """One row a set."""
    return pl.DataFrame(
        [
            {
                "name": s.name,
                "origin": s.origin,
                "labels": s.ratings.height,
                "documents": s.ratings["id"].n_unique(),
                "mean": s.ratings["label"].mean(),
                "about": s.about,
            }
            for s in sets
        ],
        infer_schema_length=None,
    )


def source_frame(sets: Sequence[LabelSet]) -> pl.DataFrame:
    """One row a source, one column a set."""
    frames = [
        s.ratings.select(
            pl.col("id").str.split("/").list.first().alias("source"),
            pl.lit(f"{s.name}, {s.origin}").alias("set"),
        )
        for s in sets
    ]
    wide = pl.concat(frames).pivot("set", index="source", values="set", aggregate_function="len")
    return wide.with_columns(pl.exclude("source").fill_null(0)).sort("source")


def spread_figure(sets: Sequence[LabelSet]) -> object:
    """Share of each rounded label, a colour a set."""
    names = [f"{s.name}, {s.origin}" for s in sets]
    paint = colours(names)
    figure = blank(270, x="label", y="share")
    for name, found in zip(names, sets, strict=True):
        counts = found.ratings["label"].round(0).value_counts().sort("label")
        figure.add_bar(
            x=counts["label"], y=counts["count"] / found.ratings.height, name=figure_text(name),
            marker_color=paint[name], hovertemplate="label %{x}: %{y:.1%}",
        )  # fmt: skip
    figure.update_yaxes(tickformat=".0%")
    figure.update_xaxes(dtick=1)
    figure.update_layout(showlegend=True)
    return figure


def show_agreement(found: pl.DataFrame) -> None:
    """Alpha over all, kappa for each pair, with what is usually asked for."""
    if found.is_empty():
        st.caption(
            "No document was labelled by two. *Grade by hand* draws the same documents as *Ask a "
            "model*: grade fifty of them, and how far the two agree is shown here. It bounds what "
            "a score can reach."
        )
        return
    table(
        found.with_columns(pl.col("measure").replace({"alpha": "all (alpha)", "kappa": "pair"})),
        key="agreement",
        alt="Agreement between labellers with intervals",
        column_config={
            name: st.column_config.NumberColumn(format="%.2f", width=60)
            for name in ("value", "low", "high")
        },
    )
    alpha = found.row(0, named=True)
    verdict = "good" if alpha["low"] >= 0.8 else "usable" if alpha["low"] >= 0.667 else "doubtful"
    st.caption(
        f"1 is agreement, 0 chance. Krippendorff's alpha over all, Cohen's kappa with quadratic "
        f"weights for a pair, bootstrap 95 %. By the lower end this is **{label(verdict)}**: .8 "
        "is asked for, .667 for tentative conclusions."
    )
