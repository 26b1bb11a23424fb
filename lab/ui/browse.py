"""Finding and reading documents: filter by outcome, sort by a signal, search the text.

Search is literal or a regular expression of Rust's engine, which runs in linear time on any
pattern. It reads part after part and stops at a time limit; the page then says how much was
searched, because a part must never look like the whole. Cost: about 1 GB of text a second on two
cores (2026-11).
"""

import re
import time
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.mixture.recipe import Recipe
from lab.ui.tables import attribute_table, verdicts_of

SECONDS = 3.0  # of searching before the page says how far it came
PAGE = 25  # documents of one page of the list
OUTCOMES = ("all", "kept", "dropped", "held out")


@dataclass(frozen=True, slots=True)
class Found:
    """Documents that match, in the order asked for: id, tokens and `value` (the sorting signal)."""

    frame: pl.DataFrame
    total: int
    searched: int  # documents whose text was looked at; `total` when no limit was hit


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list shows."""

    outcome: str = "all"  # one of OUTCOMES, or the words of a rule that must fail
    sort: str = ""  # a signal's definition id; empty: order of the source
    descending: bool = False
    text: str = ""
    regex: bool = False


def find_documents(ws: Workspace, source: str, recipe: Recipe | None, wanted: Wanted) -> Found:
    """Rows of `source` that match; ArtifactMissing where the recipe needs what is missing."""
    columns = [wanted.sort] if wanted.sort else []
    table = attribute_table(ws, source, columns)
    keep = outcome_mask(ws, source, recipe, wanted.outcome, table)
    searched = table.height
    if wanted.text:
        artifact = documents(ws, source)
        hits, searched = search(artifact, source, wanted.text, wanted.regex)
        keep = keep & hits
    frame = table.select("id", "tokens", *columns).filter(pl.Series(keep))
    if wanted.sort:
        frame = frame.rename({wanted.sort: "value"})
        frame = frame.sort("value", "id", descending=[wanted.descending, False], nulls_last=True)
    return Found(frame, table.height, searched)


def outcome_mask(
    ws: Workspace, source: str, recipe: Recipe | None, outcome: str, table: pl.DataFrame
) -> np.ndarray:
    """True for documents with the outcome, under the recipe's verdicts."""
    if outcome == "all":
        return np.ones(table.height, bool)
    heldout = table["heldout"].to_numpy()
    if outcome == "held out" or recipe is None or source not in recipe.sources:
        return heldout if outcome == "held out" else ~heldout
    verdict = verdicts_of(ws, recipe)[source]
    mask = verdict.frame["mask"].to_numpy()
    if outcome in verdict.reasons:
        bit = np.uint64(verdict.reasons.index(outcome))
        return np.asarray((mask >> bit) & np.uint64(1) == 1)
    kept = verdict.frame["kept"].to_numpy()
    return np.asarray(kept if outcome == "kept" else ~kept & ~heldout)


def search(artifact: Artifact, source: str, text: str, regex: bool) -> tuple[np.ndarray, int]:
    """(Boolean per document, number searched before the time limit); case does not matter."""
    pattern = text if regex else re.escape(text)
    return cached_search(artifact, artifact.id, f"(?i){pattern}")


@st.cache_data(max_entries=16, show_spinner=False)
def cached_search(_artifact: Artifact, key: str, pattern: str) -> tuple[np.ndarray, int]:
    """`search` for one artifact id."""
    deadline = time.monotonic() + SECONDS
    found, searched, total = [], 0, 0
    for part in _artifact.parts:
        if time.monotonic() < deadline:
            found.append(search_part(str(part), pattern))
            searched += found[-1].size
            total += found[-1].size
        else:
            rows = pl.scan_parquet(part).select(pl.len()).collect().item()
            found.append(np.zeros(rows, bool))
            total += rows
    return np.concatenate(found) if found else np.zeros(0, bool), searched


def search_part(part: str, pattern: str) -> np.ndarray:
    """Which documents of one part match; ConfigError if the pattern is no regular expression."""
    try:
        column = pl.scan_parquet(part).select(pl.col("text").str.contains(pattern)).collect()
    except pl.exceptions.ComputeError as error:
        raise ConfigError(
            "This is not a regular expression.",
            where="search",
            value=pattern.removeprefix("(?i)"),
            next_step=f"{str(error).splitlines()[0]}; or search for it literally",
        ) from error
    return column["text"].to_numpy()


def page_of(found: Found, page: int) -> pl.DataFrame:
    """The rows of page `page` (from 1)."""
    return found.frame.slice((page - 1) * PAGE, PAGE)


def pages(found: Found) -> int:
    """How many pages the list has, at least one."""
    return max(1, -(-found.frame.height // PAGE))
