"""The selection without a mouse or a picture: lists and numbers that write the same line.

Clusters, sources and a range of any measured column are ordinary boxes of the page, so they work
with a keyboard, a screen reader and without WebGL; an area can be typed into the line itself, or be
taken with the keys of the map (arrows, plus, minus, Enter for what is in view).
"""

import streamlit as st

from lab.core.workspace import Workspace
from lab.curation.selections.points import Points
from lab.curation.selections.predicate import Predicate
from lab.ui.map import line
from lab.ui.map.held import numeric_columns
from lab.ui.signal_words import signal_words

SOURCES, CLUSTERS, COLUMN, LOW, HIGH = (
    "map.sources", "map.clusters", "map.column", "map.low", "map.high",
)  # fmt: skip


def show_controls(ws: Workspace, points: Points, predicate: Predicate) -> None:
    """Lists of sources and clusters, and a range."""
    st.session_state[SOURCES] = [s for s in predicate.sources if s in points.sources]
    st.session_state[CLUSTERS] = [k for k in predicate.clusters if k < len(points.labels)]
    left, right = st.columns(2)
    left.multiselect(
        "Only sources", points.sources, key=SOURCES, placeholder="all",
        on_change=lambda: line.change(points, sources=tuple(st.session_state[SOURCES])),
    )  # fmt: skip
    right.multiselect(
        "Only clusters", range(len(points.labels)), key=CLUSTERS, placeholder="all",
        format_func=lambda k: f"{k}: {points.labels[k]}",
        on_change=lambda: line.change(points, clusters=tuple(st.session_state[CLUSTERS])),
    )  # fmt: skip
    show_range(ws, points, predicate)


def show_range(ws: Workspace, points: Points, predicate: Predicate) -> None:
    """Bounds of one column; those of others stay in the line."""
    columns = numeric_columns(ws, points)
    if not columns:
        st.caption("No column to choose by: nothing is measured yet.")
        return
    asked = {column: (low, high) for column, low, high in predicate.ranges}
    first = next((columns.index(c) for c in asked if c in columns), 0)
    cells = st.columns([2, 1, 1])
    column = str(
        cells[0].selectbox("Only where", columns, index=first, key=COLUMN, format_func=signal_words)
    )
    st.session_state[LOW], st.session_state[HIGH] = asked.get(column, (None, None))

    def ranged() -> None:
        sides = st.session_state[LOW], st.session_state[HIGH]
        line.change_range(points, str(st.session_state[COLUMN]), *sides)

    cells[1].number_input(
        "is at least", value=None, key=LOW, format="%g", placeholder="any", on_change=ranged
    )
    cells[2].number_input(
        "and at most", value=None, key=HIGH, format="%g", placeholder="any", on_change=ranged
    )
