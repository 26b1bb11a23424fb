"""One picture: what was predicted of runs not seen before, and what they scored."""

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from lab.advice.fitting.fit import Fit
from lab.advice.fitting.predict import LEVEL
from lab.advice.proposing.advise import Advice
from lab.advice.proposing.outcomes import FITTED, NEW, outcomes, widths
from lab.advice.proposing.validation import Validation
from lab.core.workspace import Workspace
from lab.ui.advice.evidence import unforeseen_of
from lab.ui.comparison.results import stamp
from lab.ui.components import table
from lab.ui.figures import GREY, blank, draw, ink, palette
from lab.ui.formats import percent
from lab.ui.state import forget_unknown
from lab.ui.text import figure_text, label

KINDS = {  # symbol and place in the palette; shape and words say what colour says
    FITTED: ("circle-open", None),
    NEW: ("diamond", 0),
    "proposal": ("star", 1),
    "natural": ("square", 3),
    "uniform": ("triangle-up", 4),
}
OTHERS = ("x", 2)  # further mixtures of a validation


def show_outcomes(ws: Workspace, fit: Fit, advice: Advice, validation: Validation | None) -> None:
    """Predicted against measured for one metric, and the same as a table."""
    metrics = list(fit.metrics)
    forget_unknown("outcome_metric", metrics)
    first = next((name for name in advice.targets if name in metrics), metrics[0])
    metric = str(st.selectbox("Metric", metrics, index=metrics.index(first), key="outcome_metric",
                              bind="query-params"))  # fmt: skip
    if metric in unforeseen_of(fit):
        st.caption("No law predicts this metric better than its mean: expect a cloud, not a line.")
    frame = found(ws, fit, advice, validation).filter(pl.col("metric") == metric).drop("metric")
    half, _ = widths(fit)[metrics.index(metric)]
    draw(
        outcomes_figure(frame, half),
        "outcomes_figure",
        "Predicted against measured score of runs that the prediction had not seen",
    )
    st.caption(
        f"Every point is a run that its prediction had not seen: circles were predicted without "
        f"their fold, all others came after the fit. Dotted lines hold {percent(LEVEL, 0)} of new "
        "runs. Points on the line were predicted exactly."
    )
    if validation is not None:
        st.caption(
            f"Levels differ between sizes, so the points of {label(validation.size)} are moved "
            "together until their mean lies on the line; only their order counts. The table has "
            "them as measured."
        )
    frame = frame.sort(pl.col("kind") == FITTED, maintain_order=True)
    table(frame, key="outcomes", alt="Predicted and measured score of every run, with intervals")


def found(ws: Workspace, fit: Fit, advice: Advice, validation: Validation | None) -> pl.DataFrame:
    """The points, read once while neither runs nor advice change."""
    key = f"{stamp(ws)} {hash((fit.runs, fit.metrics, tuple(advice.proposal.items())))}"
    size = validation.size if validation else ""
    return cached_outcomes(ws, fit, advice, validation, f"{key} {size}")


@st.cache_resource(max_entries=8, show_spinner="Reading scores of the runs")
def cached_outcomes(
    _ws: Workspace, _fit: Fit, _advice: Advice, _validation: Validation | None, key: str
) -> pl.DataFrame:
    """The points for `key`."""
    return outcomes(_ws, _fit, _advice, _validation)


def outcomes_figure(frame: pl.DataFrame, half: float) -> go.Figure:
    """Points by kind, the line of equality and the interval of a new run."""
    own, other = frame.filter(pl.col("size") == ""), frame.filter(pl.col("size") != "")
    if other.height:
        shift = (pl.col("predicted") - pl.col("measured")).mean()
        other = other.with_columns(pl.col("measured") + shift)
    figure = blank(460, x="predicted", y="measured")
    everything = pl.concat([own, other])
    both = [*everything["predicted"], *everything["measured"]]
    ends = [min(both), max(both)]
    figure.add_scatter(x=ends, y=ends, mode="lines", name="equal", hoverinfo="skip",
                       line={"color": ink(), "width": 1}, showlegend=False)  # fmt: skip
    for sign in (-1, 1):
        figure.add_scatter(
            x=ends, y=[end + sign * half for end in ends], mode="lines", hoverinfo="skip",
            line={"color": GREY, "width": 1, "dash": "dot"}, showlegend=False,
        )  # fmt: skip
    for part, more in ((own, ""), (other, None)):
        for kind in part["kind"].unique(maintain_order=True):
            rows = part.filter(pl.col("kind") == kind)
            size = rows["size"][0]
            add_points(figure, rows, kind, f"{kind}, {size}" if more is None else kind)
    return figure


def add_points(figure: go.Figure, rows: pl.DataFrame, kind: str, name: str) -> None:
    """The points of one kind."""
    symbol, place = KINDS.get(kind, OTHERS)
    if rows["size"][0]:
        symbol += "-open"
    figure.add_scatter(
        x=rows["predicted"].to_list(), y=rows["measured"].to_list(), mode="markers",
        name=figure_text(name), text=[figure_text(run) for run in rows["run"]],
        marker={"symbol": symbol, "size": 8 if kind == FITTED else 12,
                "color": GREY if place is None else palette()[place],
                "line": {"width": 1.5 if kind == FITTED else 0.5}},
        hovertemplate="%{text}: predicted %{x:.4f}, measured %{y:.4f}",
    )  # fmt: skip
