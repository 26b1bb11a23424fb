"""The controls of the Filters page: choose a signal, move its threshold, start from a preset.

Widgets for a threshold are *controlled*: before each is drawn, the session holds the value that the
draft says, and its callback writes the draft. So slider, number boxes, draft text and URL can never
disagree.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from lab.core.workspace import Workspace
from lab.curation.attributes import attribute_names
from lab.curation.distribution import Histogram
from lab.curation.filters import Rule
from lab.curation.presets import load_preset, preset_names
from lab.curation.signals import BY_ID
from lab.mixture.recipe import Recipe
from lab.ui.cuts import (
    Bounds,
    bounds_of,
    cuts_between,
    cuts_key,
    set_bounds,
    write_cuts,
)
from lab.ui.fallout import Fallout
from lab.ui.formats import number
from lab.ui.text import label

STEPS = 160  # positions of the threshold slider


def choose_signal(ws: Workspace, source: str, rules: Sequence[Rule]) -> str:
    """Pick a measured signal, those with a rule first."""
    ruled = list(dict.fromkeys(rule.signal for rule in rules))
    names = attribute_names(ws, source)
    options = [*ruled, *(name for name in names if name not in ruled)]
    return st.selectbox(
        "Signal", options, key="signal", bind="query-params", format_func=signal_words
    )


def signal_words(signal: str) -> str:
    """A signal's name in words with its definition id."""
    return f"{BY_ID[signal].label} [{signal}]" if signal in BY_ID else signal


def threshold_controls(
    recipe: Recipe, source: str, signal: str, found: Fallout, bins: Histogram
) -> None:
    """Slider and number boxes for the bounds of one signal."""
    bounds = bounds_of(found.rules, signal)
    positions = slider_positions(bins, bounds)
    where = (recipe, source, signal)
    key = f"slide.{recipe.name}.{source}.{signal}"
    shown = snapped(positions, bounds)
    st.session_state[key] = shown
    st.select_slider(
        "Keep documents between",
        positions,
        value=(positions[0], positions[-1]),  # two handles; what they show is set above
        key=key,
        format_func=number,
        on_change=slid,
        args=(key, where, bounds, shown, (positions[0], positions[-1])),
        help="An end of the slider means no bound on that side. Type a number for an exact value.",
    )
    boxes = st.columns(2)
    for side, name in enumerate(("Minimum", "Maximum")):
        box_key = f"{name}.{recipe.name}.{source}.{signal}"
        st.session_state[box_key] = bounds[side]
        boxes[side].number_input(
            label(name),
            value=None,
            key=box_key,
            format="%.6g",
            placeholder="none",
            on_change=typed,
            args=(box_key, where, bounds, side),
        )


def slider_positions(bins: Histogram, bounds: Bounds) -> list[float]:
    """Round numbers over the drawn range, whole ones for counts, and the bounds themselves."""
    low, high = bins.edges[0], bins.edges[-1]
    inside = [bound for bound in bounds if bound is not None and low <= bound <= high]
    if bins.scale == "whole":
        grid = np.arange(round(low), round(high), dtype=np.float64)
    elif bins.scale == "log":
        grid = np.geomspace(low, high, STEPS)
    else:
        grid = np.linspace(low, high, STEPS)
    rounded = np.unique([*(float(f"{value:.3g}") for value in grid), *inside])
    return [float(value) for value in rounded] if rounded.size > 1 else [low, high]


def snapped(positions: Sequence[float], bounds: Bounds) -> tuple[float, float]:
    """The slider's positions nearest to `bounds`; no bound is the end of the slider."""
    ends = (positions[0], positions[-1])
    low, high = (end if b is None else b for b, end in zip(bounds, ends, strict=True))
    grid = np.array(positions)
    nearest = [positions[int(np.abs(grid - value).argmin())] for value in (low, high)]
    return nearest[0], max(nearest)


def slid(
    key: str,
    where: tuple[Recipe, str, str],
    bounds: Bounds,
    before: tuple[float, float],
    ends: tuple[float, float],
) -> None:
    """Callback of the slider: only the handle that moved changes its bound."""
    new = list(bounds)
    for side, (now, was) in enumerate(zip(st.session_state[key], before, strict=True)):
        if now != was:
            new[side] = None if now == ends[side] else float(now)
    set_bounds(*where, (new[0], new[1]))


def typed(key: str, where: tuple[Recipe, str, str], bounds: Bounds, side: int) -> None:
    """Callback of a number box; a minimum above the maximum moves the maximum along."""
    new: list[float | None] = list(bounds)
    new[side] = st.session_state[key]
    other = new[1 - side]
    if new[0] is not None and new[1] is not None and new[0] > new[1] and other is not None:
        new[1 - side] = new[side]
    set_bounds(*where, (new[0], new[1]))


def preset_picker(recipe: Recipe, source: str) -> None:
    """Replace a source's rules by those of a published filter, as a draft."""
    with st.popover("Presets", icon=":material/auto_awesome_motion:"):
        preset = load_preset(st.selectbox("Published filter", preset_names(), key="preset"))
        st.caption(f"{label(preset.title)}. {label(preset.source)}")
        for missing in preset.left_out:
            st.caption(f"Not in it: {label(missing)}")

        def use() -> None:
            cuts = cuts_between(recipe.sources[source], preset.rules)
            st.session_state[cuts_key(recipe.name, source)] = write_cuts(cuts)

        st.button("Replace the rules of this source", key="use_preset", on_click=use)
