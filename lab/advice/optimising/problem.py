"""The problem that a proposal solves, and the method that solves it exactly.

    minimise   blend . cost(p) + kl KL(p || natural)
    over       p in the region, cost_t(p) <= bound_t for guarded metrics, rows p <= most

Bregman proximal gradient in the geometry of KL (mirror descent; Bauschke, Bolte and Teboulle 2017),
with constraints linearised at every step as in sequential programming: the step

    p' = nearest in KL, inside the region and where  c(p) + c'(p) (p' - p) <= 0,
         to  exp((log p / eta + kl log natural - slope) / (1 / eta + kl))

treats the KL term and linear constraints exactly, never leaves the region and runs for all
replicates at once; eta is found by backtracking on the Lagrangian. The multipliers of the step's
constraints (`lab.advice.optimising.projection`) converge to their prices y: what the objective
would gain if a bound were one unit looser.

For convex costs the result is certified. The Lagrangian's gap of Frank and Wolfe, max over q of
<slope, p - q>, less y . c(p), bounds how far the result is from the best (`gap`). If bounds cannot
be met, the point of least squared excess is found instead, and the same gap there proves it.
"""

from dataclasses import dataclass, field

import numpy as np

from lab.advice.optimising.projection import project
from lab.advice.optimising.region import Region
from lab.advice.optimising.response import Response
from lab.advice.simplex import TINY, Array, Mask, divergence

GAP = 1e-7  # in the unit of the cost: far below any difference between runs
LOOSE_GAP = 1e-5  # of replicates, whose spread is what matters
MOST_STEPS = 5000
FAINT = 1e-12  # a share that the steps start from at least, so that a dropped source can return
ETA = (1e-9, 1e8)  # bounds of the step size
MET = 1e-5  # excess in `units` below which a bound counts as met
DEAREST = 1e3  # price in the cost's unit per unit of excess at which a bound is given up


@dataclass(frozen=True, slots=True)
class Look:
    """Cost [B] and slope [B, m]; excess of constraints [B, g + c] and their slopes, [.., m]."""

    cost: Array
    slope: Array
    excess: Array
    slopes: Array

    def along(self, prices: Array) -> Array:
        """Slope of the Lagrangian, [B, m]."""
        if not prices.shape[1]:
            return self.slope
        return np.asarray(self.slope + np.einsum("bc,bcm->bm", prices, self.slopes))

    def towards(self) -> Array:
        """Slope of half the squared excess, [B, m]."""
        return np.einsum("bc,bcm->bm", np.maximum(self.excess, 0.0), self.slopes)

    def where(self, chosen: Mask, other: "Look") -> "Look":
        """This look for replicates in `chosen` [B], the other one for the rest."""
        column = chosen[:, None]
        return Look(
            np.where(chosen, self.cost, other.cost),
            np.where(column, self.slope, other.slope),
            np.where(column, self.excess, other.excess),
            np.where(column[:, :, None], self.slopes, other.slopes),
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """See the module's text. m sources, B replicates, g guarded metrics, c linear constraints.

    `guarded` numbers metrics, `bounds` [B, g] are costs, `units` [g] one unit of each (its spread
    over runs). `rows` [c, m] and `most` [c] are linear constraints. `steps` bound one descent.
    """

    response: Response
    blend: Array
    natural: Array
    region: Region
    kl: float
    guarded: tuple[int, ...] = ()
    bounds: Array = field(default_factory=lambda: np.zeros((1, 0)))
    units: Array = field(default_factory=lambda: np.zeros(0))
    rows: Array = field(default_factory=lambda: np.zeros((0, 0)))
    most: Array = field(default_factory=lambda: np.zeros(0))
    steps: int = MOST_STEPS

    @property
    def constraints(self) -> int:
        """How many constraints there are besides the region."""
        return len(self.guarded) + len(self.most)

    def look(self, points: Array) -> "Look":
        """Cost and constraints of replicate b at points[b]."""
        cost, slope = self.response.each(points)
        guarded = list(self.guarded)
        excess = (cost[:, guarded] - self.bounds) / self.units
        slopes = slope[:, guarded] / self.units[:, None]
        if len(self.most):
            excess = np.hstack([excess, points @ self.rows.T - self.most])
            rows = np.broadcast_to(self.rows, (len(points), *self.rows.shape))
            slopes = np.concatenate([slopes, rows], axis=1)
        return Look(cost @ self.blend, np.einsum("t,btm->bm", self.blend, slope), excess, slopes)

    def value(self, points: Array) -> Array:
        """What is minimised, at points[b] under replicate b: [B]."""
        cost = self.look(points).cost
        return cost + self.kl * divergence(points, self.natural) if self.kl > 0 else cost


@dataclass(frozen=True, slots=True)
class Solution:
    """points [B, m], gap [B], excess [B, g + c] of constraints, prices [B, g + c]."""

    points: Array
    gap: Array
    excess: Array
    prices: Array

    @property
    def met(self) -> Mask:
        """Replicates whose constraints hold, [B]."""
        return np.asarray((self.excess <= MET).all(axis=1))


def solve(problem: Problem, points: Array) -> Solution:
    """The best mixture of every replicate from the start `points` [B, m]; the nearest one where
    the constraints cannot be met. For laws that are not convex, the best nearby.
    """
    points, gap, prices = descend(problem, points)
    excess = problem.look(points).excess
    missed: Mask = np.asarray((excess > MET).any(axis=1))
    if missed.any():
        near, proof = approach(problem, points)
        points = np.where(missed[:, None], near, points)
        gap = np.where(missed, proof, gap)
        excess = problem.look(points).excess
    return Solution(points, gap, excess, prices)


def descend(problem: Problem, points: Array) -> tuple[Array, Array, Array]:
    """(points, gap, prices) of the constrained problem."""
    kl, region = problem.kl, problem.region
    target = np.log(np.maximum(problem.natural, TINY)) if kl > 0 else np.zeros_like(problem.natural)
    eta = np.ones((len(points), 1))
    prices = np.zeros((len(points), problem.constraints))
    now = problem.look(points)
    gap = np.full(len(points), np.inf)
    enough = GAP if len(points) == 1 else LOOSE_GAP
    for step in range(problem.steps):
        logs = np.log(np.maximum(points, FAINT))
        reach = 1 / (1 / eta + kl)
        aim = (logs / eta + kl * target - now.slope) * reach
        if problem.constraints:
            bounds = np.einsum("bcm,bm->bc", now.slopes, points) - now.excess
            trial, duals = project(region, aim, now.slopes, bounds, prices * reach, DEAREST * reach)
            tried = duals / reach
        else:
            trial, tried = region.nearest(aim), prices
        then = problem.look(trial)
        better = smooth(problem, now, then, trial - points, logs, trial, tried, eta)
        if not problem.response.convex:
            better &= falls(problem, now, then, points, trial)
        points = np.where(better[:, None], trial, points)
        prices = np.where(better[:, None], tried, prices)
        now = then.where(better, now)
        eta = np.clip(np.where(better[:, None], eta * 1.5, eta / 2), *ETA)
        if step % 20 == 19:
            whole = now.along(prices) + kl * (np.log(np.maximum(points, TINY)) - target)
            slack = -(prices * now.excess).sum(axis=1)
            gap = np.maximum(region.certificate(points, whole) + slack, 0.0)
            done = gap <= enough * np.maximum(np.abs(now.cost), 1.0)
            held = (now.excess <= MET).all(axis=1) | (prices >= DEAREST * 0.99).any(axis=1)
            if (done & held | (eta[:, 0] <= ETA[0])).all():
                break
    return points, gap, prices


def smooth(
    problem: Problem,
    now: "Look",
    then: "Look",
    move: Array,
    logs: Array,
    trial: Array,
    prices: Array,
    eta: Array,
) -> Mask:
    """Whether the step was within the reach of the Lagrangian's slope, [B]."""
    apart = move * (np.log(np.maximum(trial, FAINT)) - logs) / eta
    bend = ((then.along(prices) - now.along(prices)) * move).sum(axis=1)
    return np.asarray(bend <= apart.sum(axis=1))


def falls(problem: Problem, now: "Look", then: "Look", points: Array, trial: Array) -> Mask:
    """Whether cost, KL and penalised excess together do not rise, [B]: for laws with valleys."""

    def merit(look: "Look", mixture: Array) -> Array:
        over = np.maximum(look.excess, 0.0).sum(axis=1)
        pull = problem.kl * divergence(mixture, problem.natural) if problem.kl > 0 else 0.0
        return np.asarray(look.cost + pull + DEAREST * over)

    before = merit(now, points)
    return np.asarray(merit(then, trial) <= before + 1e-12 * np.abs(before))


def approach(problem: Problem, points: Array) -> tuple[Array, Array]:
    """(points, gap) of least squared excess of the constraints: half the sum of max(0, c)^2."""
    region, eta = problem.region, np.ones((len(points), 1))
    now = problem.look(points)
    gap = np.full(len(points), np.inf)
    for step in range(problem.steps):
        logs = np.log(np.maximum(points, FAINT))
        slope = now.towards()
        trial = region.nearest(logs - eta * slope)
        then = problem.look(trial)
        move = trial - points
        apart = move * (np.log(np.maximum(trial, FAINT)) - logs) / eta
        better = ((then.towards() - slope) * move).sum(axis=1) <= apart.sum(axis=1)
        points = np.where(better[:, None], trial, points)
        now = then.where(better, now)
        eta = np.clip(np.where(better[:, None], eta * 1.5, eta / 2), *ETA)
        if step % 20 == 19:
            gap = region.certificate(points, now.towards())
            if (gap <= GAP).all():
                break
    return points, gap
