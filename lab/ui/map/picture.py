"""The map as a still picture: for print, and where a browser has no WebGL 2.

Every point falls into a cell of a 900 x 900 image: the mean of their colours, more opaque where
there are more (by the logarithm, or dense regions would be all one sees). Plotly draws it under
`SAMPLE` invisible points, because its lasso reports only where there are some; what comes back is
the polygon, which is resolved over all points. NumPy only: 0.4 s a million points. A pixel may hold
several documents, so nothing can be pointed at; words of clusters are escaped, since plotly reads a
little HTML.
"""

import base64
import io
import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from lab.curation.selections.points import Points
from lab.curation.selections.polygon import Mask
from lab.curation.selections.predicate import MOST_CORNERS, STEPS, Corner
from lab.ui.figures import CONFIG, GREY, blank, ink
from lab.ui.map.colouring import Colouring, rgb
from lab.ui.map.held import Board
from lab.ui.memory import remembered
from lab.ui.text import figure_text

SIDE = 900  # pixels
SAMPLE = 2000
LABELS = 24
DISCS = ((3, 5_000), (2, 50_000), (1, 200_000), (0, math.inf))  # radius, up to so many points
KEY = "map_picture"


def show_picture(
    board: Board,
    colouring: Colouring,
    mask: Mask,
    area: Sequence[Corner],
    drawn: Callable[[tuple[Corner, ...]], None],
) -> None:
    """Draw the picture; `drawn` gets the corners of a lasso or box, none if it is given up."""

    def released() -> None:
        drawn(corners_of(st.session_state[KEY].selection))

    st.plotly_chart(
        picture(board, colouring, mask, area), key=KEY,
        alt=f"Map of {board.points.x.size} documents, as a picture",
        config=CONFIG | {"displayModeBar": True}, on_select=released,
        selection_mode=["lasso", "box"],
    )  # fmt: skip


def corners_of(selection: Any) -> tuple[Corner, ...]:
    """The corners of the last lasso or box, in steps; none for what is no area."""
    shapes = [*selection.get("box", []), *selection.get("lasso", [])]
    if not shapes:
        return ()
    x, y = shapes[-1]["x"], shapes[-1]["y"]
    if len(x) == 2:  # two opposite corners of a box
        x, y = [x[0], x[1], x[1], x[0]], [y[0], y[0], y[1], y[1]]
    every = -(-len(x) // MOST_CORNERS)
    pairs = zip(x[::every], y[::every], strict=True)
    corners = tuple((clipped(a), clipped(b)) for a, b in pairs)
    return corners if len(corners) > 2 else ()


def clipped(value: float) -> int:
    """A place as a whole step, at most one square away."""
    return round(min(max(float(value), -STEPS), 2 * STEPS))


def picture(board: Board, colouring: Colouring, mask: Mask, area: Sequence[Corner]) -> go.Figure:
    """The figure: image, invisible points, words of the largest clusters, outline, legend."""
    codes = np.where(mask, colouring.codes, np.uint8(0))
    key = f"{board.points.map} {zlib.crc32(codes.tobytes())} {colouring.colours}"
    figure = blank(640)
    rows = np.sort(board.order[:SAMPLE])
    figure.add_scattergl(
        x=board.points.x[rows], y=board.points.y[rows], mode="markers", showlegend=False,
        marker={"size": 4, "opacity": 0.004}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_layout_image(
        source=image(board.points, codes, colouring, key), xref="x", yref="y", x=0, y=STEPS,
        sizex=STEPS, sizey=STEPS, sizing="stretch", layer="below",
    )  # fmt: skip
    for colour, text in colouring.legend:
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=figure_text(text),
            marker={"color": hexed(colour), "size": 9},
        )  # fmt: skip
    for one in board.labels[:LABELS]:
        figure.add_annotation(
            x=one["x"], y=one["y"], text=figure_text(one["text"]), showarrow=False,
            font={"color": ink(), "size": 11},
        )  # fmt: skip
    if area:
        figure.add_shape(type="path", path=outline(area), line={"color": ink(), "width": 2})
    figure.update_xaxes(visible=False, range=[0, STEPS])
    figure.update_yaxes(visible=False, range=[0, STEPS], scaleanchor="x")
    figure.update_layout(dragmode="lasso", modebar={"orientation": "v"}, uirevision="map")
    return figure


def outline(area: Sequence[Corner]) -> str:
    """The polygon as a path."""
    return "M " + " L ".join(f"{x},{y}" for x, y in area) + " Z"


def hexed(colour: tuple[int, int, int]) -> str:
    """Three bytes as `#3f90da`."""
    return "#" + "".join(f"{channel:02x}" for channel in colour)


@remembered(8)
def image(points: Points, codes: NDArray[np.uint8], colouring: Colouring, key: str) -> str:
    """The image as an address that holds its bytes: grey context, and over it what is lit."""
    lit = codes > 0
    rows, cells = dots(points, ~lit)
    below = shaded(np.zeros(rows.size, np.int64), cells, (rgb(GREY),))
    below[:, 3] //= 3
    rows, cells = dots(points, lit)
    above = shaded(codes[rows], cells, colouring.colours)
    pixels = np.where(above[:, 3:] > 0, above, below).reshape(SIDE, SIDE, 4)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def dots(points: Points, which: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(rows, pixels) of the points `which`, each a disc that is smaller where there are many."""
    radius = next(r for r, most in DISCS if points.x.size <= most)
    rows = np.flatnonzero(which)
    x, y = (axis[rows].astype(np.int64) * SIDE // (STEPS + 1) for axis in (points.x, points.y))
    around = np.arange(-radius, radius + 1)
    dx, dy = (grid.ravel() for grid in np.meshgrid(around, around))
    disc = np.hypot(dx, dy) <= radius + 0.3
    across = np.clip(x[:, None] + dx[disc], 0, SIDE - 1)
    down = np.clip(SIDE - 1 - y[:, None] + dy[disc], 0, SIDE - 1)
    return np.repeat(rows, int(disc.sum())), (down * SIDE + across).ravel()


def shaded(
    codes: NDArray[Any], cells: NDArray[np.int64], colours: Sequence[tuple[int, int, int]]
) -> NDArray[np.uint8]:
    """RGBA of every pixel: mean colour of what falls there, opacity by log density."""
    size = SIDE * SIDE
    count = np.bincount(cells, minlength=size)
    table = np.array(colours, np.float64)[np.minimum(codes, len(colours) - 1)]
    pixels = np.zeros((size, 4), np.uint8)
    for channel in range(3):
        total = np.bincount(cells, table[:, channel], size)
        pixels[:, channel] = total / np.maximum(count, 1)
    most = np.log1p(max(int(count.max()), 1))
    pixels[:, 3] = np.where(count > 0, 90 + 165 * np.log1p(count) / most, 0)
    return pixels
