"""Figures with one look: quiet axes, direct labels, a colour per source that never changes.

Colours come from Petroff 2021 (arXiv:2107.02270), ten that stay apart for readers with any kind of
colour blindness, darkened where white paper asks for contrast and lightened for the dark theme.
What colour says is said again by a label, a dash or a shape, and every figure stands beside a
table. Beyond ten sources the rest share a grey. Figures are built anew on every run: a cached one
would be copied by pickle, and the copy loses its selection (engineering reference 2.3).
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from lab.core.workspace import Workspace
from lab.ui.text import figure_text

LIGHT = (
    "#3f90da", "#c97a00", "#5f7f7b", "#832db6", "#2f9bb5",
    "#8a5a4b", "#8c8446", "#5d6470", "#d45f00", "#bd1f01",
)  # fmt: skip
DARK = (
    "#5aa9ef", "#ffa90e", "#94b4b0", "#b97be0", "#7fd3ea",
    "#c88a78", "#c9bd7a", "#9aa3b0", "#f58b3c", "#f0624a",
)  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GREY = "#9aa5a2"
CONFIG = {"displayModeBar": False, "displaylogo": False}


def dark() -> bool:
    """True if the visitor's theme is dark."""
    return st.context.theme.type == "dark"


def palette() -> tuple[str, ...]:
    """The ten colours for the visitor's theme."""
    return DARK if dark() else LIGHT


def ink() -> str:
    """Colour of text and lines that must be read."""
    return "#e3e9e7" if dark() else "#1c2422"


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour per name, in the order given; names beyond the palette share a grey."""
    known = palette()
    return {name: known[i] if i < len(known) else GREY for i, name in enumerate(names)}


def source_colours(ws: Workspace) -> dict[str, str]:
    """The colour of every source of the workspace, the same on all pages."""
    return colours(sorted(path.parent.name for path in ws.sources.glob("*/source.yaml")))


def blank(height: int, x: str = "", y: str = "") -> go.Figure:
    """An empty figure with the house's margins, axes and legend."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 36, "b": 8},
        legend={"orientation": "h", "y": 1.06, "yanchor": "bottom", "x": 0, "title": None},
        hoverlabel={"align": "left"},
        bargap=0.25,
        xaxis={"title": x, "automargin": True, "zeroline": False},
        yaxis={"title": y, "automargin": True, "zeroline": False},
    )
    return figure


def draw(figure: go.Figure, key: str, alt: str, **options: Any) -> Any:
    """Show a figure; `alt` states the takeaway for readers who cannot see it."""
    return st.plotly_chart(figure, key=key, alt=alt, config=CONFIG, **options)


def bars(
    names: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    colour: dict[str, str],
    *,
    x: str,
) -> go.Figure:
    """Horizontal bars, one per name, labelled directly."""
    figure = blank(54 + 34 * len(names), x=x)
    figure.add_bar(
        y=[figure_text(name) for name in names], x=list(values), orientation="h",
        text=[figure_text(text) for text in texts], textposition="outside", cliponaxis=False,
        marker_color=[colour.get(name, GREY) for name in names],
        hovertemplate="%{y}: %{x:,.0f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(margin={"r": 72})
    figure.update_yaxes(autorange="reversed")
    return figure


def add_cut(figure: go.Figure, value: float, text: str) -> None:
    """A vertical line at a threshold, with its words at the top."""
    figure.add_vline(
        x=value, line={"color": ink(), "width": 1.5, "dash": "dash"},
        annotation={"text": figure_text(text), "font": {"color": ink()}, "yshift": 10},
        annotation_position="top",
    )  # fmt: skip
