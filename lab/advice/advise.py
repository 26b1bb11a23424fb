"""From a fit to a proposal that says how sure it is.

The proposal minimises the mean predicted cost of the target metrics plus kl KL(p || natural) under
the caps (`optimise`). The same calculation on replicates of the fit (`bootstrap`) says the rest:
where each one's optimum lies gives the interval of every weight; what is left of the gain over
natural once the optimism of choosing is taken off gives its interval and the odds that the proposal
is better (`outlook`). Below .9 it is unresolved.

Shown beside it, because it is where advice fails: the optimum without KL and caps, and how far
either lies from the nearest run in total variation, against how far runs lie from each other. Odds
are those of the law being right. They say nothing about a change of model size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.bootstrap import REPLICATES, bootstrap
from lab.advice.fit import Fit
from lab.advice.next_runs import next_runs
from lab.advice.optimise import kl_path, optimise
from lab.advice.outlook import gain_estimate, interval, judge, outlook, score_rows, skill
from lab.advice.simplex import Array, distribution, fill, nearest_distances, variation, vector
from lab.core.errors import ConfigError, nearest
from lab.core.estimate import Estimate

KL = 0.05  # Olmix's default, in the unit of the metric; marin found .005-.1 best, so see the path
LEAST_SHARE = 1e-4  # smaller weights are not worth a source in the recipe


@dataclass(frozen=True, slots=True)
class Advice:
    """A proposal and its evidence. Shares are of training tokens.

    `weights`: source -> Estimate. `gain`: how much better the blended target gets than with the
    natural mixture, positive is better. `scores`: one row per metric: predictions with intervals
    for natural and proposal. `path`: the proposal for other KL weights. `free`: the optimum without
    KL and caps. `distances` in total variation: `proposal` and `free` to the nearest run, `runs`
    the median of runs to theirs. `next_runs`: mixtures worth training, see `lab.advice.next_runs`.
    `verdict`: better, unresolved or same; `run_more` runs would probably resolve it. `skill` is
    that of the blended target on held-out runs; without any the odds are even.
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
    replicates: int = REPLICATES,
    level: float = 0.9,
    count: int = 4,
    seed: int = 0,
) -> Advice:
    """Propose a mixture for the mean of `targets` (default: all fitted metrics).

    `natural` is the baseline and reference in any scale; `caps` the largest share per source (see
    `supply_caps`), absent ones free. Raises ConfigError for unknown names, infeasible caps, targets
    of different directions, or a source with no share in `natural` while kl > 0.
    """
    names = list(fit.sources)
    base, notes = known_part(fit, natural)
    limits = limits_of(fit, caps or {})
    blend = blend_of(fit, targets)
    proposal = tidy(optimise(fit.surface, blend, base, limits, kl, names).mixtures[0], limits)
    anything = np.ones_like(base)
    free = tidy(optimise(fit.surface, blend, base, anything, 0.0, names).mixtures[0], anything)
    posterior = bootstrap(fit, replicates, seed)
    optima = optimise(posterior, blend, base, limits, kl, names).mixtures
    worlds = outlook(fit, posterior, base, proposal, optima)
    verdict, p_better, more = judge(worlds, blend, base, proposal, fit)
    return Advice(
        verdict=verdict,
        p_better=p_better,
        skill=skill(fit, blend),
        run_more=more,
        weights=weight_estimates(names, proposal, optima, level, len(fit.runs)),
        natural=dict(zip(names, base.tolist(), strict=True)),
        caps=dict(zip(names, limits.tolist(), strict=True)),
        kl=kl,
        targets=tuple(targets) or fit.metrics,
        gain=gain_estimate(worlds, blend, level, len(fit.runs)),
        scores=score_rows(fit, worlds, level),
        path=kl_path(fit.surface, blend, base, limits, names),
        free=dict(zip(names, free.tolist(), strict=True)),
        distances=distances(fit, proposal, free),
        next_runs=next_runs(posterior, blend, base, kl, proposal, optima, names, count),
        notes=(*fit.notes, *notes),
    )


def known_part(fit: Fit, natural: Mapping[str, float]) -> tuple[Array, list[str]]:
    """The reference on the sources that were in runs, and a note if that leaves any out."""
    everything = [*fit.sources, *fit.unseen]
    whole = distribution(natural, everything, "natural")
    part = dict(zip(everything, whole.tolist(), strict=True))
    left = sum(part[name] for name in fit.unseen)
    base = distribution({k: part[k] for k in fit.sources}, fit.sources, "natural")
    note = f"{left:.1%} of the natural mixture is in sources that no run used: left out here."
    return base, [note] if left > 0 else []


def limits_of(fit: Fit, caps: Mapping[str, float]) -> Array:
    """Largest share of every source that was in runs, at most one, [m]."""
    everything = [*fit.sources, *fit.unseen]
    return np.minimum(vector(caps, everything, "caps", 1.0)[: len(fit.sources)], 1.0)


def blend_of(fit: Fit, targets: Sequence[str]) -> Array:
    """Equal weight on every target metric, [T]; ConfigError if they point different ways."""
    for name in targets:
        if name not in fit.metrics:
            raise ConfigError(f"Unknown metric {name!r}.", next_step=nearest(name, fit.metrics))
    chosen = [name in targets or not targets for name in fit.metrics]
    if len(set(fit.signs[chosen].tolist())) > 1:
        raise ConfigError(
            "A mean of metrics where less is better and metrics where more is better has no unit.",
            where="targets",
            value=[name for name, yes in zip(fit.metrics, chosen, strict=True) if yes][:8],
            next_step="name one metric, or several that point the same way",
        )
    return np.array(chosen, dtype=np.float64) / sum(chosen)


def tidy(mixture: Array, caps: Array) -> Array:
    """The mixture without shares below `LEAST_SHARE`, filled up again below the caps."""
    kept = np.where(mixture < LEAST_SHARE, 0.0, mixture)
    return np.asarray(fill(kept[None, :], caps)[0])


def weight_estimates(
    names: Sequence[str], proposal: Array, optima: Array, level: float, runs: int
) -> dict[str, Estimate]:
    """Every weight with the interval in which the replicates' optima lie."""
    low, high = interval(optima, level)
    low, high = np.minimum(low, proposal), np.maximum(high, proposal)
    rows = zip(names, proposal.tolist(), low.tolist(), high.tolist(), strict=True)
    return {name: Estimate(v, a, b, runs, "share", level) for name, v, a, b in rows}


def distances(fit: Fit, proposal: Array, free: Array) -> dict[str, float]:
    """Total variation to the nearest run, of the proposal, the free optimum and the median run."""
    own = nearest_distances(np.unique(fit.weights, axis=0))
    near = variation(np.stack([proposal, free]), fit.weights).min(axis=1)
    return {"proposal": float(near[0]), "free": float(near[1]), "runs": float(np.median(own))}
