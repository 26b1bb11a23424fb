"""Shares with their intervals as a table, and a gain in words."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.core.estimate import Estimate
from lab.ui.components import table
from lab.ui.formats import number, percent


def shares_table(rows: Sequence[dict[str, Any]], shares: Sequence[str], key: str, alt: str) -> None:
    """Rows with the columns in `shares` as percentages."""
    percents = {name: st.column_config.NumberColumn(format="percent") for name in shares}
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    table(frame, key=key, alt=alt, column_config=percents)


def gain_words(gain: Estimate) -> str:
    """A gain with its interval: digits and our own words only."""
    return (
        f"{number(gain.value, 3)} (between {number(gain.low, 3)} and {number(gain.high, 3)} at "
        f"{percent(gain.level, 0)})"
    )
