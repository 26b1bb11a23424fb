"""What a small move of each threshold would bring back or cost: which cuts are sharp, which flat.

For every rule with bounds, every side, and one step either way: a looser threshold *rescues* the
documents that lie within the step beyond it and pass all other rules; a stricter one *loses* those
kept within the step inside it. Equality passes, as in the rules, so the counts are exactly the
difference between two accounts. A step is 1 for whole numbers, else the width of a histogram's bin
at the threshold (`step_at`), unless it is given. Cost: 9 ms a side for a million documents
(2026-11).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.curation.effect.distribution import DECADES, inner_range
from lab.curation.filters.mask import resolve_rules
from lab.curation.filters.rule import Rule

Side = Literal["min", "max"]
BINS = 50  # of the histogram whose bins are the steps
LOOK = 100_000  # values from which a step is read: it need not be exact, a quantile of all costs
SCHEMA = {
    "source": pl.String,
    "rule": pl.Int64,
    "side": pl.String,
    "way": pl.String,  # looser: rescued; stricter: lost
    "threshold": pl.Float64,  # after the move
    "documents": pl.Int64,
    "tokens": pl.Int64,
}


def other_rules(mask: NDArray[np.uint64], rule: int) -> NDArray[np.bool_]:
    """True where no rule but number `rule` fails."""
    passed: NDArray[np.bool_] = mask & ~np.uint64(1 << rule) == 0
    return passed


def moved_by_step(
    frame: pl.DataFrame, rules: Sequence[Rule], steps: Mapping[int, float] | None = None
) -> pl.DataFrame:
    """One row per source, rule with bounds, side and way: `SCHEMA`; documents and tokens rescued
    (looser) or lost (stricter) if only that threshold moves by one step.

    frame: source, tokens, mask (of exactly `rules`) and the rules' columns; several sources only if
    no rule has an unresolved percentile. `steps` gives a step by rule number, in the signal's unit.
    """
    mask, tokens = frame["mask"].to_numpy(), frame["tokens"].cast(pl.Int64).to_numpy()
    names = frame["source"].unique().sort()
    codes = frame["source"].cast(pl.Enum(names)).to_physical().to_numpy()
    rows: list[tuple[object, ...]] = []
    for i, rule in enumerate(resolve_rules(frame, rules)):
        if not rule.bounded:
            continue
        values = frame[rule.signal].cast(pl.Float64).to_numpy()
        others = other_rules(mask, i)
        now = inside(values, rule)
        for side, bound in (("min", rule.min), ("max", rule.max)):
            if bound is None:
                continue
            step = (steps or {}).get(i) or step_at(values, bound)
            for way in ("looser", "stricter"):
                outward = (way == "looser") == (side == "max")
                threshold = bound + step if outward else bound - step
                flips = others & (now != inside(values, rule, side, threshold))
                counted = zip(names, *per_source(flips, codes, tokens, len(names)), strict=True)
                rows += [(name, i, side, way, threshold, n, t) for name, n, t in counted]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def inside(
    values: NDArray[np.float64], rule: Rule, side: str = "", threshold: float = 0.0
) -> NDArray[np.bool_]:
    """True within the rule's bounds, the one on `side` being moved to `threshold`."""
    low = threshold if side == "min" else rule.min
    high = threshold if side == "max" else rule.max
    passes = np.ones(values.size, bool)
    if low is not None:
        passes &= values >= low
    if high is not None:
        passes &= values <= high
    return passes


def per_source(
    flips: NDArray[np.bool_], codes: NDArray[np.uint32], tokens: NDArray[np.int64], sources: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(documents, tokens) that flip, [sources] each; `codes` numbers the documents' sources."""
    mine = np.flatnonzero(flips)
    documents = np.bincount(codes[mine], minlength=sources)
    summed = np.zeros(sources, np.int64)
    np.add.at(summed, codes[mine], tokens[mine])
    return documents, summed


def step_at(values: NDArray[np.float64], threshold: float, bins: int = BINS) -> float:
    """A sensible step for a threshold: 1 for whole numbers in a range of up to `bins`, the distance
    of equal ratio for whole numbers over decades, else a `bins`-th of the inner range.
    """
    if values.size == 0:
        return 1.0
    values = values[:: -(-values.size // LOOK)]
    low, high = inner_range(values)
    if not np.all(values == np.floor(values)):
        return (high - low) / bins or 1.0
    positive = values[values > 0]
    least = inner_range(positive)[0] if positive.size else 1.0
    if high > DECADES * least:
        ratio = (high / least) ** (1 / bins) - 1
        return max(1.0, float(np.round(abs(threshold) * ratio)))
    return max(1.0, float(np.round((high - low) / bins)))
