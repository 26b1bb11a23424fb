"""The three checks of a difference: clean items, the twin, fresh text of the domain.

`gain` says what follows from them. A lead that is smaller in a check than on the benchmark counts
against it only if the difference of the two leads is beyond noise.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Final

import numpy as np

from lab.core.estimate import Estimate
from lab.evaluation.benchmarks.registry import TWIN
from lab.evaluation.comparing.compare import Pair
from lab.evaluation.comparing.verdicts import Difference
from lab.evaluation.runs.metrics import Metric
from lab.evaluation.statistics.noise import LEVEL, half_width, split_difference

LEAST_CLEAN: Final = 20  # items; with fewer, an interval over items says next to nothing
SUPPORTS, CONTRADICTS, OPEN, UNKNOWN = "supports", "contradicts", "open", "not measured"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one difference: what it found, in words, and what would settle it."""

    name: str  # clean, twin, held out
    state: str  # supports, contradicts, open, not measured
    words: str
    difference: Difference | None = None
    settle: str = ""


def clean_check(
    row: Difference, metric: Metric, count: int, clean: Pair, dirty: Pair | None
) -> Check:
    """The difference on items that nothing quotes."""
    if count == 0 or dirty is None:
        return Check("clean", SUPPORTS, "no item is quoted by training text", row)
    left = clean.left.get(metric)
    if left is None or left.n < LEAST_CLEAN:
        few = f"{count} items are quoted, {left.n if left else 0} are left: too few"
        return Check("clean", OPEN, few, settle="a benchmark with items that nothing quotes")
    found = replace(clean.row(metric), metric=replace(metric, scope="clean"))
    excess = contrast(dirty, dirty.left[metric].metric, clean, metric)
    words = f"{count} items are quoted; on the other {left.n}: {found.verdict}"
    return held_against(
        row, found, excess, "clean", words, "more seeds, or more items that nothing quotes"
    )


def twin_check(row: Difference, metric: Metric, pair: Pair, clean: Pair) -> Check:
    """The difference on the benchmark's twin, its quoted items left out where enough are left."""
    twin = replace(metric, scope="twin", on=metric.on + TWIN)
    if twin not in pair.left:
        make = f"`mixlab benchmark twin {metric.on} --by permuted`"
        return Check("twin", UNKNOWN, "it has no twin", settle=make)
    every, left = pair.left[twin].n, clean.left[twin].n if twin in clean.left else 0
    side = clean if left >= LEAST_CLEAN else pair
    found = side.row(twin)
    excess = contrast(pair, metric, side, twin)
    among = f" ({every - left} quoted items among them, the other {left} are too few)"
    words = f"on the twin{among if side is pair and left < every else ''}: {found.verdict}"
    return held_against(row, found, excess, "twin", words, "more seeds")


def heldout_check(row: Difference, pair: Pair, metric: Metric | None) -> Check:
    """The difference on fresh text of the domain."""
    if metric is None:
        return Check("held out", UNKNOWN, "no held-out text is like its items")
    found = pair.row(metric)
    words = f"held-out {metric.on}: {found.verdict}"
    return held_against(row, found, None, "held out", words, "more seeds or more held-out text")


def held_against(
    row: Difference,
    found: Difference,
    excess: Estimate | None,
    name: str,
    words: str,
    settle: str,
) -> Check:
    """Whether `found` supports `row`; `excess`: by how much b - a of `row` is larger."""
    if row.verdict == "unresolved":
        return Check(name, OPEN, words, found)
    if found.verdict == row.verdict:
        return Check(name, SUPPORTS, words, found)
    if found.verdict != "unresolved":
        return Check(name, CONTRADICTS, words + ", the other way", found)
    if excess is not None and excess.resolved and (excess.value > 0) == (row.difference.value > 0):
        return Check(name, CONTRADICTS, words + f"; the lead is smaller there by {excess}", found)
    return Check(name, OPEN, words, found, settle)


def contrast(more: Pair, metric: Metric, less: Pair, other: Metric) -> Estimate:
    """How much larger b - a is for `metric` of `more` than for `other` of `less`, same seeds.

    The mean over tables X and -Y is (X - Y)/2, so twice its difference is what is asked, with seeds
    crossed and items independent (`noise.split_difference`).
    """
    a, b = (
        [*one.tables, *[-table for table in two.tables]]
        for one, two in (
            (more.left[metric], less.left[other]),
            (more.right[metric], less.right[other]),
        )
    )
    parts = split_difference(a, b, paired=more.paired)
    value, half = 2 * float(parts.value), 2 * float(half_width(parts))
    half = half if np.isfinite(parts.seed) else inf
    return Estimate(value, value - half, value + half, more.left[metric].n, metric.unit, LEVEL)
