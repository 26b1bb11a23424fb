"""The proposal: every weight with its interval, and the way to an ordinary recipe."""

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from lab.advice.cheap.answers import FirstAnswer
from lab.advice.design.swarm import with_weights
from lab.advice.proposing.advise import Advice
from lab.advice.stored import require_sources, save_proposed
from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.mixture.parsing import parse_name
from lab.mixture.recipe import Recipe
from lab.ui.components import table
from lab.ui.figures import GREY, blank, draw, source_colours
from lab.ui.formats import number
from lab.ui.text import figure_text, show_plain

MESSAGE = "advice_message"


def show_proposal(ws: Workspace, advice: Advice) -> None:
    """Every weight with its interval, beside the natural one."""
    picture, beside = st.columns([3, 2], vertical_alignment="center")
    with picture:
        draw(
            proposal_figure(ws, advice),
            "proposal_figure",
            "Proposed weight of each source with its interval, beside the natural weight",
        )
    with beside:
        weights_table(advice, "proposal")
    near, apart = advice.distances.get("proposal"), advice.distances.get("runs")
    st.caption(
        f"The proposal lies {number(near, 2)} in total variation from the nearest run; runs lie "
        f"{number(apart, 2)} from each other. Further than that is extrapolation. Odds are those "
        "of the law being right, at this model size."
    )


def weights_table(told: Advice | FirstAnswer, key: str) -> None:
    """Natural and proposed weight of every source, with interval and cap."""
    rows = [
        {
            "source": name,
            "natural": told.natural[name],
            "proposed": weight.value,
            "low": weight.low,
            "high": weight.high,
            "cap": told.caps[name],
        }
        for name, weight in told.weights.items()
    ]
    shares = ("natural", "proposed", "low", "high", "cap")
    table(
        pl.DataFrame(rows),
        key=key,
        alt="Natural and proposed weight of each source, with interval and cap",
        column_config={name: st.column_config.NumberColumn(format="percent") for name in shares},
    )


def proposal_figure(ws: Workspace, advice: Advice) -> go.Figure:
    """Dots with intervals for the proposal, ticks for the natural weights."""
    names = list(advice.weights)
    paint = source_colours(ws)
    shown = [figure_text(name) for name in names]
    values = [advice.weights[name] for name in names]
    figure = blank(90 + 30 * len(names), x="share of training tokens, %")
    figure.add_scatter(
        x=[100 * advice.natural[n] for n in names], y=shown, mode="markers", name="natural",
        marker={"symbol": "line-ns-open", "size": 14, "color": GREY, "line": {"width": 3}},
        hovertemplate="%{y}: %{x:.1f} %",
    )  # fmt: skip
    figure.add_scatter(
        x=[100 * v.value for v in values], y=shown, mode="markers", name="proposed",
        marker={"size": 10, "color": [paint.get(n, GREY) for n in names]},
        error_x={"type": "data", "symmetric": False, "color": GREY,
                 "array": [100 * (v.high - v.value) for v in values],
                 "arrayminus": [100 * (v.value - v.low) for v in values]},
        hovertemplate="%{y}: %{x:.1f} %",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    return figure


def save_proposal(ws: Workspace, recipe: Recipe, advice: Advice) -> None:
    """Name the proposal and save it as a recipe with the chosen recipe's other decisions."""
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)
    key = f"advice_name.{recipe.name}"
    st.session_state.setdefault(key, f"{recipe.name}-advised")

    def save() -> None:
        try:
            name = parse_name(str(st.session_state[key]).strip(), "the name")
            require_sources(recipe, [s for s, weight in advice.proposal.items() if weight > 0])
            weights = {s: advice.proposal.get(s, 0.0) for s in recipe.sources}
            path = save_proposed(ws, with_weights(recipe, name, weights))
        except LabError as error:
            st.session_state[MESSAGE] = str(error)
            return
        st.session_state["recipe"] = name
        st.session_state[MESSAGE] = f"Saved {path.name}."

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Save the proposal as recipe", key=key, width=280)
        st.button("Save", key="save_advice", type="primary", icon=":material/save:", on_click=save)
