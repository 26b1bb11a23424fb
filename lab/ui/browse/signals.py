"""The signals of one document: value, place among the source's documents, the recipe's limits.

Percentiles are taken from at most `SAMPLE` documents, evenly spread over the source, and kept by
artifact.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.curation.measure import stored_signals
from lab.curation.signals import BY_ID
from lab.mixture.recipe import Recipe
from lab.ui.browse.listing import value_words
from lab.ui.cuts import bounds_of
from lab.ui.formats import number

QUANTILES = [k / 20 for k in range(21)]
SAMPLE = 50_000  # documents


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
                    "value": value_words(values.get(name)),
                    "limits": limits(low, high),
                    "percentile": percentile(values.get(name), marks.get(name, [])),
                    "definition": name,
                }
            )
    return pl.DataFrame(rows).sort("limits", descending=True, maintain_order=True)


def signal_values(artifact: Artifact, document: str, names: list[str]) -> Mapping[str, Any]:
    """The stored values of one document."""
    frame = artifact.scan().filter(pl.col("id") == document)
    found = frame.select(names).collect()
    return found.row(0, named=True) if found.height else {}


@st.cache_data(max_entries=32, show_spinner=False)
def quantiles(_artifact: Artifact, key: str, names: tuple[str, ...]) -> dict[str, list[float]]:
    """Values at QUANTILES of every signal over at most SAMPLE documents, for one artifact id."""
    schema = _artifact.scan().collect_schema()
    numeric = [name for name in names if schema[name].is_numeric() or schema[name] == pl.Boolean]
    values = _artifact.scan().select(pl.col(numeric).cast(pl.Float64))
    total = _artifact.scan().select(pl.len()).collect().item()
    frame = values.gather_every(max(1, -(-total // SAMPLE))).collect()
    return {name: marks_of(frame[name].drop_nulls().to_numpy()) for name in numeric}


def marks_of(values: NDArray[np.float64]) -> list[float]:
    """The values at QUANTILES; empty without values."""
    return [float(mark) for mark in np.quantile(values, QUANTILES)] if values.size else []


def percentile(value: object, marks: list[float]) -> float | None:
    """Where `value` lies among the source's documents, in percent; ties count half."""
    if not isinstance(value, int | float) or not marks:
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
