"""The topic of every document as a column, `topic.MAP`: what it is about, in the words of a map.

A topic is a cluster of the frozen partition that a map was made with, written as its number and
words ("3: casino, spin, bonus"). MAP is the beginning of that map's id: a recipe that reads the
column goes on meaning the same topics when another map is drawn, and documents that are placed onto
the map later (`mixlab map --onto MAP`) have theirs in the same column.

Only embedded documents lie on a map; elsewhere the column is null. Facets and queries show that as
no topic; a rule refuses it, because a document nobody placed must not pass for one of any topic.

The column is stored on demand, aligned with the documents. Cost: one join by id, 0.7 s a
million documents in 12 sources (tests/benchmarks/map_at_a_million.py).
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, build, find, load, write_part
from lab.core.errors import ArtifactMissing, nearest
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.curation.journal import writing
from lab.diversity.embedding.encoder import encoder_option
from lab.diversity.embedding.stored import STEP as EMBEDDINGS
from lab.diversity.layout.stored import SHORT, encoder_of, stored_maps, topics_id
from lab.diversity.layout.stored import VERSION as MAPS

STEP, VERSION = "topics", 1
PREFIX = "topic."


def topic_columns(ws: Workspace, source: str) -> list[str]:
    """The column of every map on which present documents of `source` lie, the newest first."""
    return list(dict.fromkeys(column_of(made) for made in maps_of(ws, source)))


def common_column(ws: Workspace, sources: Sequence[str]) -> str:
    """The column that most of `sources` have, of several that of the newest map; "" without one."""
    shown = [topic_columns(ws, source) for source in sources]
    counts = Counter(column for columns in shown for column in columns)
    newest = dict.fromkeys(column_of(made) for made in stored_maps(ws))
    return max(newest, key=lambda column: counts[column], default="") if counts else ""


def column_of(made: Artifact) -> str:
    """The column that holds the topics of a map."""
    return PREFIX + topics_id(made)[:SHORT]


def maps_of(ws: Workspace, source: str) -> list[Artifact]:
    """The maps on which present documents of `source` lie, the newest first."""
    current = get_source(ws, source).documents
    return [made for made in stored_maps(ws) if of_documents(ws, made, source, current)]


def of_documents(ws: Workspace, made: Artifact, source: str, current: str) -> bool:
    """True if a map shows `source`, embedded from the documents `current`."""
    about = made.manifest
    embedded = dict(zip(about.get("samples", ()), about["inputs"], strict=False))
    if about["version"] != MAPS or source not in embedded:
        return False
    vectors = load(ws.artifacts / EMBEDDINGS / embedded[source])
    return vectors is not None and vectors.manifest["inputs"] == [current]


def require_topic(ws: Workspace, source: str, column: str) -> Artifact:
    """The artifact with `column` (text, null for what is not on the map) of `source`, stored now if
    need be.

    Raises ArtifactMissing if no such map shows the present documents.
    """
    made = next((m for m in maps_of(ws, source) if column_of(m) == column), None)
    if made is None:
        raise missing(ws, source, column)
    found = documents(ws, source)
    settings, inputs = {"column": column}, [found.id, made.id]

    def make(folder: Path) -> dict[str, Any]:
        placed = made.scan().filter(pl.col("source") == source).select("id", "topic").collect()
        for part in found.parts:
            ids = pl.read_parquet(part, columns=["id"])
            own = ids.join(placed, on="id", how="left", maintain_order="left")["topic"]
            write_part(own.alias(column).to_frame(), folder / part.name)
        return {"source": source, "placed": placed.height}

    stored = find(ws, STEP, VERSION, settings, inputs)
    if stored is not None:
        return stored
    with writing(ws.artifacts / STEP / "building.jsonl", column):  # pages may ask at the same time
        return build(ws, STEP, VERSION, settings, inputs, make)


def missing(ws: Workspace, source: str, column: str) -> ArtifactMissing:
    """Why a source has no such column, and what makes it."""
    start = column.removeprefix(PREFIX)
    known = [made for made in stored_maps(ws) if column_of(made) == column]
    others = topic_columns(ws, source)
    step = "`mixlab embed`, then `mixlab map` draws a map and names its column"
    if known:
        option = encoder_option(encoder_of(known[0]))
        place = f"`mixlab map --source {source}{option} --onto {known[0].id[:SHORT]}`"
        step = f"`mixlab embed --source {source}{option}`, then {place}"
    elif others:
        step = nearest(column, others)
    return ArtifactMissing(
        f"The present documents of {source!r} are not on the map {start}."
        if known
        else f"There is no map {start!r}.",
        where=f"source {source}",
        value=column,
        next_step=step,
    )
