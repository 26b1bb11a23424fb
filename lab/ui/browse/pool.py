"""The documents in scope as one frame without text, and columns beside it, kept between reruns.

A document is a number from here on: its row in `Pool.frame`. Filtering, counting and sorting a
million documents are operations on arrays of these numbers; texts are read for the twenty that are
shown. Keys are made of artifact ids, so changed documents can never serve old rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.files import digest
from lab.core.query import parquet, query
from lab.core.workspace import Workspace
from lab.corpus.search.scan import height
from lab.corpus.sources import documents
from lab.corpus.tokenizer import default_tokenizer, list_tokenizers
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import Column, attribute_names, locate

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """`frame`: source (an Enum), id, bytes, heldout, tokens (null where they are not counted).
    `artifacts` and `starts`: per source its documents and its first row.
    """

    key: str
    frame: pl.DataFrame
    artifacts: dict[str, Artifact]
    starts: dict[str, int]

    @property
    def sources(self) -> list[str]:
        """Names of the sources, in the order of the frame."""
        return list(self.artifacts)

    @property
    def counted(self) -> bool:
        """True if tokens are counted for every document."""
        return self.frame["tokens"].null_count() == 0

    def span(self, source: str) -> slice:
        """The rows of a source."""
        start = self.starts[source]
        return slice(start, start + sum(map(height, self.artifacts[source].parts)))

    def row_of(self, document: str) -> int | None:
        """The row of a document, or None."""
        source = document.partition("/")[0]
        if source not in self.artifacts:
            return None
        span = self.span(source)
        place = self.frame["id"][span].index_of(document)
        return None if place is None else span.start + place


def load_pool(ws: Workspace, sources: Sequence[str]) -> Pool:
    """The documents of `sources`."""
    found = {source: documents(ws, source) for source in sources}
    tokens = {source: tokens_of(ws, source) for source in sources}
    ids = [[a.id, t.id if t else ""] for a, t in zip(found.values(), tokens.values(), strict=True)]
    return cached_pool(found, tokens, digest([str(ws.root), list(sources), ids]))


def tokens_of(ws: Workspace, source: str) -> Artifact | None:
    """Token counts under the default tokenizer, if there are any."""
    if not list_tokenizers(ws):
        return None
    try:
        return require_tokens(ws, source, default_tokenizer(ws))
    except ArtifactMissing:
        return None


@st.cache_resource(max_entries=3, show_spinner="Reading the documents once")
def cached_pool(_found: dict[str, Artifact], _tokens: dict[str, Artifact | None], key: str) -> Pool:
    """The pool for `key`."""
    names = pl.Enum(list(_found))
    frames, starts, start = [], {}, 0
    for source, artifact in _found.items():
        frame = artifact.scan().select("id", "bytes", "heldout").collect()
        counts = _tokens[source]
        tokens = pl.repeat(None, frame.height, dtype=pl.UInt32, eager=True)
        if counts is not None:
            tokens = counts.scan().select(pl.col("tokens").cast(pl.UInt32)).collect()["tokens"]
        place = pl.lit(source).cast(names).alias("source")
        frames.append(frame.with_columns(place, tokens.alias("tokens")))
        starts[source] = start
        start += frame.height
    return Pool(key, pl.concat(frames, rechunk=True), dict(_found), starts)


def workspace_stamp(ws: Workspace) -> str:
    """Changes whenever something is stored or a source is read anew: folders' times of change.

    Looking up 20 folders costs 0.2 ms, asking every room what it stores for 12 sources half a
    second.
    """
    folders = [*ws.artifacts.glob("*"), *ws.sources.glob("[!.]*"), ws.folder("tags"), ws.tokenizers]
    return digest([[str(p), p.stat().st_mtime_ns] for p in sorted(folders) if p.exists()])


def column_names(ws: Workspace, pool: Pool) -> list[str]:
    """Attributes stored for at least one source of the pool, those of the first source first."""
    events = ws.folder("tags", "events.jsonl")
    size = events.stat().st_size if events.exists() else 0
    return cached_names(ws, pool, digest([pool.key, workspace_stamp(ws), size]))


@st.cache_resource(max_entries=8, show_spinner=False)
def cached_names(_ws: Workspace, _pool: Pool, key: str) -> list[str]:
    """The names for `key`."""
    return list(dict.fromkeys(n for s in _pool.sources for n in attribute_names(_ws, s)))


def column(ws: Workspace, pool: Pool, name: str) -> pl.Series:
    """One attribute of every document, null for sources where it is not stored."""
    places = stored_in(ws, pool, name)
    return cached_column(pool, places, name, column_key(pool, name, places))


def column_key(pool: Pool, name: str, places: Sequence[Column | None]) -> str:
    """Names the content of a column."""
    return digest([pool.key, name, [p.artifact.id if p else "" for p in places]])


def stored_in(ws: Workspace, pool: Pool, name: str) -> list[Column | None]:
    """Where each source of the pool stores an attribute."""
    if name.startswith("tags."):
        return places_of(ws, pool, name)  # made on demand, whenever somebody tags
    return cached_places(ws, pool, name, digest([pool.key, workspace_stamp(ws)]))


@st.cache_resource(max_entries=256, show_spinner=False)
def cached_places(_ws: Workspace, _pool: Pool, name: str, key: str) -> list[Column | None]:
    """The places of column `name` for `key`."""
    return places_of(_ws, _pool, name)


def places_of(ws: Workspace, pool: Pool, name: str) -> list[Column | None]:
    """Where each source of the pool stores an attribute, looked up now."""
    places: list[Column | None] = []
    for source in pool.sources:
        try:
            places.append(locate(ws, source, [name])[0])
        except ArtifactMissing:
            places.append(None)
    return places


@st.cache_resource(max_entries=48, show_spinner=False)
def cached_column(_pool: Pool, _places: Sequence[Column | None], name: str, key: str) -> pl.Series:
    """The column for `key`."""
    pieces = []
    for source, place in zip(_pool.sources, _places, strict=True):
        span = _pool.span(source)
        if place is None:
            pieces.append(pl.Series([None] * (span.stop - span.start), dtype=pl.Null))
        else:
            pieces.append(place.artifact.scan().select(place.stored).collect().to_series())
    known = next((piece.dtype for piece in pieces if piece.dtype != pl.Null), pl.Float64)
    return pl.concat([piece.cast(known).alias(name) for piece in pieces], rechunk=True)


def texts_at(pool: Pool, rows: Sequence[int], limit: int) -> list[str]:
    """The first `limit` characters of the documents at `rows`."""
    return cached_texts(pool, tuple(rows), limit, pool.key)


@st.cache_resource(max_entries=32, show_spinner=False)
def cached_texts(_pool: Pool, rows: tuple[int, ...], limit: int, key: str) -> list[str]:
    """The texts for `key`, in one statement; the rest of a part stays on disk."""
    pieces = []
    for source, artifact in _pool.artifacts.items():
        start = _pool.starts[source]
        for part in artifact.parts:
            end = start + height(part)
            here = ", ".join(str(row - start) for row in rows if start <= row < end)
            if here:
                read = f"{parquet([part])[:-1]}, file_row_number = true)"
                pieces.append(
                    f"SELECT file_row_number + {start} AS row, left(text, {int(limit)}) AS text "
                    f"FROM {read} WHERE file_row_number IN ({here})"
                )
            start = end
    found = query(" UNION ALL ".join(pieces)) if pieces else pl.DataFrame({"row": [], "text": []})
    texts = dict(zip(found["row"], found["text"], strict=True))
    return [texts[row] for row in rows]
