"""From a fit to a proposal that says how sure it is.

The proposal minimises the mean predicted cost of the target metrics plus kl KL(p || natural) under
caps and guards (`optimise`), with repetition counted where the supply is known (`supply`). The same
calculation on replicates of the fit (`bootstrap`) says the rest: where each one's optimum lies
gives the interval of every weight; what is left of the gain over natural once the optimism of
choosing is taken off gives its interval and the odds that the proposal is better (`outlook`). Below
.9 it is unresolved.

Shown beside it, because it is where advice fails: the optimum without KL and caps, and how far
either lies from the nearest run in total variation, against how far runs lie from each other. Odds
are those of the law being right. They say nothing about a change of model size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from lab.advice.fitting.bootstrap import REPLICATES, bootstrap
from lab.advice.fitting.fit import Fit
from lab.advice.fitting.surface import Surface
from lab.advice.optimising.decision import Decision, kl_table
from lab.advice.optimising.guards import (
    Guard,
    baselines,
    guard_table,
    limits_from,
    require_guards,
    trade,
)
from lab.advice.optimising.optimise import KL_PATH, Optimum, optimise, stated
from lab.advice.optimising.outlook import (
    Outlook,
    blind,
    foreseen,
    gain_estimate,
    judge,
    odds,
    score_rows,
    skill,
)
from lab.advice.optimising.pareto import pareto_front
from lab.advice.optimising.region import simplex
from lab.advice.optimising.settings import (
    blend_of,
    distances,
    held_out_error,
    known_part,
    limits_of,
    tidy,
    weight_estimates,
)
from lab.advice.optimising.supply import Supply, supply_table, worn
from lab.advice.proposing.next_runs import next_runs
from lab.advice.proposing.places import Place
from lab.advice.proposing.request import Request
from lab.advice.simplex import Array
from lab.core.estimate import Estimate

KL = 0.05  # Olmix's default, in the unit of the metric; marin found .005-.1 best, so see the path


@dataclass(frozen=True, slots=True)
class Advice:
    """A proposal and its evidence. Shares are of training tokens.

    `weights`: source -> Estimate. `gain`: how much better the blended target gets than with the
    natural mixture, positive is better. `scores`: one row per metric: predictions with intervals
    for natural and proposal. `path`: the proposal for other KL weights. `free`: the optimum without
    KL and caps. `distances` in total variation: `proposal` and `free` to the nearest run, `runs`
    the median of runs to theirs. `next_runs`: mixtures worth training, see
    `lab.advice.proposing.next_runs`. `verdict`: better, unresolved, same, or unmet (no mixture
    meets the guards: `trade` says what stands between them); `run_more` runs would probably resolve
    it. `skill` is that of the blended target on held-out runs; without any the odds are even.
    `p_current`: the odds against the `current` mixture, if there is one. `guards`, `front` and
    `supply` are tables, empty where nothing was asked (see `guard_table`, `pareto_front`,
    `supply_table`). `exact`: the optimum is certified to lie within `gap` of the best. `asked`:
    what was asked for, where it came with a recipe.
    """

    verdict: str
    p_better: float
    skill: float
    run_more: int
    weights: Mapping[str, Estimate]
    natural: Mapping[str, float]
    caps: Mapping[str, float]
    kl: float
    targets: tuple[str, ...]
    gain: Estimate
    scores: pl.DataFrame
    path: pl.DataFrame
    free: Mapping[str, float]
    distances: Mapping[str, float]
    next_runs: pl.DataFrame
    notes: tuple[str, ...]
    current: Mapping[str, float] = field(default_factory=dict)
    p_current: float | None = None
    guards: pl.DataFrame = field(default_factory=pl.DataFrame)
    front: pl.DataFrame = field(default_factory=pl.DataFrame)
    supply: pl.DataFrame = field(default_factory=pl.DataFrame)
    trade: tuple[str, ...] = ()
    exact: bool = True
    gap: float = 0.0
    asked: Request = field(default_factory=Request)

    @property
    def proposal(self) -> dict[str, float]:
        """The proposed weights; they sum to one."""
        return {name: estimate.value for name, estimate in self.weights.items()}


def advise(
    fit: Fit,
    natural: Mapping[str, float],
    *,
    caps: Mapping[str, float] | None = None,
    targets: Sequence[str] = (),
    kl: float = KL,
    supply: Supply | None = None,
    guards: Sequence[Guard] = (),
    current: Mapping[str, float] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    replicates: int | Surface = REPLICATES,
    level: float = 0.9,
    count: int = 4,
    places: Sequence[Place] = (Place(),),
    path: Sequence[float] = KL_PATH,
    seed: int = 0,
) -> Advice:
    """Propose a mixture for the mean of `targets` (default: all fitted metrics).

    `natural` is the baseline and reference in any scale; `caps` the largest share per source (see
    `supply_caps`), absent ones free; `supply` counts repetition in the objective and adds caps;
    `guards` bound metrics; `current` is to compare with; `groups` of metrics get a Pareto front;
    `replicates` is their number, or those kept; `places` are sizes for next runs; `path` KL weights
    to show, most of the cost. ConfigError for unknown names, infeasible caps, targets of different
    directions, or a source without a natural share while kl > 0.
    """
    names, runs, blend = list(fit.sources), len(fit.runs), blend_of(fit, targets)
    base, notes = known_part(fit, natural, "natural")
    decision = decision_of(fit, base, blend, kl, caps or {}, supply, guards, replicates, seed)
    best, proposal = decision.best()
    optima = decision.optima()
    free = free_optimum(fit, blend, base, seed)
    worlds = decision.outlook(proposal, optima)
    verdict, p_better, more = judge(worlds, blend, base, proposal, fit)
    broken = unmet(decision, best, guards)
    now, versus, said = against_current(decision, worlds, current)
    return Advice(
        verdict="unmet" if broken else verdict,
        p_better=p_better,
        skill=skill(fit, blend),
        run_more=more,
        weights=weight_estimates(names, proposal, optima, level, runs),
        natural=named(names, base),
        caps=named(names, decision.caps),
        kl=kl,
        targets=tuple(targets) or fit.metrics,
        gain=gain_estimate(worlds, blend, level, runs),
        scores=score_rows(fit, worlds, level, now),
        path=kl_table(decision, level, path),
        free=named(names, free),
        distances=distances(fit, proposal, free),
        next_runs=worth_running(decision, proposal, optima, count, places),
        notes=(*blind(fit, blend), *fit.notes, *notes, *said),
        trade=tuple(broken),
        **versus,
        **asked_tables(decision, best, proposal, worlds, level, supply, guards, groups),
        exact=best.exact,
        gap=float(best.gap[0]),
    )


def asked_tables(
    decision: Decision,
    best: Optimum,
    proposal: Array,
    worlds: Outlook,
    level: float,
    supply: Supply | None,
    guards: Sequence[Guard],
    groups: Mapping[str, Sequence[str]] | None,
) -> dict[str, Any]:
    """The tables of advice that are empty unless somebody asked."""
    return {
        "guards": guard_rows(decision, best, guards, worlds, level),
        "front": pareto_front(decision, groups, level) if groups else pl.DataFrame(),
        "supply": supply_table(supply, decision.fit.sources, proposal)
        if supply
        else pl.DataFrame(),
    }


def named(names: Sequence[str], values: Array) -> dict[str, float]:
    """A number for every source."""
    return dict(zip(names, values.tolist(), strict=True))


def worth_running(
    decision: Decision, proposal: Array, optima: Array, count: int, places: Sequence[Place]
) -> pl.DataFrame:
    """The mixtures to train next, see `lab.advice.proposing.next_runs`."""
    return next_runs(
        *(decision.posterior, decision.blend, decision.natural, decision.kl),
        *(proposal, optima, decision.fit.sources, count),
        noise=held_out_error(decision.fit, decision.blend),
        places=places,
    )


def decision_of(
    fit: Fit,
    base: Array,
    blend: Array,
    kl: float,
    caps: Mapping[str, float],
    supply: Supply | None,
    guards: Sequence[Guard],
    replicates: int | Surface,
    seed: int,
) -> Decision:
    """The rules of the decision, with the fit's response and its replicates at the real budget."""
    require_guards(fit, guards)
    limits = limits_of(fit, caps, supply)
    surface = worn(fit.surface, supply, base)
    drawn = bootstrap(fit, replicates, seed) if isinstance(replicates, int) else replicates
    posterior = worn(drawn, supply, base)
    return Decision(
        *(fit, surface, posterior, blend, base, limits, kl),
        held=limits_from(fit, surface, guards, base),
        held_each=limits_from(fit, posterior, guards, base),
        seed=seed,
    )


def free_optimum(fit: Fit, blend: Array, base: Array, seed: int) -> Array:
    """What the fit alone likes best: no KL, no caps, no guards, nothing worn out."""
    anything = np.ones_like(base)
    found = optimise(fit.surface, blend, base, anything, 0.0, fit.sources, seed=seed)
    return tidy(found.mixtures[0], anything)


def unmet(decision: Decision, best: Optimum, guards: Sequence[Guard]) -> list[str]:
    """The trade between guards in words, if no mixture meets them all."""
    if not guards:
        return []
    region = simplex(decision.caps, decision.fit.sources)
    problem = stated(
        decision.surface, decision.blend, decision.natural, region, decision.kl, decision.held
    )
    return trade(problem, best, guards)


def against_current(
    decision: Decision, worlds: Outlook, current: Mapping[str, float] | None
) -> tuple[Array | None, dict[str, Any], list[str]]:
    """Corrected costs of the current mixture, advice's fields about it, and a note."""
    if not current:
        return None, {}, []
    fit = decision.fit
    shares = dict.fromkeys((*fit.sources, *fit.unseen), 0.0) | dict(current)
    point, notes = known_part(fit, shares, "current")
    costs = foreseen(decision.surface, decision.posterior, point[None, :])[:, 0]
    gains = (costs - worlds.proposal) @ decision.blend
    chance = odds(gains, skill(fit, decision.blend) > 0)
    return costs, {"current": dict(current), "p_current": chance}, notes


def guard_rows(
    decision: Decision, best: Optimum, guards: Sequence[Guard], worlds: Outlook, level: float
) -> pl.DataFrame:
    """What the proposal does to every guarded metric; empty without guards."""
    if not guards:
        return pl.DataFrame()
    numbers = [decision.fit.metrics.index(guard.metric) for guard in guards]
    mixtures = baselines(decision.fit, guards, decision.natural)
    costs = foreseen(decision.surface, decision.posterior, mixtures)
    compared = costs[:, np.arange(len(guards)), numbers]
    return guard_table(decision.fit, guards, best, worlds.proposal, compared, level)
