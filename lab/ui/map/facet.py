"""What the map gives to the facets of the Browse page: topics, and selections.

A topic is a cluster of the newest map, its number and words as in the map's column `topic`. Only
embedded documents are on a map, so most documents of a large source have none.

A selection is one that has a name, or the one of the link: a part is the name or the line itself,
so a link from the map needs nothing stored. What a line chooses is read from its own map, whichever
map is the newest now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, LabError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.curation.selections.names import named
from lab.curation.selections.points import chosen, find_map
from lab.curation.selections.predicate import parse_predicate
from lab.ui.browse.pool import Pool, workspace_stamp
from lab.ui.map.held import board_of, values_of
from lab.ui.memory import remembered

FACET, TOPIC = "selection", "topic"
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Topics:
    """The `parts` of a map by number, the `codes` of a pool's documents (-1: on no map), and what
    names both, "" without a map.
    """

    stamp: str
    parts: tuple[str, ...]
    codes: NDArray[np.int32]


def topics_of(ws: Workspace, pool: Pool) -> Topics:
    """The topics of a pool on the newest map; no parts without a map."""
    try:
        artifact = find_map(ws, "")
    except ArtifactMissing:
        return Topics("", (), np.zeros(0, np.int32))
    return cached_topics(pool, artifact, digest([pool.key, artifact.id]))


@st.cache_resource(max_entries=3, show_spinner=False)
def cached_topics(_pool: Pool, _map: Artifact, key: str) -> Topics:
    """The topics for `key`: one join by id, 0.3 s for a million documents that are all mapped."""
    placed = _map.scan().select("id", pl.col("cluster").cast(pl.Int32)).collect()
    ids = _pool.frame.select("id")
    joined = ids.join(placed, on="id", how="left", maintain_order="left")["cluster"]
    labels = pl.read_parquet(_map.path / "clusters.parquet", columns=["cluster", "label"])
    parts = [f"{k}" for k in range(int(labels["cluster"].max() or 0) + 1)]  # type: ignore[arg-type]
    for cluster, words in labels.iter_rows():
        parts[cluster] = f"{cluster}: {' '.join(words.replace('|', '/').split())}"
    return Topics(key, tuple(parts), joined.fill_null(-1).to_numpy())


@dataclass(frozen=True, slots=True, eq=False)
class Selections:
    """The documents of a pool in each selection, and what names all of it."""

    stamp: str
    masks: dict[str, Mask]


def selection_masks(ws: Workspace, pool: Pool, asked: Sequence[str]) -> Selections:
    """Every named selection and those that are `asked` for; a line that cannot be read, or whose
    map is gone, has no part.
    """
    lines = dict(named(ws).lines) | {part: part for part in asked if "=" in part}
    if not lines:
        return Selections("", {})
    stamp, found = workspace_stamp(ws), {}
    for name, line in lines.items():
        try:
            found[name] = cached_mask(ws, pool, line, digest([pool.key, line, stamp]))
        except LabError:
            continue
    return Selections(digest([stamp, lines]), found)


@remembered(32)
def cached_mask(ws: Workspace, pool: Pool, line: str, key: str) -> Mask:
    """The documents of the pool that meet the line."""
    predicate = parse_predicate(line)
    bound = predicate.area or predicate.clusters
    points = board_of(find_map(ws, predicate.map if bound else "")).points
    mask = chosen(points, predicate, lambda column: values_of(ws, points, column).values)
    ids = points.ids.gather(np.flatnonzero(mask))
    found: Mask = pool.frame["id"].is_in(ids.implode()).to_numpy()
    return found
