"""The drawing itself: four components that meet in the browser, and checks of what comes back.

Streamlit sends the whole data of a component again when any of it changes, so what changes at
different times travels apart: places once for a map (4 bytes a point), colours when the colouring
changes (1 byte a point), palette, labels and polygon with every selection (kilobytes), and nothing
at all for the one that reports where the pointer rests. That one has its own small fragment.

No text of a document goes to a component. Names of sources and words of clusters do, as text nodes.
The pointer's card is therefore split: the tooltip, at once and without the server, says what the
colour means; the document is shown by the server beside the map in `st.code`, which reads no markup
(`lab.ui.text.show_document`). So there is no path from a text to the page's HTML at all, however
this folder is changed.
"""

import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from lab.curation.selections.predicate import Corner
from lab.ui.figures import dark
from lab.ui.map.colouring import Colouring
from lab.ui.map.held import Board, head
from lab.ui.map.line import checked_area, whole_number

FOLDER = Path(__file__).with_name("component")
POINTS, COLOUR, SCENE, POINTER = "map_points", "map_colour", "map_scene", "map_pointer"
SCRIPTS = {
    POINTS: ("board", "points", "polygon", "labels", "gestures", "map"),
    COLOUR: ("board", "colour"),
    SCENE: ("board", "scene"),
    POINTER: ("board", "pointer"),
}
LONGEST_LABEL = 40  # characters on the map


@cache
def component(name: str) -> Callable[..., Any]:
    """The mounting command; registered once a server."""
    script = "\n".join((FOLDER / f"{part}.js").read_text("utf-8") for part in SCRIPTS[name])
    if name != POINTS:
        return st.components.v2.component(f"mixlab_{name}", js=script)
    html, css = ((FOLDER / f"map.{end}").read_text("utf-8") for end in ("html", "css"))
    return st.components.v2.component(f"mixlab_{name}", html=html, css=css, js=script)


def draw(
    board: Board,
    colouring: Colouring,
    area: tuple[Corner, ...],
    drawn: Callable[[tuple[Corner, ...]], None],
) -> bool:
    """Draw the map; `drawn` gets the corners of a new area, none if it was given up. False where
    the browser said that it cannot draw.
    """

    def released() -> None:
        value = getattr(st.session_state[POINTS], "area", None)
        corners = checked_area(value, board.stamp)
        if corners is not None:
            drawn(corners)

    result = component(POINTS)(
        key=POINTS, data=board.payload, on_area_change=released, on_gl_change=lambda: None
    )
    with st.container(gap=None, height=1, border=False, key="map_data"):
        component(COLOUR)(key=COLOUR, data=colour_bytes(board, colouring))
        component(SCENE)(key=SCENE, data=scene(board, colouring, area))
    return getattr(result, "gl", None) != "missing"


def colour_bytes(board: Board, colouring: Colouring) -> bytes:
    """One byte a point in the browser's order, behind the header."""
    codes = colouring.codes[board.order].tobytes()
    return head(len(codes), board.stamp, zlib.crc32(codes)) + codes


def scene(board: Board, colouring: Colouring, area: tuple[Corner, ...]) -> dict[str, Any]:
    """Palette, names of its places, legend, labels and polygon."""
    return {
        "of": board.stamp,
        "palette": [list(colour) for colour in colouring.colours],
        "names": list(colouring.names),
        "legend": [{"colour": list(colour), "text": text} for colour, text in colouring.legend],
        "labels": [
            {"x": one["x"], "y": one["y"], "text": one["text"][:LONGEST_LABEL]}
            for one in board.labels
        ],
        "area": [list(corner) for corner in area],
        "greys": bool((colouring.codes == 0).any()),
        "grey": [0.62, 0.67, 0.66, 0.2] if dark() else [0.42, 0.47, 0.46, 0.2],
    }


def watch_pointer(board: Board, rested: Callable[[int], None]) -> None:
    """Hear where the pointer rests; `rested` gets the row of the point."""

    def heard() -> None:
        value = getattr(st.session_state[POINTER], "under", None)
        number = checked_point(value, board.stamp, board.order.size)
        if number is not None:
            rested(int(board.order[number]))

    component(POINTER)(key=POINTER, data={"of": board.stamp}, on_under_change=heard)


def checked_point(value: object, stamp: int, count: int) -> int | None:
    """The number of a point as the browser sent it for the map of `stamp`; None for anything
    else.
    """
    if not isinstance(value, Mapping) or value.get("of") != stamp:
        return None
    number: Any = value.get("point")
    return int(number) if whole_number(number) and 0 <= number < count else None
