"""What a map is made of on the server, read once for each map and shared by all visitors.

The browser gets points in one random order for a map: no source covers another, and the first few
are a fair picture of all. `Board.order` leads from its numbers back to rows. The payload is 4 bytes
a point (two 16-bit places); the fifth, the colour, travels apart, so that another colouring of a
million points costs 1 MB and not 5, and a lasso costs neither.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.corpus.tokenizer import default_tokenizer, list_tokenizers
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import attribute_names, locate
from lab.curation.selections.points import F64, Points, column_values, document_rows, read_points
from lab.ui.browse.pool import workspace_stamp
from lab.ui.memory import remembered

TEXTS = ("language.code@", "selected.", "topic.")  # columns of texts, which have no range
GRID = 6  # bits: labels stand in the fullest of 64 x 64 cells

Label = dict[str, Any]  # x, y in steps, text, size


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A map's points, their random order, the bytes for the browser, and where labels stand."""

    points: Points
    order: NDArray[np.int64]
    stamp: int
    payload: bytes
    labels: tuple[Label, ...]


def board_of(artifact: Artifact) -> Board:
    """The board of a map."""
    return cached_board(artifact, artifact.id)


@st.cache_resource(max_entries=2, show_spinner="Reading the map once")
def cached_board(_artifact: Artifact, key: str) -> Board:
    """The board of map `key`: 1 s a million points."""
    points = read_points(_artifact)
    order = np.random.default_rng(0).permutation(points.x.size)
    stamp = zlib.crc32(key.encode())
    places = points.x[order].tobytes() + points.y[order].tobytes()
    return Board(points, order, stamp, head(order.size, stamp) + places, place_labels(points))


def head(count: int, stamp: int, version: int = 0) -> bytes:
    """The header of what the browser gets: number of points, stamp of the map, version."""
    return np.array([count, stamp, version], "<u4").tobytes()


def place_labels(points: Points) -> tuple[Label, ...]:
    """The words of every cluster where most of its points are, the largest cluster first."""
    shift, side = 16 - GRID, 1 << GRID
    cell = (points.y >> shift).astype(np.int64) * side + (points.x >> shift)
    key = points.cluster.astype(np.int64) * side * side + cell
    sizes = np.bincount(points.cluster, minlength=len(points.labels))
    fullest = np.bincount(key, minlength=len(points.labels) * side * side)
    best = fullest.reshape(len(points.labels), -1).argmax(axis=1)
    there = cell == best[points.cluster]
    many = np.maximum(np.bincount(points.cluster[there], minlength=len(points.labels)), 1)
    middle = [
        np.bincount(points.cluster[there], axis[there].astype(np.float64), len(points.labels))
        for axis in (points.x, points.y)
    ]
    return tuple(
        {
            "x": round(middle[0][k] / many[k]),
            "y": round(middle[1][k] / many[k]),
            "text": points.labels[k],
            "size": int(sizes[k]),
        }
        for k in np.argsort(-sizes, kind="stable")
        if sizes[k]
    )


def stamp_of(ws: Workspace, points: Points) -> str:
    """Changes with the map and with anything stored: 1 ms, where asking each of 12 sources for its
    artifacts takes 100.
    """
    return digest([str(ws.root), points.map, workspace_stamp(ws)])


def sizes_of(ws: Workspace, points: Points) -> dict[str, int]:
    """Documents of every source of the map, on it or not."""
    return known_sizes(ws, points, stamp_of(ws, points))


@remembered(2)
def known_sizes(ws: Workspace, points: Points, key: str) -> dict[str, int]:
    """The sizes for `key`."""
    return {name: int(get_source(ws, name).counts["documents"]) for name in points.sources}


def rows_of(ws: Workspace, points: Points) -> NDArray[np.int64]:
    """The row of every point among the documents of its source."""
    return known_rows(ws, points, stamp_of(ws, points))


@remembered(2)
def known_rows(ws: Workspace, points: Points, key: str) -> NDArray[np.int64]:
    """The rows for `key`, read again only if documents changed."""
    ids = [documents(ws, source).id for source in points.sources]
    return cached_rows(ws, points, digest([points.map, ids]))


@st.cache_resource(max_entries=2, show_spinner=False)
def cached_rows(_ws: Workspace, _points: Points, key: str) -> NDArray[np.int64]:
    """The rows for `key`."""
    return document_rows(_ws, _points)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The values of a column at every point, NaN where there is none; `lacking` names the sources
    without it, `key` the content.
    """

    key: str
    values: F64
    lacking: tuple[str, ...]


def values_of(ws: Workspace, points: Points, column: str) -> Held:
    """The values of a column; raises DataError for one of texts."""
    rows = rows_of(ws, points)
    stored = []
    for source in points.sources:
        try:
            stored.append(locate(ws, source, [column])[0].artifact.id)
        except ArtifactMissing:
            stored.append("")
    return cached_values(ws, points, rows, column, digest([points.map, column, stored]))


@st.cache_resource(max_entries=12, show_spinner=False)
def cached_values(
    _ws: Workspace, _points: Points, _rows: NDArray[np.int64], column: str, key: str
) -> Held:
    """The values for `key`."""
    return Held(key, *column_values(_ws, _points, _rows, column))


def tokens_at(ws: Workspace, points: Points) -> F64 | None:
    """Tokens of every point under the default tokenizer; None where one source is not counted."""
    return known_tokens(ws, points, stamp_of(ws, points))


@remembered(2)
def known_tokens(ws: Workspace, points: Points, key: str) -> F64 | None:
    """The tokens for `key`, read again only if counts changed."""
    if not list_tokenizers(ws):
        return None
    try:
        stored = [require_tokens(ws, s, default_tokenizer(ws)) for s in points.sources]
    except ArtifactMissing:
        return None
    rows = rows_of(ws, points)
    return cached_tokens(stored, points, rows, digest([points.map, [a.id for a in stored]]))


@st.cache_resource(max_entries=2, show_spinner=False)
def cached_tokens(
    _stored: list[Artifact], _points: Points, _rows: NDArray[np.int64], key: str
) -> F64:
    """The tokens for `key`."""
    found = np.zeros(_points.x.size)
    for place, artifact in enumerate(_stored):
        own = np.flatnonzero((_points.source == place) & (_rows >= 0))
        counted = artifact.scan().select(pl.col("tokens").cast(pl.Float64)).collect()
        found[own] = counted["tokens"].to_numpy()[_rows[own]]
    return found


def numeric_columns(ws: Workspace, points: Points) -> list[str]:
    """Columns with a range, of any source of the map."""
    return cached_columns(ws, points.sources, digest([points.sources, workspace_stamp(ws)]))


@st.cache_resource(max_entries=4, show_spinner=False)
def cached_columns(_ws: Workspace, sources: tuple[str, ...], key: str) -> list[str]:
    """The columns for `key`."""
    names = dict.fromkeys(name for source in sources for name in attribute_names(_ws, source))
    return [name for name in names if not name.startswith(TEXTS)]
