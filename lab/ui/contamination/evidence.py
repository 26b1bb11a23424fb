"""What the page counts with: the stored search, read once, and the report at the chosen thresholds.

The searches are kept by the ids of their artifacts; thresholds and reviewers' decisions are applied
on top of them, without a text: 100 ms for 100,000 stored overlaps and 20,000 items (one core),
however many documents there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.contamination import decisions, require_contamination
from lab.curation.contamination.report import make_header, token_table
from lab.curation.contamination.search import registered
from lab.curation.contamination.tables import (
    benchmark_table,
    item_table,
    sensitivity,
    source_table,
)
from lab.curation.contamination.verdicts import Thresholds, pair_verdicts

KEYS = ["id", "benchmark", "item_id"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The stored search of some sources. `costs`: source, id, tokens of training documents that
    share anything with an item; `totals`: source, documents, tokens of all training documents;
    `items`: benchmark, item_id, words.
    """

    key: str
    found: Mapping[str, Artifact]
    matches: pl.DataFrame
    overlaps: pl.DataFrame
    items: pl.DataFrame
    costs: pl.DataFrame
    totals: pl.DataFrame
    curves: Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Findings:
    """The report's tables at some thresholds, for the benchmarks that were asked for."""

    pairs: pl.DataFrame
    benchmarks: pl.DataFrame
    items: pl.DataFrame
    sources: pl.DataFrame


def searched(ws: Workspace, ngram: int) -> dict[str, Artifact | None]:
    """Per source the stored search for all registered benchmarks, or None."""
    names = registered(ws)
    found: dict[str, Artifact | None] = {}
    for source in list_sources(ws):
        try:
            found[source.name] = require_contamination(ws, source.name, names, ngram)
        except ArtifactMissing:
            found[source.name] = None
    return found


def load_evidence(ws: Workspace, found: Mapping[str, Artifact], tokenizer: str) -> Evidence:
    """The stored searches `found`; ArtifactMissing if tokens are not counted."""
    name = tokenizer or default_tokenizer(ws)
    tokens = [require_tokens(ws, source, name).id for source in found]
    key = digest([*(artifact.id for artifact in found.values()), *tokens])
    return cached_evidence(ws, found, name, key)


@st.cache_resource(max_entries=3, show_spinner="Reading the search once")
def cached_evidence(
    _ws: Workspace, _found: Mapping[str, Artifact], tokenizer: str, key: str
) -> Evidence:
    """The content of `key`."""
    matches, overlaps = (
        pl.concat([pl.read_parquet(a.path / f"{name}.parquet") for a in _found.values()])
        for name in ("matches", "overlaps")
    )
    costs = token_table(_ws, list(_found), tokenizer)
    near = pl.concat([matches["id"], overlaps["id"]]).unique()
    return Evidence(
        key,
        dict(_found),
        matches,
        overlaps,
        pl.read_parquet(next(iter(_found.values())).path / "items.parquet"),
        costs.filter(pl.col("id").is_in(near.implode())),
        costs.group_by("source").agg(documents=pl.len(), tokens=pl.col("tokens").sum()),
        {
            count: sensitivity(dict(_found), costs, Thresholds(count=count))
            for count in ("set", "multiset")
        },
    )


def findings(
    ws: Workspace, evidence: Evidence, limits: Thresholds, ngram: int, protect: Sequence[str]
) -> Findings:
    """Verdicts, reviewers' decisions applied, and their sums, for the benchmarks of `protect`."""
    chosen = pl.col("benchmark").is_in(list(protect))
    pairs = pair_verdicts(
        evidence.matches.filter(chosen),
        evidence.overlaps.filter(chosen),
        decisions(ws).filter(chosen),
        limits,
    ).select(pl.col("id").str.split("/").list.first().alias("source"), pl.all())
    items = evidence.items.filter(chosen)
    return Findings(
        pairs,
        benchmark_table(items, pairs, ngram),
        item_table(items, pairs),
        by_source(pairs, evidence),
    )


def by_source(pairs: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    """`source_table` over the documents that share anything, with the totals of all documents.

    A document that a reviewer drops without any match is missing from `costs`: it counts no tokens.
    """
    hit = source_table(pairs, evidence.costs).drop("documents", "tokens")
    return evidence.totals.join(hit, on="source", how="left").fill_null(0).sort("source")


def header_of(ws: Workspace, evidence: Evidence, ngram: int, limits: Thresholds) -> dict[str, Any]:
    """What a second person needs to repeat the search."""
    return make_header(ws, dict(evidence.found), registered(ws), ngram, limits)
