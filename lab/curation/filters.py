"""Filters: rules on stored attributes, and which of them each document fails.

A rule is a closed interval on one column: `min <= value <= max`, equality passes, as in the
published quality filters. Deciding costs milliseconds because nothing is measured: all values lie
in columns. The verdict is one 64-bit mask a document, bit i set where rule i fails, so that every
document keeps *all* the reasons it falls, not only the first (order of the bits = order of the
rules).

A value that was never measured passes nothing: a missing column and a null or NaN value are errors,
because letting either pass, or fall unnoticed, changes a corpus without a word. (Dolma's published
v1.5 and v1.6 configurations test an attribute under a misspelt name, so that rule never matched.)
Zero is a threshold like any other; off is the absence of a rule.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from operator import or_

import polars as pl

from lab.core.errors import ArtifactMissing, ConfigError, DataError, LabError, nearest
from lab.core.settings import known_keys
from lab.curation.signals.registry import BY_ID, DEFAULTS, FAMILIES, resolve

MOST_RULES = 63  # bits of a mask; the 64th stays free, so that a mask fits a signed integer
TYPO = 0.85  # difflib ratio from which a name is taken for a misspelt signal


@dataclass(frozen=True, slots=True)
class Rule:
    """What a document must satisfy: `min` <= the value in column `signal` <= `max`."""

    signal: str  # a definition id, or any other attribute column such as `quality.educational`
    min: float | None = None
    max: float | None = None

    def words(self) -> str:
        """The demand in words: "word count between 50 and 100000"."""
        label = BY_ID[self.signal].label if self.signal in BY_ID else self.signal
        if self.min is None:
            return f"{label} at most {number(self.max)}"
        if self.max is None:
            return f"{label} at least {number(self.min)}"
        if self.min == self.max:
            return f"{label} exactly {number(self.min)}"
        return f"{label} between {number(self.min)} and {number(self.max)}"


def number(value: float | None) -> str:
    """A threshold as a person writes it: 100000, 0.12."""
    return "none" if value is None else f"{value:.10g}" if value % 1 else f"{value:.0f}"


def parse_rules(entries: object, where: str) -> tuple[Rule, ...]:
    """Rules from a list of mappings `{signal, min, max}` or `{preset: NAME}`, in order.

    A bare signal name becomes its default definition id. Raises ConfigError, naming `where`, for a
    key or signal that is unknown, a threshold that is no finite number, and a rule without any.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ConfigError(
            "A list of rules was expected.",
            where=where,
            value=entries,
            next_step="write one rule a line: `- {signal: gopher.word_count, min: 50}`",
        )
    rules = [rule for i, e in enumerate(entries) for rule in parse_entry(e, f"{where}[{i}]")]
    check_number(rules, where)
    return tuple(rules)


def parse_entry(entry: object, where: str) -> tuple[Rule, ...]:
    """The rules of one mapping: one rule, or those of a preset."""
    if isinstance(entry, Mapping) and "preset" in entry:
        from lab.curation.presets import load_preset  # presets are made of rules

        return load_preset(str(known_keys(entry, {"preset"}, where)["preset"]), where).rules
    return (parse_rule(entry, where),)


def parse_rule(entry: object, where: str) -> Rule:
    """One rule from a mapping `{signal, min, max}`."""
    keys = known_keys(entry, {"signal", "min", "max"}, where)
    if not isinstance(keys.get("signal"), str):
        raise ConfigError(
            "A rule needs the name of a signal.",
            where=where,
            value=entry,
            next_step="add `signal:`, for example `signal: gopher.word_count`",
        )
    low, high = (threshold(keys.get(side), f"{where}.{side}") for side in ("min", "max"))
    if low is None and high is None:
        raise ConfigError(
            "A rule needs `min`, `max` or both.",
            where=where,
            value=entry,
            next_step="add a threshold, or remove the rule to switch it off",
        )
    if low is not None and high is not None and low > high:
        raise ConfigError(
            "`min` is greater than `max`: no document can pass.",
            where=where,
            value=entry,
            next_step="swap the two thresholds",
        )
    return Rule(column_of(keys["signal"], where), low, high)


def threshold(value: object, where: str) -> float | None:
    """A finite number, or None if the key is absent or empty."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(
            "A threshold must be a finite number.",
            where=where,
            value=value,
            next_step="write a number such as 0.2, or leave the key out",
        )
    return float(value)


def column_of(name: str, where: str) -> str:
    """The column a rule reads: a definition id for a signal's name, other names as they are."""
    family = name.partition(".")[0]
    misspelt = get_close_matches(name, DEFAULTS, n=1, cutoff=TYPO)
    if not (family in FAMILIES or "@" in name or misspelt):
        return name
    try:
        return resolve(name)
    except ConfigError as error:
        raise ConfigError(
            error.what, where=where, value=error.value, next_step=error.next_step
        ) from error


def fail_mask(frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.Series:
    """UInt64 series `mask`, one per row of `frame`: bit i is set where rule i fails.

    Raises ArtifactMissing or ConfigError for a column that is not there, DataError for a value that
    is null or NaN (unmeasured), ConfigError for more than 63 rules.
    """
    check_number(rules, "rules")
    for rule in rules:
        check_measured(frame, rule)
    bits = [
        pl.when(fails(rule)).then(pl.lit(1 << i, pl.UInt64)).otherwise(pl.lit(0, pl.UInt64))
        for i, rule in enumerate(rules)
    ]
    if not bits:
        return pl.zeros(frame.height, dtype=pl.UInt64, eager=True).alias("mask")
    return frame.select(reduce(or_, bits).alias("mask"))["mask"]


def fails(rule: Rule) -> pl.Expr:
    """True where a value lies outside the rule's interval."""
    value = pl.col(rule.signal).cast(pl.Float64)
    tests = [value.is_null()]  # none is, after `check_measured`; a rule without bounds fails nobody
    if rule.min is not None:
        tests.append(value < rule.min)
    if rule.max is not None:
        tests.append(value > rule.max)
    return reduce(or_, tests)


def check_number(rules: Sequence[Rule], where: str) -> None:
    """ConfigError if a mask has too few bits for `rules`."""
    if len(rules) > MOST_RULES:
        raise ConfigError(
            f"At most {MOST_RULES} rules fit one source.",
            where=where,
            value=len(rules),
            next_step="merge rules on the same signal, or drop those that remove nothing",
        )


def check_measured(frame: pl.DataFrame, rule: Rule) -> None:
    """Raise unless every row has a number for the rule."""
    if rule.signal not in frame.columns:
        raise unmeasured_column(frame, rule)
    column = frame[rule.signal]
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise ConfigError(
            "A rule needs a column of numbers.",
            where=f"rule on {rule.signal}",
            value=str(column.dtype),
            next_step=nearest(rule.signal, numeric_columns(frame)),
        )
    missing = column.null_count()
    if column.dtype.is_float():
        missing += int(column.is_nan().sum())  # nulls are not counted by is_nan
    if missing:
        raise DataError(
            f"{missing} of {frame.height} documents have no value of {rule.signal}.",
            where=f"rule on {rule.signal}",
            next_step="measure again; a document that was not measured passes no rule",
        )


def unmeasured_column(frame: pl.DataFrame, rule: Rule) -> LabError:
    """The error for a rule whose column is not there."""
    where = f"rule on {rule.signal}"
    if rule.signal in BY_ID:
        return ArtifactMissing(
            f"The signal {rule.signal} has not been measured.",
            where=where,
            next_step="`mixlab measure` computes it",
        )
    if rule.signal.startswith("quality."):
        return ArtifactMissing(
            f"The score {rule.signal} has not been computed.",
            where=where,
            next_step="`mixlab score` computes it",
        )
    return ConfigError(
        f"Unknown signal {rule.signal!r}.",
        where=where,
        value=rule.signal,
        next_step=nearest(rule.signal, [*DEFAULTS, *numeric_columns(frame)]),
    )


def numeric_columns(frame: pl.DataFrame) -> list[str]:
    """Names of the columns a rule could read."""
    return [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
