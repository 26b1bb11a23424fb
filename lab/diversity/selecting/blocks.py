"""Greedy methods on more documents than can be compared all with all.

The documents are cut into blocks of at most `BLOCK` that lie near each other, a method orders each,
and the orders are merged by gain: what a document added when it was chosen. That is the greedy
method itself on similarities whose parts between blocks are taken for zero, so what it costs are
pairs that a cut separates. Therefore a second round, as in GreeDi (Mirzasoleiman et al. 2013,
arXiv:1411.0541), chooses again among the best `SPARE` budgets, in blocks that are cut elsewhere and
reach farther.

Blocks are halves of halves: at the median along the first principal direction of a sample
(Sproull 1991), so all are of one size, and what is alike is mostly together. Memory: BLOCK^2
numbers (17 MB, some of them twice) and a block's vectors, whatever n is. Blocks know nothing of
each other, so they are tasks of the engine: in this process, in several, or on Ray.

Measured against one block of all 20,000 vectors (tests/benchmarks/selecting_at_size.py: planted
topics, a fifth near copies), what a method maximises as a share of what one block reaches:

    share chosen                             10 %     50 %
    MMR, mean distance to the nearest       .977     .901     (uniform sampling .843, .756)
    quality times diversity, the same       .997     .954
    DPP, log determinant over sampling's    .881        -     (one block of 10,000 chosen: hours)
    facility location                       .984     .987     (uniform sampling .946, .949)

At 10 % no pair of copies is left, as in one block; at 50 %, where there is no second round, 446 of
the 1,019 that sampling keeps. Remove those first (`semdedup`). Blocks by chance, merged by share,
were worse than sampling: MMR .787, with four times as many copies.
"""

from dataclasses import dataclass

import numpy as np

from lab.core.engine import run_shards
from lab.diversity.breadth.moments import linear_algebra
from lab.diversity.selecting.problem import F32, Greedy, Ordered, Problem, Rows, fill
from lab.diversity.selecting.vectors import PIECE, Vectors, part

BLOCK = 2048  # documents compared all with all
FURTHER = 4  # times its share of the budget that a block is ordered for: some topics give more
SPARE = 2.0  # budgets that are compared again
WORTHWHILE = 0.75  # of all tokens: above it the second round sees almost the same blocks
SEEN = 2048  # vectors that a direction is taken from
TURNS = 8  # of the power method; the cut needs no exact direction
PROCESSES_FROM = 32  # blocks: below 65,000 documents starting processes costs more than it saves


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One block; `method` is a function of a module, so that it can be sent by its name."""

    method: Greedy
    problem: Problem


def order_block(task: Task) -> Ordered:
    """The order of one block's rows; on one thread, whose sums are always the same."""
    with linear_algebra().limit(limits=1):
        return task.method(task.problem)


def in_blocks(problem: Problem, method: Greedy, again: bool = True) -> Rows:
    """`method` on blocks, merged by gain, and `again` among the best `SPARE` budgets of them, whose
    blocks are cut elsewhere and reach farther. Not where the gain of a document is about those that
    are not chosen, as in facility location.
    """
    first = one_round(problem, method, 0)
    if not again or len(problem) <= BLOCK:
        return first
    best = fill(first, problem.tokens, SPARE * problem.budget)
    if problem.tokens[best].sum() > WORTHWHILE * problem.tokens.sum():
        return first
    second = best[one_round(problem.take(best, problem.budget), method, 1)]
    return np.concatenate([second, first[~np.isin(first, second)]])


def one_round(problem: Problem, method: Greedy, seed: int) -> Rows:
    """Blocks and merge once; rows with equal gains block after block."""
    if len(problem) <= BLOCK:
        return order_block(Task(method, problem)).rows
    with linear_algebra().limit(limits=1):
        blocks = halved(problem.vectors, np.arange(len(problem)), np.random.default_rng(seed))
    share = FURTHER * problem.budget / max(int(problem.tokens.sum()), 1)
    tasks = [
        Task(method, problem.take(rows, share * max(int(problem.tokens[rows].sum()), 1)))
        for rows in blocks
    ]
    found = run_shards(
        order_block, tasks, processes_from=PROCESSES_FROM, progress=problem.progress,
        message="comparing documents",
    )  # fmt: skip
    joined = np.concatenate([rows[o.rows] for rows, o in zip(blocks, found, strict=True)])
    gains = np.concatenate([o.gains for o in found])
    return joined[np.argsort(-gains, kind="stable")]


def halved(vectors: Vectors, rows: Rows, rng: np.random.Generator) -> list[Rows]:
    """`rows` in blocks of at most `BLOCK`, each sorted, neighbours together."""
    if len(rows) <= BLOCK:
        return [np.sort(rows)]
    own = part(vectors, rows)
    sample = own[np.sort(rng.permutation(len(rows))[:SEEN])]
    direction = principal(sample - sample.mean(axis=0), rng)
    along = np.concatenate([own[s : s + PIECE] @ direction for s in range(0, len(rows), PIECE)])
    order = np.lexsort((rows, along))
    low, high = rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]
    return [*halved(vectors, low, rng), *halved(vectors, high, rng)]


def principal(centred: F32, rng: np.random.Generator) -> F32:
    """About the first principal direction [d], by the power method."""
    direction: F32 = rng.standard_normal((centred.shape[1],), dtype=np.float32)
    for _ in range(TURNS):
        direction = centred.T @ (centred @ direction)
        direction /= max(float(np.linalg.norm(direction)), 1e-12)
    return direction
