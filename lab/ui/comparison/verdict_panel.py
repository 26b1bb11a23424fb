"""The top of the page: the verdict in words, the guardrails, and what would change it."""

import polars as pl
import streamlit as st

from lab.evaluation.gain.gain import Gain
from lab.ui.comparison.forest import forest, interval_words, takeaway, verdict_words
from lab.ui.components import table
from lab.ui.figures import draw
from lab.ui.text import label

ICONS = {
    "real": ":material/check_circle:",
    "trade-off": ":material/balance:",
    "hidden loss": ":material/warning:",
    "contaminated": ":material/report:",
    "format": ":material/report:",
    "worse": ":material/trending_down:",
    "open": ":material/pending:",
    "unresolved": ":material/help:",
}
ALARMING = ("hidden loss", "contaminated", "format")


def show_verdict(found: Gain) -> None:
    """The sentence, and what would change it."""
    icon = ICONS.get(found.overall.kind, ":material/help:")
    if found.overall.kind in ALARMING:
        st.warning(label(found.overall.sentence), icon=icon)
    else:
        st.info(label(found.overall.sentence), icon=icon)
    if found.overall.change:
        with st.expander("What would change this verdict"):
            for change in found.overall.change:
                st.markdown(label(change))


def show_guardrails(found: Gain, a: str, b: str) -> None:
    """Knowledge, reasoning, language and code, each with a line of its own."""
    st.subheader("Guardrails", anchor=False)
    rows = [line.difference for line in found.guardrails if line.difference]
    if rows:
        draw(forest(rows, a, b), "forest_guardrails", takeaway(rows, a, b))
    if found.mean is not None:
        rows = [*rows, found.mean]
    frame = pl.DataFrame(
        [
            {
                "guardrail": line.group,
                "benchmarks": ", ".join(line.benchmarks) or "none",
                "B minus A": interval_words(line.difference, value=True),
                "verdict": verdict_words(line.difference, a, b)
                if line.difference
                else "not measured",
                "why": line.difference.reason
                if line.difference
                else "no benchmark of this group is scored: nothing guards it",
            }
            for line in found.guardrails
        ]
        + mean_row(found, a, b)
    )
    table(
        frame,
        key="guardrails",
        alt="Each guardrail with its difference, interval and verdict, and the mean of all",
        column_config={"B minus A": "B minus A (95 % interval)"},
    )


def mean_row(found: Gain, a: str, b: str) -> list[dict[str, str]]:
    """The mean over all benchmarks, so that what it hides stands beside it."""
    if found.mean is None:
        return []
    return [
        {
            "guardrail": "(mean of all)",
            "benchmarks": "",
            "B minus A": interval_words(found.mean, value=True),
            "verdict": verdict_words(found.mean, a, b),
            "why": found.mean.reason,
        }
    ]
