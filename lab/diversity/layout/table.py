"""Clusters as a table: size, tokens, means of what is known, and which sources they belong to.

Over- and under-representation of source s in cluster c is the log odds ratio of "a text of s is in
c" against "a text of any other source is in c",

    log (a d / b c),   standard error sqrt(1/a + 1/b + 1/c + 1/d)

with a half added to each count (Haldane 1956, Anscombe 1956), so that an empty cell is wide and not
infinite; low and high are its 95 % interval. 0: as common as elsewhere; 1: odds 2.7 times as large.
It compares shares, so sources of any sample size may stand side by side, and "elsewhere" is the
other sources *as sampled*, not weighed by their size.

Everything is one pass over columns that lie beside the places, row for row, so there is no join by
id: table and odds of a million documents, 64 clusters, 12 sources and four means take 0.1 s. Tokens
of a sample stand for its source after `scale_tokens`: an estimate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lab.diversity.layout.partition import UNCLEAR

Z = 1.959964


def cluster_table(
    placed: pl.DataFrame, labels: pl.DataFrame, means: Sequence[str] = ()
) -> pl.DataFrame:
    """One row a cluster that has documents: cluster, label, documents, share; with a column margin
    unclear (share of documents between two clusters), with tokens also tokens and token_share, and
    the mean of each of `means`: a signal, 1 for a duplicate, 1 for a document that a recipe keeps.

    `placed` is one row a document with cluster and these columns, `labels` cluster, label. A value
    that is null or not a number is in no mean; a mean of none is null.
    """
    sums = [pl.len().alias("documents")]
    if "margin" in placed.columns:
        sums.append((pl.col("margin") < UNCLEAR).mean().alias("unclear"))
    if "tokens" in placed.columns:
        sums.append(pl.col("tokens").sum())
    sums += [pl.col(name).cast(pl.Float64).fill_nan(None).mean() for name in means]
    found = placed.group_by("cluster").agg(sums)
    found = found.with_columns(share=pl.col("documents") / pl.col("documents").sum())
    if "tokens" in placed.columns:
        found = found.with_columns(token_share=pl.col("tokens") / pl.col("tokens").sum())
    return labels.select("cluster", "label").join(found, on="cluster").sort("cluster")


def representation(placed: pl.DataFrame) -> pl.DataFrame:
    """One row a cluster and source: cluster, source, documents, share (of the source's), log_odds,
    low, high; the last three are null where there is one source.
    """
    cells = placed.select(pl.col("cluster").unique().sort()).join(
        placed.select(pl.col("source").unique().sort()), how="cross"
    )
    counted = placed.group_by("cluster", "source").agg(pl.len().alias("documents"))
    found = cells.join(counted, on=["cluster", "source"], how="left", maintain_order="left")
    found = found.with_columns(pl.col("documents").fill_null(0).cast(pl.Int64))
    in_cluster = pl.col("documents").sum().over("cluster")
    of_source = pl.col("documents").sum().over("source")
    a, total = pl.col("documents"), pl.col("documents").sum()
    b, c = of_source - a, in_cluster - a
    d = total - a - b - c
    odds = ((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))).log()
    half = Z * sum((1 / (cell + 0.5) for cell in (a, b, c, d)), pl.lit(0.0)).sqrt()
    several = of_source < total
    return found.with_columns(
        share=a / of_source,
        log_odds=pl.when(several).then(odds),
        low=pl.when(several).then(odds - half),
        high=pl.when(several).then(odds + half),
    )


def clearest(found: pl.DataFrame) -> pl.DataFrame:
    """Rows of `representation` whose interval does not hold zero, the farthest from it first."""
    away = pl.max_horizontal("low", -pl.col("high"))
    return found.filter(away > 0).sort(away, descending=True, maintain_order=True)


def scale_tokens(placed: pl.DataFrame, sizes: Mapping[Any, int]) -> pl.DataFrame:
    """`placed` (source, tokens) with tokens times documents over placed documents of the source;
    `sizes` are documents by source, as `placed` names it.
    """
    whole = pl.col("source").replace_strict(dict(sizes), return_dtype=pl.Float64)
    return placed.with_columns(pl.col("tokens") * whole / pl.len().over("source"))
