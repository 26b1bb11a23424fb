"""Clusters as a table: size, tokens, how clear they are, and which sources they belong to.

Over- and under-representation of source s in cluster c is the log odds ratio of "a text of s is in
c" against "a text of any other source is in c",

    log (a d / b c),   standard error sqrt(1/a + 1/b + 1/c + 1/d)

with a half added to each count (Haldane 1956, Anscombe 1956), so that an empty cell is wide and not
infinite; low and high are its 95 % interval. 0: as common as elsewhere; 1: odds 2.7 times as large.
It compares shares, so sources of any sample size may stand side by side, and "elsewhere" is the
other sources *as sampled*, not weighed by their size.

Tokens are those of the sample, times documents over embedded documents of the source: an estimate.
Any other column is a mean over a cluster's documents (`cluster_means`): signals, 1 for a duplicate,
1 for a document that a filter keeps.
"""

import polars as pl

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.diversity.layout.partition import UNCLEAR

Z = 1.959964


def cluster_table(
    placed: pl.DataFrame, labels: pl.DataFrame, tokens: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row a cluster: cluster, label, documents, share, unclear (share of documents between two
    clusters) and, with `tokens` (id, tokens), tokens and token_share.

    `placed` has id, cluster, margin (a map's parts), `labels` cluster, label.
    """
    sums = [
        pl.len().alias("documents"),
        (pl.col("margin") < UNCLEAR).mean().alias("unclear"),
    ]
    if tokens is not None:
        placed = placed.join(tokens.select("id", "tokens"), on="id", how="left")
        sums.append(pl.col("tokens").sum())
    found = placed.group_by("cluster").agg(sums)
    found = found.with_columns(share=pl.col("documents") / pl.col("documents").sum())
    if tokens is not None:
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


def cluster_means(placed: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Mean of every column of `values` (id, numbers or truths) over each cluster's documents, nulls
    left out: cluster and those columns.
    """
    columns = [name for name in values.columns if name != "id"]
    joined = placed.select("id", "cluster").join(values, on="id", how="left")
    means = [pl.col(name).cast(pl.Float64).mean() for name in columns]
    return joined.group_by("cluster").agg(means).sort("cluster")


def estimated_tokens(ws: Workspace, placed: pl.DataFrame) -> pl.DataFrame | None:
    """Columns id, tokens (Float64) of the placed documents, scaled up to their source; None if a
    source's tokens have not been counted.
    """
    frames = []
    for (name,), own in placed.group_by("source", maintain_order=True):
        artifact = counted_tokens(ws, str(name))
        if artifact is None:
            return None
        factor = get_source(ws, str(name)).counts["documents"] / own.height
        wanted = pl.col("id").is_in(own["id"].implode())
        scaled = pl.col("tokens").cast(pl.Float64) * factor
        frames.append(artifact.scan().filter(wanted).select("id", scaled).collect())
    return pl.concat(frames) if frames else None


def counted_tokens(ws: Workspace, source: str) -> Artifact | None:
    """The tokens of a source under the workspace's tokenizer, if they have been counted."""
    try:
        return require_tokens(ws, source, default_tokenizer(ws))
    except ArtifactMissing:
        return None
