"""The selection of the page: one line of text in the address, undone and redone like a draft.

Whatever changes the selection (a lasso, a box, the table, a list, a hand) rewrites the line, and
everything that shows it reads the line; so the address always holds all of it, and a link reopens
it. A widget's value dies with its page: a copy stays in the session and comes back with the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from lab.core.errors import LabError
from lab.curation.selections.points import Points
from lab.curation.selections.predicate import (
    MOST_CORNERS,
    REACH,
    STEPS,
    Predicate,
    parse_predicate,
    write_predicate,
)

KEY = "sel"
KEPT, PAST, FUTURE = "kept.sel", "past.sel", "future.sel"
DEPTH = 100  # lines that can be undone


def line_now() -> str:
    """The line before its box is drawn: of the session, the address, or the last visit."""
    kept = st.session_state.get(KEPT, "")
    return str(st.session_state.get(KEY, st.query_params.get(KEY, kept)) or "")


def line_box() -> str:
    """The line as editable text, remembered."""
    if KEY not in st.session_state and KEY not in st.query_params:
        st.session_state[KEY] = st.session_state.get(KEPT, "")
    text = st.text_input(
        "Selection", key=KEY, bind="query-params",
        placeholder="nothing selected; draw an area, or write cluster=3,7 source=web",
        help="This line is part of the page's address: the link reopens the selection. Pieces have "
        "blanks between them and must all hold: area=X.Y_X.Y_X.Y on the map, cluster=3,7, "
        "source=web,books, COLUMN=MIN..MAX.",
    )  # fmt: skip
    remember(text or "")
    return text or ""


def remember(line: str) -> None:
    """Keep the line for when the page comes back, and among those that can be undone."""
    st.session_state[KEPT] = line
    past = st.session_state.setdefault(PAST, [line])
    if past[-1] != line:
        past.append(line)
        del past[:-DEPTH]
        st.session_state[FUTURE] = []


def undo() -> None:
    """Callback: the line before this one."""
    past = st.session_state.get(PAST, [])
    if len(past) > 1:
        st.session_state.setdefault(FUTURE, []).append(past.pop())
        st.session_state[KEY] = past[-1]


def redo() -> None:
    """Callback: the line that was undone last."""
    future = st.session_state.get(FUTURE, [])
    if future:
        line = future.pop()
        st.session_state[PAST].append(line)
        st.session_state[KEY] = line


def can_step() -> tuple[bool, bool]:
    """Whether there is something to undo, and to redo."""
    return len(st.session_state.get(PAST, [])) > 1, bool(st.session_state.get(FUTURE))


def put(line: str) -> None:
    """Callback: another line."""
    st.session_state[KEY] = line


def clear() -> None:
    """Callback: nothing selected."""
    put("")


def change(points: Points, **changes: Any) -> None:
    """Callback: some demands become others; a line that cannot be read starts anew."""
    try:
        now = parse_predicate(line_now())
    except LabError:
        now = Predicate()
    other = bool(now.map) and not points.map.startswith(now.map)
    if other:  # area and clusters of another map say nothing on this one
        now = replace(now, area=(), clusters=())
    wanted = replace(now, **changes)
    bound = points.short if wanted.area or wanted.clusters else ""
    put(write_predicate(replace(wanted, map=bound)))


def change_range(points: Points, column: str, low: float | None, high: float | None) -> None:
    """Callback: the range of one column; no side is no demand."""
    try:
        others = [r for r in parse_predicate(line_now()).ranges if r[0] != column]
    except LabError:
        others = []
    if low is not None and high is not None and low > high:
        low, high = high, low
    asked = [] if low is None and high is None else [(column, low, high)]
    change(points, ranges=(*others, *asked))


def checked_area(value: object, stamp: int) -> tuple[tuple[int, int], ...] | None:
    """Corners as the browser sent them for the map of `stamp`, none for no area; None for
    anything else.
    """
    if not isinstance(value, Mapping) or value.get("of") != stamp:
        return None
    sent = value.get("corners")
    if not isinstance(sent, Sequence) or isinstance(sent, str) or len(sent) > MOST_CORNERS:
        return None
    corners = []
    for pair in sent:
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            return None
        if not all(whole_number(v) and -REACH <= v <= STEPS + REACH for v in pair):
            return None
        corners.append((int(pair[0]), int(pair[1])))
    return tuple(corners) if len(corners) > 2 or not corners else None


def whole_number(value: object) -> bool:
    """True for a whole number, written as an integer or not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or value.is_integer()
