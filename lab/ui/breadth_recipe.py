"""What a recipe keeps of its sources beside their pools: differences, lost topics, what marks it.

Part of the section in `lab.ui.breadth`; shows what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.diversity.breadth.measures import LABELS
from lab.jobs.breadth.common import find_common
from lab.jobs.breadth.mixtures import selection_of
from lab.jobs.breadth.panels import newest_panels, read_panel, stored_panels
from lab.jobs.breadth.words import NONE_LOST, kept_words, taken
from lab.mixture.recipe import Recipe
from lab.ui.components import empty, table
from lab.ui.formats import number, percent
from lab.ui.job_panel import start
from lab.ui.text import label

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job is started with from here: as what is shown was measured."""

    encoder: str
    reference: str
    size: int
    busy: bool

    def offer(self, ws: Workspace, words: str, key: str, **params: Any) -> None:
        """A button that starts the job."""
        if st.button(label(words), key=key, disabled=self.busy):
            own = {"encoder": self.encoder, "size": self.size, "reference": self.reference or None}
            start(ws, "diversity", own | params)


def show_recipe(ws: Workspace, recipe: Recipe, asked: Asked) -> None:
    """Kept against pool for every source of a recipe: differences, lost topics, what marks it."""
    common = find_common(ws, list(recipe.sources), asked.encoder)
    selection = selection_of(ws, recipe)
    newest = newest_panels(stored_panels(ws, common, selection) if common and selection else [])
    panels = {name: read_panel(newest[name]) for name in recipe.sources if name in newest}
    if len(panels) < len(recipe.sources):
        with empty("What this recipe keeps has not been measured for every source."):
            asked.offer(ws, "Measure what it keeps", "measure_kept", recipe=recipe.name)
    against = {s: panel["against"] for s, panel in panels.items() if "against" in panel}
    if not against:
        return
    for line in kept_words({source: panels[source] for source in against}):
        st.warning(label(line))
    rows = [
        {"source": source, "kept documents": taken(panels[source]["sample"])} | changes(found)
        for source, found in against.items()
    ]
    st.caption("What is kept, less the pool, at equal n and equal bytes:")
    frame = pl.from_dicts(rows, infer_schema_length=None).with_columns(pl.all().fill_null(""))
    table(frame, key="breadth_against", alt="Kept less pool, for each source and measure")
    show_lost(against)
    show_marks(against)


def show_lost(against: Mapping[str, Found]) -> None:
    """Topics of which little is left."""
    lost = [(source, t) for source, found in against.items() for t in found["topics"] if t["lost"]]
    if lost:
        st.warning("Topics are lost: less than a quarter of their tokens is left.")
        table(lost_table(lost), key="breadth_lost", alt="Lost topics by source")
    else:
        st.caption(label(NONE_LOST))


def lost_table(lost: Sequence[tuple[str, Found]]) -> pl.DataFrame:
    """One row a lost topic."""
    return pl.DataFrame(
        [
            {
                "source": source, "topic": t["label"], "documents": t["documents"],
                "kept": t["kept_documents"], "tokens kept": percent(t["share"]),
                "documents kept at most": percent(t["high"]),
            }
            for source, t in lost
        ]
    )  # fmt: skip


def show_marks(against: Mapping[str, Found]) -> None:
    """Words and signals that distinguish what is kept from what is dropped."""
    words = [{"source": s} | w for s, found in against.items() for w in found["words"]]
    signals = [{"source": s} | w for s, found in against.items() for w in found["signals"]]
    if not words and not signals:
        return
    with st.expander("What distinguishes what is kept from what is dropped"):
        if words:
            table(pl.DataFrame(words), key="breadth_words", alt="Words with log-odds and interval")
        if signals:
            table(
                pl.DataFrame(signals), key="breadth_signals",
                alt="Signals: probability that a kept document exceeds a dropped one",
            )  # fmt: skip
        st.caption(
            "Words by log-odds with an informative prior, documents counted once; positive marks "
            "what is kept. Superiority: how often a kept document exceeds a dropped one, 0.5 is no "
            "shift."
        )


def band(estimate: Found | None) -> str:
    """A value with its interval."""
    if not estimate:
        return ""
    value, low, high = (number(estimate[k], 3) for k in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def change(found: Found) -> str:
    """A difference with its interval, and whether it is resolved."""
    resolved = found["low"] > 0 or found["high"] < 0
    return band(found) + ("" if resolved else " unresolved")


def changes(found: Found) -> dict[str, str]:
    """Differences by measure and of what stands beside, under their headings."""
    return {LABELS[k]: change(v["difference"]) for k, v in found["measures"].items()} | {
        f"mean {k}": change(v["difference"]) for k, v in found["beside"].items()
    }
