"""phi-4's verdicts from stored matches and ratios: thresholds move without another search."""

from dataclasses import dataclass

import polars as pl

from lab.core.errors import ConfigError
from lab.curation.contamination.method import FLOOR
from lab.curation.contamination.reviews import judged

VERDICTS = ("CONTAMINATED(13)", "CONTAMINATED(7)", "PARTIAL", "CLEAN")
LONG, SHORT, PARTIAL, CLEAN = VERDICTS


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits on phi-4's r, unpublished by its authors: above `info` a document is PARTIAL, from
    `contaminated` upwards CONTAMINATED(7). `count` n-grams as a set or with repeats (multiset).
    """

    info: float = 0.2
    contaminated: float = 0.5
    count: str = "set"

    def __post_init__(self) -> None:
        """Refuse what no verdict follows from; ConfigError."""
        if not FLOOR <= self.info <= self.contaminated <= 1:
            raise ConfigError(
                f"Thresholds must satisfy {FLOOR} <= info <= contaminated <= 1.",
                where="contamination thresholds",
                value=(self.info, self.contaminated),
                next_step="0.2 and 0.5 are the defaults; the report's curve shows the others",
            )
        if self.count not in ("set", "multiset"):
            raise ConfigError(
                "n-grams are counted as a set or as a multiset.",
                where="contamination thresholds",
                value=self.count,
                next_step="write set or multiset",
            )

    @property
    def column(self) -> str:
        """The stored ratio that is compared."""
        return "ratio" if self.count == "set" else "ratio_multiset"


def pair_verdicts(
    matches: pl.DataFrame, overlaps: pl.DataFrame, reviewed: pl.DataFrame, limits: Thresholds
) -> pl.DataFrame:
    """A row for each document and item: id, benchmark, item_id, ngram, ngrams, ratio, verdict,
    decision, removed.

    A reviewer's *keep* leaves the verdict and clears `removed`, *drop* sets it. Pairs whose ratio
    is at most `info` are CLEAN and left out unless somebody decided about them.
    """
    keys = ["id", "benchmark", "item_id"]
    ratios = overlaps.select(*keys, ratio=limits.column)
    pairs = matches.join(ratios, on=keys, how="full", coalesce=True)
    seen = judged(pairs, reviewed).with_columns(pl.col("ngrams").fill_null(0))
    frame = seen.with_columns(pl.col("ratio").fill_null(0.0)).with_columns(verdict=verdict(limits))
    removed = pl.col("decision").fill_null(
        pl.when(pl.col("verdict").is_in([LONG, SHORT])).then(pl.lit("drop")).otherwise(pl.lit(""))
    )
    return (
        frame.filter((pl.col("verdict") != CLEAN) | pl.col("decision").is_not_null())
        .with_columns(removed=removed == "drop")
        .select(*keys, "ngram", "ngrams", "ratio", "verdict", "decision", "removed")
        .sort(keys, nulls_last=True)
    )


def verdict(limits: Thresholds) -> pl.Expr:
    """The verdict on a pair with columns ngrams and ratio."""
    return (
        pl.when(pl.col("ngrams") > 0)
        .then(pl.lit(LONG))
        .when(pl.col("ratio") <= limits.info)
        .then(pl.lit(CLEAN))
        .when(pl.col("ratio") >= limits.contaminated)
        .then(pl.lit(SHORT))
        .otherwise(pl.lit(PARTIAL))
    )


def document_verdicts(pairs: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The worst verdict of each document that has one, within each `by`: id, verdict, removed.

    Pairs that a reviewer keeps count as CLEAN; those that one drops keep their own verdict, and the
    document is removed.
    """
    spared = (pl.col("decision") == "keep").fill_null(False)
    rank = pl.col("verdict").replace_strict(list(VERDICTS), [0, 1, 2, 3], return_dtype=pl.UInt8)
    worst = pl.when(spared).then(pl.lit(3, pl.UInt8)).otherwise(rank)
    named = pl.col("rank").replace_strict([0, 1, 2, 3], list(VERDICTS), return_dtype=pl.String)
    return (
        pairs.group_by(*by, "id")
        .agg(rank=worst.min(), removed=pl.col("removed").any())
        .select(*by, "id", verdict=named, removed="removed")
        .sort(*by, "id")
    )
