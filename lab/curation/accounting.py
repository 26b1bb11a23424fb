"""What each rule costs: an exact account of documents and tokens, per source and rule.

All questions about a set of rules are answered by one small table, the *mask cube*: documents and
tokens per (source, mask), where bit i of the mask says that rule i fails (`lab.curation.filters`).
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
exact and linear here because a token falls as soon as one of its rules is on. Identities, tested:
kept + sum of first failures = input; sum of fair shares = dropped. Cost: 0.1 s for a million
documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import DataError

AMOUNTS = ("documents", "tokens")


@dataclass(frozen=True, slots=True)
class Amount:
    """Documents and tokens."""

    documents: int
    tokens: int


@dataclass(frozen=True, slots=True, eq=False)
class Accounting:
    """The account of a set of rules. `reasons[i]` names bit i; `cube` is the mask cube.

    `source` arguments name one source; None means all of them together.
    """

    reasons: tuple[str, ...]
    cube: pl.DataFrame  # source, mask, documents, tokens, and unique_tokens where they were given

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
        """One row per source: source, documents, tokens, kept_documents, kept_tokens, drop_rate.

        With unique tokens in the cube also unique_tokens and kept_unique_tokens.
        """
        amounts = [name for name in self.cube.columns if name not in ("source", "mask")]
        kept = [(pl.col(n) * (pl.col("mask") == 0)).sum().alias(f"kept_{n}") for n in amounts]
        rate = 1 - pl.col("kept_tokens") / pl.max_horizontal("tokens", 1)
        return (
            self.cube.group_by("source", maintain_order=True)
            .agg(*(pl.col(name).sum() for name in amounts), *kept)
            .with_columns(drop_rate=pl.when(pl.col("tokens") > 0).then(rate).otherwise(0.0))
        )

    def by_rule(self, source: str | None = None) -> pl.DataFrame:
        """One row per rule, in order: rule, reason, and documents and tokens of each kind.

        Column pairs `KIND_documents`, `KIND_tokens`: `any` (fail this rule), `first` (fail it and
        none before it), `only` (fail no other), `share` (the fair share, fractional), `left` (what
        remains after this rule and all before it).
        """
        cube = self.of(source)
        masks = cube["mask"].to_numpy()
        columns = {"rule": np.arange(len(self.reasons)), "reason": list(self.reasons)}
        for name in AMOUNTS:
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
        return top.select("mask", reasons, *AMOUNTS)

    def of(self, source: str | None) -> pl.DataFrame:
        """The cube of one source, or of all together: mask, documents, tokens, one row a mask."""
        rows = self.cube if source is None else self.cube.filter(pl.col("source") == source)
        return rows.group_by("mask").agg(pl.col(AMOUNTS).sum()).sort("mask")


def account(frame: pl.DataFrame, reasons: Sequence[str]) -> Accounting:
    """The account of `frame` (one row a document: source, tokens, mask), bit i being `reasons[i]`.

    An optional column `unique` holds the weight of each document's tokens in unique tokens: 1 for
    one copy of each text, 0 for the others. Raises DataError for a null in any column, and for a
    mask with a bit that no reason names.
    """
    check(frame, len(reasons))
    unique = [(pl.col("tokens") * pl.col("unique")).sum().alias("unique_tokens")]
    cube = (
        frame.lazy()
        .group_by("source", "mask")
        .agg(
            pl.len().cast(pl.Int64).alias("documents"),
            pl.col("tokens").cast(pl.Int64).sum(),
            *(unique if "unique" in frame.columns else []),
        )
        .sort("source", "mask")
        .collect()
    )
    return Accounting(tuple(reasons), cube)


def check(frame: pl.DataFrame, rules: int) -> None:
    """DataError if the frame cannot be accounted for."""
    needed = [c for c in ("source", "tokens", "mask", "unique") if c in frame.columns]
    for name in needed:
        if nulls := frame[name].null_count():
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
    return Amount(int(cube["documents"].sum()), int(cube["tokens"].sum()))


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
