"""The distribution of one signal over the documents of a source, and where a rule cuts it.

Values beyond the half and the 99.5th percentile are counted in the end bins, so one monstrous
document does not squeeze the rest into one bar; the page says so. A signal whose values are positive
and spread over more than two decades is drawn on a logarithmic axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lab.ui.cuts import Bounds
from lab.ui.figures import GREY, add_cut, blank
from lab.ui.formats import number

BINS = 60
DECADES = 100.0  # ratio of the domain's ends from which the axis is logarithmic


@dataclass(frozen=True, slots=True)
class Distribution:
    """`edges` [bins + 1]; `all` and `kept` [bins], documents or tokens; `log` for the axis."""

    edges: NDArray[np.float64]
    all: NDArray[np.float64]
    kept: NDArray[np.float64]
    log: bool


def domain(values: NDArray[np.float64], cuts: Sequence[float | None]) -> tuple[float, float]:
    """The interval that is drawn: where nearly all values lie, and every cut that lies in the data."""
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(q) for q in np.quantile(values, (0.005, 0.995)))
    least, most = float(values.min()), float(values.max())
    inside = [cut for cut in cuts if cut is not None and least <= cut <= most]
    low, high = min([low, *inside]), max([high, *inside])
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def distribution(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    kept: NDArray[np.bool_],
    cuts: Sequence[float | None],
) -> Distribution:
    """Histogram of `values` [docs], each counted `weights`, and of those that are `kept`."""
    low, high = domain(values, cuts)
    log = low > 0 and high / low > DECADES
    whole = values.size > 0 and bool(np.all(values == np.round(values))) and high - low <= BINS
    if log:
        edges = np.geomspace(low, high, BINS + 1)
    elif whole:
        edges = np.arange(np.floor(low) - 0.5, np.ceil(high) + 1.0)
    else:
        edges = np.linspace(low, high, BINS + 1)
    inside = np.clip(values, edges[0], edges[-1])
    everything, _ = np.histogram(inside, edges, weights=weights)
    left, _ = np.histogram(inside[kept], edges, weights=weights[kept])
    return Distribution(edges, everything, left, log)


def histogram(found: Distribution, bounds: Bounds, colour: str, x: str, unit: str) -> go.Figure:
    """Grey: all documents; coloured: those the recipe keeps; dashed: the thresholds."""
    figure = blank(300, x=x, y=unit)
    for name, heights, paint, opacity in (
        ("all", found.all, GREY, 0.45),
        ("kept by all rules", found.kept, colour, 0.9),
    ):
        figure.add_scatter(
            x=found.edges, y=np.append(heights, heights[-1:]), name=name, mode="lines",
            line={"shape": "hv", "width": 1, "color": paint}, fill="tozeroy",
            fillcolor=paint, opacity=opacity, hovertemplate="%{x:.4g}: %{y:,.0f}",
        )  # fmt: skip
    for bound, word in zip(bounds, ("min", "max"), strict=True):
        if bound is not None and found.edges[0] <= bound <= found.edges[-1]:
            at = float(np.log10(bound)) if found.log else bound
            add_cut(figure, at, f"{word} {number(bound)}")
    figure.update_xaxes(type="log" if found.log else "linear")
    figure.update_layout(hovermode="x unified")
    return figure
