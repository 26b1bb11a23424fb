"""What the caller asks for, as arrays over the sources and metrics that were fitted."""

from collections.abc import Mapping, Sequence

import numpy as np

from lab.advice.fitting.fit import Fit, require_metrics
from lab.advice.optimising.supply import Supply
from lab.advice.simplex import Array, distribution, fill, nearest_distances, variation, vector
from lab.core.errors import ConfigError
from lab.core.estimate import Estimate

LEAST_SHARE = 1e-4  # smaller weights are not worth a source in the recipe


def known_part(fit: Fit, natural: Mapping[str, float], what: str) -> tuple[Array, list[str]]:
    """A mixture on the sources that were in runs, and a note if that leaves any out."""
    everything = [*fit.sources, *fit.unseen]
    whole = distribution(natural, everything, what)
    part = dict(zip(everything, whole.tolist(), strict=True))
    left = sum(part[name] for name in fit.unseen)
    base = distribution({k: part[k] for k in fit.sources}, fit.sources, what)
    note = f"{left:.1%} of the {what} mixture is in sources that no run used: left out here."
    return base, [note] if left > 0 else []


def comparable(fit: Fit, mixture: Mapping[str, float]) -> dict[str, float]:
    """`mixture` on the sources that the fit names, whether in runs or not; empty if no run used any
    of it, so that nothing can be said. `known_part` says what part of it was in runs.
    """
    names = {*fit.sources, *fit.unseen}
    own = {name: share for name, share in mixture.items() if name in names and share > 0}
    return own if any(name in fit.sources for name in own) else {}


def limits_of(fit: Fit, caps: Mapping[str, float], supply: Supply | None) -> Array:
    """Largest share of every source that was in runs, at most one, [m]: caps and repeat cap."""
    everything = [*fit.sources, *fit.unseen]
    limits = np.minimum(vector(caps, everything, "caps", 1.0)[: len(fit.sources)], 1.0)
    if supply is None:
        return limits
    if len(supply.unique) != len(limits):
        raise ConfigError(
            "The supply must name the sources that were fitted.",
            value=f"{len(supply.unique)} sources, {len(limits)} fitted",
            next_step="build it with supply_of(fit.sources, ...)",
        )
    return np.minimum(limits, supply.caps)


def blend_of(fit: Fit, targets: Sequence[str]) -> Array:
    """Equal weight on every target metric, [T]; ConfigError if they point different ways."""
    require_metrics(targets, fit.metrics)
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
    """Every weight with the interval in which the replicates' optima [B, m] lie."""
    low, high = np.quantile(optima, [(1 - level) / 2, (1 + level) / 2], axis=0)
    low, high = np.minimum(low, proposal), np.maximum(high, proposal)
    rows = zip(names, proposal.tolist(), low.tolist(), high.tolist(), strict=True)
    return {name: Estimate(v, a, b, runs, "share", level) for name, v, a, b in rows}


def distances(fit: Fit, proposal: Array, free: Array) -> dict[str, float]:
    """Total variation to the nearest run, of the proposal, the free optimum and the median run."""
    own = nearest_distances(np.unique(fit.weights, axis=0))
    near = variation(np.stack([proposal, free]), fit.weights).min(axis=1)
    return {"proposal": float(near[0]), "free": float(near[1]), "runs": float(np.median(own))}


def held_out_error(fit: Fit, blend: Array) -> float:
    """Root mean squared error of the blended cost on held-out runs: noise and the law's own."""
    return float(np.sqrt(np.mean(((fit.heldout - fit.costs) @ blend) ** 2)))
