"""Frames that pages read again and again, cached by the ids of the artifacts they come from.

A key of artifact ids can never serve stale rows: a changed source or definition has another id. The
frames are shared between sessions (`cache_resource`) and Polars frames are immutable, so no copy is
made. `max_entries` bounds the memory: a million documents with ten columns take about 100 MB.
"""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact, load
from lab.core.files import digest
from lab.core.query import parquet, query
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import attributes, locate
from lab.mixture.ledger import Ledger, ledger
from lab.mixture.recipe import Recipe
from lab.mixture.selection import Verdicts, judge
from lab.mixture.supply import Supply, measure_supply, supply_key


def attribute_table(ws: Workspace, source: str, columns: Sequence[str], tokenizer: str = "") -> Any:
    """`lab.curation.attributes.attributes`, kept as long as its artifacts stay the same."""
    name = tokenizer or default_tokenizer(ws)
    key = attribute_key(ws, source, columns, name)
    return cached_attributes(ws, source, tuple(columns), name, key)


def attribute_key(ws: Workspace, source: str, columns: Sequence[str], tokenizer: str) -> str:
    """Names the content of an attribute table: the ids of all artifacts it is made of."""
    used = [documents(ws, source).id, require_tokens(ws, source, tokenizer).id]
    return digest(used + [f"{c.name}@{c.artifact.id}" for c in locate(ws, source, columns)])


@st.cache_resource(max_entries=12, show_spinner=False)
def cached_attributes(
    _ws: Workspace, source: str, columns: tuple[str, ...], tokenizer: str, key: str
) -> pl.DataFrame:
    """The table for `key`."""
    return attributes(_ws, source, columns, tokenizer)


def supply_of(ws: Workspace, recipe: Recipe) -> Supply:
    """What the recipe's decisions about documents leave; weights do not matter."""
    return cached_supply(ws, recipe, supply_key(ws, recipe))


@st.cache_resource(max_entries=24, show_spinner=False)
def cached_supply(_ws: Workspace, _recipe: Recipe, key: str) -> Supply:
    """The supply for `key`."""
    return measure_supply(_ws, _recipe)


def ledger_of(ws: Workspace, recipe: Recipe) -> Ledger:
    """The ledger of a recipe, saved or not."""
    return ledger(supply_of(ws, recipe), recipe.mixture)


def verdicts_of(ws: Workspace, recipe: Recipe) -> dict[str, Verdicts]:
    """Why each document is kept or falls."""
    return cached_verdicts(ws, recipe, supply_key(ws, recipe))


@st.cache_resource(max_entries=4, show_spinner=False)
def cached_verdicts(_ws: Workspace, _recipe: Recipe, key: str) -> dict[str, Verdicts]:
    """The verdicts for `key`."""
    return judge(_ws, _recipe)


def texts(artifact: Artifact, ids: Sequence[str], limit: int | None = None) -> dict[str, str]:
    """Texts (or their first `limit` characters) of some documents, by id."""
    if not ids:
        return {}
    text = "text" if limit is None else f"left(text, {int(limit)})"
    marks = ", ".join("?" for _ in ids)
    sql = f"SELECT id, {text} AS text FROM {parquet(artifact.parts)} WHERE id IN ({marks})"
    frame = query(sql, list(ids))
    return dict(zip(frame["id"], frame["text"], strict=True))


def read_document(artifact: Artifact, document: str) -> dict[str, Any] | None:
    """One document with all its columns; None if the source has no such id."""
    frame = query(f"SELECT * FROM {parquet(artifact.parts)} WHERE id = ?", [document])
    if frame.is_empty():
        return None
    row: dict[str, Any] = frame.row(0, named=True)
    row["meta"] = json.loads(row["meta"]) if row.get("meta") else {}
    return row


def manifests(ws: Workspace, step: str) -> list[Artifact]:
    """All finished artifacts of a step, current or not."""
    found = [load(path) for path in sorted((ws.artifacts / step).glob("[!.]*"))]
    return [artifact for artifact in found if artifact]
