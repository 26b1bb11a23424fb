"""The mixture of least predicted cost, near a reference, within supply and guards.

    minimise   cost(p) + kl KL(p || natural)   over   p >= 0, sum p = 1, p <= caps, guards met

as Olmix proposes (arXiv:2602.12237, kl = .05, caps = 4 N / R). Where every law is convex the
optimum is found exactly and certified (`lab.advice.optimising.problem`); otherwise by simulation,
polished by gradient and checked against the best draw (`lab.advice.optimising.search`). Repetition
enters through the response (`lab.advice.optimising.supply`), bounds on single metrics through
`lab.advice.optimising.guards`.

What it cannot know: a law is only as good as its runs. Without KL and caps the optimum of a fit
lies where noise made the fit look best; draw the whole path over kl, not one setting.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.optimising.problem import Problem, Solution, solve
from lab.advice.optimising.region import Region, simplex
from lab.advice.optimising.response import Response
from lab.advice.optimising.search import middle, search
from lab.advice.simplex import Array, divergence
from lab.core.errors import ConfigError

# Marin and Olmix found .005-.1 best; below and above it the ends of the path
KL_PATH = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest cost `bounds` [B, g] of the metrics numbered `metrics`, in steps of `units` [g]."""

    metrics: tuple[int, ...]
    bounds: Array
    units: Array


@dataclass(frozen=True, slots=True)
class Optimum:
    """mixtures [B, m], cost [B] without the KL term, divergence [B] in nats, gap [B].

    `excess` [B, g]: how far guarded metrics lie above their bounds, in units. `prices` [B, g]: what
    the objective would gain if a bound were one unit looser. `exact`: the gap bounds how far the
    result can be from the best; otherwise it only says how flat the place is.
    """

    mixtures: Array
    cost: Array
    divergence: Array
    gap: Array
    excess: Array
    prices: Array
    exact: bool


def optimise(
    surface: Response,
    blend: Array,
    natural: Array,
    caps: Array,
    kl: float,
    names: Sequence[str],
    *,
    limits: Limits | None = None,
    seed: int = 0,
    thorough: bool = True,
) -> Optimum:
    """The best mixture of every replicate; `blend` [T] weighs metrics, natural and caps are [m].

    Where `limits` cannot be met, the mixture nearest to meeting them. Laws that are not convex are
    searched; less than `thorough` polishes one valley only, for a while. ConfigError if the caps
    admit no mixture or if kl > 0 and the reference lacks a source.
    """
    region = simplex(caps, names, natural)
    require_reference(natural, kl, names)
    return optimum(stated(surface, blend, natural, region, kl, limits), seed, thorough)


def stated(
    surface: Response,
    blend: Array,
    natural: Array,
    region: Region,
    kl: float,
    limits: Limits | None = None,
) -> Problem:
    """The problem over the metrics that matter to it, the others left out."""
    guarded = limits.metrics if limits else ()
    used = sorted({*np.flatnonzero(blend).tolist(), *guarded}) or [0]
    problem = Problem(surface.only(used), blend[used], natural, region, kl)
    if not limits or not guarded:
        return problem
    numbers = tuple(used.index(t) for t in guarded)
    return Problem(
        problem.response, blend[used], natural, region, kl, numbers, limits.bounds, limits.units
    )


def optimum(problem: Problem, seed: int = 0, thorough: bool = True) -> Optimum:
    """Solve a problem, exactly where it is convex."""
    exact = problem.response.convex
    if exact:
        found = solve(problem, starting(problem))
    else:
        found = search(problem, np.random.default_rng(seed), thorough)
    return described(problem, found, exact)


def starting(problem: Problem) -> Array:
    """The reference, or the uniform mixture where nothing holds to it: [B, m]."""
    if problem.kl > 0:
        return middle(problem)
    points = problem.region.fill(np.ones((1, len(problem.natural))))
    return np.repeat(points, problem.response.replicates, axis=0)


def described(problem: Problem, found: Solution, exact: bool) -> Optimum:
    """A solution with what it costs."""
    cost = problem.look(found.points).cost
    apart = divergence(found.points, problem.natural)
    return Optimum(found.points, cost, apart, found.gap, found.excess, found.prices, exact)


def require_reference(natural: Array, kl: float, names: Sequence[str]) -> None:
    """ConfigError if kl is negative, or positive with a reference that rules a source out."""
    if not 0 <= kl < np.inf:
        raise ConfigError(
            "The KL weight must be a number and must not be negative.",
            value=kl,
            next_step="use 0 or more",
        )
    absent = [name for name, share in zip(names, natural, strict=True) if share <= 0]
    if kl > 0 and absent:
        raise ConfigError(
            "The reference mixture gives these sources nothing, so their KL would be infinite.",
            where="natural",
            value=absent,
            next_step="give them a small share there, or set kl to 0",
        )


def kl_path(
    surface: Response,
    blend: Array,
    natural: Array,
    caps: Array,
    names: Sequence[str],
    weights: Sequence[float] = KL_PATH,
    *,
    limits: Limits | None = None,
) -> pl.DataFrame:
    """One row per KL weight: kl, cost, divergence, gap and the share of every source."""
    rows = []
    for kl in weights:
        best = optimise(surface, blend, natural, caps, kl, names, limits=limits)
        row = {
            "kl": float(kl),
            "cost": float(best.cost[0]),
            "divergence": float(best.divergence[0]),
            "gap": float(best.gap[0]),
        }
        rows.append({**row, **dict(zip(names, best.mixtures[0].tolist(), strict=True))})
    return pl.DataFrame(rows)
