"""Guards and the Pareto front: what one metric, or group of metrics, costs another."""

import plotly.graph_objects as go
import streamlit as st

from lab.advice.proposing.advise import Advice
from lab.ui.components import empty, table
from lab.ui.figures import GREY, blank, draw, ink, palette
from lab.ui.text import figure_text, label


def show_guards(advice: Advice) -> None:
    """What the proposal does to every guarded metric."""
    if advice.guards.is_empty():
        with empty("No guard was asked for."):
            st.caption(
                "Under *What to ask for* choose metrics that may not get worse than under the "
                "natural mixture, each with an epsilon; in the terminal `--guard METRIC=EPSILON`."
            )
        return
    for words in advice.trade:
        st.markdown(label(words))
    draw(
        guards_figure(advice), "guards_figure",
        "How much worse every guarded metric gets, with interval, against its epsilon",
    )  # fmt: skip
    table(
        advice.guards, key="guards", alt="Guards: change for the worse, odds of keeping, price",
        column_config={"p_met": st.column_config.NumberColumn(format="percent")},
    )  # fmt: skip
    st.caption(
        "met judges by the fit; p_met are the odds that the truth keeps it: a guard that binds is "
        "kept about every other time, a smaller epsilon buys certainty. price is what the target "
        "would gain for one unit more of epsilon."
    )


def guards_figure(advice: Advice) -> go.Figure:
    """A dot with its interval a guard, and its epsilon as a tick."""
    rows = advice.guards
    names = [figure_text(name) for name in rows["metric"]]
    figure = blank(100 + 34 * rows.height, x="worse than natural; left is better")
    figure.add_scatter(
        x=rows["worse"].to_list(), y=names, mode="markers", name="proposal",
        marker={"size": 10, "color": palette()[0]},
        error_x={"type": "data", "symmetric": False, "color": GREY,
                 "array": (rows["high"] - rows["worse"]).to_list(),
                 "arrayminus": (rows["worse"] - rows["low"]).to_list()},
        hovertemplate="%{y}: %{x:.4f}",
    )  # fmt: skip
    figure.add_scatter(
        x=rows["epsilon"].to_list(), y=names, mode="markers", name="epsilon: not beyond",
        marker={"symbol": "line-ns-open", "size": 18, "color": ink(), "line": {"width": 2.5}},
        hovertemplate="%{y}: %{x:.4f}",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    return figure


def show_front(advice: Advice) -> None:
    """The Pareto front between groups of metrics."""
    if advice.front.is_empty():
        with empty("No front was asked for."):
            st.caption(
                "Under *What to ask for* switch on what two groups of metrics cost each other; in "
                "the terminal `--group NAME=METRIC,METRIC`, twice."
            )
        return
    groups = list(advice.asked.groups)
    if len(groups) == 2:
        draw(
            front_figure(advice, *groups), "front_figure",
            "Gain of one group of metrics against that of the other, with intervals",
        )  # fmt: skip
    shares = dict.fromkeys(advice.weights, st.column_config.NumberColumn(format="percent"))
    table(advice.front, key="front", alt="Points of the Pareto front with gains and weights",
          column_config=shares)  # fmt: skip
    st.caption(
        "Gains over the natural mixture, each group the mean of its metrics in units of their "
        "spread over the runs; positive is better. Points whose intervals overlap are not told "
        "apart by these runs."
    )


def front_figure(advice: Advice, first: str, second: str) -> go.Figure:
    """Gains of two groups, from all weight on one to all on the other."""
    rows = advice.front
    figure = blank(420, x=figure_text(f"gain of {first}"), y=figure_text(f"gain of {second}"))
    bars = {
        axis: {"type": "data", "symmetric": False, "color": GREY, "thickness": 1,
               "array": (rows[f"high_{name}"] - rows[f"gain_{name}"]).to_list(),
               "arrayminus": (rows[f"gain_{name}"] - rows[f"low_{name}"]).to_list()}
        for axis, name in (("error_x", first), ("error_y", second))
    }  # fmt: skip
    figure.add_scatter(
        x=rows[f"gain_{first}"].to_list(), y=rows[f"gain_{second}"].to_list(), **bars,
        mode="lines+markers", name="front", line={"color": palette()[0]}, marker={"size": 9},
        text=[f"{weight:.0%} on {figure_text(first)}" for weight in rows[f"weight_{first}"]],
        hovertemplate="%{text}: %{x:.2f}, %{y:.2f}",
    )  # fmt: skip
    figure.add_scatter(
        x=[0], y=[0], mode="markers", name="natural",
        marker={"symbol": "square", "size": 11, "color": palette()[3]},
    )  # fmt: skip
    return figure
