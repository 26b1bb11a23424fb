"""Greedy methods: each next document is the one that adds most to those chosen.

All work on one block of documents that are compared all with all (`blocks.in_blocks`), and stop
once the budget is passed. r is the relevance (quality) in [0, 1], theta its weight (`balance`), cos
the cosine of two embeddings, S what is chosen. Costs are for n documents of a block and k chosen.
"""

import heapq

import numpy as np

from lab.diversity.selecting.problem import F32, F64, Ordered, Problem, Rows

WIDTH = 0.5  # of the DPP's kernel, in cosine distance: texts of one topic lie .3 to .7 apart
FLAT = 1e-6  # a volume below is rounding of float32 cosines


def similarities(problem: Problem) -> F32:
    """Cosines of all pairs of a block [n, n]."""
    vectors = problem.vectors[:]
    product: F32 = vectors @ vectors.T
    return product


def mmr(problem: Problem) -> Ordered:
    """Maximal marginal relevance: next is argmax theta r_i - (1 - theta) max_{j in S} cos(i, j).

    Carbonell and Goldstein 1998. Without relevance it is farthest-first traversal (Gonzalez 1985).
    Cost n^2 d + n k. It sees the nearest chosen document only, so outliers and junk, which are far
    from all, come early; the first is the most relevant, or the first by chance.
    """
    relevance = np.zeros(len(problem)) if problem.relevance is None else problem.relevance
    return farthest(problem, problem.balance * relevance, 1 - problem.balance)


def product(problem: Problem) -> Ordered:
    """Quality times diversity: next is argmax r_i (1 - max_{j in S} cos(i, j)).

    The product form of quality and diversity (as in the kernel of Kulesza and Taskar 2012,
    arXiv:1207.6083), on the distance to the nearest chosen one: a document must have both, where
    the sum of MMR lets much of one pay for none of the other. Cost n^2 d + n k. A wrong quality
    score is trusted; a score of nearly zero is never chosen before a copy is.
    """
    return farthest(problem, problem.worth, None)


def farthest(problem: Problem, worth: F64, weight: float | None) -> Ordered:
    """Greedy by worth - weight x nearest cosine, or by worth x (1 - nearest) without a weight."""
    similar = similarities(problem)
    nearest = np.full(len(problem), -1.0 if weight is None else 0.0)
    gain, order, gains, used = worth.astype(np.float64).copy(), list[int](), list[float](), 0
    taken = np.zeros(len(problem), bool)
    while len(order) < len(problem) and used <= problem.budget:  # 20 us a document at n = 2,000
        at = int(np.argmax(gain))
        gains.append(float(gain[at]) if order else np.inf)
        nearest = similar[at].astype(np.float64) if not order else np.maximum(nearest, similar[at])
        order.append(at)
        taken[at] = True
        used += int(problem.tokens[at])
        gain = worth * (1 - nearest) if weight is None else worth - weight * nearest
        gain[taken] = -np.inf
    return Ordered(np.array(order, np.int64), np.array(gains))


def dpp(problem: Problem) -> Ordered:
    """The set of large volume: greedy maximum of log det L_S, L_ij = g_i K_ij g_j.

    Fast greedy MAP of a determinantal point process (Chen et al. 2018, arXiv:1709.05135), with
    their weight g = exp(theta r / (2 (1 - theta))) of relevance. K = exp(-(1 - cos) / WIDTH): with
    plain cosines K has rank d, so that after d documents every volume is zero and the order noise.
    Cost n^2 d + n k^2. It sees all chosen documents together, not only the nearest; like the Vendi
    score it likes whatever is isolated, so junk comes early.
    """
    kernel = np.exp((similarities(problem) - np.float32(1)) / np.float32(WIDTH))
    np.fill_diagonal(kernel, 1)
    relevance = np.zeros(len(problem)) if problem.relevance is None else problem.relevance
    g = np.exp(problem.balance / (2 * (1 - problem.balance)) * relevance)
    return greedy_map(kernel, g, problem.tokens, problem.budget)


def greedy_map(kernel: F32, g: F64, tokens: Rows, budget: float) -> Ordered:
    """Rows by greedily largest det of diag(g) kernel diag(g); those that add no volume are last, by
    row, with a gain of 0. `kernel` [n, n] has ones on its diagonal.
    """
    n, order, gains, used = len(g), list[int](), list[float](), 0
    factor = np.empty((n, n))  # rows of the Cholesky factor; memory is taken as they are written
    left = g**2
    taken = np.zeros(n, bool)
    while len(order) < n and used <= budget:  # 0.2 ms a document at n = 2,000 and k = 200
        at, k = int(np.argmax(left)), len(order)
        if left[at] <= FLAT * g[at] ** 2:
            break
        own = g[at] * kernel[at] * g - factor[:k, at] @ factor[:k]
        gains.append(float(left[at]))
        factor[k] = own / np.sqrt(left[at])
        left = np.maximum(left - factor[k] ** 2, 0)
        order.append(at)
        taken[at] = True
        used += int(tokens[at])
        left[taken] = -np.inf
    rest = np.flatnonzero(~taken)
    rows = np.concatenate([np.array(order, np.int64), rest])
    return Ordered(rows, np.concatenate([gains, np.zeros(len(rest))]))


def facility(problem: Problem) -> Ordered:
    """Facility location: greedy maximum of f(S) = sum_i max_{j in S} w_j max(cos(i, j), 0).

    Every document is to have a chosen one near it (Lin and Bilmes 2011, for summaries), with
    w = 1 - theta + theta r. f is submodular, so greedy is within 1 - 1/e of the best set of its
    size (Nemhauser et al. 1978), and a gain never grows: lazy greedy (Minoux 1978) looks again only
    at the top of a heap. Cost n^2 d + n for each look, a few a document. It stands for the bulk:
    a rare topic counts by its few documents, and is covered late.
    """
    similar = np.maximum(similarities(problem), 0)
    weight = np.ones(len(problem))
    if problem.relevance is not None:
        weight = 1 - problem.balance + problem.balance * problem.relevance
    covered = np.zeros(len(problem), np.float32)
    heap = [(-float(gain), row) for row, gain in enumerate(similar.sum(axis=1) * weight)]
    heapq.heapify(heap)
    order, gains, used = list[int](), list[float](), 0
    while heap and used <= problem.budget:  # 20 us a document at n = 2,000
        row = heap[0][1]
        served = similar[row] * np.float32(weight[row])
        now = (-float(np.maximum(served - covered, 0).sum()), row)
        if len(heap) > 1 and now > min(heap[1:3]):
            heapq.heapreplace(heap, now)
            continue
        heapq.heappop(heap)
        covered = np.maximum(covered, served)
        order.append(row)
        gains.append(-now[0])
        used += int(problem.tokens[row])
    return Ordered(np.array(order, np.int64), np.array(gains))
