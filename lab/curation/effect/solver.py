"""The threshold that keeps N tokens: the inverse of moving a slider.

Sorted from the best value to the worst, the documents that the other rules keep add up to N at one
place, and the value there is the strictest threshold that keeps at least N. Documents with equal
values stand or fall together, so more may be kept than was asked for. The answer is given as a
number and as the percentile of the source's documents that resolves to it
(`lab.curation.filters.resolve_rules`). Cost: one sort, 0.1 s for a million documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import ConfigError

ROUNDING = 1e-12  # of a share of tokens


@dataclass(frozen=True, slots=True)
class Cut:
    """A threshold and what it keeps (equality passes) of what the other rules keep."""

    threshold: float
    documents: int
    tokens: int
    share: float  # of all tokens
    percentile: float  # 0..100: `min_percentile` (`max_percentile`) resolves to `threshold`


def threshold_for_tokens(
    values: Sequence[float] | NDArray[np.float64],
    tokens: Sequence[int] | NDArray[np.int64],
    keep: float,
    side: Literal["min", "max"] = "min",
    others: NDArray[np.bool_] | None = None,
) -> Cut:
    """The strictest `min` (or `max`) threshold that keeps at least the share `keep` of all tokens,
    those counted that `others` drop. See `threshold_for_amount`.
    """
    total = float(np.asarray(tokens, np.int64).sum())
    amount = keep * total * (1 - ROUNDING) if 0 < keep <= 1 else -1.0
    return threshold_for_amount(values, tokens, amount, side, others)


def threshold_for_amount(
    values: Sequence[float] | NDArray[np.float64],
    tokens: Sequence[int] | NDArray[np.int64],
    amount: float,
    side: Literal["min", "max"] = "min",
    others: NDArray[np.bool_] | None = None,
) -> Cut:
    """The strictest `min` (or `max`) threshold that keeps at least `amount` tokens.

    values, tokens: one per training document of a source. `others` is True where all other rules
    pass; None: everywhere. NaN passes no threshold. Raises ConfigError, naming what can be reached,
    unless 0 < `amount` <= the tokens that the other rules keep.
    """
    value, weight = np.asarray(values, np.float64), np.asarray(tokens, np.int64)
    known = ~np.isnan(value)
    candidates = known if others is None else known & others
    total, most = int(weight.sum()), int(weight[candidates].sum())
    if not 0 < amount <= most:
        raise unreachable(amount, most, total)
    signed = -value if side == "min" else value
    order = np.flatnonzero(candidates)[np.argsort(signed[candidates], kind="stable")]
    reached = np.searchsorted(np.cumsum(weight[order]), amount)
    limit = signed[order[reached]]
    passes = candidates & (signed <= limit)
    kept = int(weight[passes].sum())
    stricter = int((signed[known] > limit).sum())  # documents that the threshold itself drops
    place = 100 * stricter / max(int(known.sum()) - 1, 1)
    return Cut(
        threshold=float(value[order[reached]]),
        documents=int(passes.sum()),
        tokens=kept,
        share=kept / total,
        percentile=place if side == "min" else 100 - place,
    )


def unreachable(amount: float, most: int, total: int) -> ConfigError:
    """The error for an amount that no threshold keeps."""
    share = f"{most / total:.1%} of all" if total else "there are none"
    return ConfigError(
        "No threshold keeps that many tokens.",
        value=amount if amount > 0 else None,
        next_step=f"choose from 1 to {most:,} tokens ({share}), which is what the other rules keep "
        "of the documents that have a value; loosen another rule to reach more",
    )
