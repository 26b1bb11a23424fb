"""Forest plots and tables of differences.

A forest plot shows B - A with its interval: the filled side says who is better, an open grey circle
that the interval holds zero, which is *unresolved* and not "no difference". A cross is a metric
that failed the signal gate: it is shown, and says nothing.
"""

import math
from collections.abc import Collection, Sequence

import plotly.graph_objects as go

from lab.evaluation.comparing.verdicts import Difference
from lab.ui.comparison.choosing import METRICS
from lab.ui.figures import GREY, blank, ink, palette
from lab.ui.formats import signed
from lab.ui.text import figure_text

SYMBOLS = {
    "A better": "triangle-left",
    "B better": "triangle-right",
    "unresolved": "circle-open",
    "fails the gate": "x-thin-open",
}


def forest(rows: Sequence[Difference], a: str, b: str, failed: Collection[str] = ()) -> go.Figure:
    """One line per row, named by what it is measured on; `failed` are the names to grey out."""
    first = rows[0].metric
    better = "below" if first.better_is == "lower" else "above"
    words = "bits per byte" if first.metric == "bpb" else METRICS.get(first.metric, first.metric)
    title = f"{b} minus {a}, {words} ({better} zero: {b} better)"
    figure = blank(90 + 30 * len(rows), x=figure_text(title))
    paint = {"A better": palette()[1], "B better": palette()[0]}
    names = {"A better": f"{a} better", "B better": f"{b} better"}
    for kind, symbol in SYMBOLS.items():
        mine = [row for row in rows if kind_of(row, failed) == kind]
        if not mine:
            continue
        colour = paint.get(kind, GREY)
        low = [finite(r.difference.value - r.difference.low) for r in mine]
        high = [finite(r.difference.high - r.difference.value) for r in mine]
        figure.add_scatter(
            x=[r.difference.value for r in mine], y=[figure_text(r.metric.on) for r in mine],
            mode="markers", name=figure_text(names.get(kind, kind)),
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2}},
            error_x={"type": "data", "array": high, "arrayminus": low, "symmetric": False,
                     "color": colour, "thickness": 2, "width": 5},
            hovertemplate="%{y}: %{x:.4f}",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": ink(), "width": 1})
    order = [figure_text(row.metric.on) for row in rows]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1])
    return figure


def kind_of(row: Difference, failed: Collection[str]) -> str:
    """The key of SYMBOLS."""
    return "fails the gate" if row.metric.on in failed else row.verdict


def finite(half: float) -> float:
    """Half an interval for the figure; an unknown one is not drawn."""
    return half if math.isfinite(half) else 0.0


def interval_words(row: Difference | None, value: bool = False) -> str:
    """The interval, after the value if `value`; a dash where there is none."""
    if row is None:
        return "-"
    low, high = row.difference.low, row.difference.high
    known = math.isfinite(low) and math.isfinite(high)
    bounds = f"{signed(low)} to {signed(high)}" if known else "unknown"
    return f"{signed(row.difference.value)} ({bounds})" if value else bounds


def verdict_words(row: Difference, a: str, b: str) -> str:
    """The verdict with the recipe's name."""
    return {"A better": f"{a} better", "B better": f"{b} better"}.get(row.verdict, row.verdict)


def takeaway(rows: Sequence[Difference], a: str, b: str) -> str:
    """A figure's words for readers who cannot see it."""
    said = ", ".join(f"{row.metric.on} {verdict_words(row, a, b)}" for row in rows)
    return f"Differences of {b} minus {a} with 95 percent intervals: {said}"
