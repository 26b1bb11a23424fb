"""Which sources hold the same text: a matrix of every ordered pair, in documents and tokens."""

import math

import polars as pl
import streamlit as st

from lab.ui.columns import share, whole
from lab.ui.components import table
from lab.ui.duplicates import effect
from lab.ui.figures import blank, dark, draw
from lab.ui.formats import compact, count, percent
from lab.ui.text import figure_text

UNITS = ["tokens", "documents"]


def show_overlap(held: pl.DataFrame, sums: pl.DataFrame) -> None:
    """The matrix as a heat map beside its table."""
    cells = effect.shared(held, sums)
    if not cells["documents"].sum():
        st.caption("No text of a source has a copy, in its own source or another, at this setting.")
        return
    unit = st.segmented_control(
        "Numbers in", UNITS, default="tokens", key="overlap_unit", bind="query-params",
        required=True,
    )  # fmt: skip
    left, right = st.columns([5, 4], gap="medium")
    with left:
        draw(heat_map(cells, str(unit)), "overlap", "Share of each source's tokens held by others")
        st.caption(
            "Row: whose text. Column: who has a copy of it. Colour: share of the row's tokens. The "
            "diagonal counts copies inside a source. All copies before any falls, so the order of "
            "sources plays no part here."
        )
    with right:
        found = cells.filter(pl.col("documents") > 0).sort("tokens", "a", "b", descending=True)
        table(found, key="overlap_table", alt="Sources that share text", column_config=COLUMNS)


def heat_map(cells: pl.DataFrame, unit: str) -> object:
    """A square of sources, coloured on a square-root scale so that small shares are seen."""
    names = cells["a"].unique().sort().to_list()
    side = len(names)
    square = [cells[c].to_list() for c in ("share", unit)]
    shares, amounts = ([flat[k : k + side] for k in range(0, len(flat), side)] for flat in square)
    words = [[compact(v) if v else "" for v in row] for row in amounts]
    shown = [figure_text(name) for name in names]
    hover = [
        [
            f"{figure_text(names[i])}: {count(amounts[i][j])} {unit} ({percent(shares[i][j], 2)}) "
            f"have a copy in {figure_text(names[j])}"
            for j in range(side)
        ]
        for i in range(side)
    ]
    figure = blank(120 + 36 * side)
    figure.add_heatmap(
        z=[[math.sqrt(v) for v in row] for row in shares], x=shown, y=shown, zmin=0, zmax=1,
        text=words if side <= 14 else None, texttemplate="%{text}" if side <= 14 else None,
        hovertext=hover, hoverinfo="text", showscale=False, xgap=2, ygap=2,
        colorscale=[[0, "#1b2422" if dark() else "#f1f4f3"], [1, "#3f90da"]],
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(side="top")
    figure.update_layout(margin={"t": 8})
    return figure


COLUMNS = {
    "a": st.column_config.TextColumn("text of", width=95),
    "b": st.column_config.TextColumn("also in", width=95),
    "documents": whole("documents", width=75),
    "tokens": whole("tokens", width=70),
    "share": share(width=55),
}
