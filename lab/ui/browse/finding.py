"""From the box to rows of the pool: four ways to ask, one kind of answer.

Each answer says what it covers: keywords cover everything that is indexed, a pattern or a condition
on text as much as could be read in time, meaning the documents that are embedded. Answers are kept
by (pool, way, text), so turning pages asks nothing again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.search import (
    Predicate,
    Scanned,
    count_words,
    find_pattern,
    find_predicate,
    phrase_counts,
    read_predicate,
    read_query,
    require_index,
    search,
)
from lab.corpus.search.pattern import check_pattern
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.nearest import Nearest, nearest_to_document, nearest_to_text
from lab.diversity.embedding.stored import require_embeddings
from lab.ui.browse.pool import Pool, Rows, column, column_key, column_names, stored_in
from lab.ui.formats import count, plural

KEYWORDS, PATTERN, MEANING, SQL = "keywords", "pattern", "meaning", "SQL"
MODES = (KEYWORDS, PATTERN, MEANING, SQL)
LISTED = 100_000  # best matches of a source that are listed
NEAREST = 1000
LIKE = "like:"  # in a search by meaning: documents like the one whose id follows
BASE = {"tokens": "UInt32", "bytes": "UInt32", "heldout": "Boolean", "id": "String"}


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """`rows` of the pool, best first where there are `scores`, else in order. `per_source`: exact
    number of matches. `notes`: what the answer does not cover, in words. `unindexed` and
    `unembedded`: sources that a job could add.
    """

    key: str
    rows: Rows
    scores: NDArray[np.float32] | None
    per_source: dict[str, int]
    notes: tuple[str, ...] = ()
    unindexed: tuple[str, ...] = ()
    unembedded: tuple[str, ...] = ()
    partial: bool = False


def find(ws: Workspace, pool: Pool, mode: str, text: str, seconds: float) -> Found | None:
    """The documents that answer `text`; None for an empty box, which is no search.

    Raises ConfigError for what cannot be read, ArtifactMissing if nothing is embedded.
    """
    if not text:
        return None
    if mode == PATTERN:
        check_pattern(text)
        return by_pattern(pool, text, seconds, digest([pool.key, mode, text, seconds]))
    if mode == MEANING:
        ids = [embedded_id(ws, source) for source in pool.sources]
        return by_meaning(ws, pool, text, digest([pool.key, mode, text, ids]))
    if mode == SQL:
        return by_condition(ws, pool, text, seconds)
    indexes = {source: index_of(ws, source) for source in pool.sources}
    made = [index.id if index else "" for index in indexes.values()]
    return by_keywords(pool, indexes, text, seconds, digest([pool.key, mode, text, made, seconds]))


def index_of(ws: Workspace, source: str) -> Artifact | None:
    """The index of a source, or None."""
    try:
        return require_index(ws, source)
    except ArtifactMissing:
        return None


def embedded_id(ws: Workspace, source: str) -> str:
    """Names the embeddings of a source, "" without any."""
    try:
        return require_embeddings(ws, source, DEFAULT).id
    except ArtifactMissing:
        return ""


@st.cache_resource(max_entries=24, show_spinner=False)
def by_keywords(
    _pool: Pool, _indexes: dict[str, Artifact | None], text: str, seconds: float, key: str
) -> Found:
    """Ranked matches of indexed sources, then unranked ones of the others."""
    asked = read_query(text)
    rows, scores, totals, notes = [], [], {}, []
    missing = [source for source, index in _indexes.items() if index is None]
    weights = count_words([index for index in _indexes.values() if index is not None], asked)
    for source, index in _indexes.items():
        if index is not None:
            hits = search(index, asked, LISTED, weights)
            rows.append(hits.rows.astype(np.int64) + _pool.starts[source])
            scores.append(hits.scores)
            totals[source] = hits.total
            if hits.total > len(hits.rows):
                notes.append(f"Of {source} the best {count(len(hits.rows))} are listed.")
    if missing:
        found = {source: _pool.artifacts[source] for source in missing}
        scanned = find_pattern(found, as_pattern(asked.wanted[0]), seconds=seconds)
        notes += [
            f"{plural(len(missing), 'source')} without an index: searched unranked, for the first "
            "word or phrase only.",
            *covered(scanned),
        ]
        for source in missing:
            own = scanned.rows[source].astype(np.int64) + _pool.starts[source]
            rows.append(own)
            scores.append(np.zeros(len(own), np.float32))
            totals[source] = len(own)
    joined, points = np.concatenate(rows), np.concatenate(scores)
    order = np.lexsort((joined, -points))
    partial = bool(missing) and not scanned.complete
    return Found(
        key, joined[order], points[order], totals, tuple(notes), tuple(missing), (), partial
    )


def as_pattern(words: tuple[str, ...]) -> str:
    """A word or phrase as a regular expression."""
    return r"\b" + r"\W+".join(re.escape(word) for word in words) + r"\b"


@st.cache_resource(max_entries=24, show_spinner="Reading the documents")
def by_pattern(_pool: Pool, text: str, seconds: float, key: str) -> Found:
    """Documents that match a regular expression, as far as the time allows."""
    return scanned_rows(_pool, find_pattern(_pool.artifacts, text, seconds=seconds), key)


def by_condition(ws: Workspace, pool: Pool, text: str, seconds: float) -> Found:
    """Documents that meet an SQL condition."""
    names = [*BASE, *column_names(ws, pool)]
    predicate = read_predicate(text, names)
    whole = pl.DataFrame(
        [
            pool.frame[c] if c in BASE else column(ws, pool, c)
            for c in predicate.columns
            if c not in predicate.reads
        ]
    )
    frames = {s: whole[pool.span(s)] if whole.width else whole for s in pool.sources}
    stamp = [column_key(pool, c, stored_in(ws, pool, c)) for c in whole.columns if c not in BASE]
    return cached_condition(
        pool, predicate, frames, seconds, digest([pool.key, SQL, predicate.sql, seconds, stamp])
    )


@st.cache_resource(max_entries=24, show_spinner="Reading the documents")
def cached_condition(
    _pool: Pool, _predicate: Predicate, _frames: dict[str, pl.DataFrame], seconds: float, key: str
) -> Found:
    """The answer for `key`."""
    scanned = find_predicate(_pool.artifacts, _frames, _predicate, seconds=seconds)
    return scanned_rows(_pool, scanned, key)


def scanned_rows(pool: Pool, scanned: Scanned, key: str) -> Found:
    """A scan in rows of the pool, in order."""
    rows = [scanned.rows[s].astype(np.int64) + pool.starts[s] for s in pool.sources]
    totals = dict(zip(scanned.counts["source"], scanned.counts["matches"], strict=True))
    notes = tuple(covered(scanned))
    return Found(key, np.concatenate(rows), None, totals, notes, partial=not scanned.complete)


def covered(scanned: Scanned) -> list[str]:
    """What a scan read, if not everything."""
    if scanned.complete:
        return []
    read, whole = int(scanned.counts["read"].sum()), int(scanned.counts["documents"].sum())
    unread = scanned.counts.filter(pl.col("read") == 0)["source"].to_list()
    words = f"Timed out, sampled: {count(read)} of {count(whole)} documents were read."
    return [words + (f" Nothing yet of {', '.join(unread)}." if unread else "")]


@st.cache_resource(max_entries=24, show_spinner="Comparing meanings")
def by_meaning(_ws: Workspace, _pool: Pool, text: str, key: str) -> Found:
    """The embedded documents closest in meaning."""
    like = text.removeprefix(LIKE).strip() if text.startswith(LIKE) else ""
    if like:
        answer = nearest_to_document(_ws, _pool.sources, like, NEAREST)
    else:
        answer = nearest_to_text(_ws, _pool.sources, text, NEAREST)
    searched, whole = (int(answer.counts[c].sum()) for c in ("searched", "documents"))
    notes = [f"Searched {count(searched)} of {count(whole)} documents"]
    notes[0] += ": those that are embedded, a sample." if searched < whole else "."
    missing = answer.counts.filter(pl.col("searched") == 0)["source"].to_list()
    if missing:
        notes.append(f"Not embedded: {', '.join(missing)}.")
    rows = nearest_rows(_pool, answer)
    totals = {s: int((answer.frame["source"] == s).sum()) for s in _pool.sources}
    scores = answer.frame["similarity"].to_numpy()
    return Found(key, rows, scores, totals, tuple(notes), (), tuple(missing), searched < whole)


def nearest_rows(pool: Pool, answer: Nearest) -> Rows:
    """Rows of the pool of the ids found, in their order."""
    numbered = pool.frame.select("id").with_row_index("row")
    joined = answer.frame.join(numbered, on="id", how="left", maintain_order="left")
    if joined["row"].null_count():
        raise ConfigError(
            "The embeddings name documents that are not here.",
            where="meaning",
            next_step="`mixlab embed` again",
        )
    return joined["row"].cast(pl.Int64).to_numpy()


def entry_counts(ws: Workspace, sources: Sequence[str], text: str) -> pl.DataFrame | None:
    """Documents of each source with each word or phrase of a query; None where nothing is indexed
    or the query is one word.
    """
    entries = read_query(text).wanted
    indexes = {s: index for s in sources if (index := index_of(ws, s)) is not None}
    if not indexes:
        return None
    table = {s: phrase_counts(index, entries) for s, index in indexes.items()}
    names = [f'"{" ".join(entry)}"' if len(entry) > 1 else entry[0] for entry in entries]
    counted = [sum(own[k] for own in table.values()) for k in range(len(entries))]
    return pl.DataFrame({"word or phrase": names, "all": counted, **table})
