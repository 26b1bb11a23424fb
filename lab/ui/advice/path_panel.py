"""The proposal for other distances from the natural mixture: weights and gain along the KL path."""

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from lab.advice.proposing.advise import Advice
from lab.core.workspace import Workspace
from lab.ui.components import table
from lab.ui.figures import DASHES, GREY, blank, draw, ink, palette, source_colours
from lab.ui.formats import number
from lab.ui.text import figure_text

STEPS = "weight of KL to the natural mixture"


def show_path(ws: Workspace, advice: Advice) -> None:
    """Weights and gain for each weight of KL, as figures and as a table."""
    st.caption(
        "Left: close to what the runs alone like best. Right: close to the natural mixture. Where "
        "the weights jump and the gain does not, the runs do not tell the mixtures apart. The line "
        f"is the proposal above, at {number(advice.kl, 3)}."
    )
    left, right = st.columns(2)
    with left:
        draw(shares_figure(ws, advice), "path_shares", "Proposed weight of each source by KL")
    with right:
        draw(gain_figure(advice), "path_gain", "Predicted gain over natural by KL, with interval")
    shares = dict.fromkeys(
        [*advice.weights, "p_better"], st.column_config.NumberColumn(format="percent")
    )
    first = ["kl", "gain", "gain_low", "gain_high", "p_better", "distance", "divergence"]
    frame = advice.path.select(*first, *advice.weights)
    table(frame, key="kl_path", alt="Proposal, gain and odds for each KL weight",
          column_config=shares)  # fmt: skip


def steps_of(path: pl.DataFrame) -> list[str]:
    """KL weights as evenly spaced steps: zero has no place on a logarithmic axis."""
    return [f"{kl:g}" for kl in path["kl"]]


def shares_figure(ws: Workspace, advice: Advice) -> go.Figure:
    """A line per source."""
    paint, steps = source_colours(ws), steps_of(advice.path)
    figure = blank(360, x=STEPS, y="share of training tokens, %")
    for k, name in enumerate(advice.weights):
        figure.add_scatter(
            x=steps, y=[100 * share for share in advice.path[name]], name=figure_text(name),
            mode="lines", hovertemplate="KL %{x}: %{y:.1f} %",
            line={"color": paint.get(name, GREY), "width": 2, "dash": DASHES[k % len(DASHES)]},
        )  # fmt: skip
    return marked(figure, advice)


def gain_figure(advice: Advice) -> go.Figure:
    """Gain with its interval, and zero."""
    path = advice.path
    figure = blank(360, x=STEPS, y="gain over natural")
    figure.add_scatter(
        x=steps_of(path), y=path["gain"].to_list(), mode="lines+markers", showlegend=False,
        line={"color": palette()[0]}, marker={"size": 8},
        error_y={"type": "data", "symmetric": False, "color": GREY,
                 "array": (path["gain_high"] - path["gain"]).to_list(),
                 "arrayminus": (path["gain"] - path["gain_low"]).to_list()},
        hovertemplate="KL %{x}: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    return marked(figure, advice)


def marked(figure: go.Figure, advice: Advice) -> go.Figure:
    """The figure with a line at the weight that was asked for."""
    steps = steps_of(advice.path)
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=steps)
    if f"{advice.kl:g}" in steps:
        figure.add_vline(x=steps.index(f"{advice.kl:g}"), line={"color": ink(), "width": 1.5,
                                                              "dash": "dash"})  # fmt: skip
    return figure
