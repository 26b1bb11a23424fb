"""Topics as tables: how large each is, what is known of its documents, and whose they are.

The topics are those of one map (`lab.curation.topics`), over every source that lies on it. As the
page of the map shows it, without a browser: one pass over columns that are aligned with the
documents, 0.4 s a million (tests/benchmarks/map_at_a_million.py). Tokens of the mapped documents
are scaled up to their sources, an estimate; "copies" and "kept" stand there only once duplicates
were looked for and a recipe is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source, list_sources
from lab.corpus.tokenizer import default_tokenizer, list_tokenizers
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import locate
from lab.curation.duplicates.regroup import near_copies
from lab.curation.selections.points import numbers
from lab.curation.topics import column_of, topic_columns
from lab.diversity.embedding.encoder import encoder_option
from lab.diversity.layout.stored import encoder_of, find_map
from lab.diversity.layout.table import cluster_table, representation, scale_tokens
from lab.mixture.recipe import Recipe
from lab.mixture.selection import judge


@dataclass(frozen=True, slots=True, eq=False)
class Topics:
    """`table` and `odds` as in `lab.diversity.layout.table`, odds with the source's name and the
    topic's words; `column` holds the topics, `placed` documents of `documents` are on the map.
    """

    map: str
    column: str
    table: pl.DataFrame
    odds: pl.DataFrame
    placed: int
    documents: int


def topics_of(
    ws: Workspace, start: str = "", *, recipe: Recipe | None = None, means: Sequence[str] = ()
) -> Topics:
    """The topics of the map whose id begins with `start`, of the newest if it is empty.

    `means` are columns of numbers. Raises ArtifactMissing without that map, if none of its sources
    still has the documents it was drawn from, and for what `recipe` asks for and is not stored,
    DataError for a column of texts.
    """
    made = find_map(ws, start)
    column = column_of(made)
    names = [s.name for s in list_sources(ws) if column in topic_columns(ws, s.name)]
    if not names:
        option = encoder_option(encoder_of(made))
        raise ArtifactMissing(
            "This map shows the present documents of no source: they have changed since, or their "
            "embeddings were removed, or an older version made it.",
            where=str(made.path), value=made.id,
            next_step=f"`mixlab embed{option}`, then `mixlab map{option}`",
        )  # fmt: skip
    sizes = {name: int(get_source(ws, name).counts["documents"]) for name in names}
    beside = [*columns_of(ws, names, means), kept_in(ws, recipe), copies_in(ws, recipe)]
    frames = []
    for name in names:
        parts = [about[name] for about in beside if name in about]
        topic = stored(ws, name, column).alias("topic")
        frames.append(pl.DataFrame([topic, *parts]).with_columns(source=pl.lit(name)))
    frame = pl.concat(frames, how="diagonal").drop_nulls("topic")
    number = pl.col("topic").str.extract(r"^(\d+)").cast(pl.UInt16)
    placed = frame.with_columns(cluster=number)
    labels = placed.select("cluster", label="topic").unique().sort("cluster")
    if "tokens" in placed.columns:
        placed = scale_tokens(placed, sizes)
    counted = [c for c in dict.fromkeys(("kept", "copies", *means)) if c in placed.columns]
    odds = representation(placed).join(labels, on="cluster", maintain_order="left")
    table = cluster_table(placed, labels, counted)
    return Topics(made.id, column, table, odds, placed.height, sum(sizes.values()))


def stored(ws: Workspace, source: str, column: str) -> pl.Series:
    """A column of a source's documents, in their order."""
    place = locate(ws, source, [column])[0]
    return place.artifact.scan().select(pl.col(place.stored).alias(column)).collect().to_series()


def columns_of(
    ws: Workspace, sources: Sequence[str], means: Sequence[str]
) -> list[dict[str, pl.Series]]:
    """Tokens and each of `means` by source; none for a source that lacks one.

    Raises ArtifactMissing for a column that no source has; tokens need every source.
    """
    found: list[dict[str, pl.Series]] = []
    for column in dict.fromkeys(means):
        own: dict[str, pl.Series] = {}
        for source in sources:
            try:
                own[source] = pl.Series(column, numbers(stored(ws, source, column)))
            except ArtifactMissing:
                if source == sources[-1] and not own:
                    raise
        found.append(own)
    if list_tokenizers(ws):
        name = default_tokenizer(ws)
        try:
            counts = {s: require_tokens(ws, s, name).scan().select("tokens") for s in sources}
            found.append({s: c.collect()["tokens"] for s, c in counts.items()})
        except ArtifactMissing:
            pass  # a share of some sources' tokens would mislead: the table says documents
    return found


def kept_in(ws: Workspace, recipe: Recipe | None) -> dict[str, pl.Series]:
    """By source 1 kept, 0 dropped, null for a held-out document."""
    judged = judge(ws, recipe) if recipe else {}
    kept = pl.when(~pl.col("heldout")).then(pl.col("kept").cast(pl.Float64)).alias("kept")
    return {name: verdict.frame.select(kept).to_series() for name, verdict in judged.items()}


def copies_in(ws: Workspace, recipe: Recipe | None) -> dict[str, pl.Series]:
    """By source 1 for a document in a group of near copies, else 0; nothing without a search."""
    grouped = near_copies(ws, recipe.dedup.minhash if recipe and recipe.dedup else None) or {}
    return {name: own.cast(pl.Float64).alias("copies") for name, own in grouped.items()}
