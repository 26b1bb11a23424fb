"""What a method of selection is given, and how a budget of tokens is kept.

A method puts documents into an order, best first, and may leave some out; `fill` takes the
beginning of that order that fits the budget. So a larger budget contains a smaller one wherever
the order does not depend on the budget, and every method keeps it in the same way: **never above,
and below by less than the next document**, unless a method leaves out so much (copies) that the
rest is smaller than the budget. Documents longer than the whole budget are left out before. Nothing
shorter is searched to fill the gap: that would prefer short documents.

Rows are in an order by chance that does not depend on where they stood (`choose` sees to it): ties
go to the earlier row, so the same documents give the same choice in whatever order they come.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.progress import Progress
from lab.diversity.selecting.vectors import F32, Rows, Vectors, part

__all__ = ["F32", "F64", "Greedy", "Method", "Ordered", "Problem", "Rows", "fill", "pack"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Unit `vectors` [n, d], in memory or on disk, `tokens` [n], `relevance` [n] in [0, 1] (None:
    all alike), budget in tokens. `balance` is the weight of relevance beside diversity, in [0, 1).
    """

    vectors: Vectors
    tokens: Rows
    budget: float
    relevance: F64 | None = None
    balance: float = 0.5
    seed: int = 0
    progress: Progress = field(default_factory=Progress)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def worth(self) -> F64:
        """Relevance, or ones."""
        return np.ones(len(self)) if self.relevance is None else self.relevance

    def take(self, rows: Rows | slice, budget: float) -> "Problem":
        """Some of the documents, with a budget of their own and nobody who watches."""
        own = None if self.relevance is None else self.relevance[rows]
        return replace(
            self, vectors=part(self.vectors, rows), tokens=self.tokens[rows], relevance=own,
            budget=budget, progress=Progress(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """`rows`, best first, and what each added when it was chosen: `gains` never grow."""

    rows: Rows
    gains: F64


Method = Callable[[Problem], Rows]
Greedy = Callable[[Problem], Ordered]


def fill(order: Rows, tokens: NDArray[Any], budget: float) -> Rows:
    """The longest beginning of `order` with at most `budget` tokens."""
    used = np.cumsum(tokens[order], dtype=np.int64)
    return order[: int(np.searchsorted(used, budget, side="right"))]


def pack(order: Rows, tokens: NDArray[Any], budget: float) -> Rows:
    """All of `order` that fits, one after another, passing over what does not: for a window of
    context, where a gap is worth more than the preference for short documents costs.
    """
    left, taken = budget, []
    for row in order.tolist():  # 0.1 us a document, of some hundreds
        if tokens[row] <= left:
            taken.append(row)
            left -= int(tokens[row])
    return np.array(taken, np.int64)
