"""Diversity of the drafted mixture on the Mixture page: scores, and one per cent more of a source.

Summaries of the sources are read once for each full run of the page; a weight that moves costs one
decomposition, 20 ms (`lab.diversity.breadth.mixture`), and no document.
"""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.diversity.breadth.mixture import Ground, MixtureBreadth, gain_words
from lab.jobs.breadth.mixtures import (
    Stored,
    breadth_of_weights,
    ground_of_stored,
    stored_breadth,
)
from lab.mixture.recipe import Mixture, Recipe
from lab.ui.components import empty, metrics, table
from lab.ui.formats import number, percent, signed
from lab.ui.job_panel import start
from lab.ui.live.scene import total_weights
from lab.ui.memory import remembered
from lab.ui.text import show_plain

NAMES = {
    "vendi_1": "Effective directions",
    "vendi_2": "Of order 2",
    "effective_clusters": "Effective clusters",
}


@dataclass(frozen=True, slots=True, eq=False)
class Breadth:
    """What is stored of a recipe's sources; `ground` is None where nothing is."""

    stored: Stored
    ground: Ground | None


def breadth_of(ws: Workspace, recipe: Recipe) -> Breadth:
    """What the section rests on."""
    stored = stored_breadth(ws, recipe)
    return Breadth(stored, laid(stored, stored.key))


@remembered(4)
def laid(stored: Stored, key: str) -> Ground | None:
    """The ground while exactly these artifacts are stored."""
    return ground_of_stored(stored)


def show_mixture_breadth(ws: Workspace, recipe: Recipe, mixture: Mixture, breadth: Breadth) -> None:
    """Scores of the draft, and what one per cent more of each source adds or removes."""
    weights = dict(zip(recipe.sources, total_weights(mixture, list(recipe.sources)), strict=True))
    ground = breadth.ground
    found, known = breadth_of_weights(ground, weights) if ground else (None, 0.0)
    if found is None:
        with empty("How broad this mixture is cannot be said: its sources were not measured."):
            st.caption("Embed the sources and draw the map first, on the Map page.")
            if st.button("Measure what the recipe keeps", key="measure_mixture_breadth"):
                start(ws, "diversity", {"recipe": recipe.name})
        return
    metrics(
        [
            (NAMES[k], number(e.value, 3), f"95 %: {number(e.low, 3)} to {number(e.high, 3)}")
            for k, e in found.scores.items()
        ]
    )
    show_plain("\n".join(sentences(found)))
    with st.expander("One per cent more of each source, with intervals"):
        table(gain_table(found), key="breadth_gains", alt="What one per cent more of each source "
              "adds to or removes from the mixture's breadth")  # fmt: skip
    st.caption(
        "The others shrink in proportion. Measured on embedded texts of each source; blind to "
        "copies, and random noise would raise every score: breadth is no quality."
    )
    if doubts := doubtful(breadth.stored, known):
        show_plain(doubts)


def sentences(found: MixtureBreadth) -> list[str]:
    """The source that adds most, and the one that removes most."""
    gains = found.gains["vendi_1"]
    order = sorted(gains, key=lambda source: -gains[source].value)
    chosen = [order[0], *([order[-1]] if len(order) > 1 else [])]
    return [gain_words(source, found.gains) for source in chosen]


def gain_table(found: MixtureBreadth) -> pl.DataFrame:
    """One row a source, the largest gain first."""
    gains = found.gains
    order = sorted(gains["vendi_1"], key=lambda source: -gains["vendi_1"][source].value)
    return pl.DataFrame(
        [
            {"source": source}
            | {
                NAMES[k]: f"{signed(g[source].value)} ({signed(g[source].low)} to "
                f"{signed(g[source].high)})"
                for k, g in gains.items()
            }
            for source in order
        ]
    )


def doubtful(stored: Stored, known: float) -> str:
    """What the numbers leave out, and where they are of a whole pool."""
    said = []
    if stored.missing:
        said.append(
            f"Not measured and left out: {', '.join(stored.missing)}; the numbers are of "
            f"{percent(known)} of the tokens."
        )
    if whole := [source for source, kept in stored.kept.items() if not kept]:
        said.append(
            f"Of {', '.join(whole)} the whole pool was measured, not what this recipe keeps: "
            "measure again on the Map page."
        )
    return "\n".join(said)
