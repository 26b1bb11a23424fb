"""Is it real? Every benchmark on all items, on clean items, on its twin, and its domain's text."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import streamlit as st

from lab.evaluation.comparing.verdicts import Difference
from lab.evaluation.gain.gain import BenchmarkGain, Gain
from lab.ui.comparison.forest import forest, interval_words, takeaway, verdict_words
from lab.ui.components import table
from lab.ui.figures import draw
from lab.ui.text import label


def show_checks(found: Gain, a: str, b: str) -> None:
    """Figure and table, and what is open."""
    st.caption(
        "Clean: without items that training text of either recipe quotes. Twin: the same content "
        "in another format. Held out: fresh text of the source most like the items. A lead that "
        "is smaller there, beyond noise, was quotation or format."
    )
    lines = drawn(found.benchmarks)
    if lines:
        draw(forest(lines, a, b), "forest_real", takeaway(lines, a, b))
    table(
        pl.DataFrame([row_of(row, a, b) for row in found.benchmarks]),
        key="table_real",
        alt="Each benchmark on all items, clean items, its twin and fresh text, with the verdict",
        column_config={
            "why": st.column_config.TextColumn(width="large"),
            "settle": st.column_config.TextColumn("to settle it", width="large"),
        },
    )
    for note in found.notes:
        st.caption(label(note))


def drawn(rows: Sequence[BenchmarkGain]) -> list[Difference]:
    """Lines of the figure: benchmarks that differ, or whose items are quoted, and their checks."""
    lines = []
    for row in rows:
        if row.difference.verdict == "unresolved" and not row.quoted:
            continue
        parts = [("all items", row.difference)]
        for check in row.checks[:2]:
            if check.difference is not None and (check.name != "clean" or row.quoted):
                parts.append((check.name, check.difference))
        lines += [
            replace(part, metric=replace(part.metric, on=f"{row.benchmark}, {name}"))
            for name, part in parts
        ]
    return lines


def row_of(row: BenchmarkGain, a: str, b: str) -> dict[str, object]:
    """One row of the table."""
    checks = {
        "clean items": row.check("clean").difference if row.quoted else None,
        "twin": row.check("twin").difference,
    }
    held = row.check("held out")
    return {
        "benchmark": row.benchmark,
        "group": row.group or "none",
        "verdict": row.verdict,
        "better": verdict_words(row.difference, a, b),
        "all items": interval_words(row.difference, value=True),
        "quoted": row.quoted,
        **{name: interval_words(found, value=True) for name, found in checks.items()},
        "held out": held.words,
        "why": row.reason,
        "settle": row.settle,
    }
