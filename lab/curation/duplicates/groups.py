"""From pairs to groups, and which member of a group stays.

A group is a connected component of the pairs at or above the threshold (union-find); exact copies
are always in one. Similarity is not transitive: a chain of edits can put two unlike texts into one
group, the more so the lower the threshold. Groups are named by the smallest 64-bit prefix of their
members' content hashes, so the name depends on the texts alone.

Held-out documents take part but never push a document out of training: each group keeps one member
on each side of the split. A training document that resembles a held-out one therefore stays, is
counted (`leaks`), and flatters the held-out loss; drop it by predicate where that matters.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

KEEPER_COLUMNS = ("id", "source", "content_hash", "heldout", "exact_group", "near_group")


def group(documents: pl.DataFrame, pairs: pl.DataFrame | None, jaccard: float) -> pl.DataFrame:
    """`documents` (id, content_hash, ...) with exact_group and near_group, null where alone.

    `pairs` has columns a, b (ids), jaccard; None leaves near_group null: not looked for.
    """
    texts = documents.select("content_hash").unique().sort("content_hash").with_row_index("text")
    frame = documents.join(texts, on="content_hash", how="left", maintain_order="left")
    exact = name_groups(frame, pl.col("text")).alias("exact_group")
    if pairs is None:
        near = pl.lit(None, pl.UInt64).alias("near_group")
        return frame.with_columns(exact, near).drop("text")
    labels = components(frame, pairs.filter(pl.col("jaccard") >= jaccard), texts.height)
    frame = frame.with_columns(labels.gather(frame["text"]).alias("component"))
    near = name_groups(frame, pl.col("component")).alias("near_group")
    return frame.with_columns(exact, near).drop("text", "component")


def components(frame: pl.DataFrame, pairs: pl.DataFrame, texts: int) -> pl.Series:
    """Component number of each distinct text, joined by `pairs` of document ids."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    node = frame.select("id", "text")
    ends = (
        pairs.select("a", "b")
        .join(node, left_on="a", right_on="id")
        .join(node, left_on="b", right_on="id", suffix="_b")
    )
    edges = (ends["text"].to_numpy(), ends["text_b"].to_numpy())
    graph = coo_array((np.ones(ends.height, np.bool_), edges), (texts, texts))
    return pl.Series(connected_components(graph, directed=False)[1], dtype=pl.UInt32)


def name_groups(frame: pl.DataFrame, key: pl.Expr) -> pl.Expr:
    """The name of each row's group by `key`; null for groups of one document."""
    prefix = pl.col("content_hash").str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64)
    return pl.when(pl.len().over(key) > 1).then(prefix.min().over(key))


def keepers(frame: pl.DataFrame, keep: Sequence[str]) -> pl.Series:
    """True for documents that stay: those alone, and one of each group on each side of the split.

    `frame` has `KEEPER_COLUMNS`, and only documents that may stay at all: filter first, so that a
    document that a rule removes cannot be the one kept. Preference: sources in the order of `keep`,
    then other sources by name, then content hash, then id.
    """
    order = pl.col("source").replace_strict(
        list(keep), list(range(len(keep))), default=len(keep), return_dtype=pl.Int64
    )
    group_of = pl.coalesce("near_group", "exact_group").alias("group")
    rows = frame.select(*KEEPER_COLUMNS, group_of, order.alias("order")).with_row_index("row")
    first = (
        rows.filter(pl.col("group").is_not_null())
        .sort("order", "source", "content_hash", "id")
        .unique(["group", "heldout"], keep="first", maintain_order=True)
    )
    alone = pl.col("group").is_null()
    stays = rows.select(keep=alone | pl.col("row").is_in(first["row"].implode()))
    return stays["keep"]


def leaks(frame: pl.DataFrame) -> pl.Series:
    """True for training documents whose group also holds a held-out document."""
    group_of = pl.coalesce("near_group", "exact_group")
    mixed = group_of.is_not_null() & pl.col("heldout").any().over(group_of)
    return frame.select((mixed & ~pl.col("heldout")).alias("leaks"))["leaks"]
