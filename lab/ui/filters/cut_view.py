"""The picture with the cut lines: a component that adds up a cube in the browser while it is used.

`st.slider` speaks only when it is let go, and a rerun for every pixel would be hundreds of messages
a second. So the browser gets the slider cube once (`effect.cube`, some 30 kB for twelve
sources) and adds up what a line keeps by itself, exactly; the server hears of it when the line is
let go. What goes down are numbers and names of sources, which the script shows as text nodes; what
comes back is checked here like any input of a stranger.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lab.core.workspace import Workspace
from lab.curation.effect.cube import (
    Scaled,
    SliderCube,
    count_cells,
    scale_places,
    with_places,
    written_rows,
)
from lab.mixture.recipe import Recipe
from lab.ui.cuts import Bounds, bounds_of
from lab.ui.figures import GREY, source_colours
from lab.ui.filters.evidence import Judged, sorted_column, sums_of
from lab.ui.memory import remembered

FOLDER = Path(__file__).with_name("cut_component")
KEY = "cut"
MOST_SOURCES = 12
SAMPLE = 40_000  # values of each source that the scale is taken from, evenly spread


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One row of the picture: a source, whether the lines on the page are its own, its colour and
    the tokens that the mixture draws from it (None without a mixture).
    """

    judged: Judged
    moves: bool
    draw: float | None


def component() -> Callable[..., object]:
    """The mounting command; registered once a server."""
    html, css, script = (
        (FOLDER / name).read_text("utf-8") for name in ("cut.html", "cut.css", "cut.js")
    )
    return st.components.v2.component("mixlab_cut", html=html, css=css, js=script)


CUT = component()


@remembered(64)
def cached_scale(_values: Sequence[NDArray[np.float64]], key: str) -> Scaled:
    """The scale of a signal over all sources shown, for the keys of their columns."""
    spread = [v[:: max(1, v.size // SAMPLE)] for v in _values]
    return scale_places(np.concatenate(spread) if spread else np.zeros(0))


def cube_of(ws: Workspace, recipe: Recipe, lines: Sequence[Line], signal: str) -> SliderCube:
    """The cube of `signal` over the sources of `lines`, each under its own other rules."""
    found = [sorted_column(ws, recipe, line.judged.pool.source, signal) for line in lines]
    scale = cached_scale([ordered.values for ordered, _ in found], "; ".join(k for _, k in found))
    bounds = [b for line in lines for b in bounds_of(line.judged.rules, signal) if b is not None]
    scaled = with_places(scale, bounds)
    cells = {
        line.judged.pool.source: count_cells(
            ordered, sums_of(line.judged, ordered, signal, key), scaled.places
        )
        for line, (ordered, key) in zip(lines, found, strict=True)
    }
    return SliderCube(signal, scaled, cells)


def payload(
    ws: Workspace,
    recipe: Recipe,
    lines: Sequence[Line],
    signal: str,
    bounds: Bounds,
    unit: str,
    reference: str = "",
) -> dict[str, object]:
    """What the browser gets: the cube, bounds per source, colours, tokens drawn, the reference."""
    cube = cube_of(ws, recipe, lines, signal)
    colours = source_colours(ws)
    rows = []
    for line in sorted(lines, key=lambda line: line.judged.pool.source != reference):
        name = line.judged.pool.source
        low, high = bounds_of(line.judged.rules, signal)
        rows.append(
            {
                "name": name,
                "colour": colours.get(name, GREY),
                "cells": written_rows(cube.cells[name]),
                "moves": line.moves,
                "reference": name == reference,
                "counted": name in recipe.sources,
                "low": low,
                "high": high,
                "draw": line.draw,
            }
        )
    return {
        "of": f"{recipe.name} {signal}",
        "unit": unit,
        "scale": cube.scaled.scale,
        "places": list(cube.scaled.places),
        "view": [cube.scaled.low, cube.scaled.high],
        "low": bounds[0],
        "high": bounds[1],
        "cap": recipe.mixture.repeat_cap,
        "mixed": len({bounds_of(n.judged.rules, signal) for n in lines if n.moves}) > 1,
        "budgeted": any(line.draw is not None for line in lines),
        "sources": rows,
    }


def show_cut(data: Mapping[str, object], moved: Callable[[Bounds], None]) -> None:
    """Draw the picture; `moved` gets the bounds when a line is let go."""

    def released() -> None:
        bounds = checked(getattr(st.session_state[KEY], "cut", None), str(data["of"]))
        if bounds is not None:
            moved(bounds)

    CUT(key=KEY, data=data, on_cut_change=released)


def checked(value: object, of: str) -> Bounds | None:
    """Bounds as the browser sent them for `of`; None for anything else."""
    if not isinstance(value, Mapping) or value.get("of") != of:
        return None
    sides = []
    for side in ("low", "high"):
        bound = value.get(side)
        number = isinstance(bound, int | float) and not isinstance(bound, bool)
        if bound is not None and not (number and math.isfinite(bound)):
            return None
        sides.append(None if bound is None else float(bound))
    low, high = sides
    return None if low is not None and high is not None and low > high else (low, high)
