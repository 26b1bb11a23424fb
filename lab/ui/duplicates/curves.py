"""What of each source falls as a cut moves: one line a source, the present cut marked."""

import polars as pl

from lab.core.workspace import Workspace
from lab.ui.figures import DASHES, add_cut, blank, draw, source_colours
from lab.ui.text import figure_text


def draw_curves(
    ws: Workspace,
    curve: pl.DataFrame,
    columns: tuple[str, str],
    axes: tuple[str, str],
    cut: float,
    key: str,
    alt: str,
) -> None:
    """`curve` has source and the two `columns`: the cut, and the share that falls there."""
    across, up = columns
    colour = source_colours(ws)
    figure = blank(280, x=axes[0], y=axes[1])
    for k, source in enumerate(curve["source"].unique().sort()):
        own = curve.filter(source=source)
        figure.add_scatter(
            x=own[across], y=own[up], name=figure_text(source), mode="lines",
            line={"color": colour.get(source), "dash": DASHES[k % len(DASHES)]},
            hovertemplate="%{x:.2f}: %{y:.2%}",
        )  # fmt: skip
    add_cut(figure, cut, f"{cut:.2f}")
    figure.update_yaxes(tickformat=".1%", rangemode="tozero")
    figure.update_layout(margin={"t": 72}, legend={"y": 1.14})  # the cut's words stand between
    draw(figure, key, alt)
