"""What a method of selection is given, and how a budget of tokens is kept.

A method puts documents into an order, best first, and may leave some out; `fill` takes the
beginning of that order that fits the budget. So a larger budget contains a smaller one wherever
the order does not depend on the budget, and every method keeps it in the same way: **never above,
and below by less than the next document**, unless a method leaves out so much (copies) that the
rest is smaller than the budget. Documents longer than the whole budget are left out before. Nothing
shorter is searched to fill the gap: that would prefer short documents.

Rows are in an order by chance that does not depend on where they stood (`choose` sees to it): ties
go to the earlier row, so the same documents give the same choice in whatever order they come.

Greedy methods compare all with all. `in_blocks` cuts the rows into blocks of about `BLOCK`, random
ones because of that order, lets the method order each, and merges by the share of its tokens that a
block has given (as the first round of GreeDi, Mirzasoleiman et al. 2013, arXiv:1411.0541): memory
is BLOCK^2 numbers (17 MB) beside the vectors, 4 bytes x d a document. What it costs: a pair in two
blocks is not seen, so copies may both stay. Remove those first (`semdedup`, `d4`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.progress import Progress

BLOCK = 2048  # documents compared all with all

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Unit `vectors` [n, d], `tokens` [n], `relevance` [n] in [0, 1] (None: all alike), budget in
    tokens. `balance` is the weight of relevance beside diversity, in [0, 1).
    """

    vectors: F32
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

    def take(self, rows: Rows, budget: float) -> "Problem":
        """Some of the documents, with a budget of their own."""
        own = None if self.relevance is None else self.relevance[rows]
        return replace(
            self, vectors=self.vectors[rows], tokens=self.tokens[rows], relevance=own, budget=budget
        )


Method = Callable[[Problem], Rows]


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


def in_blocks(problem: Problem, method: Method) -> Rows:
    """`method` on blocks of rows, merged by the share of its tokens that each block has given.

    Each orders as much as its share of the budget needs.
    """
    count = -(-len(problem) // BLOCK)
    total = max(int(problem.tokens.sum()), 1)
    orders, shares = [], []
    for k, rows in enumerate(np.array_split(np.arange(len(problem)), count)):
        problem.progress(k, count, "comparing documents")
        tokens = problem.tokens[rows]
        own = max(int(tokens.sum()), 1)
        order = method(problem.take(rows, problem.budget / total * own))
        before = np.cumsum(tokens[order], dtype=np.int64) - tokens[order]
        orders.append(rows[order])
        shares.append(before / own)
    joined = np.concatenate(orders) if orders else np.zeros(0, np.int64)
    if count < 2:
        return joined
    return joined[np.argsort(np.concatenate(shares), kind="stable")]
