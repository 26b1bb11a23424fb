"""From a fit to a proposal that says how sure it is.

The proposal minimises the mean predicted cost of the target metrics plus kl KL(p || natural) under
the caps (`optimise`). Everything else is the same calculation on replicates of the fit
(`bootstrap`): where the optimum would lie in each gives the interval of every weight; what each
predicts for the proposal and for the natural mixture gives the intervals of scores and of the
gain, and the odds that the proposal is better. Below .9 it is unresolved. Runs needed to resolve
it follow from the error of the gain shrinking with the root of the number of runs: K (z / z0)^2 -
K with z0 the gain in standard errors and z = 1.28.

Shown beside it, because it is where advice fails: the optimum without KL and caps, and how far
either lies from the nearest run in total variation, against how far runs lie from each other.
Odds are those of the law being right. They say nothing about a change of model size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.bootstrap import REPLICATES, bootstrap
from lab.advice.fit import Fit
from lab.advice.next_runs import next_runs
from lab.advice.optimise import kl_path, optimise
from lab.advice.simplex import Array, distribution, fill, nearest_distances, variation, vector
from lab.advice.surface import Surface
from lab.core.errors import ConfigError, nearest
from lab.core.estimate import Estimate

KL = 0.05  # Olmix's default, in the unit of the metric; marin found .005-.1 best, so see the path
SURE = 0.9
DEVIATIONS = 1.2816  # of a normal variable that is positive with probability .9
SAME = 0.005  # total variation below which a proposal is the natural mixture
LEAST_SHARE = 1e-4  # smaller weights are not worth a source in the recipe


@dataclass(frozen=True, slots=True)
class Advice:
    """A proposal and its evidence. Shares are of training tokens.

    `weights`: source -> Estimate. `gain`: how much better the blended target gets than with the
    natural mixture, positive is better. `scores`: one row per metric: predictions with intervals
    for natural and proposal. `path`: the proposal for other KL weights. `free`: the optimum without
    KL and caps. `distances` in total variation: `proposal` and `free` to the nearest run, `runs`
    the median of runs to theirs. `next_runs`: mixtures worth training, see `lab.advice.next_runs`.
    `verdict`: better, unresolved or same; `run_more` runs would probably resolve it.
    """

    verdict: str
    p_better: float
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
    p_better, verdict, more = judge(fit, posterior, blend, base, proposal)
    return Advice(
        verdict=verdict,
        p_better=p_better,
        run_more=more,
        weights=weight_estimates(names, proposal, optima, level, len(fit.runs)),
        natural=dict(zip(names, base.tolist(), strict=True)),
        caps=dict(zip(names, limits.tolist(), strict=True)),
        kl=kl,
        targets=tuple(targets) or fit.metrics,
        gain=gain_estimate(fit, posterior, blend, base, proposal, level),
        scores=score_rows(fit, posterior, base, proposal, level),
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


def interval(values: Array, level: float) -> tuple[Array, Array]:
    """Central interval over the first axis."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray(low), np.asarray(high)


def differences(surface: Surface, blend: Array, base: Array, proposal: Array) -> Array:
    """Blended cost of `base` minus that of `proposal` in every replicate: [B]."""
    costs = surface.predict(np.stack([base, proposal])) @ blend
    return np.asarray(costs[:, 0] - costs[:, 1])


def gain_estimate(
    fit: Fit, posterior: Surface, blend: Array, base: Array, proposal: Array, level: float
) -> Estimate:
    """The predicted gain over natural with its interval."""
    value = float(differences(fit.surface, blend, base, proposal)[0])
    low, high = interval(differences(posterior, blend, base, proposal), level)
    ends = min(float(low), value), max(float(high), value)
    return Estimate(value, *ends, n=len(fit.runs), level=level)


def judge(
    fit: Fit, posterior: Surface, blend: Array, base: Array, proposal: Array
) -> tuple[float, str, int]:
    """(odds that the proposal beats natural, verdict, runs that would probably resolve it)."""
    gains = differences(posterior, blend, base, proposal)
    odds = float((gains > 0).mean())
    if float(variation(base[None], proposal[None])[0, 0]) < SAME:
        return odds, "same", 0
    if odds >= SURE:
        return odds, "better", 0
    value = float(differences(fit.surface, blend, base, proposal)[0])
    ratio = DEVIATIONS * float(gains.std()) / max(value, 1e-12)
    runs = len(fit.runs)
    # never fewer than one more, never more than nine times what there is: beyond that the gain is
    # too small to be worth resolving
    return odds, "unresolved", int(np.clip(np.ceil(runs * (ratio**2 - 1)), 1, 9 * runs))


def score_rows(
    fit: Fit, posterior: Surface, base: Array, proposal: Array, level: float
) -> pl.DataFrame:
    """Per metric: natural, proposal and gain (positive is better), each with low and high."""
    points = np.stack([base, proposal])
    value = fit.surface.predict(points)[0]
    worlds = posterior.predict(points)
    columns: dict[str, object] = {
        "metric": list(fit.metrics),
        "better": ["lower" if sign > 0 else "higher" for sign in fit.signs],
    }
    for row, name in enumerate(("natural", "proposal")):
        ends = np.stack(interval(worlds[:, row], level)) * fit.signs
        columns |= {name: value[row] * fit.signs}
        columns |= {f"{name}_low": ends.min(axis=0), f"{name}_high": ends.max(axis=0)}
    low, high = interval(worlds[:, 0] - worlds[:, 1], level)
    columns |= {"gain": value[0] - value[1], "gain_low": low, "gain_high": high}
    return pl.DataFrame(columns)


def distances(fit: Fit, proposal: Array, free: Array) -> dict[str, float]:
    """Total variation to the nearest run, of the proposal, the free optimum and the median run."""
    own = nearest_distances(np.unique(fit.weights, axis=0))
    near = variation(np.stack([proposal, free]), fit.weights).min(axis=1)
    return {"proposal": float(near[0]), "free": float(near[1]), "runs": float(np.median(own))}
