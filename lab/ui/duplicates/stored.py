"""What the page counts with, read once: the pair graph and the documents that are in any group.

A threshold or a policy is answered from memory. Only documents in a group at the lowest stored
similarity are kept with their ids; of the others a source, a flag and a token count, 6 bytes each.
The key is made of artifact ids, so changed documents can never serve old counts.
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
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.duplicates import MinHash
from lab.curation.duplicates.config import FLOOR
from lab.curation.duplicates.graph import Graph, build_graph, exact_groups, load_graph, near_groups
from lab.curation.duplicates.presets import PRESETS
from lab.curation.duplicates.regroup import require_pairs, stored_settings
from lab.mixture.recipe import Recipe

Mask = NDArray[np.bool_]
COLUMNS = ("id", "source", "content_hash", "heldout")


@dataclass(frozen=True, slots=True)
class Stored:
    """`graph` over all documents. `everything`: source (an Enum of all, by name), heldout, tokens
    of each, in graph order. `grouped`: row, id, source, heldout, tokens of those in a group at
    `FLOOR`, a source's preferred copy first. `pairs`: the search they come from, None where only
    exact copies are known.
    """

    key: str
    graph: Graph
    everything: pl.DataFrame
    grouped: pl.DataFrame
    pairs: Artifact | None

    def sources(self) -> list[str]:
        """Names of the sources, in order."""
        return self.everything["source"].unique().cast(pl.String).sort().to_list()


def find_pairs(ws: Workspace, minhash: MinHash) -> Artifact | None:
    """The stored search with these bands, rows and shingles, or None."""
    try:
        return require_pairs(ws, minhash)
    except ArtifactMissing:
        return None


def offered_settings(ws: Workspace, recipe: Recipe | None) -> dict[str, MinHash]:
    """Settings to choose from by name: the recipe's, those stored, those published."""
    own = [recipe.dedup.minhash] if recipe and recipe.dedup and recipe.dedup.minhash else []
    published = [preset.minhash for preset in PRESETS.values()]
    return {setting_name(m): m for m in [*own, *stored_settings(ws), *published]}


def setting_name(minhash: MinHash) -> str:
    """A setting in the address of the page: `14x8x5`."""
    return f"{minhash.bands}x{minhash.rows}x{minhash.ngram}"


def load_stored(ws: Workspace, minhash: MinHash | None, tokenizer: str) -> Stored:
    """What is stored about the present sources; exact copies only without a search.

    Raises ArtifactMissing if tokens are not counted.
    """
    pairs = find_pairs(ws, minhash) if minhash else None
    name = tokenizer or default_tokenizer(ws)
    names = [source.name for source in list_sources(ws)]
    tokens = [require_tokens(ws, source, name) for source in names]
    found = [documents(ws, source) for source in names]
    ids = [artifact.id for artifact in (*found, *tokens)]
    return cached_stored(found, tokens, pairs, digest([*ids, pairs.id if pairs else ""]))


@st.cache_resource(max_entries=3, show_spinner="Reading the documents once")
def cached_stored(
    _found: Sequence[Artifact], _tokens: Sequence[Artifact], _pairs: Artifact | None, key: str
) -> Stored:
    """The content of `key`."""
    base = pl.concat([a.scan().select(COLUMNS) for a in _found]).collect()
    tokens = pl.concat([a.scan().select("tokens") for a in _tokens]).collect()
    names = pl.Enum(base["source"].unique().sort())
    frame = base.hstack(tokens).with_columns(pl.col("source").cast(names))
    graph = load_graph(_pairs) if _pairs else build_graph(base, None)
    grouped = (
        frame.with_row_index("row")
        .filter(groups_at(graph, FLOOR if _pairs else None).is_not_null())
        .sort("content_hash", "id")
        .select("row", "id", "source", "heldout", "tokens")
    )
    return Stored(key, graph, frame.select("source", "heldout", "tokens"), grouped, _pairs)


def groups_at(graph: Graph, threshold: float | None) -> pl.Series:
    """Group of each document at a threshold, or among its exact copies for None."""
    return exact_groups(graph) if threshold is None else near_groups(graph, threshold)
