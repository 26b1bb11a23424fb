"""A rule: what a document must satisfy to stay, as data, in words and as it stands in a recipe.

Three forms, each over stored columns and each decided row by row:

    bounds   `min` <= value <= `max`, as in the published quality filters; either side may be a
             percentile (0..100) of the source's training documents, which moves with the source
             and becomes a number when documents are judged (`lab.curation.filters.resolve_rules`)
    values   the value is one of a list (`in`), or none of it (`not_in`): languages, tags
    where    a Boolean SQL expression over several columns (`lab.curation.filters.expressions`)

A percentile is convenient and unstable: it drops the same share of a good source and of a bad one.
A resolved side therefore holds both, the number that decides and the percentile it came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.curation.filters.expressions import columns_in, with_columns
from lab.curation.signals.registry import BY_ID

Value = str | bool
TEENS = (11, 12, 13)  # 11th, not 11st


@dataclass(frozen=True, slots=True)
class Rule:
    """What a document must satisfy. Of `values`, `not_values`, `where` and bounds one form is set.

    A side with a percentile and no number is unresolved; with both, the number decides.
    """

    signal: str = ""  # a definition id, or any other attribute column; "" for a `where` rule
    min: float | None = None
    max: float | None = None
    min_percentile: float | None = None
    max_percentile: float | None = None
    values: tuple[Value, ...] = ()
    not_values: tuple[Value, ...] = ()
    where: str = ""  # canonical: every column a full id in double quotes

    def columns(self) -> tuple[str, ...]:
        """The columns it reads, each once."""
        return columns_in(self.where) if self.where else (self.signal,)

    @property
    def key(self) -> str:
        """What a source's rule replaces among the recipe's: the signal, or the whole expression."""
        return self.signal or self.where

    @property
    def bounded(self) -> bool:
        """True for the form with bounds, the one that a threshold can be moved on."""
        return not (self.where or self.values or self.not_values)

    def resolved(self) -> bool:
        """True if every percentile has become a number."""
        low = self.min_percentile is None or self.min is not None
        return low and (self.max_percentile is None or self.max is not None)

    def words(self) -> str:
        """The demand in words: "word count between 50 and 100000"."""
        if self.where:
            return f"where {with_columns(self.where, label)}"
        if self.values:
            return f"{label(self.signal)} is {listed(self.values)}"
        if self.not_values:
            return f"{label(self.signal)} is not {listed(self.not_values)}"
        return f"{label(self.signal)} {self.bound_words()}"

    def bound_words(self) -> str:
        """The demand on the value alone: "at least 50"."""
        low = bound_words(self.min, self.min_percentile)
        high = bound_words(self.max, self.max_percentile)
        if not low:
            return f"at most {high or 'none'}"
        if not high:
            return f"at least {low}"
        return f"exactly {low}" if low == high else f"between {low} and {high}"


def label(column: str) -> str:
    """A column as people name it."""
    return BY_ID[column].label if column in BY_ID else column


def listed(values: Sequence[Value]) -> str:
    """A list in words: "en, de or fr"."""
    words = [str(v).lower() if isinstance(v, bool) else v for v in values]
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def bound_words(value: float | None, percentile: float | None) -> str:
    """One side: "50", "the 10th percentile", "52 (the 10th percentile)", or "" without one."""
    if percentile is None:
        return "" if value is None else number(value)
    place = f"the {ordinal(percentile)} percentile"
    return place if value is None else f"{number(value)} ({place})"


def ordinal(value: float) -> str:
    """1st, 2nd, 3rd, 10th, 97.5th."""
    if value % 1 or value % 100 in TEENS:
        return f"{number(value)}th"
    return f"{value:.0f}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(int(value) % 10, 'th') }"


def number(value: float | None) -> str:
    """A threshold as a person writes it: 100000, 0.12."""
    return "none" if value is None else f"{value:.10g}" if value % 1 else f"{value:.0f}"


def rule_mapping(rule: Rule) -> dict[str, Any]:
    """A rule as it is written in a recipe: what is absent is left out, a percentile stays one."""
    if rule.where:
        return {"where": rule.where}
    sides = {
        "min": rule.min if rule.min_percentile is None else None,
        "max": rule.max if rule.max_percentile is None else None,
        "min_percentile": rule.min_percentile,
        "max_percentile": rule.max_percentile,
        "in": list(rule.values) or None,
        "not_in": list(rule.not_values) or None,
    }
    return {"signal": rule.signal} | {k: v for k, v in sides.items() if v is not None}
