"""One document with everything known about it: text, verdict, signals, and what came with it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.curation.measure import stored_signals
from lab.curation.signals import BY_ID
from lab.mixture.recipe import Recipe
from lab.ui.components import empty, table
from lab.ui.cuts import bounds_of
from lab.ui.formats import count, number
from lab.ui.tables import read_document, verdicts_of
from lab.ui.text import label, show_document, show_plain

LONG = 1200  # characters from which a document scrolls in a box
QUANTILES = [k / 20 for k in range(21)]
SAMPLE = 50_000  # documents that percentiles are taken from, evenly spread over the source


def show_reader(ws: Workspace, document: str, recipe: Recipe | None) -> None:
    """The document called `document`, or a note that there is none."""
    source = document.partition("/")[0]
    row = read_document(documents(ws, get_source(ws, source).name), document)
    if row is None:
        with empty("No document has this id."):
            show_plain(document)
        return
    st.markdown(f"**{label(document)}**")
    st.caption(
        f"{count(row['bytes'])} bytes" + (", held out: never trained on" if row["heldout"] else "")
    )
    if recipe is not None:
        show_verdict(ws, document, source, recipe)
    show_document(row["text"], height=420 if len(row["text"]) > LONG else None)
    signals = document_signals(ws, source, document, recipe)
    if signals.height:
        table(
            signals,
            key="document_signals",
            alt="Signals of this document with their place in the source and the recipe's limits",
            height=280,
            column_config={
                "signal": st.column_config.TextColumn(width=210),
                "value": st.column_config.NumberColumn(format="%.4g", width=60),
                "limits": st.column_config.TextColumn(width=100),
                "percentile": st.column_config.ProgressColumn(
                    "percentile", format="%d", min_value=0, max_value=100, width=90
                ),
            },
        )
    if row["meta"]:
        with st.expander("What came with it"):
            st.json(row["meta"])


def show_verdict(ws: Workspace, document: str, source: str, recipe: Recipe) -> None:
    """Whether the recipe keeps it, and every reason why it falls."""
    if source not in recipe.sources:
        st.caption(f"Recipe {label(recipe.name)} does not use this source.")
        return
    try:
        verdict = verdicts_of(ws, recipe)[source]
    except ArtifactMissing as error:
        st.caption(f"No verdict of {label(recipe.name)}: {label(error.what)}")
        return
    row = verdict.frame.row(by_predicate=pl.col("id") == document, named=True)
    reasons = [r for i, r in enumerate(verdict.reasons) if row["mask"] >> i & 1]
    with st.container(horizontal=True, gap="xsmall"):
        if row["kept"]:
            st.badge("kept", icon=":material/check:", color="green")
        elif not reasons:
            st.badge("held out", icon=":material/science:", color="blue")
        for reason in reasons:
            st.badge(label(f"fails: {reason}"), icon=":material/close:", color="red")


def document_signals(
    ws: Workspace, source: str, document: str, recipe: Recipe | None
) -> pl.DataFrame:
    """signal, value, percentile in the source, and the recipe's limits on it."""
    rules = recipe.sources.get(source, ()) if recipe else ()
    rows = []
    by_artifact: dict[str, tuple[Artifact, list[str]]] = {}
    for name, artifact in stored_signals(ws, source).items():
        by_artifact.setdefault(artifact.id, (artifact, []))[1].append(name)
    for artifact, names in by_artifact.values():
        values = signal_values(artifact, document, names)
        marks = quantiles(artifact, artifact.id, tuple(names))
        for name in names:
            low, high = bounds_of(rules, name)
            rows.append(
                {
                    "signal": BY_ID[name].label if name in BY_ID else name,
                    "value": values.get(name),
                    "limits": limits(low, high),
                    "percentile": percentile(values.get(name), marks[name]),
                    "definition": name,
                }
            )
    return pl.DataFrame(rows).sort("limits", descending=True, maintain_order=True)


def signal_values(artifact: Artifact, document: str, names: list[str]) -> Mapping[str, Any]:
    """The stored values of one document."""
    frame = artifact.scan().filter(pl.col("id") == document)
    found = frame.select(pl.col(names).cast(pl.Float64)).collect()
    return found.row(0, named=True) if found.height else {}


@st.cache_data(max_entries=32, show_spinner=False)
def quantiles(_artifact: Artifact, key: str, names: tuple[str, ...]) -> dict[str, list[float]]:
    """Values at QUANTILES of every signal over at most SAMPLE documents, for one artifact id."""
    values = _artifact.scan().select(pl.col(names).cast(pl.Float64))
    total = values.select(pl.len()).collect().item()
    frame = values.gather_every(max(1, -(-total // SAMPLE))).collect()
    return {name: marks_of(frame[name].drop_nulls().to_numpy()) for name in names}


def marks_of(values: NDArray[np.float64]) -> list[float]:
    """The values at QUANTILES; empty without values."""
    return [float(mark) for mark in np.quantile(values, QUANTILES)] if values.size else []


def percentile(value: float | None, marks: list[float]) -> float | None:
    """Where `value` lies among the source's documents, in percent; ties count half."""
    if value is None or not marks:
        return None
    pairs = list(zip(QUANTILES, marks, strict=True))
    below = max((q for q, mark in pairs if mark < value), default=0.0)
    upto = max((q for q, mark in pairs if mark <= value), default=0.0)
    return 50 * (below + upto)


def limits(low: float | None, high: float | None) -> str:
    """`50 to 100000`, `at least 50`, or nothing."""
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {number(low)}"
    return f"at most {number(high)}" if low is None else f"{number(low)} to {number(high)}"
