"""Threshold and weight together: a source cut at several thresholds as nested pools.

A tighter filter leaves better text and less of it, so the best threshold depends on the weight, on
the budget and on the repeat cap: text that is worth two epochs is not worth twelve. Here every
pool, a source under one threshold, is a source of the fit (runs must have trained on it), pool j of
N_j unique tokens contains the pools of higher thresholds, and one problem decides:

    minimise   cost(p) + kl KL(shares of sources || natural)   over thresholds and weights

with every pool's own supply: share p means e = p R / N_j epochs, at most the repeat cap, and
repetition wears tokens out inside the objective (`lab.advice.optimising.supply`). With one
threshold for each source the problem is convex in the weights; all combinations are solved, and the
best is taken. How sure that is: the share of replicates of the fit that would cut the same way.

The certificate is a relaxation: let a source be drawn from several of its pools at once, a document
of the innermost being in all, so that sum_j p_j / N_j <= cap / R for every source, and let
repetition cost nothing. This is one convex problem that contains every single cut, so no cut can be
better than its optimum (`bound`). Its mixture (`graded`) says where drawing better text more often
than the rest, instead of a cut, could still win.

Limits: only thresholds that were trained on are compared, nothing is interpolated between them;
every pool costs runs as any source does, 3 (m + 1) with m pools; above `MOST` combinations the
problem is refused rather than guessed at; natural shares are the sources', unfiltered; for laws
that are not convex neither the cuts nor the bound are certified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import polars as pl

from lab.advice.fitting.bootstrap import bootstrap
from lab.advice.fitting.fit import Fit
from lab.advice.optimising.optimise import Optimum, optimum, require_reference
from lab.advice.optimising.problem import Problem
from lab.advice.optimising.region import simplex
from lab.advice.optimising.response import Response
from lab.advice.optimising.settings import blend_of, tidy, weight_estimates
from lab.advice.optimising.supply import Supply, worn
from lab.advice.simplex import SLACK, TINY, Array, Mask, distribution
from lab.core.errors import ConfigError, nearest
from lab.core.estimate import Estimate

MOST = 256  # combinations of thresholds
WORLDS = 60  # replicates that vote on the cut


@dataclass(frozen=True, slots=True)
class Pool:
    """`source` cut at `threshold`: a source of the fit called `name`, of `unique` tokens."""

    name: str
    source: str
    threshold: float
    unique: float


@dataclass(frozen=True, slots=True)
class Cuts:
    """`cuts`: source -> pool; `weights`: source -> Estimate; `p_same`: replicates that cut alike.

    `cost` of the choice with its KL term, at least `bound`; `graded`: pool -> share of the relaxed
    optimum. `table`: one row a combination: its pools, cost, chosen_by (share of replicates).
    """

    cuts: Mapping[str, str]
    weights: Mapping[str, Estimate]
    p_same: float
    cost: float
    bound: float
    graded: Mapping[str, float]
    exact: bool
    table: pl.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A response plus kl KL(source shares || natural), pools of a source counted together.

    `owner` [s, m] is 1 where the pool belongs to the source; metrics must be blended to one.
    """

    inner: Response
    owner: Array
    natural: Array
    kl: float

    @property
    def replicates(self) -> int:
        """B."""
        return self.inner.replicates

    @property
    def metrics(self) -> int:
        """T."""
        return self.inner.metrics

    @property
    def convex(self) -> bool:
        """As the inner one: KL is convex."""
        return self.inner.convex

    def pull(self, points: Array) -> tuple[Array, Array]:
        """The KL term [n] and its slope [n, m]."""
        shares = points @ self.owner.T
        ratio = np.log(np.maximum(shares, TINY)) - np.log(np.maximum(self.natural, TINY))
        return self.kl * (shares * ratio).sum(axis=1), self.kl * (ratio + 1) @ self.owner

    def predict(self, weights: Array) -> Array:
        """[n, m] -> [B, n, T]."""
        return self.inner.predict(weights) + self.pull(weights)[0][:, None]

    def each(self, points: Array) -> tuple[Array, Array]:
        """[B, m] -> cost [B, T], slope [B, T, m]."""
        cost, slope = self.inner.each(points)
        value, rise = self.pull(points)
        return cost + value[:, None], slope + rise[:, None, :]

    def at(self, points: Array, blend: Array) -> tuple[Array, Array]:
        """Metrics weighed by `blend`."""
        cost, slope = self.each(points)
        return cost @ blend, np.einsum("t,btm->bm", blend, slope)

    def only(self, metrics: Sequence[int]) -> "Gathered":
        """Some metrics."""
        return Gathered(self.inner.only(metrics), self.owner, self.natural, self.kl)

    def first(self, replicates: int) -> "Gathered":
        """The first so many replicates."""
        return Gathered(self.inner.first(replicates), self.owner, self.natural, self.kl)


def choose_cuts(
    fit: Fit,
    pools: Sequence[Pool],
    natural: Mapping[str, float],
    budget: float,
    repeat_cap: float,
    *,
    targets: Sequence[str] = (),
    kl: float = 0.05,
    matched: bool = False,
    level: float = 0.9,
    seed: int = 0,
) -> Cuts:
    """The best threshold and weight of every source; `natural` is by source, `budget` in tokens.

    `matched` as in `Supply`. ConfigError if pools are not the fit's sources or not nested, if there
    are more than `MOST` combinations, or if none can fill the budget.
    """
    ordered = matching(fit, pools)
    sources = list(dict.fromkeys(pool.source for pool in ordered))
    base = distribution(natural, sources, "natural")
    require_reference(base, kl, sources)
    blend = blend_of(fit, targets)
    supply = Supply(np.array([p.unique for p in ordered]), budget, repeat_cap, matched)
    owner = np.array([[float(p.source == s) for p in ordered] for s in sources])
    found, notes = feasible(combinations(ordered, sources), supply, ordered)
    posterior = bootstrap(fit, WORLDS, seed)
    solved, votes = [], []
    for chosen in found:
        open_ = np.isin(np.arange(len(ordered)), chosen)
        reference = (base @ owner) * open_
        ends = [
            single(response, supply, blend, reference, open_, kl, fit.sources, seed)
            for response in (fit.surface, posterior)
        ]
        solved.append(ends)
        votes.append(ends[1].cost + kl * ends[1].divergence)
    costs = np.array([float(e[0].cost[0] + kl * e[0].divergence[0]) for e in solved])
    votes_for = np.bincount(np.argmin(votes, axis=0), minlength=len(found)) / WORLDS
    best = int(np.argmin(costs))
    relaxed = graded(fit.surface, supply, blend, base, owner, kl, ordered, sources, seed)
    own, each = (end.mixtures @ owner.T for end in solved[best])
    proposal = tidy(own[0], supply.caps[list(found[best])])
    names = [ordered[j].name for j in found[best]]
    rows = [
        {s: ordered[j].name for s, j in zip(sources, combo, strict=True)}
        | {"cost": float(cost), "chosen_by": float(vote)}
        for combo, cost, vote in zip(found, costs, votes_for, strict=True)
    ]
    return Cuts(
        dict(zip(sources, names, strict=True)),
        weight_estimates(sources, proposal, each, level, len(fit.runs)),
        float(votes_for[best]),
        float(costs[best]),
        float(relaxed.cost[0] - relaxed.gap[0]),
        dict(zip(fit.sources, relaxed.mixtures[0].tolist(), strict=True)),
        relaxed.exact,
        pl.DataFrame(rows).sort("cost"),
        tuple(notes),
    )


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


def single(
    response: Response,
    supply: Supply,
    blend: Array,
    reference: Array,
    open_: Mask,
    kl: float,
    names: Sequence[str],
    seed: int,
) -> Optimum:
    """The best weights when only the pools in `open_` [m] may be drawn."""
    region = simplex(np.where(open_, supply.caps, 0.0), names)
    aged = worn(response, supply, reference)
    bounds = np.zeros((response.replicates, 0))
    return optimum(Problem(aged, blend, reference, region, kl, bounds=bounds), seed)


def graded(
    surface: Response,
    supply: Supply,
    blend: Array,
    base: Array,
    owner: Array,
    kl: float,
    ordered: Sequence[Pool],
    sources: Sequence[str],
    seed: int,
) -> Optimum:
    """The relaxed optimum: pools of a source drawn together, nothing worn out."""
    region = simplex(supply.caps, [pool.name for pool in ordered])
    gathered = Gathered(surface, owner, base, kl)
    per_pool = 1 / np.maximum(supply.caps_uncut, TINY)
    several = np.flatnonzero(owner.sum(axis=1) > 1)
    return optimum(
        Problem(
            *(gathered, blend, (base @ owner) / (owner.sum(axis=1) @ owner), region, 0.0),
            rows=(owner * per_pool)[several],
            most=np.ones(len(several)),
        ),
        seed,
    )
