"""What the proposal does to every metric, and how well the laws predict each."""

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice
from lab.core.engine import cores
from lab.core.workspace import Workspace
from lab.ui.advice.evidence import unforeseen_of
from lab.ui.comparison.scores_panel import grey_table
from lab.ui.components import table
from lab.ui.figures import GREY, blank, draw, ink, palette
from lab.ui.formats import duration, plural
from lab.ui.job_panel import start
from lab.ui.text import figure_text


def show_scores(fit: Fit, advice: Advice) -> None:
    """Gain over natural per metric, as a figure and as a table; what nobody can predict is grey."""
    blind = unforeseen_of(fit)
    if blind:
        st.caption(
            f"Grey: {plural(len(blind), 'metric')} that no law predicts better than the mean of "
            "the runs. What stands there is no forecast, and it is no target unless named."
        )
    draw(
        gain_figure(advice, blind),
        "gain_figure",
        "Predicted gain of the proposal over natural per metric, with its interval",
    )
    frame = advice.scores.with_columns(
        target=pl.col("metric").is_in(list(advice.targets)),
        note=pl.col("metric").replace_strict(blind, default=""),
    )
    first = ["metric", "target", "better", "natural", "proposal", "gain", "gain_low", "gain_high"]
    frame = frame.select(*first, "p_better", pl.exclude(*first, "p_better"))
    grey_table(
        frame,
        frame["metric"].is_in(list(blind)).to_list(),
        key="predicted_scores",
        alt="Predicted score of natural and proposal per metric, with intervals",
        column_config={"p_better": st.column_config.NumberColumn(format="percent")},
    )


def gain_figure(advice: Advice, blind: dict[str, str]) -> go.Figure:
    """Gain per metric, positive is better, with the interval; zero is no change."""
    rows = advice.scores
    colour = [GREY if name in blind else palette()[0] for name in rows["metric"]]
    figure = blank(80 + 24 * rows.height, x="gain over natural; right is better")
    figure.add_scatter(
        x=rows["gain"].to_list(), y=[figure_text(name) for name in rows["metric"]], mode="markers",
        marker={"size": 9, "color": colour}, showlegend=False,
        error_x={"type": "data", "symmetric": False, "color": GREY,
                 "array": (rows["gain_high"] - rows["gain"]).to_list(),
                 "arrayminus": (rows["gain"] - rows["gain_low"]).to_list()},
        hovertemplate="%{y}: %{x:.4f}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": ink(), "width": 1})
    figure.update_yaxes(autorange="reversed")
    return figure


def show_fit(fit: Fit) -> None:
    """Cross-validated scores of each law, the choice marked; laws without skill are grey."""
    st.caption(
        "Each law was judged on runs that it had not seen. skill: 1 is perfect, 0 knows only the "
        "mean, below 0 is worse than that. regret and optimism are in the metric's unit."
    )
    grey_table(
        fit.scores,
        (fit.scores["skill"] <= 0).to_list(),
        key="fit_scores",
        alt="Cross-validated error of each law and metric",
    )


def show_next(ws: Workspace, recipe: str, advice: Advice) -> None:
    """Mixtures worth training next, and the button that trains them."""
    runs = advice.next_runs
    if runs.is_empty():
        st.caption("No run would tell more: every mixture in question has been trained.")
        return
    st.caption(
        "What would tell most about the decision per minute, first the most useful. A run at a "
        "larger size is asked for once more runs at the small one would tell less about the real "
        "run than it does."
    )
    table(runs, key="next_runs", alt="Mixtures worth training next, with size and cost")
    each = runs.group_by("size").agg(pl.col("minutes").sum(), together=pl.len().clip(0, cores()))
    seconds = 60 * float((each["minutes"] / each["together"]).sum())  # size after size
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Train these runs", key="train_next", icon=":material/play_arrow:"):
            start(ws, "sweep", {"recipe": recipe, "next_runs": True})
        st.caption(f"About {duration(seconds)} of training.")
