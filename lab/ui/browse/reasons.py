"""Why a document stays or falls: a chip per rule with its value, red, amber or grey.

Red fails, amber passes by less than one step of the slider of the Filters page, grey passes. The
hint of a chip says where the value lies among the documents of the source.
"""

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.selection import Verdicts
from lab.ui.browse.pool import Pool, column, load_pool
from lab.ui.filters.reading import number_chip, plain_chip, steps_of
from lab.ui.highlight import Chip


def chips_of(ws: Workspace, verdict: Verdicts, place: int) -> list[Chip]:
    """The verdict on row `place` of a source, rule by rule, then what is not a rule."""
    pool = load_pool(ws, [verdict.source])
    mask = int(verdict.frame["mask"][place])
    heldout = bool(verdict.frame["heldout"][place])
    head = "held out" if heldout else "falls" if mask else "kept"
    chips = [Chip(head, "says")]
    for bit, rule in enumerate(verdict.rules):
        chips.append(chip_of(ws, pool, rule, place, bool(mask >> bit & 1)))
    for bit, words in list(enumerate(verdict.reasons))[len(verdict.rules) :]:
        if mask >> bit & 1:
            chips.append(Chip(words, "fails"))
    return chips


def chip_of(ws: Workspace, pool: Pool, rule: Rule, place: int, fails: bool) -> Chip:
    """One rule."""
    columns = {name: column(ws, pool, name) for name in rule.columns()}
    if not rule.bounded:
        return plain_chip(rule, columns, place, fails)
    values = floats(columns[rule.signal], f"{pool.key} {rule.signal}")
    return number_chip(rule, values, place, fails, steps_of(rule, values, f"{pool.key} {rule!r}"))


@st.cache_resource(max_entries=48, show_spinner=False)
def floats(_values: pl.Series, key: str) -> NDArray[np.float64]:
    """A column as doubles, for `key`."""
    return _values.cast(pl.Float64).to_numpy()


def failing_columns(verdict: Verdicts, mask: int) -> list[str]:
    """The columns that the failing rules read."""
    failing = [rule for bit, rule in enumerate(verdict.rules) if mask >> bit & 1]
    return list(dict.fromkeys(name for rule in failing for name in rule.columns()))
