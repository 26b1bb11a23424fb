"""What each rule costs: an exact account of documents, tokens and bytes, per source and rule.

All questions about a set of rules are answered by one small table, the *mask cube*: documents and
tokens per (source, mask), where bit i of the mask says that rule i fails (`filters.mask`).
It has as many rows as there are combinations of failures that occur, some hundreds, whatever the
corpus. With T(m) the tokens of mask m:

    kept                 T(0)
    failing rule i       sum of T(m) over masks that hold bit i; these overlap
    first failure        ... over masks whose lowest bit is i: what a tool that stops early logs;
                         depends on the order of the rules
    only this rule       T(1 << i): what switching rule i off would bring back
    fair share           sum of T(m) / bit_count(m) over masks that hold bit i: a dropped token is
                         split equally among the rules that drop it

The fair share is the Shapley value of the game "tokens dropped by a set of rules" (Shapley 1953),
exact and linear here because a token falls as soon as one of its rules is on. Identities, tested,
in documents, tokens, unique tokens and bytes: kept + sum of first failures = input; sum of fair
shares = dropped. Cost: 15 ms for the cube of a million documents, 12 sources and 8 rules, 7 ms for
all that is read from it (2026-11).

Unique tokens count each distinct text of a source once (`first_copies`); the same text in two
sources counts in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import DataError

AMOUNTS = ("documents", "tokens", "unique_tokens", "bytes")


@dataclass(frozen=True, slots=True)
class Amount:
    """Documents and tokens; unique tokens and bytes are 0 where they were not given."""

    documents: int
    tokens: int
    unique_tokens: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Accounting:
    """The account of a set of rules. `reasons[i]` names bit i; `cube` is the mask cube.

    `source` arguments name one source; None means all of them together.
    """

    reasons: tuple[str, ...]
    cube: pl.DataFrame  # source, mask, documents, tokens; unique_tokens and bytes where given

    @property
    def amounts(self) -> tuple[str, ...]:
        """The amounts that are accounted for, of `AMOUNTS`."""
        return tuple(name for name in AMOUNTS if name in self.cube.columns)

    def total(self, source: str | None = None) -> Amount:
        """The input of the rules."""
        return amount(self.of(source))

    def kept(self, source: str | None = None) -> Amount:
        """What passes every rule."""
        return amount(self.of(source).filter(pl.col("mask") == 0))

    def dropped(self, source: str | None = None) -> Amount:
        """What fails a rule."""
        return amount(self.of(source).filter(pl.col("mask") != 0))

    def kept_without(self, rule: int, source: str | None = None) -> Amount:
        """What would be kept with rule number `rule` switched off."""
        others = ~np.uint64(1 << rule)
        return amount(self.of(source).filter(pl.col("mask") & pl.lit(int(others), pl.UInt64) == 0))

    def drop_rate(self, source: str | None = None) -> float:
        """Share of tokens dropped; 0 without tokens."""
        return self.dropped(source).tokens / max(self.total(source).tokens, 1)

    def by_source(self) -> pl.DataFrame:
        """One row per source: source, AMOUNT and kept_AMOUNT for each, drop_rate (of tokens)."""
        kept = [(pl.col(n) * (pl.col("mask") == 0)).sum().alias(f"kept_{n}") for n in self.amounts]
        rate = 1 - pl.col("kept_tokens") / pl.max_horizontal("tokens", 1)
        return (
            self.cube.group_by("source", maintain_order=True)
            .agg(pl.col(self.amounts).sum(), *kept)
            .with_columns(drop_rate=pl.when(pl.col("tokens") > 0).then(rate).otherwise(0.0))
        )

    def by_rule(self, source: str | None = None) -> pl.DataFrame:
        """One row per rule, in order: rule, reason, and every amount of each kind.

        Columns `KIND_documents`, `KIND_tokens`, ...: `any` (fail this rule), `first` (fail it and
        none before it), `only` (fail no other), `share` (the fair share, fractional), `left` (what
        remains after this rule and all before it).
        """
        cube = self.of(source)
        masks = cube["mask"].to_numpy()
        columns = {"rule": np.arange(len(self.reasons)), "reason": list(self.reasons)}
        for name in self.amounts:
            for kind, values in shares(masks, cube[name].to_numpy(), len(self.reasons)).items():
                columns[f"{kind}_{name}"] = values
        return pl.DataFrame(columns)

    def by_source_and_rule(self) -> pl.DataFrame:
        """`by_rule` for every source, with a first column `source`."""
        names = self.cube["source"].unique(maintain_order=True)
        return pl.concat(
            [self.by_rule(name).select(pl.lit(name).alias("source"), pl.all()) for name in names]
        )

    def combinations(self, source: str | None = None, most: int = 20) -> pl.DataFrame:
        """The combinations of failed rules that drop the most tokens: mask, reasons, amounts."""
        dropped = self.of(source).filter(pl.col("mask") != 0)
        top = dropped.sort("tokens", "mask", descending=[True, False]).head(most)
        named = [
            [reason for i, reason in enumerate(self.reasons) if mask >> i & 1]
            for mask in top["mask"]
        ]
        reasons = pl.Series("reasons", named, pl.List(pl.String))
        return top.select("mask", reasons, *self.amounts)

    def of(self, source: str | None) -> pl.DataFrame:
        """The cube of one source, or of all together: mask and amounts, one row a mask."""
        rows = self.cube if source is None else self.cube.filter(pl.col("source") == source)
        return rows.group_by("mask").agg(pl.col(self.amounts).sum()).sort("mask")


def account(frame: pl.DataFrame, reasons: Sequence[str]) -> Accounting:
    """The account of `frame` (one row a document: source, tokens, mask), bit i being `reasons[i]`.

    Optional columns: `bytes`, and `unique`, the weight of each document's tokens in unique tokens:
    1 for one copy of each text, 0 for the others (`first_copies`). Raises DataError for a null in
    any column, and for a mask with a bit that no reason names.
    """
    check(frame, len(reasons))
    tokens = pl.col("tokens").cast(pl.Int64)
    optional = {
        "unique": (tokens * pl.col("unique")).sum().cast(pl.Int64).alias("unique_tokens"),
        "bytes": pl.col("bytes").cast(pl.Int64).sum(),
    }
    cube = (
        frame.lazy()
        .group_by("source", "mask")
        .agg(
            pl.len().cast(pl.Int64).alias("documents"),
            tokens.sum(),
            *(total for name, total in optional.items() if name in frame.columns),
        )
        .sort("source", "mask")
        .collect()
    )
    return Accounting(tuple(reasons), cube)


def check(frame: pl.DataFrame, rules: int) -> None:
    """DataError if the frame cannot be accounted for."""
    for name in ("source", "tokens", "mask", "unique", "bytes"):
        if name in frame.columns and (nulls := frame[name].null_count()):
            raise DataError(f"{nulls} documents have no {name}.", where=f"column {name}")
    highest = int(frame["mask"].to_numpy().max(initial=0))
    if highest >> rules:
        raise DataError(
            "A mask has a bit that no reason names.",
            where="column mask",
            value=highest,
            next_step=f"pass one reason for each bit; there are {rules}",
        )


def amount(cube: pl.DataFrame) -> Amount:
    """The sum of a cube."""
    return Amount(*(int(cube[n].sum()) if n in cube.columns else 0 for n in AMOUNTS))


def first_copies(frame: pl.DataFrame) -> pl.Series:
    """Int64 series `unique`: 1 for one document of each text (source, content_hash), else 0.

    The one is kept (mask 0) if any copy is, so that the unique tokens of what is kept are exact.
    """
    order = np.argsort(frame["mask"].to_numpy() != 0, kind="stable")
    texts = frame.select(pl.struct("source", "content_hash")).to_series()
    first = texts.gather(order).is_first_distinct().to_numpy()
    unique = np.empty(frame.height, np.int64)
    unique[order] = first
    return pl.Series("unique", unique)


def shares(
    masks: NDArray[np.uint64], amounts: NDArray[np.int64], rules: int
) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
    """How `amounts` [masks] fall on each rule, in the five ways of `by_rule`; arrays of [rules]."""
    bits = (masks[:, None] >> np.arange(rules, dtype=np.uint64)) & np.uint64(1)
    fails = bits.astype(np.int64)
    count = fails.sum(axis=1)
    before = np.cumsum(fails, axis=1) - fails  # failures of earlier rules
    first = amounts @ (fails * (before == 0))
    return {
        "any": amounts @ fails,
        "first": first,
        "only": amounts @ (fails * (count == 1)[:, None]),
        "share": (amounts / np.maximum(count, 1)) @ fails.astype(np.float64),
        "left": amounts.sum() - np.cumsum(first),
    }
