"""From what is asked to what is shown: search, filters and order joined, with what it covers."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.ui.browse.controls import Asked, search_longer
from lab.ui.browse.facets import Facet, Facets, Filters, apply, bars, unknown_filters
from lab.ui.browse.finding import KEYWORDS, MEANING, Found, embedded_id, entry_counts, find
from lab.ui.browse.ordering import RANDOM, STORED, by_column, check_sortable, in_random_order
from lab.ui.browse.pool import Pool, Rows, column, column_key, stored_in
from lab.ui.components import table
from lab.ui.formats import compact, count, percent
from lab.ui.job_panel import start
from lab.ui.text import label


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """`rows` of the pool in the order asked for; `values` the sorting column; `scores` of `rows`
    where the search ranks and nothing else orders them.
    """

    rows: Rows
    found: Found | None
    values: pl.Series | None
    scores: NDArray[np.float32] | None


def answer(ws: Workspace, pool: Pool, facets: Facets, asked: Asked) -> Answer:
    """The documents that match, in order. Raises what `find` raises."""
    found = find(ws, pool, asked.mode, asked.text, asked.seconds)
    values, stamp = sorting_column(ws, pool, asked.sort)
    order = [asked.filters, asked.sort, stamp, asked.falling, asked.seed]
    key = digest([pool.key, facets.key, found.key if found else "", *order])
    rows, scores = cached_rows(pool, facets.every, asked, found, values, key)
    return Answer(rows, found, values, scores)


def sorting_column(ws: Workspace, pool: Pool, sort: str) -> tuple[pl.Series | None, str]:
    """The column that the list is sorted by and its key, None for an order without one."""
    if sort in (STORED, RANDOM):
        return None, ""
    if sort in ("tokens", "bytes"):
        values, key = pool.frame[sort], sort
    else:
        values, key = column(ws, pool, sort), column_key(pool, sort, stored_in(ws, pool, sort))
    check_sortable(values)
    return values, key


@st.cache_resource(max_entries=32, show_spinner=False)
def cached_rows(
    _pool: Pool,
    _facets: tuple[Facet, ...],
    _asked: Asked,
    _found: Found | None,
    _values: pl.Series | None,
    key: str,
) -> tuple[Rows, NDArray[np.float32] | None]:
    """Rows and scores for `key`."""
    rows = np.arange(_pool.frame.height) if _found is None else _found.rows
    scores = None if _found is None else _found.scores
    passing = apply(_facets, _asked.filters)
    if passing is not None:
        kept = passing[rows]
        rows, scores = rows[kept], None if scores is None else scores[kept]
    if _asked.sort == RANDOM:
        return in_random_order(_pool, rows, _asked.seed), None
    if _values is not None:
        return by_column(_values, rows, _asked.falling), None
    return rows, scores


def facet_bars(
    pool: Pool, facets: Facets, asked: Asked, found: Found | None, in_tokens: bool
) -> list[dict[str, object]]:
    """What the browser draws of the facets."""
    key = digest([pool.key, facets.key, found.key if found else "", asked.filters, in_tokens])
    return cached_bars(pool, facets.every, asked.filters, found, in_tokens, key)


@st.cache_resource(max_entries=32, show_spinner=False)
def cached_bars(
    _pool: Pool,
    _facets: tuple[Facet, ...],
    _filters: Filters,
    _found: Found | None,
    in_tokens: bool,
    key: str,
) -> list[dict[str, object]]:
    """The bars for `key`."""
    searched = None
    if _found is not None:
        searched = np.zeros(_pool.frame.height, bool)
        searched[_found.rows] = True
    weights = _pool.frame["tokens"].to_numpy().astype(float) if in_tokens else None
    return list(bars(_facets, _filters, searched, weights, _pool.frame.height))


def show_summary(ws: Workspace, pool: Pool, facets: Facets, asked: Asked, got: Answer) -> None:
    """How many match, in documents and tokens, and what the search does not cover."""
    size = len(got.rows)
    st.markdown(
        f"**{count(size)}** of {count(pool.frame.height)} documents"
        f"{label(tokens_words(pool, got.rows))}"
    )
    for unknown in unknown_filters(facets.every, asked.filters):
        st.warning(f"No document in scope is in {label(unknown)}; the filter finds nothing.")
    if got.found is not None:
        show_coverage(ws, pool, asked, got.found)
    if not size:
        st.caption("Nothing matches. Take away a filter or a word; Escape clears everything.")


def tokens_words(pool: Pool, rows: Rows) -> str:
    """The tokens of `rows`, and their share of all in scope."""
    if not pool.counted:
        return "; tokens are not counted"
    tokens = pool.frame["tokens"]
    mine, whole = int(tokens.gather(rows).sum() or 0), int(tokens.sum() or 0)
    share = mine / max(whole, 1)
    words = percent(share, 3 if 0 < share < 0.0005 else 1)
    return f", {compact(mine)} of {compact(whole)} tokens ({words})"


def show_coverage(ws: Workspace, pool: Pool, asked: Asked, found: Found) -> None:
    """Notes of the search, exact counts per source, and jobs that would make it complete."""
    for words in found.notes:
        st.caption(f":material/info: {label(words)}")
    with st.container(horizontal=True):
        if found.partial and asked.seconds < 10 and asked.mode != MEANING:
            st.button("Read on for 20 seconds", key="longer", on_click=search_longer)
        if found.unindexed and st.button("Index the words", key="index_now", type="primary"):
            start(ws, "index", {"source": one_of(found.unindexed)})
        if found.unembedded and st.button("Embed a sample", key="embed_now"):
            start(ws, "embed", {"source": one_of(found.unembedded)})
    if asked.mode == KEYWORDS and " " in asked.text:
        counts = entry_counts(ws, pool.sources, asked.text)
        if counts is not None and counts.height:
            with st.expander("Documents with each word or phrase, by source"):
                table(counts, key="entry_counts", alt="Documents with each word or phrase")


def offer_embedding(ws: Workspace, pool: Pool, asked: Asked) -> None:
    """A way on where a search by meaning has nothing to search in."""
    if asked.mode != MEANING or not asked.text:
        return
    if any(embedded_id(ws, source) for source in pool.sources):
        return
    if st.button("Embed a sample", key="embed_first", type="primary"):
        start(ws, "embed", {"source": one_of(tuple(pool.sources))})


def one_of(sources: tuple[str, ...]) -> str | None:
    """The source if it is one, None (all of them) if there are several."""
    return sources[0] if len(sources) == 1 else None
