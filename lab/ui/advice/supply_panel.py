"""What the proposal does to the supply: epochs, and what the repeated tokens are worth."""

import plotly.graph_objects as go
import streamlit as st

from lab.advice.proposing.advise import Advice
from lab.core.workspace import Workspace
from lab.ui.components import empty, table
from lab.ui.figures import GREY, blank, draw, source_colours
from lab.ui.formats import compact, percent
from lab.ui.text import figure_text, label


def show_supply(ws: Workspace, advice: Advice) -> None:
    """Trained and effective tokens of every source, with epochs."""
    rows = advice.supply
    if rows.is_empty():
        with empty("This advice does not know the supply."):
            st.caption("It was made by the loop or an older version: fit the runs and advise anew.")
        return
    worth, most = float(rows["effective_share"].sum()), float(rows["epochs"].to_numpy().max())
    st.markdown(
        f"Of the tokens that the proposal trains on, {label(percent(worth))} count as fresh text; "
        f"the most repeated source is seen {label(compact(most))} times."
    )
    draw(
        supply_figure(ws, advice), "supply_figure",
        "Share of every source as trained, and what of it counts as fresh text",
    )  # fmt: skip
    shares = ("share", "effective_share", "value", "cap")
    table(
        rows, key="supply", alt="Share, epochs, effective tokens and cap of every source",
        column_config={
            **{name: st.column_config.NumberColumn(format="percent") for name in shares},
            **{name: st.column_config.NumberColumn(format="compact")
               for name in ("unique_tokens", "effective_tokens")},
            "epochs": st.column_config.NumberColumn(format="%.2f"),
        },
    )  # fmt: skip
    st.caption(
        "Effective tokens after arXiv:2305.16264, fitted on repetition of a whole English web "
        "corpus; inside a mixture a scarce source bears more, beyond 40 epochs less."
    )


def supply_figure(ws: Workspace, advice: Advice) -> go.Figure:
    """Two bars a source: trained in grey, effective in its colour, labelled with its epochs."""
    rows, paint = advice.supply, source_colours(ws)
    names = [figure_text(name) for name in rows["source"]]
    figure = blank(90 + 40 * rows.height, x="share of training tokens, %")
    figure.add_bar(
        y=names, x=[100 * v for v in rows["share"]], orientation="h", name="trained",
        marker_color=GREY, hovertemplate="%{y}: %{x:.1f} %",
        text=[f"{epochs:.1f} epochs" if epochs else "" for epochs in rows["epochs"]],
        textposition="outside", cliponaxis=False,
    )  # fmt: skip
    figure.add_bar(
        y=names, x=[100 * v for v in rows["effective_share"]], orientation="h", name="effective",
        marker_color=[paint.get(name, GREY) for name in rows["source"]],
        hovertemplate="%{y}: %{x:.1f} %",
    )  # fmt: skip
    figure.update_layout(margin={"r": 72})
    figure.update_yaxes(autorange="reversed")
    return figure
