"""Search by simulation, for laws that have more than one valley (Gaussian process, trees).

As Olmix's proposer by simulation (arXiv:2602.12237; allenai/olmix fit/utils.py: ten rounds of 100k
Dirichlet draws, the prior moving towards the best): draws around the natural mixture, the uniform
one and the best found so far, with concentrations spread by ratio from loose to tight, narrower
every round (but for a part that goes anywhere), are judged under all replicates at once. Fewer
draws than Olmix's suffice because the best of several valleys are then polished by gradient
(`lab.advice.optimising.problem`), and what comes back is the better of drawn and polished, so
polishing can never lose. Nothing certifies the result: a valley between the draws is not seen.
Bounds count by an exact penalty (constraints first, cost second).

Measured on planted surfaces with two to four narrow valleys of like depth (three sources, against
a grid of 1/200, 60 worlds): none was missed; polishing the deepest draw and the natural
mixture alone missed 5.
"""

from dataclasses import replace

import numpy as np

from lab.advice.optimising.problem import MET, Problem, Solution, solve
from lab.advice.simplex import Array, divergence, variation

ROUNDS = 6
DRAWS = 400  # a round
LOOSE, TIGHT = 2.0, 60.0  # concentration of the first round's draws; both double every round
PENALTY = 1e3  # of the cost's units per unit of excess: any excess outweighs any gain
THOROUGH, QUICK = 400, 40  # steps of one descent
CENTRES = 8  # mixtures that a round draws around
VALLEYS = 3  # further draws that are polished, and how far (total variation) they lie apart
APART = 0.15
WIDE = 0.4  # of the draws of every round go anywhere, so that a valley missed once can be found


def search(problem: Problem, rng: np.random.Generator, thorough: bool) -> Solution:
    """The best mixture of every replicate: sampled, then polished, then the better of both.

    Only a `thorough` search polishes other valleys than the deepest that was drawn, and to the end.
    """
    problem = replace(problem, steps=THOROUGH if thorough else QUICK)
    best, others = sample(problem, rng)
    value = judged(problem, best)
    near = solve(problem, best)
    gap, prices = near.gap, near.prices
    reached = judged(problem, near.points)
    best = np.where((reached < value)[:, None], near.points, best)
    value = np.minimum(reached, value)
    for start in (*others, middle(problem)) if thorough else ():
        found = solve(problem, start)
        reached = judged(problem, found.points)
        better = reached < value
        best = np.where(better[:, None], found.points, best)
        gap = np.where(better, found.gap, gap)
        prices = np.where(better[:, None], found.prices, prices)
        value = np.minimum(reached, value)
    return Solution(best, gap, problem.look(best).excess, prices)


def middle(problem: Problem) -> Array:
    """The natural mixture for every replicate, inside the region: [B, m]."""
    points = problem.region.fill(problem.natural[None, :])
    return np.repeat(points, problem.response.replicates, axis=0)


def judged(problem: Problem, points: Array) -> Array:
    """What is minimised plus the penalty, points[b] under replicate b: [B]."""
    excess = problem.look(points).excess
    over = np.where(excess > MET, excess, 0.0).sum(axis=1)
    return np.asarray(problem.value(points) + PENALTY * over)


def sample(problem: Problem, rng: np.random.Generator) -> tuple[Array, list[Array]]:
    """The best draw of every replicate, [B, m], and the best ones of other valleys."""
    size = len(problem.natural)
    best = middle(problem)
    value = judged(problem, best)
    anywhere = np.vstack([best[:1], np.full((1, size), 1 / size)])
    centres, seen = anywhere, []
    for number in range(ROUNDS):
        wide = rng.random(DRAWS) < WIDE
        around = np.where(
            wide[:, None],
            anywhere[rng.integers(len(anywhere), size=DRAWS)],
            centres[rng.integers(len(centres), size=DRAWS)],
        )
        tightness = np.geomspace(LOOSE, TIGHT, 15)[rng.integers(15, size=DRAWS)]
        tightness *= np.where(wide, 1.0, 2.0**number)
        gammas = rng.standard_gamma(np.maximum(around * tightness[:, None], 0.05))
        draws = problem.region.fill(np.maximum(gammas, 1e-12))
        costs = everywhere(problem, draws)
        seen.append((draws[wide], costs[:, wide]))
        pick = costs.argmin(axis=1)
        lowest = costs[np.arange(len(costs)), pick]
        better = lowest < value
        best = np.where(better[:, None], draws[pick], best)
        value = np.minimum(lowest, value)
        chosen = rng.permutation(len(best))[:CENTRES]
        centres = np.vstack([best[chosen], (best[chosen] + problem.natural) / 2])
    draws = np.vstack([part for part, _ in seen])
    return best, valleys(draws, np.hstack([costs for _, costs in seen]), best)


def valleys(draws: Array, costs: Array, best: Array) -> list[Array]:
    """For every replicate the lowest of `draws` [n, m] far from its best and from each other."""
    left, found, last = costs.copy(), [], best
    for _ in range(VALLEYS):
        left = np.where(variation(last, draws) < APART, np.inf, left)
        pick = left.argmin(axis=1)
        last = draws[pick]
        found.append(last)
    return found


def everywhere(problem: Problem, draws: Array) -> Array:
    """Penalised value of all `draws` [n, m] under every replicate: [B, n]."""
    costs = problem.response.predict(draws)
    value = costs @ problem.blend
    if problem.kl > 0:
        value = value + problem.kl * divergence(draws, problem.natural)
    excess = (costs[:, :, list(problem.guarded)] - problem.bounds[:, None, :]) / problem.units
    over = np.where(excess > MET, excess, 0.0).sum(axis=2)
    if len(problem.most):
        beyond = draws @ problem.rows.T - problem.most
        over = over + np.where(beyond > MET, beyond, 0.0).sum(axis=1)
    return np.asarray(value + PENALTY * over)
