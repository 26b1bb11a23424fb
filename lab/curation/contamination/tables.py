"""The tables of the contamination report, from pairs of documents and items and their verdicts."""

import numpy as np
import polars as pl

from lab.core.artifacts import Artifact
from lab.curation.contamination.method import SHORT_NGRAM
from lab.curation.contamination.verdicts import (
    CLEAN,
    LONG,
    PARTIAL,
    SHORT,
    VERDICTS,
    Thresholds,
    document_verdicts,
)

CURVE = tuple(round(0.05 * k, 2) for k in range(1, 21))
KINDS = {"13": LONG, "7": SHORT, "partial": PARTIAL}


def benchmark_table(items: pl.DataFrame, pairs: pl.DataFrame, ngram: int) -> pl.DataFrame:
    """Per benchmark its items, and documents by their worst verdict against it."""
    known = items.group_by("benchmark").agg(
        items=pl.len(),
        uncheckable=(pl.col("words") < SHORT_NGRAM).sum(),
        uncheckable_long=(pl.col("words") < ngram).sum(),
    )
    hit = pairs.filter(pl.col("verdict").is_in([LONG, SHORT]) & pl.col("item_id").is_not_null())
    items_hit = hit.group_by("benchmark").agg(items_hit=pl.col("item_id").n_unique())
    counts = [(pl.col("verdict") == v).sum().alias(f"documents_{k}") for k, v in KINDS.items()]
    worst = document_verdicts(pairs, "benchmark").group_by("benchmark").agg(*counts)
    joined = known.join(items_hit, on="benchmark", how="left")
    return joined.join(worst, on="benchmark", how="left").fill_null(0).sort("benchmark")


def item_table(items: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Every item with its worst verdict; one that no document quotes is CLEAN or UNCHECKABLE."""
    counted = pairs.filter((pl.col("decision") != "keep").fill_null(True))
    rank = pl.col("verdict").replace_strict(list(VERDICTS), [0, 1, 2, 3], return_dtype=pl.UInt8)
    found = counted.group_by("benchmark", "item_id").agg(
        rank=rank.min(),
        documents=pl.col("id").n_unique(),
        sources=pl.col("source").n_unique(),
        ratio=pl.col("ratio").max(),
    )
    named = pl.col("rank").replace_strict([0, 1, 2, 3], list(VERDICTS), return_dtype=pl.String)
    short = pl.when(pl.col("words") < SHORT_NGRAM).then(pl.lit("UNCHECKABLE"))
    return (
        items.join(found, on=["benchmark", "item_id"], how="left")
        .with_columns(
            status=pl.coalesce(named, short.otherwise(pl.lit(CLEAN))),
            documents=pl.col("documents").fill_null(0),
            sources=pl.col("sources").fill_null(0),
            ratio=pl.col("ratio").fill_null(0.0),
        )
        .select("benchmark", "item_id", "words", "status", "documents", "sources", "ratio")
        .sort("documents", "benchmark", "item_id", descending=[True, False, False])
    )


def source_table(pairs: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """Training documents and tokens of each source, under each verdict, and removed."""
    judged = costs.join(document_verdicts(pairs), on="id", how="left").with_columns(
        pl.col("verdict").fill_null(CLEAN), pl.col("removed").fill_null(False)
    )
    kinds = {k: pl.col("verdict") == v for k, v in KINDS.items()} | {"removed": pl.col("removed")}
    sums = [
        total
        for name, where in kinds.items()
        for total in (
            where.sum().alias(f"documents_{name}"),
            pl.col("tokens").filter(where).sum().alias(f"tokens_{name}"),
        )
    ]
    return (
        judged.group_by("source")
        .agg(pl.len().alias("documents"), pl.col("tokens").sum(), *sums)
        .sort("source")
    )


def sensitivity(
    found: dict[str, Artifact], costs: pl.DataFrame, limits: Thresholds
) -> pl.DataFrame:
    """What each threshold on r would remove together with the 13-gram rule, before any decision."""
    column = f"contamination.ratio7{'' if limits.count == 'set' else '_multiset'}"
    stored = pl.concat([a.scan().select("id", "hits", ratio=column) for a in found.values()])
    frame = costs.join(stored.collect(), on="id")
    ratio = np.where(frame["hits"].to_numpy() > 0, 1.0, frame["ratio"].to_numpy())
    tokens = frame["tokens"].to_numpy().astype(np.int64)
    rows = [(t, int((ratio >= t).sum()), int(tokens[ratio >= t].sum())) for t in CURVE]
    return pl.DataFrame(rows, schema=["threshold", "documents", "tokens"], orient="row")
