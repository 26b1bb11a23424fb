"""Rules that decide nothing: what is legal, computes, and is most likely a mistake.

Published configurations have carried rules that matched no document for a year, because nothing
said so. Each warning names the rule, the evidence and what to do; none stops anything. A rule is
reported if it drops no document or every document (with the range or the values it met, which shows
a threshold in another unit, 5 % written for 0.05), or if a percentile drops a clearly different
share than it says because documents tie. Cost: the minimum and maximum of a column a rule.
"""

from collections.abc import Sequence

import polars as pl

from lab.curation.filters.mask import fail_mask, resolve_rules
from lab.curation.filters.rule import Rule, label, listed, number

TIE = 0.01  # share of documents by which a percentile may miss before it is said
NAMED = 3  # rules that drop nothing are named one by one up to this many
SHOWN = 5  # values of a column of text


def rule_warnings(
    frame: pl.DataFrame, rules: Sequence[Rule], where: str, mask: pl.Series | None = None
) -> list[str]:
    """Warnings on `rules` over the training documents of one source; `where` opens each sentence.

    `mask` saves computing `fail_mask(frame, rules)` again, and may have more bits. Raises what
    `fail_mask` raises.
    """
    if frame.height == 0:
        return []
    masks = (fail_mask(frame, rules) if mask is None else mask).to_numpy()
    said: list[str] = []
    idle: list[Rule] = []
    for i, rule in enumerate(resolve_rules(frame, rules)):
        dropped = int((masks >> i & 1).sum())
        name = rule_at(where, rule)
        if dropped == frame.height:
            said.append(f"{name} drops every document; {met(frame, rule)}; loosen or remove it")
        elif dropped == 0 and not everything_kept(rule):
            idle.append(rule)
        elif abs(dropped / frame.height - meant(rule, dropped / frame.height)) > TIE:
            said.append(
                f"{name} drops {dropped / frame.height:.1%} of the documents instead of "
                f"{meant(rule, 0):.1%}, because many share one value; write a number instead"
            )
    if len(idle) > NAMED:
        words = ", ".join(f"`{rule.words()}`" for rule in idle)
        return [*said, f"{where}: {len(idle)} of {len(rules)} rules drop nothing: {words}"]
    said += [f"{rule_at(where, r)} drops nothing; {met(frame, r)}; move or remove it" for r in idle]
    return said


def rule_at(where: str, rule: Rule) -> str:
    """How a sentence about a rule begins."""
    return f"{where}: the rule `{rule.words()}`"


def everything_kept(rule: Rule) -> bool:
    """True for a percentile that means to keep every document: 0 below, 100 above."""
    percentiles = (rule.min_percentile or 0.0, rule.max_percentile)
    given = rule.min_percentile is not None or rule.max_percentile is not None
    return given and percentiles in ((0.0, None), (0.0, 100.0))


def meant(rule: Rule, otherwise: float) -> float:
    """The share of documents that percentiles alone mean to drop; `otherwise` if a number decides.

    A side that is written as a number has no percentile, so nothing is known about its share.
    """
    low, high = rule.min_percentile, rule.max_percentile
    plain = (rule.min is not None and low is None) or (rule.max is not None and high is None)
    if plain or (low is None and high is None):
        return otherwise
    return (low or 0.0) / 100 + (1 - (100.0 if high is None else high) / 100)


def met(frame: pl.DataFrame, rule: Rule) -> str:
    """What the columns of a rule hold, in words."""
    return "; ".join(held(frame[column]) for column in rule.columns())


def held(values: pl.Series) -> str:
    """A column's range, or its commonest values."""
    if not values.dtype.is_numeric():
        common = (
            values.cast(pl.String).value_counts(sort=True, name="counted").head(SHOWN)[values.name]
        )
        return f"most documents have {label(values.name)} {listed(common.to_list())}"
    low, high = values.min(), values.max()
    assert isinstance(low, int | float) and isinstance(high, int | float)  # no null passes a rule
    if low == high:
        return f"every document has {label(values.name)} {number(low)}"
    return f"{label(values.name)} lies between {number(low)} and {number(high)}"
