"""The mixture of least predicted cost, near a reference and within supply.

    minimise   cost(p) + kl KL(p || natural)   over   p >= 0, sum p = 1, p <= caps

as Olmix proposes (arXiv:2602.12237, kl = .05, caps = 4 N / R). The method is Bregman proximal
gradient in the geometry of KL (mirror descent; Bauschke, Bolte and Teboulle 2017): the step

    p' = nearest in KL, below caps, to  exp((log p / eta + kl log natural - slope) / (1 / eta + kl))

treats the KL term exactly, never leaves the simplex and runs for all replicates at once; eta is
found by backtracking. The laws are convex, so the gap of Frank and Wolfe, max over q of
<slope, p - q>, bounds how far the result can be from the best: it is returned as `gap`.

What it cannot know: a law is only as good as its runs. Without KL and caps the optimum of a fit
lies where noise made the fit look best; draw the whole path over kl, not one setting.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.simplex import TINY, Array, divergence, fill, require_feasible
from lab.advice.surface import Surface
from lab.core.errors import ConfigError

KL_PATH = (0.0, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0)  # Marin and Olmix found .005-.1 best
GAP = 1e-7  # in the unit of the cost: far below any difference between runs
MOST_STEPS = 5000
ETA = (1e-9, 1e8)  # bounds of the step size


@dataclass(frozen=True, slots=True)
class Optimum:
    """mixtures [B, m], cost [B] without the KL term, divergence [B] in nats, gap [B]."""

    mixtures: Array
    cost: Array
    divergence: Array
    gap: Array


def optimise(
    surface: Surface, blend: Array, natural: Array, caps: Array, kl: float, names: Sequence[str]
) -> Optimum:
    """The best mixture of every replicate; `blend` [T] weighs metrics, natural and caps are [m].

    ConfigError if the caps admit no mixture or if kl > 0 and the reference lacks a source.
    """
    require_feasible(caps, names)
    require_reference(natural, kl, names)
    target = np.log(np.maximum(natural, TINY)) if kl > 0 else np.zeros_like(natural)
    start = np.full_like(natural, 1 / len(natural)) if kl == 0 else natural
    points = fill(np.tile(start, (surface.replicates, 1)), caps)
    eta = np.ones((len(points), 1))
    cost, slope = surface.at(points, blend)
    gap = np.full(len(points), np.inf)
    for step in range(MOST_STEPS):
        logs = np.log(np.maximum(points, TINY))
        aim = (logs / eta + kl * target - slope) / (1 / eta + kl)
        trial = fill(np.exp(aim - aim.max(axis=1, keepdims=True)), caps)
        trial_cost, trial_slope = surface.at(trial, blend)
        move = trial - points
        apart = move * (np.log(np.maximum(trial, TINY)) - logs) / eta
        better = ((trial_slope - slope) * move).sum(axis=1) <= apart.sum(axis=1)
        points = np.where(better[:, None], trial, points)
        cost = np.where(better, trial_cost, cost)
        slope = np.where(better[:, None], trial_slope, slope)
        eta = np.clip(np.where(better[:, None], eta * 1.5, eta / 2), *ETA)
        if step % 20 == 19:
            whole = slope + kl * (np.log(np.maximum(points, TINY)) - target)
            gap = certificate(points, whole, caps)
            if (gap <= GAP * np.maximum(np.abs(cost), 1.0)).all():
                break
    return Optimum(points, cost, divergence(points, natural), gap)


def certificate(points: Array, slope: Array, caps: Array) -> Array:
    """Most that any mixture below `caps` could still gain on `points` by the slope there: [B]."""
    order = np.argsort(slope, axis=1, kind="stable")
    limits = np.minimum(caps, 1.0)[order]
    before = np.cumsum(limits, axis=1) - limits
    corner = np.clip(1.0 - before, 0.0, limits)
    best = (np.take_along_axis(slope, order, axis=1) * corner).sum(axis=1)
    return np.maximum((slope * points).sum(axis=1) - best, 0.0)


def require_reference(natural: Array, kl: float, names: Sequence[str]) -> None:
    """ConfigError if kl is negative, or positive with a reference that rules a source out."""
    if kl < 0:
        raise ConfigError(
            "The KL weight must not be negative.", value=kl, next_step="use 0 or more"
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
    surface: Surface,
    blend: Array,
    natural: Array,
    caps: Array,
    names: Sequence[str],
    weights: Sequence[float] = KL_PATH,
) -> pl.DataFrame:
    """One row per KL weight: kl, cost, divergence, gap and the share of every source."""
    rows = []
    for kl in weights:
        best = optimise(surface, blend, natural, caps, kl, names)
        row = {
            "kl": float(kl),
            "cost": float(best.cost[0]),
            "divergence": float(best.divergence[0]),
            "gap": float(best.gap[0]),
        }
        rows.append({**row, **dict(zip(names, best.mixtures[0].tolist(), strict=True))})
    return pl.DataFrame(rows)
