"""One table per source: everything known about its documents except the text.

Attributes live in separate artifacts, aligned row for row with the documents, so a table is made by
laying columns side by side, without a join. It holds only the columns asked for: for a million
documents and ten columns about 100 MB. A column's first name says who made it (`FAMILIES`); all
others are signals.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, DataError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokens import require_tokens
from lab.curation.contamination import (
    contamination_columns,
    decisions,
    require_columns,
    require_contamination,
)
from lab.curation.contamination.reviews import contaminated_ids
from lab.curation.duplicates import MinHash, regroup
from lab.curation.duplicates.repeated import repeated_columns, require_repeated
from lab.curation.duplicates.semantic import require_semantic, semantic_columns
from lab.curation.measure import require_signals, stored_signals
from lab.curation.quality import quality_columns, require_quality
from lab.curation.sampling import require_sample, sample_columns
from lab.curation.tags.store import require_tags, tag_columns
from lab.curation.topics import require_topic, topic_columns
from lab.diversity.selecting.stored import require_selected, selected_columns

BASE = ("id", "source", "bytes", "content_hash", "heldout")


@dataclass(frozen=True, slots=True)
class Column:
    """Where an attribute is stored: `name` in the table, `stored` in the parts of `artifact`."""

    name: str
    artifact: Artifact
    stored: str


def attributes(
    ws: Workspace,
    source: str,
    columns: Sequence[str],
    tokenizer: str,
    of: Artifact | None = None,
) -> pl.DataFrame:
    """Columns id, source, bytes, content_hash, heldout, tokens and `columns`, in document order.

    `tokens` are those of the edited texts `of` where the recipe trains on them; all else describes
    the original.

    `columns` are definition ids of signals or `quality.NAME`. Raises ArtifactMissing with the
    command to run for the first that is not stored for the source's current documents.
    """
    base = documents(ws, source).scan().select(BASE)
    tokens = require_tokens(ws, source, tokenizer, of)
    wanted = [Column("tokens", tokens, "tokens"), *locate(ws, source, columns)]
    frames = [base.collect()]
    for artifact in {c.artifact.path: c.artifact for c in wanted}.values():
        picked = [
            pl.col(c.stored).alias(c.name) for c in wanted if c.artifact.path == artifact.path
        ]
        frames.append(artifact.scan().select(picked).collect())
    check_aligned(source, frames)
    return pl.concat(frames, how="horizontal")


@dataclass(frozen=True, slots=True)
class Family:
    """Columns `PREFIX.NAME` that one step makes: how to find the artifact, and what there is."""

    require: Callable[[Workspace, str, str], Artifact]  # (ws, source, column), ArtifactMissing
    columns: Callable[[Workspace, str], list[str]]  # (ws, source): the columns stored now


FAMILIES = {
    "contamination": Family(require_columns, contamination_columns),
    "duplicates": Family(require_repeated, repeated_columns),
    "quality": Family(require_quality, quality_columns),
    "selected": Family(require_selected, selected_columns),
    "semantic": Family(require_semantic, semantic_columns),
    "sample": Family(require_sample, sample_columns),
    "tags": Family(require_tags, tag_columns),
    "topic": Family(require_topic, topic_columns),
}


def locate(ws: Workspace, source: str, columns: Sequence[str]) -> list[Column]:
    """The artifact that stores each of `columns`, in their order."""
    families = {c: FAMILIES.get(c.partition(".")[0]) for c in columns}
    stored = require_signals(ws, source, [c for c, family in families.items() if family is None])
    return [
        Column(c, family.require(ws, source, c) if family else stored[c], c)
        for c, family in families.items()
    ]


def check_aligned(source: str, frames: Sequence[pl.DataFrame]) -> None:
    """DataError if an attribute does not have one row per document: a damaged workspace."""
    heights = sorted({frame.height for frame in frames})
    if len(heights) > 1:
        raise DataError(
            "Attributes and documents have different numbers of rows.",
            where=f"source {source}",
            value=heights,
            next_step="delete the folder of the shorter artifact and measure again",
        )


def attribute_names(ws: Workspace, source: str) -> list[str]:
    """Names that `attributes` can serve for this source now."""
    made = [name for family in FAMILIES.values() for name in family.columns(ws, source)]
    return [*stored_signals(ws, source), *made]


def duplicate_groups(ws: Workspace, minhash: MinHash) -> pl.DataFrame:
    """Columns id, source, exact_group, near_group over all sources of the workspace, at any
    threshold from the stored floor up.
    """
    return regroup(ws, minhash.jaccard, minhash)


def contaminated(ws: Workspace, source: str, benchmarks: Sequence[str], ngram: int) -> pl.Series:
    """True, in document order, where a document shares a word n-gram with an item and no reviewer
    keeps it, or a reviewer drops it.
    """
    matches = pl.read_parquet(contamination_matches(ws, source, benchmarks, ngram))
    dropped = contaminated_ids(matches, decisions(ws), list(benchmarks))
    ids = documents(ws, source).scan().select("id").collect()["id"]
    return ids.is_in(dropped.implode())


def contamination_matches(
    ws: Workspace, source: str, benchmarks: Sequence[str], ngram: int
) -> Path:
    """The matches (id, benchmark, ...) of a search that covers `benchmarks`: for exactly them, or
    for all registered ones.
    """
    registered = sorted(path.parent.name for path in ws.benchmarks.glob("*/items.parquet"))
    try:
        artifact = require_contamination(ws, source, benchmarks, ngram)
    except ArtifactMissing:
        artifact = require_contamination(ws, source, registered, ngram)
    return artifact.path / "matches.parquet"
