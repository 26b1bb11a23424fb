"""Diversity of the drafted mixture on the Mixture page: scores, and one per cent more of a source.

Summaries of the sources are read once for each full run of the page; a weight that moves costs one
decomposition, 20 ms (`lab.diversity.breadth.mixture`), and no document.
"""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from lab.core.artifacts import asked_when
from lab.core.workspace import Workspace
from lab.diversity.breadth.closed import Closed, close
from lab.diversity.breadth.mixture import Ground, MixtureBreadth, gain_words
from lab.jobs.breadth.common import encoder_in_use
from lab.jobs.breadth.mixtures import (
    Stored,
    breadth_of_weights,
    ground_of_stored,
    stored_for,
)
from lab.jobs.breadth.panels import STEP
from lab.jobs.breadth.words import SAMPLED, alone_words, mixture_words, taken
from lab.mixture.recipe import Mixture, Recipe
from lab.ui.components import empty, metrics, table
from lab.ui.formats import number, percent, signed
from lab.ui.job_panel import start
from lab.ui.live.scene import total_weights
from lab.ui.memory import remembered
from lab.ui.tables import manifests
from lab.ui.text import label, show_plain

NAMES = {
    "vendi_1": "Effective directions",
    "vendi_2": "Of order 2",
    "effective_clusters": "Effective clusters",
}


@dataclass(frozen=True, slots=True, eq=False)
class Breadth:
    """What is stored of a recipe's sources under `encoder`; `ground` is None where nothing is."""

    encoder: str
    stored: Stored
    ground: Ground | None


def breadth_of(ws: Workspace, recipe: Recipe) -> Breadth:
    """What the section rests on: under the newest map's encoder, else that measured last."""
    encoder = encoder_in_use(ws)
    stored = stored_for(ws, recipe, encoder)
    if not measured(stored):
        last = max(manifests(ws, STEP), key=asked_when, default=None)
        other = str(last.manifest["config"]["encoder"]) if last else encoder
        if other != encoder and measured(found := stored_for(ws, recipe, other)):
            encoder, stored = other, found
    return Breadth(encoder, stored, laid(stored, stored.key))


def measured(stored: Stored) -> bool:
    """True if anything was measured."""
    return bool(stored.artifacts or stored.emptied)


@remembered(4)
def laid(stored: Stored, key: str) -> Ground | None:
    """The ground while exactly these artifacts are stored."""
    return ground_of_stored(stored)


def products_of(breadth: Breadth) -> Closed | None:
    """What the browser computes two scores of while a weight moves."""
    return multiplied(breadth.stored, breadth.stored.key) if breadth.ground else None


@remembered(4)
def multiplied(stored: Stored, key: str) -> Closed | None:
    """The products while exactly these artifacts are stored."""
    ground = laid(stored, key)
    return close(ground) if ground else None


def show_mixture_breadth(ws: Workspace, recipe: Recipe, mixture: Mixture, breadth: Breadth) -> None:
    """Scores of the draft, and what one per cent more of each source adds or removes."""
    weights = dict(zip(recipe.sources, total_weights(mixture, list(recipe.sources)), strict=True))
    ground, stored = breadth.ground, breadth.stored
    found, known = breadth_of_weights(ground, weights) if ground else (None, 0.0)
    if found is None:
        show_nothing(ws, recipe, breadth)
        return
    metrics(
        [
            (NAMES[k], number(e.value, 3), f"95 %: {number(e.low, 3)} to {number(e.high, 3)}")
            for k, e in found.scores.items()
        ]
    )
    if alone := alone_words(list(stored.artifacts)):
        show_plain(alone)
    else:
        show_plain("\n".join(sentences(found)))
        with st.expander("One per cent more of each source, with intervals"):
            table(gain_table(found), key="breadth_gains", alt="What one per cent more of each "
                  "source adds to or removes from the mixture's breadth")  # fmt: skip
            st.caption("The others shrink in proportion.")
    st.caption(label(measured_words(breadth)))
    if doubts := doubtful(stored, known):
        show_plain(doubts)


def show_nothing(ws: Workspace, recipe: Recipe, breadth: Breadth) -> None:
    """Why there are no numbers, and what makes them."""
    if not measured(breadth.stored):
        with empty("How broad this mixture is cannot be said: its sources were not measured."):
            st.caption("Embed the sources and draw the map first, on the Map page.")
            if st.button("Measure what the recipe keeps", key="measure_mixture_breadth"):
                start(ws, "diversity", {"recipe": recipe.name, "encoder": breadth.encoder})
        return
    with empty("How broad this mixture is cannot be said: no source with a weight has texts left."):
        show_plain(doubtful(breadth.stored, 0.0))


def measured_words(breadth: Breadth) -> str:
    """Which documents of each source stand for it, and what the scores are blind to."""
    samples = [
        f"{name} {taken(made.manifest['sample'] | {'n': made.manifest['sample']['embedded']})}"
        for name, made in breadth.stored.artifacts.items()
    ]
    return (
        f"Measured on documents with {breadth.encoder} embeddings: {', '.join(samples)}. {SAMPLED} "
        "Blind to copies, and random noise would raise every score: breadth is no quality."
    )


def sentences(found: MixtureBreadth) -> list[str]:
    """The source that adds most, and the one that removes most."""
    gains = found.gains["vendi_1"]
    order = sorted(gains, key=lambda source: -gains[source].value)
    return [gain_words(source, found.gains) for source in (order[0], order[-1])]


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
    said = mixture_words(stored.emptied, stored.few, stored.missing)
    if said and known:
        said.append(f"The numbers are of {percent(known)} of the tokens.")
    if whole := [source for source, kept in stored.kept.items() if not kept]:
        said.append(
            f"Of {', '.join(whole)} the whole pool was measured, not what this recipe keeps: "
            "measure again on the Map page."
        )
    return "\n".join(said)
