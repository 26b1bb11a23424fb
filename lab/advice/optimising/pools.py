"""Nested pools: a source under one threshold each, and the ways to choose one pool a source.

A tighter threshold leaves a subset, so pools of a source are nested: j of N_j unique tokens
contains those of higher thresholds, and one combination takes one pool of every source. Above
`MOST` combinations a problem is refused rather than guessed at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from lab.advice.fitting.fit import Fit
from lab.advice.optimising.supply import Supply
from lab.advice.simplex import SLACK
from lab.core.errors import ConfigError, nearest

MOST = 256  # combinations of thresholds


@dataclass(frozen=True, slots=True)
class Pool:
    """`source` cut at `threshold`: a source of the fit called `name`, of `unique` tokens."""

    name: str
    source: str
    threshold: float
    unique: float


def matching(fit: Fit, pools: Sequence[Pool]) -> list[Pool]:
    """The pools in the order of the fit's sources; ConfigError unless they are these and nested."""
    known = {pool.name: pool for pool in pools}
    for name in fit.sources:
        if name not in known:
            raise ConfigError(
                f"Source {name!r} of the fit is no pool.",
                where="pools",
                next_step=nearest(name, known),
            )
    for name in known:
        if name not in fit.sources:
            raise ConfigError(
                f"No run was trained on pool {name!r}, so nothing can be said about it.",
                where="pools",
                next_step="train runs that use it, or leave it out",
            )
    ordered = [known[name] for name in fit.sources]
    for one in ordered:
        for other in ordered:
            inside = one.source == other.source and one.threshold > other.threshold
            if inside and one.unique > other.unique:
                raise ConfigError(
                    "A tighter threshold cannot leave more text.",
                    where=f"pools {other.name!r} and {one.name!r}",
                    value=f"{other.unique:,.0f} and {one.unique:,.0f} unique tokens",
                    next_step="correct the counts or the thresholds",
                )
    return ordered


def combinations(ordered: Sequence[Pool], sources: Sequence[str]) -> list[tuple[int, ...]]:
    """One pool of every source, as numbers in the fit's order; ConfigError for too many."""
    own = [[j for j, pool in enumerate(ordered) if pool.source == s] for s in sources]
    if (count := prod(len(options) for options in own)) > MOST:
        raise ConfigError(
            f"{count} combinations of thresholds are more than {MOST}.",
            where="pools",
            next_step="cut fewer sources, or at fewer thresholds",
        )
    return list(product(*own))


def feasible(
    found: list[tuple[int, ...]], supply: Supply, ordered: Sequence[Pool]
) -> tuple[list[tuple[int, ...]], list[str]]:
    """Combinations whose supply fills the budget, and a note; ConfigError if there is none."""
    allowed = [float(supply.caps[list(combo)].sum()) for combo in found]
    kept = [combo for combo, total in zip(found, allowed, strict=True) if total >= 1 - SLACK]
    if not kept:
        loosest = found[int(np.argmax(allowed))]
        raise ConfigError(
            f"No choice of thresholds fills the budget: the loosest allows {max(allowed):.4g} of "
            "it under the repeat cap.",
            where="pools",
            value=[ordered[j].name for j in loosest],
            next_step=f"lower the budget to {max(allowed):.4g} of its size, raise the repeat cap, "
            "or add text",
        )
    lost = len(found) - len(kept)
    note = f"{lost} of {len(found)} combinations of thresholds leave too little text for the run."
    return kept, [note] if lost else []
