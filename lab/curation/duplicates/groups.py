"""Which member of a duplicate group stays.

Exact copies are always in one group; near copies are the components of `lab.curation.duplicates.
graph`. Held-out documents take part but never push a document out of training: each group keeps one
member on each side of the split. A training document that resembles a held-out one therefore stays,
is counted (`leaks`), and flatters the held-out loss; drop it by predicate where that matters.
"""

from collections.abc import Sequence

import polars as pl

from lab.core.errors import ConfigError
from lab.curation.duplicates.graph import build_graph, exact_groups, near_groups
from lab.curation.filters.measured import check_values

KEEPER_COLUMNS = ("id", "source", "content_hash", "heldout", "exact_group", "near_group")


def group(documents: pl.DataFrame, pairs: pl.DataFrame | None, jaccard: float) -> pl.DataFrame:
    """`documents` (id, content_hash, ...) with exact_group and near_group, null where alone.

    `pairs` has columns a, b (ids), jaccard; None leaves near_group null: not looked for.
    """
    graph = build_graph(documents, pairs)
    nothing = pl.lit(None, pl.UInt64).alias("near_group")
    near = nothing if pairs is None else near_groups(graph, jaccard)
    return documents.with_columns(exact_groups(graph), near)


def keepers(frame: pl.DataFrame, keep: Sequence[str], by: str = "") -> pl.Series:
    """True for documents that stay: those alone, and one of each group on each side of the split.

    `frame` has `KEEPER_COLUMNS`, and only documents that may stay at all: filter first, so that a
    document that a rule removes cannot be the one kept. Preference: `keeper_order`. `by` is a
    column of `frame` in which a larger value is preferred; DataError if a value is missing.
    """
    if by:
        check_number(frame[by])
    group_of = pl.coalesce("near_group", "exact_group").alias("group")
    rows = frame.select(*KEEPER_COLUMNS, group_of, *([by] if by else [])).with_row_index("row")
    first = (
        rows.filter(pl.col("group").is_not_null())
        .sort(*keeper_order(keep, by))
        .unique(["group", "heldout"], keep="first", maintain_order=True)
    )
    alone = pl.col("group").is_null()
    stays = rows.select(keep=alone | pl.col("row").is_in(first["row"].implode()))
    return stays["keep"]


def check_number(values: pl.Series) -> None:
    """ConfigError for a column that is not of numbers, DataError for a missing value."""
    if not values.dtype.is_numeric():
        raise ConfigError(
            "Copies are compared by a column of numbers.",
            where="dedup.keep_by",
            value=f"{values.name}: {values.dtype}",
            next_step="name a score such as quality.educational, or a signal",
        )
    check_values(values)


def keeper_order(keep: Sequence[str], by: str = "") -> list[pl.Expr]:
    """Sort keys, the preferred copy first: sources in the order of `keep`, then the largest value
    in column `by`, then sources by name, content hash, id.
    """
    order = pl.col("source").replace_strict(
        list(keep), list(range(len(keep))), default=len(keep), return_dtype=pl.Int64
    )
    value = [-pl.col(by).cast(pl.Float64)] if by else []
    return [order, *value, pl.col("source"), pl.col("content_hash"), pl.col("id")]


def leaks(frame: pl.DataFrame) -> pl.Series:
    """True for training documents whose group also holds a held-out document."""
    group_of = pl.coalesce("near_group", "exact_group")
    mixed = group_of.is_not_null() & pl.col("heldout").any().over(group_of)
    return frame.select((mixed & ~pl.col("heldout")).alias("leaks"))["leaks"]
