"""The panel itself: a component that follows a weight in the browser and reports where it stopped.

`st.slider` speaks only when it is let go, and a rerun for every pixel would be hundreds of messages
a second. So the browser holds the paths of `payload` and answers by itself; the server hears of a
weight when it is let go, and of a lock. What comes back is checked like any input of a stranger.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).with_name("panel")
KEY = "weights_panel"


def component() -> Callable[..., object]:
    """The mounting command; registered once a server."""
    html, css, *scripts = (
        (FOLDER / name).read_text("utf-8")
        for name in ("panel.html", "panel.css", "map.js", "breadth.js", "panel.js")
    )
    return st.components.v2.component("mixlab_weights", html=html, css=css, js="\n".join(scripts))


PANEL = component()


def show_panel(
    data: Mapping[str, Any],
    sources: Sequence[str],
    moved: Callable[[dict[str, float]], None],
    locked: Callable[[list[str]], None],
) -> None:
    """Draw the panel; `moved` gets percentages of all sources, `locked` the locked ones."""

    def weights_sent() -> None:
        value = getattr(st.session_state[KEY], "weights", None)
        found = checked_weights(value, str(data["of"]), sources)
        if found is not None:
            moved(found)

    def locks_sent() -> None:
        value = getattr(st.session_state[KEY], "locks", None)
        found = checked_locks(value, str(data["of"]), sources)
        if found is not None:
            locked(found)

    PANEL(key=KEY, data=data, on_weights_change=weights_sent, on_locks_change=locks_sent)


def checked_weights(value: object, of: str, sources: Sequence[str]) -> dict[str, float] | None:
    """Percentages of exactly `sources`, not all zero, as the browser sent them for `of`."""
    if not isinstance(value, Mapping) or value.get("of") != of:
        return None
    sent = value.get("weights")
    if not isinstance(sent, Mapping) or set(sent) != set(sources):
        return None
    found = {}
    for name in sources:
        share = sent[name]
        number = isinstance(share, int | float) and not isinstance(share, bool)
        if not number or not math.isfinite(share) or not 0 <= share <= 100:
            return None
        found[name] = round(float(share), 2)
    return found if sum(found.values()) > 0 else None


def checked_locks(value: object, of: str, sources: Sequence[str]) -> list[str] | None:
    """The locked ones among `sources` as the browser sent them for `of`; None for anything else."""
    if not isinstance(value, Mapping) or value.get("of") != of:
        return None
    sent = value.get("locked")
    if not isinstance(sent, Sequence) or isinstance(sent, str):
        return None
    return [name for name in sources if name in sent]
