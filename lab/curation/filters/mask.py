"""Filters: which rules each document fails.

Deciding costs milliseconds because nothing is measured: all values lie in columns. The verdict is
one 64-bit mask a document, bit i set where rule i fails, so that every document keeps *all* the
reasons it falls, not only the first (order of the bits = order of the rules). Equality passes, zero
is a threshold like any other, and off is the absence of a rule; what was not measured passes
nothing (`lab.curation.filters.measured`).

A percentile is resolved on the training documents of the frame at hand: p becomes the value at rank
ceil((n - 1) p / 100) for `min`, floor for `max`, so that 10 drops the lowest tenth and not a
document more. Where documents tie with that value fewer fall, and `filters.warnings` says
so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import ConfigError, DataError
from lab.curation.filters.expressions import calculated, with_columns
from lab.curation.filters.measured import check_measured
from lab.curation.filters.parsing import check_number
from lab.curation.filters.rule import Rule

RANK = 1e-6  # slack of a percentile's rank against rounding: 7 % of 101 documents is rank 7


def fail_mask(frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.Series:
    """UInt64 series `mask`, one per row of `frame`: bit i is set where rule i fails.

    Percentiles are resolved on `frame`. Raises ArtifactMissing or ConfigError for a column that is
    not there, DataError for a value that is null or NaN (unmeasured), ConfigError for more than 63
    rules.
    """
    check_number(rules, "rules")
    for rule in rules:
        check_measured(frame, rule)
    if not rules:
        return pl.zeros(frame.height, dtype=pl.UInt64, eager=True).alias("mask")
    bits = [
        pl.when(failed(frame, rule)).then(pl.lit(1 << i, pl.UInt64)).otherwise(pl.lit(0, pl.UInt64))
        for i, rule in enumerate(resolve_rules(frame, rules))
    ]
    return frame.select(reduce(or_, bits).alias("mask"))["mask"]


def failed(frame: pl.DataFrame, rule: Rule) -> pl.Expr:
    """`fails`, with an expression over columns already evaluated on `frame` and checked."""
    if not rule.where:
        return fails(rule)
    try:
        passed = frame.select(holds(rule, frame.schema)).to_series()
    except pl.exceptions.PolarsError as error:
        raise ill_typed(rule, str(error).splitlines()[0]) from error
    if passed.dtype != pl.Boolean:
        raise ill_typed(rule, "compare it with something, for example `... > 0`")
    if nothing := passed.null_count():
        raise DataError(
            f"The expression has no answer for {nothing} of {frame.height} documents.",
            where="rule `where`",
            value=rule.where,
            next_step="give CASE an ELSE; a document without an answer passes no rule",
        )
    numbers = [c for c in calculated(rule.where) if frame.schema[c].is_float()]
    for column in numbers:
        passed &= frame[column].is_finite()
    return pl.lit(~passed)


def ill_typed(rule: Rule, next_step: str) -> ConfigError:
    """The error for an expression that is not true or false of a document."""
    return ConfigError(
        "The expression is not true or false.",
        where="rule `where`",
        value=rule.where,
        next_step=next_step,
    )


def holds(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """A `where` rule as a Polars expression, numbers compared as doubles."""
    typed = with_columns(
        rule.where, lambda c: f'CAST("{c}" AS DOUBLE)' if schema[c].is_numeric() else f'"{c}"'
    )
    return pl.sql_expr(typed)


def fails(rule: Rule) -> pl.Expr:
    """True where a value lies outside a resolved rule's interval or list."""
    if rule.values or rule.not_values:
        value = pl.col(rule.signal)
        listed = rule.values or rule.not_values
        if isinstance(listed[0], str):
            value = value.cast(pl.String)
        among = value.is_in(list(listed))
        return ~among if rule.values else among
    value = pl.col(rule.signal).cast(pl.Float64)
    tests = [value.is_null()]  # none is, after `check_measured`; a rule without bounds fails nobody
    if rule.min is not None:
        tests.append(value < rule.min)
    if rule.max is not None:
        tests.append(value > rule.max)
    return reduce(or_, tests)


def resolve_rules(frame: pl.DataFrame, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """`rules` with every percentile turned into a number, over the training documents of `frame`
    (those not `heldout`, where it has that column). Sides that have a number keep it.

    Raises DataError if there is a percentile to resolve and the frame holds several sources.
    """
    if all(rule.resolved() for rule in rules):
        return tuple(rules)
    if "source" in frame.columns and frame["source"].n_unique() > 1:
        raise DataError(
            "A percentile is one of a source's own documents.",
            where="rules with percentiles",
            value=sorted(frame["source"].unique()),
            next_step="judge each source apart",
        )
    training = frame.filter(~pl.col("heldout")) if "heldout" in frame.columns else frame
    return tuple(r if r.resolved() else resolve_rule(training, r) for r in rules)


def resolve_rule(training: pl.DataFrame, rule: Rule) -> Rule:
    """One rule with its percentiles as numbers."""
    check_measured(training, rule)
    values = training[rule.signal].cast(pl.Float64).to_numpy()
    low, high = rule.min, rule.max
    if low is None and rule.min_percentile is not None:
        low = percentile(values, rule.min_percentile, "min")
    if high is None and rule.max_percentile is not None:
        high = percentile(values, rule.max_percentile, "max")
    return replace(rule, min=low, max=high)


def percentile(values: NDArray[np.float64], p: float, side: Literal["min", "max"]) -> float:
    """The value below (above) which at most p % (100 - p %) of `values` lie; 0 for no values."""
    if values.size == 0:
        return 0.0  # decides about nobody
    rank = (values.size - 1) * p / 100
    place = math.ceil(rank - RANK) if side == "min" else math.floor(rank + RANK)
    return float(np.partition(values, place)[place])
