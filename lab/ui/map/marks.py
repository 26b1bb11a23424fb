"""What distinguishes the selection: what a job has found, or the button that starts it.

The texts of a sample are read through, which takes seconds on a large corpus, so the page reads
what `mixlab marks` left. Words of documents stand in tables only, which read no markup.
"""

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.curation.selections.marked import SAMPLE, read_marks, stored_marks
from lab.curation.selections.points import Points
from lab.curation.selections.polygon import Mask
from lab.curation.selections.predicate import parse_predicate
from lab.ui.columns import share
from lab.ui.components import empty, table
from lab.ui.formats import count, duration
from lab.ui.job_panel import start, watch
from lab.ui.map.held import sizes_of, stamp_of
from lab.ui.memory import remembered
from lab.ui.signal_words import signal_words

STARTING, READ_PER_SECOND = 4, 50_000  # seconds of a worker; documents of 2 kB (`marked`)
SHIFTED = 12  # signals that are shown
INTERVAL = ("low", "high")


def show_marks(ws: Workspace, points: Points, mask: Mask, written: str) -> None:
    """The section; `written` is the line of the selection with its map."""
    st.subheader("What distinguishes the selection", anchor=False)
    busy = watch(ws, ["marks"], "marks")
    if mask.all() or not mask.any():
        st.caption("A selection is told from the rest of the map: select some, not none nor all.")
        return
    found = known_marks(ws, written, digest([stamp_of(ws, points), written]))
    if found is None:
        offer(ws, points, written, busy)
    else:
        show_found(found)


@remembered(16)
def known_marks(ws: Workspace, written: str, key: str) -> Artifact | None:
    """What is stored of a line for `key`."""
    return stored_marks(ws, parse_predicate(written))


def offer(ws: Workspace, points: Points, written: str, busy: bool) -> None:
    """What is missing, what would find it, and how long that takes."""
    documents = sum(sizes_of(ws, points).values())
    with empty("This selection has not been compared with the rest of the map."):
        st.caption(
            f"Words and signals of at most {count(SAMPLE)} selected documents and {count(SAMPLE)} "
            f"others: about {duration(STARTING + documents / READ_PER_SECOND)}; `mixlab marks` "
            "with the line above, or its name, does the same."
        )
        if st.button("Compare them", key="map.marks", icon=":material/compare:", disabled=busy):
            start(ws, "marks", {"selection": written})


def show_found(artifact: Artifact) -> None:
    """Words and signals beside each other, of how many, and what the numbers are."""
    words, signals = read_marks(artifact)
    read, told = artifact.manifest["read"], artifact.manifest
    st.caption(
        f"A sample: {count(read['selected'])} of {count(told['selected'])} selected documents "
        f"against {count(read['rest'])} of {count(told['documents'] - told['selected'])} others on "
        "the map. Intervals hold 95 %."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        show_words(words)
    with right:
        show_signals(signals)


def show_words(words: pl.DataFrame) -> None:
    """Words that mark the selection, then those that mark the rest."""
    if words.is_empty():
        st.caption("No word distinguishes it by more than chance among all words would.")
        return
    table(
        words.select("word", "selected", "rest", "log_odds", "low", "high"), key="map_words",
        alt="Words with the share of documents that hold them, and log-odds with interval",
        column_config={
            "word": st.column_config.TextColumn(width=120),
            "selected": share("selected", width=75), "rest": share("others", width=70),
            "log_odds": st.column_config.NumberColumn("log-odds", format="%+.2f", width=75),
        } | {c: st.column_config.NumberColumn(format="%+.2f", width=60) for c in INTERVAL},
    )  # fmt: skip
    st.caption(
        "Log-odds of a document holding the word, with an informative prior; above 0 it marks the "
        "selection, below 0 the others. Words that chance could explain are left out."
    )


def show_signals(signals: pl.DataFrame) -> None:
    """The most shifted signals."""
    if signals.is_empty():
        st.caption("No signal is measured yet: `mixlab measure` makes them, in minutes.")
        return
    shown = signals.head(SHIFTED)
    table(
        in_words(shown), key="map_signals",
        alt="Signals: probability that a selected document exceeds another, with medians",
        column_config={
            "signal": st.column_config.TextColumn(width=185),
            "higher": st.column_config.TextColumn("is higher", width=135),
            "selected": st.column_config.NumberColumn("median", format="%.3g", width=65),
            "rest": st.column_config.NumberColumn("of others", format="%.3g", width=75),
        },
    )  # fmt: skip
    st.caption(
        "Is higher: how often a selected document exceeds another one; 0.5 is no shift, and an "
        f"interval that holds 0.5 is not resolved. The {count(shown.height)} most shifted of "
        f"{count(signals.height)}."
    )


def in_words(signals: pl.DataFrame) -> pl.DataFrame:
    """Rows of signals with their words, and the probability with its interval as one text."""
    higher = [
        f"{value:.2f} ({low:.2f} to {high:.2f})"
        for value, low, high in signals.select("superiority", "low", "high").iter_rows()
    ]
    return signals.select(
        signal=pl.Series([signal_words(name) for name in signals["signal"]], dtype=pl.String),
        higher=pl.Series(higher, dtype=pl.String),
        selected="selected",
        rest="rest",
    )
