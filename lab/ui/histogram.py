"""The distribution of one signal over the documents of a source, drawn with the cuts of its rules.

Binning is that of `lab.curation.distribution`: the tails beyond the 0.5th and 99.5th percentile are
counted apart, so one monstrous document does not squeeze the rest into one bar.
"""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from lab.curation.distribution import Histogram
from lab.curation.distribution import histogram as count_bins
from lab.ui.cuts import Bounds
from lab.ui.fallout import Fallout
from lab.ui.figures import GREY, add_cut, blank
from lab.ui.formats import count, number

EVERYTHING, KEPT = "all documents", "kept by all rules"


def bins_of(found: Fallout, signal: str) -> Histogram:
    """The bins of `signal` for all documents and for those that every rule keeps, on one scale."""
    frame = found.frame.select("tokens", signal)
    layers = [
        frame.with_columns(source=pl.lit(EVERYTHING)),
        frame.filter(pl.Series(found.kept)).with_columns(source=pl.lit(KEPT)),
    ]
    return count_bins(pl.concat(layers), signal)


def histogram_figure(
    bins: Histogram, bounds: Bounds, colour: str, axis: str, unit: str
) -> go.Figure:
    """Grey: all documents; coloured: those the recipe keeps; dashed: the thresholds."""
    edges = np.array(bins.edges)
    figure = blank(300, x=axis, y=unit)
    for name, paint, opacity in ((EVERYTHING, GREY, 0.45), (KEPT, colour, 0.9)):
        heights = bins.heights(name, unit) if name in bins.bins["source"] else edges[:-1] * 0
        figure.add_scatter(
            x=edges, y=np.append(heights, heights[-1:]), name=name, mode="lines",
            line={"shape": "hv", "width": 1, "color": paint}, fill="tozeroy",
            fillcolor=paint, opacity=opacity, hovertemplate="%{x:.4g}: %{y:,.0f}",
        )  # fmt: skip
    for bound, word in zip(bounds, ("min", "max"), strict=True):
        if bound is not None and edges[0] <= bound <= edges[-1]:
            at = float(np.log10(bound)) if bins.scale == "log" else bound
            add_cut(figure, at, f"{word} {number(bound)}")
    figure.update_xaxes(type="log" if bins.scale == "log" else "linear")
    # room for the words of the cuts between figure and legend
    figure.update_layout(hovermode="x unified", margin={"t": 60}, legend={"y": 1.16})
    return figure


def tail_words(bins: Histogram) -> str:
    """How many documents lie beyond the drawn range."""
    below, above, _ = bins.outside(EVERYTHING, "documents")
    if below + above == 0:
        return "every document is drawn"
    return f"{count(below)} lie below the drawn range and {count(above)} above it"
