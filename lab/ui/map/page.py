"""The page below its title: choices, map, what is selected, and the same without a mouse."""

from dataclasses import replace

import numpy as np
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.curation.selections.points import Points, check_names, chosen
from lab.curation.selections.polygon import Mask, inside
from lab.curation.selections.predicate import Predicate, parse_predicate, write_predicate
from lab.diversity.layout.stored import stored_maps
from lab.mixture.recipe import Recipe
from lab.ui.components import pick_recipe
from lab.ui.map import line
from lab.ui.map.acting import show_actions, show_names
from lab.ui.map.clusters import show_clusters
from lab.ui.map.colouring import WAYS, Colouring, by_source, colouring_of
from lab.ui.map.component import draw, watch_pointer
from lab.ui.map.controls import show_controls
from lab.ui.map.held import Board, board_of, numeric_columns, sizes_of, values_of
from lab.ui.map.marks import show_marks
from lab.ui.map.picture import show_picture
from lab.ui.map.ready import show_base, show_caption
from lab.ui.map.selected import show_amount, show_some, show_under
from lab.ui.signal_words import signal_words
from lab.ui.text import guarded, label, show_error

NO_GL, UNDER = "map.no_gl", "map.under"


def map_of_line(ws: Workspace, newest: Artifact) -> Artifact:
    """The map that the line was drawn on if it is stored, else the newest."""
    try:
        wanted = parse_predicate(line.line_now()).map
    except LabError:
        return newest
    found = [a for a in stored_maps(ws) if wanted and a.id.startswith(wanted)]
    return found[0] if found else newest


@st.fragment
@guarded()
def show_map(ws: Workspace, newest: Artifact) -> None:
    """Everything that a selection changes, in one fragment."""
    artifact = map_of_line(ws, newest)
    board = board_of(artifact)
    points = board.points
    if artifact.id != newest.id:
        st.info("This selection was drawn on an older map, which is shown.", icon=":material/info:")
        st.button("Give it up and show the newest map", key="map.newest", on_click=line.clear)
    recipe, way, column, drawing = choices(ws, points)
    left, right = st.columns([3, 2], gap="medium")
    below = st.container()
    with below:
        predicate = selection_row(ws)
    mask, outside = masks(ws, points, predicate)
    with left:
        colouring = coloured(ws, points, way, column, recipe).within(outside)
        show_drawing(board, colouring, mask, predicate, drawing)
        show_caption(artifact, points.x.size, sum(sizes_of(ws, points).values()))
        if base := show_base(ws, artifact):
            st.button("Show that map", key="map.base", on_click=line.put, args=(f"map={base}",))
        if colouring.note:
            st.caption(label(colouring.note))
    written = write_predicate(replace(predicate, map=points.short))
    with right:
        if predicate.demands:
            show_amount(ws, points, mask)
            show_actions(ws, points, mask, written, recipe)
            show_some(ws, points, mask)
        else:
            st.caption(
                "Draw a lasso or a box around points, tick clusters in the table, or choose "
                "sources and a range below: what is selected can be read, tagged, excluded, "
                "boosted and named."
            )
        show_pointer(ws, board)
    with below:
        show_controls(ws, points, predicate)
        if predicate.demands:
            show_marks(ws, points, mask, written)
        show_clusters(ws, artifact, points, mask, predicate, recipe)


def choices(ws: Workspace, points: Points) -> tuple[Recipe | None, str, str, str]:
    """Colouring, its column, the recipe it speaks of, and the kind of drawing."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "Colour by", WAYS, default=WAYS[0], key="by", bind="query-params", required=True
        )
        drawing = st.segmented_control(
            "Drawing", ("interactive", "picture"), default="interactive", key="drawing",
            bind="query-params", required=True,
            help="The picture is for print, and for browsers without WebGL 2.",
        )  # fmt: skip
    first, second = st.columns(2)
    column = ""
    with first:
        recipe = pick_recipe(ws, words="For verdicts, weights, excluding and boosting: recipe")
    columns = numeric_columns(ws, points) if way == "signal" else []
    if columns:
        column = str(
            second.selectbox(
                "Signal", columns, key="signal", bind="query-params", format_func=signal_words
            )
        )
    elif way == "signal":
        second.caption("Nothing is measured yet: `mixlab measure` makes signals, in minutes.")
    return recipe, str(way), column, str(drawing)


def selection_row(ws: Workspace) -> Predicate:
    """The line with its undo, redo and names; nothing is selected by one that cannot be read."""
    text = line.line_box()
    with st.container(horizontal=True, gap="xsmall", key="selection_row"):
        back, forth = line.can_step()
        steps = (
            ("Back", "undo", line.undo, back), ("Forth", "redo", line.redo, forth),
            ("Clear", "delete", line.clear, bool(text)),
        )  # fmt: skip
        for words, icon, function, able in steps:
            st.button(
                label(words), key=f"sel.{words}", icon=f":material/{icon}:", disabled=not able,
                on_click=function,
            )  # fmt: skip
        try:
            predicate = parse_predicate(text)
        except LabError as error:
            show_error(error)
            predicate = Predicate()
        show_names(ws, predicate)
    return predicate


def masks(ws: Workspace, points: Points, predicate: Predicate) -> tuple[Mask, Mask]:
    """What is selected, and the same without the area, which the browser greys by itself.

    A demand that this map cannot answer is shown as an error, and nothing is selected.
    """
    try:
        check_names(points, predicate)
        rest = chosen(
            points, predicate.without_area(), lambda name: values_of(ws, points, name).values
        )
    except LabError as error:
        show_error(error)
        nothing = np.zeros(points.x.size, bool)
        return nothing, ~nothing
    if not predicate.area:
        return rest, rest
    return rest & inside(points.x, points.y, predicate.area, points.cell), rest


def coloured(
    ws: Workspace, points: Points, way: str, column: str, recipe: Recipe | None
) -> Colouring:
    """The colouring asked for, or why not and the one by source."""
    try:
        return colouring_of(ws, points, way, column, recipe)
    except LabError as error:
        show_error(error)
        return by_source(ws, points)


def show_drawing(
    board: Board, colouring: Colouring, mask: Mask, predicate: Predicate, drawing: str
) -> None:
    """The interactive map or, on demand and where there is no WebGL 2, the picture."""

    def drawn(corners: tuple[tuple[int, int], ...]) -> None:
        line.change(board.points, area=corners)

    bound = predicate.map or board.points.short
    area = predicate.area if board.points.map.startswith(bound) else ()
    if drawing == "interactive" and not st.session_state.get(NO_GL):
        if not draw(board, colouring, area, drawn):
            st.session_state[NO_GL] = True
            st.rerun(scope="fragment")
        return
    if drawing == "interactive":
        st.caption("This browser has no WebGL 2, so this is the picture; its lasso selects alike.")
        st.button("Try again", key="map.gl", on_click=lambda: st.session_state.pop(NO_GL, None))
    show_picture(board, colouring, mask, area, drawn)


@st.fragment
@guarded()
def show_pointer(ws: Workspace, board: Board) -> None:
    """The document under the pointer, in a fragment of its own: a few milliseconds."""

    def rested(row: int) -> None:
        st.session_state[UNDER] = [board.points.map, row]

    if not st.session_state.get(NO_GL):
        watch_pointer(board, rested)
    held = st.session_state.get(UNDER)
    if held and held[0] == board.points.map and held[1] < board.points.x.size:
        show_under(ws, board.points, held[1])
