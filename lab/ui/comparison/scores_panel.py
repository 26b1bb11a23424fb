"""Differences of one scope: forest plot and table, metrics that fail the gate greyed out."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.evaluation.comparing.compare import Comparison
from lab.evaluation.comparing.verdicts import Difference
from lab.evaluation.gate.gate import Gate, GateRow
from lab.evaluation.runs.metrics import MEAN
from lab.ui.comparison.forest import forest, interval_words, takeaway, verdict_words
from lab.ui.components import ROWS
from lab.ui.figures import GREY, draw
from lab.ui.text import label

SCOPES = {
    "heldout": "Held-out text, by source",
    "benchmark": "Benchmarks",
    "twin": "Twins: the same content in another format",
}


def show_scope(
    found: Comparison, gate: Gate | None, scope: str, metric: str, a: str, b: str
) -> None:
    """Forest plot and table of the rows of `scope` that `metric` measured."""
    rows = [r for r in found.rows if (r.metric.scope, r.metric.metric) == (scope, metric)]
    if not rows:
        if scope != "twin":
            st.caption(f"Nothing is measured by this here: {label(SCOPES[scope])}.")
        return
    st.subheader(label(SCOPES[scope]), anchor=False)
    rows = sorted(rows, key=lambda row: row.metric.on == MEAN)
    judged = {r.metric.on: g for r in rows if gate and (g := gate.row(r.metric))}
    failed = {on for on, row in judged.items() if row.failed}
    draw(forest(rows, a, b, failed), f"forest_{scope}", takeaway(rows, a, b))
    difference_table(rows, judged, f"table_{scope}", a, b)
    for on in sorted(failed):
        st.caption(
            f"{label(on)} is greyed: {label(judged[on].reason)}. It cannot be optimised for."
        )


def difference_table(
    rows: Sequence[Difference], judged: Mapping[str, GateRow], key: str, a: str, b: str
) -> None:
    """The same numbers as text, rows that fail the gate in grey."""
    frame = pl.DataFrame(
        [
            {
                "on": row.metric.on,
                a: row.a.value,
                b: row.b.value,
                "difference": row.difference.value,
                "interval": interval_words(row),
                "verdict": verdict_words(row, a, b),
                "gate": judged[row.metric.on].verdict if row.metric.on in judged else "not judged",
                "why": row.reason,
                "chance": row.chance,
                "n": row.difference.n,
                "seeds": row.seeds,
            }
            for row in rows
        ]
    )
    if frame["chance"].null_count() == frame.height:
        frame = frame.drop("chance")
    config = st.column_config.NumberColumn
    grey_table(
        frame,
        [row == "failed" for row in frame["gate"]],
        key=key,
        alt="Both values, their difference with its interval, the verdict, and the gate's",
        column_config={a: config(format="%.4f"), b: config(format="%.4f")}
        | {"difference": config(format="%+.4f"), "interval": "95 % interval"}
        | {"chance": config(format="%.3f"), "gate": "signal gate"},
    )


def grey_table(
    frame: pl.DataFrame, grey: Sequence[bool], *, key: str, alt: str, **options: Any
) -> None:
    """A table whose rows marked `grey` are written in grey."""
    style = frame.to_pandas().style.apply(
        lambda row: [f"color: {GREY}" if grey[row.name] else ""] * len(row), axis=1
    )
    height: Any = "content" if frame.height <= ROWS else 36 * ROWS
    st.dataframe(style, key=key, alt=alt, hide_index=True, height=height, **options)
