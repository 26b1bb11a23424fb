"""Guardrails: metrics that may not get worse than a baseline by more than epsilon.

An average hides who pays for it: in the phi-4 ablations synthetic text alone wins on reasoning and
loses 15 points of TriviaQA (arXiv:2412.08905, table 3). A guard is a constraint on one metric,

    cost_t(p) <= cost_t(baseline) + epsilon,        epsilon in the metric's own unit,

held by every replicate in its own world. It is convex where the law is, so the optimum under guards
is exact and certified (`lab.advice.optimising.problem`). Its price says what the target pays for
it. If no mixture meets all guards, the nearest one is shown, least in squared excess with every
metric in units of its spread over runs, and each broken guard is tried alone and with the others
held, so that the trade can be said in words.

Where it fails: a guard that binds is met by the fit exactly, hence by the truth about every other
time. `p_met` says how likely; a smaller epsilon buys certainty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lab.advice.fitting.fit import Fit, require_metrics
from lab.advice.optimising.optimise import Limits, Optimum, optimum
from lab.advice.optimising.problem import MET, Problem
from lab.advice.optimising.response import Response
from lab.advice.simplex import Array, distribution
from lab.advice.words import ROOM, few
from lab.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Guard:
    """`metric` no worse than under `baseline` ("natural" or weights) by more than `epsilon`."""

    metric: str
    baseline: str | Mapping[str, float] = "natural"
    epsilon: float = 0.0


def require_guards(fit: Fit, guards: Sequence[Guard]) -> None:
    """ConfigError for a guard on an unknown metric, twice on one, or without a usable epsilon."""
    require_metrics([guard.metric for guard in guards], fit.metrics)
    seen: set[str] = set()
    for guard in guards:
        if guard.metric in seen:
            raise ConfigError(f"Two guards on {guard.metric!r}.", next_step="keep the tighter one")
        seen.add(guard.metric)
        if not np.isfinite(guard.epsilon):
            raise ConfigError(
                f"The guard on {guard.metric!r} needs an epsilon in the metric's unit.",
                value=guard.epsilon,
                next_step="give 0 for no worse than the baseline",
            )
        if isinstance(guard.baseline, str) and guard.baseline != "natural":
            raise ConfigError(
                f"The guard on {guard.metric!r} names an unknown baseline.",
                value=guard.baseline,
                next_step="give natural, or the weights of a mixture",
            )


def baselines(fit: Fit, guards: Sequence[Guard], natural: Array) -> Array:
    """The mixture that every guard compares with, [g, m]."""
    rows = []
    for guard in guards:
        if isinstance(guard.baseline, str):
            rows.append(natural)
        else:
            shares = dict.fromkeys(fit.sources, 0.0) | dict(guard.baseline)
            rows.append(distribution(shares, fit.sources, f"baseline of {guard.metric!r}"))
    return np.array(rows).reshape(len(guards), len(natural))


def limits_from(
    fit: Fit, response: Response, guards: Sequence[Guard], natural: Array
) -> Limits | None:
    """The bounds that guards put on costs under every replicate of `response`."""
    if not guards:
        return None
    numbers = tuple(fit.metrics.index(guard.metric) for guard in guards)
    costs = response.predict(baselines(fit, guards, natural))
    own = costs[:, np.arange(len(guards)), numbers]
    epsilon = np.array([guard.epsilon for guard in guards])
    return Limits(numbers, own + epsilon, fit.costs[:, list(numbers)].std(axis=0))


def guard_table(
    fit: Fit,
    guards: Sequence[Guard],
    best: Optimum,
    proposal: Array,
    compared: Array,
    level: float,
) -> pl.DataFrame:
    """One row a guard: metric, epsilon, worse (than the baseline), low, high, p_met, met, price.

    `proposal` [B, T] and `compared` [B, g] are corrected costs of the proposal and of the
    baselines. `worse` is positive where the metric gets worse; `met` judges by the fit itself;
    `price` is what the target would gain if epsilon were one unit larger; null if guards are unmet.
    """
    rows = []
    for number, guard in enumerate(guards):
        t = fit.metrics.index(guard.metric)
        worse = proposal[:, t] - compared[:, number]
        low, high = np.quantile(worse, [(1 - level) / 2, (1 + level) / 2])
        unit = float(fit.costs[:, t].std())
        rows.append(
            {
                "metric": guard.metric,
                "epsilon": float(guard.epsilon),
                "worse": float(np.median(worse)),
                "low": float(low),
                "high": float(high),
                "p_met": float((worse <= guard.epsilon + MET * unit).mean()),
                "met": bool(best.excess[0, number] <= MET),
                "price": float(best.prices[0, number] / unit) if best.excess.max() <= MET else None,
            }
        )
    return pl.DataFrame(rows)


def trade(problem: Problem, found: Optimum, guards: Sequence[Guard]) -> list[str]:
    """What stands between the guards, in words; nothing if all are met. `problem` has B = 1."""
    over = found.excess[0, : len(guards)] * problem.units
    broken = [g for g in range(len(guards)) if found.excess[0, g] > MET]
    if not broken:
        return []
    listed = few([f"{guards[g].metric} by {over[g]:.3g}" for g in broken])
    words = [
        f"No mixture meets all guards. Shown is the one nearest to it, which misses: {listed}."
    ]
    return words + [excuse(problem, guards, g) for g in broken]


def excuse(problem: Problem, guards: Sequence[Guard], number: int) -> str:
    """Why guard `number` is broken, and which epsilon would do."""
    name, epsilon = guards[number].metric, guards[number].epsilon
    alone = lowest(problem, number, ())
    if alone > 0:
        return (
            f"{name}: no mixture in reach meets this guard, whatever the others. It needs an "
            f"epsilon of {epsilon + alone:.3g} or more (now {epsilon:.3g}), or looser caps."
        )
    others = tuple(g for g in range(len(guards)) if g != number)
    held = lowest(problem, number, others)
    names = few([guards[g].metric for g in others], ROOM // 2)
    if not np.isfinite(held):
        return f"{name}: can be met alone; the other guards ({names}) exclude each other anyway."
    return (
        f"{name}: can be met alone, but not while {names} hold: then it misses by {held:.3g} at "
        f"best. Give it an epsilon of {epsilon + held:.3g} (now {epsilon:.3g}), or loosen those."
    )


def lowest(problem: Problem, number: int, held: tuple[int, ...]) -> float:
    """Least excess of guard `number`, in the metric's unit, while guards `held` are met; infinite
    if those cannot be.
    """
    index = problem.guarded[number]
    blend = np.zeros_like(problem.blend)
    blend[index] = 1.0
    alone = replace(
        problem,
        blend=blend,
        kl=0.0,
        guarded=tuple(problem.guarded[g] for g in held),
        bounds=problem.bounds[:, list(held)],
        units=problem.units[list(held)],
    )
    found = optimum(alone)
    if (found.excess > MET).any():
        return float("inf")
    return float(found.cost[0] - problem.bounds[0, number])
