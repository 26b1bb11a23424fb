"""Threshold and weight together: a source cut at several thresholds as nested pools.

A tighter filter leaves better text and less of it, so the best threshold depends on the weight, on
the budget and on the repeat cap: text that is worth two epochs is not worth twelve. Here every
pool, a source under one threshold, is a source of the fit (runs must have trained on it), pool j of
N_j unique tokens contains the pools of higher thresholds, and one problem decides:

    minimise   cost(p) + kl KL(shares of sources || natural)   over thresholds and weights

with every pool's own supply: share p means e = p R / N_j epochs, at most the repeat cap, and
repetition wears tokens out inside the objective (`lab.advice.optimising.supply`). With one
threshold for each source the problem is convex in the weights; all combinations are solved, and the
best is taken. `lab.advice.optimising.relaxed` bounds what any cut could reach.

How sure it is: every replicate of the fit makes the whole choice anew, its own cut and weights.
`p_same` is the share that cuts alike, intervals of weights hold the replicates' choices under
whichever cut, and gains are corrected for having chosen (`lab.advice.optimising.outlook`): over the
natural mixture under the thresholds of today, and over the best mixture under these (`worth`, what
moving the thresholds adds to moving the weights). Where no run had these, or where they leave too
little text, both are over the pools most like them (`compared`), and `baseline_words` says so.

Limits: only thresholds that were trained on are compared, nothing is interpolated between them;
every pool costs runs as any source does, 3 (m + 1) with m pools; natural shares are the sources',
by the text that the loosest cut leaves; for laws that are not convex neither the cuts nor the bound
are certified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.fitting.bootstrap import bootstrap
from lab.advice.fitting.fit import Fit
from lab.advice.optimising.optimise import Optimum, optimum, require_reference
from lab.advice.optimising.outlook import SURE, Outlook, foreseen, gain_estimate, odds, skill
from lab.advice.optimising.pools import Pool, combinations, feasible, matching
from lab.advice.optimising.problem import Problem
from lab.advice.optimising.region import simplex
from lab.advice.optimising.relaxed import graded
from lab.advice.optimising.response import Response
from lab.advice.optimising.settings import blend_of, tidy, weight_estimates
from lab.advice.optimising.supply import Supply, worn
from lab.advice.simplex import Array, Mask, distribution
from lab.advice.words import few
from lab.core.estimate import Estimate

WORLDS = 60  # replicates that vote on the cut


@dataclass(frozen=True, slots=True)
class Cuts:
    """`cuts`: source -> pool; `weights`: source -> Estimate; `p_same`: replicates that cut alike.

    `verdict`: better or unresolved, of the `gain` over natural under the pools in `compared`
    (source -> pool; `today`: they are those of today), with odds `p_better`; `worth` and `p_worth`
    the same over the best mixture under these. `cost` of the
    choice with its KL term, at least `bound`; `graded`: pool -> share of the relaxed optimum.
    `exact`: both are certified. `table`: one row a combination: its pools, cost, chosen_by (share
    of replicates).
    """

    verdict: str
    cuts: Mapping[str, str]
    weights: Mapping[str, Estimate]
    p_same: float
    p_better: float
    gain: Estimate
    p_worth: float
    worth: Estimate
    cost: float
    bound: float
    graded: Mapping[str, float]
    exact: bool
    table: pl.DataFrame
    notes: tuple[str, ...]
    compared: Mapping[str, str]
    today: bool


@dataclass(frozen=True, slots=True)
class Solved:
    """One combination: numbers of its `pools`, aged responses and optima of fit and replicates."""

    pools: tuple[int, ...]
    surface: Response
    posterior: Response
    own: Optimum
    each: Optimum
    reference: Array

    def costs(self, kl: float) -> tuple[float, Array]:
        """The objective of the fit, and of every replicate [B]."""
        fit, replicates = (end.cost + kl * end.divergence for end in (self.own, self.each))
        return float(fit[0]), replicates

    def optimism(self) -> Array:
        """How much better every replicate thinks its own choice than the fit does: [B, T]."""
        chosen = self.each.mixtures
        return np.asarray(self.surface.predict(chosen)[0] - self.posterior.each(chosen)[0])


def choose_cuts(
    fit: Fit,
    pools: Sequence[Pool],
    natural: Mapping[str, float],
    budget: float,
    repeat_cap: float,
    *,
    now: Mapping[str, str] | None = None,
    targets: Sequence[str] = (),
    kl: float = 0.05,
    matched: bool = False,
    level: float = 0.9,
    seed: int = 0,
) -> Cuts:
    """The best threshold and weight of every source; `natural` is by source, `budget` in tokens.

    `now`: source -> pool of today; the loosest where there is none. `matched` as in `Supply`.
    ConfigError for pools not the fit's or not nested, too many combinations, or no full budget.
    """
    ordered = matching(fit, pools)
    sources = list(dict.fromkeys(pool.source for pool in ordered))
    base = distribution(natural, sources, "natural")
    require_reference(base, kl, sources)
    blend = blend_of(fit, targets)
    supply = Supply(np.array([p.unique for p in ordered]), budget, repeat_cap, matched)
    owner = np.array([[float(p.source == s) for p in ordered] for s in sources])
    found, notes = feasible(combinations(ordered, sources), supply, ordered)
    responses = fit.surface, bootstrap(fit, WORLDS, seed)
    solved = [
        solve_cut(responses, supply, blend, base @ owner, chosen, kl, fit.sources, seed)
        for chosen in found
    ]
    costs, votes = zip(*(one.costs(kl) for one in solved), strict=True)
    picked = np.argmin(np.stack(votes), axis=0)  # the combination that every replicate prefers
    best, (base_cut, today) = int(np.argmin(costs)), combination_now(found, ordered, now or {})
    own = tidy(solved[best].own.mixtures[0] @ owner.T, supply.caps[list(found[best])])
    each = np.stack([solved[c].each.mixtures[b] @ owner.T for b, c in enumerate(picked)])
    gain, worth = judge_cuts(solved, best, base_cut, picked)
    skilled = skill(fit, blend) > 0
    p_better = odds(gain.gains(blend), skilled)
    relaxed = graded(fit.surface, supply, blend, base, owner, kl, fit.sources, seed)
    share = np.bincount(picked, minlength=len(found)) / WORLDS
    return Cuts(
        "better" if p_better >= SURE else "unresolved",
        pools_by_source(found[best], ordered),
        weight_estimates(sources, own, each, level, len(fit.runs)),
        float(share[best]),
        p_better,
        gain_estimate(gain, blend, level, len(fit.runs)),
        odds(worth.gains(blend), skilled),
        gain_estimate(worth, blend, level, len(fit.runs)),
        float(costs[best]),
        float(relaxed.cost[0] - relaxed.gap[0]),
        dict(zip(fit.sources, relaxed.mixtures[0].tolist(), strict=True)),
        relaxed.exact and solved[best].own.exact,
        cut_table(found, ordered, costs, share),
        tuple(notes),
        pools_by_source(found[base_cut], ordered),
        today,
    )


def pools_by_source(combo: Sequence[int], ordered: Sequence[Pool]) -> dict[str, str]:
    """source -> pool of one combination."""
    return {ordered[j].source: ordered[j].name for j in combo}


def cut_table(
    found: Sequence[tuple[int, ...]],
    ordered: Sequence[Pool],
    costs: Sequence[float],
    share: Array,
) -> pl.DataFrame:
    """Every combination with its cost and the share of replicates that chose it, best first."""
    rows = [
        pools_by_source(combo, ordered) | {"cost": cost, "chosen_by": float(vote)}
        for combo, cost, vote in zip(found, costs, share, strict=True)
    ]
    return pl.DataFrame(rows).sort("cost")


def combination_now(
    found: Sequence[tuple[int, ...]], ordered: Sequence[Pool], now: Mapping[str, str]
) -> tuple[int, bool]:
    """(the number of the combination most like today's pools, of these the one with the most text;
    whether it is today's).
    """
    alike = [sum(now.get(ordered[j].source) == ordered[j].name for j in combo) for combo in found]
    text = [sum(ordered[j].unique for j in combo) for combo in found]
    best = max(range(len(found)), key=lambda k: (alike[k], text[k]))
    return best, 0 < len(now) == alike[best]


def baseline_words(compared: Mapping[str, str], today: bool) -> str:
    """What gains are over: natural under today's thresholds, or under the pools compared with."""
    under = "the thresholds of today" if today else few(list(compared.values()))
    return f"natural under {under}"


def judge_cuts(
    solved: Sequence[Solved], best: int, today: int, picked: Sequence[int]
) -> tuple[Outlook, Outlook]:
    """(the choice against natural under today's cut, against the best mixture under that cut).

    `picked` [B]: the combination that every replicate prefers.
    """
    errors = [one.optimism() for one in solved]
    free = np.stack([errors[c][b] for b, c in enumerate(picked)])
    top, now = solved[best], solved[today]
    chosen = top.surface.predict(top.own.mixtures[:1])[0, 0] + free
    flat = now.surface.predict(now.own.mixtures[:1])[0, 0] + errors[today]
    plain = foreseen(now.surface, now.posterior, now.reference[None, :])[:, 0]
    return Outlook(plain, chosen), Outlook(chosen if best == today else flat, chosen)


def solve_cut(
    responses: tuple[Response, Response],
    supply: Supply,
    blend: Array,
    natural: Array,
    chosen: tuple[int, ...],
    kl: float,
    names: Sequence[str],
    seed: int,
) -> Solved:
    """Best weights of one combination; `natural` [m] holds its source's share at every pool."""
    open_ = np.isin(np.arange(len(names)), chosen)
    reference = natural * open_
    aged = [worn(response, supply, reference) for response in responses]
    fit, posterior = (single(one, supply, blend, reference, open_, kl, names, seed) for one in aged)
    return Solved(chosen, aged[0], aged[1], fit, posterior, reference)


def single(
    aged: Response,
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
    bounds = np.zeros((aged.replicates, 0))
    return optimum(Problem(aged, blend, reference, region, kl, bounds=bounds), seed)
