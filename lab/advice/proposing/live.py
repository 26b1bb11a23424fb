"""Predictions while a weight is moved: a fit and its replicates, asked for a few mixtures.

Everything slow is done before: the parameters of every replicate (`bootstrap`) are an artifact
beside the fit, and a mixture costs one matrix product per law. For mixture p and replicate b

    value     = fit(p)                                   what the runs say
    interval  = quantiles over b of replicate_b(p)       what they could have said
    against r = fit(p) - fit(r),  quantiles over b of replicate_b(p) - replicate_b(r)

The difference is taken inside each replicate, so that what both mixtures share cancels: it is far
surer than two intervals side by side suggest. Intervals are those of the law's mean, at the size
that was trained; a single new run scatters more (`lab.advice.fitting.predict`).

Where no run was, exponentials and powers know no bound and a few replicates explode: at the corner
of a source that really cost 1.9 bits per byte an interval ended at 393. What is told therefore ends
at three times the worst run of a metric that is positive in all, of any other two ranges above it.
Laws and optimiser see no such bound: in a law it would bend a fit to runs that lie close together.

Measured with 17 sources, 13 metrics and 200 replicates on one core (log-linear laws): 0.1 ms for a
mixture with its interval, 0.2 ms with differences to two others, and 19 ms for 17 paths of 17
mixtures each with both differences. Making and storing the replicates 0.7 s; reading them 40 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.advice.fitting.bootstrap import REPLICATES, bootstrap
from lab.advice.fitting.fit import Fit
from lab.advice.fitting.surface import Surface, restore_surface
from lab.advice.proposing.store import fit_mapping
from lab.advice.simplex import Array, nearest_distances, variation
from lab.core.artifacts import Artifact, build, find
from lab.core.errors import ConfigError, nearest
from lab.core.files import digest, read_json, write_json
from lab.core.workspace import Workspace

STEP = "replicates"
VERSION = 2
LEVEL = 0.9
FARTHEST = 3.0  # times the worst run: a cost beyond is not told


@dataclass(frozen=True, slots=True)
class Predicted:
    """Values or differences of the metrics in their own direction and unit: each [n, T]."""

    value: Array
    low: Array
    high: Array


@dataclass(frozen=True, slots=True)
class LiveSurface:
    """A fit with B replicates of its surface; `level` is that of all its intervals. `usual` is the
    median distance of runs to the nearest other: a mixture further from all is extrapolation.
    """

    fit: Fit
    posterior: Surface
    usual: float
    level: float = LEVEL

    def predict(self, weights: Array) -> Predicted:
        """Metrics at mixtures [n, m] of the fit's sources."""
        return self.summarise(*self.costs(weights))

    def costs(self, weights: Array) -> tuple[Array, Array]:
        """Costs [n, T] by the fit and [B, n, T] by its replicates, none beyond what is told."""
        most = farthest(self.fit.costs)
        here, worlds = self.fit.surface.predict(weights)[0], self.posterior.predict(weights)
        return np.minimum(here, most), np.minimum(worlds, most)

    def against(self, weights: Array, references: Sequence[Array]) -> list[Predicted]:
        """`predict`, then for each reference mixture [m] the differences to it."""
        here, worlds = self.costs(weights)
        found = [self.summarise(here, worlds)]
        for reference in references:
            there, theirs = self.costs(reference[None, :])
            found.append(self.summarise(here - there, worlds - theirs))
        return found

    def summarise(self, costs: Array, worlds: Array) -> Predicted:
        """Costs [n, T] and those of all replicates [B, n, T] as values with an interval.

        Replicates scatter around the fit; where all lie to one side the interval ends at the fit.
        """
        ends = sorted_quantiles(worlds, [(1 - self.level) / 2, (1 + self.level) / 2])
        value, (low, high) = costs * self.fit.signs, ends * self.fit.signs
        least, most = np.minimum(low, high), np.maximum(low, high)
        return Predicted(value, np.minimum(least, value), np.maximum(most, value))

    def only(self, metric: str) -> "LiveSurface":
        """The same for one metric; ConfigError for an unknown one."""
        if metric not in self.fit.metrics:
            step = nearest(metric, self.fit.metrics)
            raise ConfigError(f"Unknown metric {metric!r}.", next_step=step)
        t = self.fit.metrics.index(metric)
        fit = replace(
            self.fit,
            metrics=(metric,),
            signs=self.fit.signs[[t]],
            costs=self.fit.costs[:, [t]],
            heldout=self.fit.heldout[:, [t]],
            surface=self.fit.surface.only([t]),
        )
        return replace(self, fit=fit, posterior=self.posterior.only([t]))

    def support(self, weights: Array) -> tuple[Array, npt.NDArray[np.intp]]:
        """Total variation from mixtures [n, m] to the nearest run, and the number of that run."""
        distances = variation(weights, self.fit.weights)
        return distances.min(axis=1), distances.argmin(axis=1)


def with_replicates(fit: Fit, posterior: Surface) -> LiveSurface:
    """A fit and its replicates, ready to be asked."""
    apart = nearest_distances(np.unique(fit.weights, axis=0))
    return LiveSurface(fit, posterior, float(np.median(apart)))


def farthest(costs: Array) -> Array:
    """The largest cost [T] that is told of a metric, from those of its runs [K, T]."""
    worst, least = costs.max(axis=0), costs.min(axis=0)
    return np.asarray(worst + (FARTHEST - 1) * np.where(least > 0, worst, worst - least))


def sorted_quantiles(worlds: Array, levels: Sequence[float]) -> Array:
    """`np.quantile` over the first axis: [len(levels), ...]. Sorting rows that lie together in
    memory takes half the time of its partition along a strided axis.
    """
    rows = np.ascontiguousarray(np.moveaxis(worlds, 0, -1))
    rows.sort(axis=-1)
    place = np.asarray(levels) * (len(worlds) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(worlds) - 1)
    found = rows[..., below] + (place - below) * (rows[..., above] - rows[..., below])
    return np.moveaxis(found, -1, 0)


def moved(weights: Array, free: Sequence[int], source: int, shares: Array) -> Array:
    """Mixtures [G, m]: weight `source` at `shares` [G], the others in `free` in proportion (evenly
    if they have none), the rest as they are. Shares beyond what `free` holds are cut off.
    """
    others = [k for k in free if k != source]
    fixed = np.ones(len(weights), dtype=bool)
    fixed[[source, *others]] = False
    room = 1.0 - float(weights[fixed].sum())
    mixtures = np.tile(weights, (len(shares), 1))
    if not others:
        mixtures[:, source] = room
        return mixtures
    held = weights[others]
    parts = held / held.sum() if held.sum() > 0 else np.full(len(others), 1 / len(others))
    mixtures[:, source] = np.clip(shares, 0.0, room)
    mixtures[:, others] = (room - mixtures[:, [source]]) * parts
    return mixtures


def triangle(weights: Array, free: Sequence[int], pair: tuple[int, int], steps: int) -> Array:
    """Mixtures [(steps + 1) (steps + 2) / 2, m] with the two weights of `pair` on a triangular
    grid and the others in `free` in proportion: first weight i / steps, second j / steps of what
    `free` holds, j running fastest.
    """
    grid = np.array([(i, j) for i in range(steps + 1) for j in range(steps + 1 - i)]) / steps
    others = [k for k in free if k not in pair]
    kept = np.ones(len(weights), dtype=bool)
    kept[[*pair, *others]] = False
    room = 1.0 - float(weights[kept].sum())
    mixtures = np.tile(weights, (len(grid), 1))
    mixtures[:, list(pair)] = room * grid
    if others:
        held = weights[others]
        parts = held / held.sum() if held.sum() > 0 else np.full(len(others), 1 / len(others))
        mixtures[:, others] = room * np.maximum(1 - grid.sum(axis=1, keepdims=True), 0.0) * parts
    return mixtures


def keep_replicates(ws: Workspace, fit: Fit, replicates: int = REPLICATES) -> Surface:
    """The replicates of a fit, stored if they were not: the page asks the same ones.

    Seconds, the first time: for workers.
    """

    def make(folder: Path) -> dict[str, Any]:
        posterior = bootstrap(fit, replicates)
        parts = {"replicates": posterior.replicates, "laws": posterior.mapping()}
        write_json(folder / "replicates.json", parts)
        return {"replicates": posterior.replicates}

    return stored(build(ws, STEP, VERSION, {}, [fit_id(fit)], make))


def stored(artifact: Artifact) -> Surface:
    """The replicates that `keep_replicates` wrote."""
    parts = read_json(artifact.path / "replicates.json")
    return replace(restore_surface(parts["laws"]), replicates=int(parts["replicates"]))


def live_surface(ws: Workspace, fit: Fit) -> LiveSurface | None:
    """A fit with its stored replicates; None if they were never stored."""
    found = find(ws, STEP, VERSION, {}, [fit_id(fit)])
    return None if found is None else with_replicates(fit, stored(found))


def fit_id(fit: Fit) -> str:
    """Names a fit by everything in it."""
    return digest(fit_mapping(fit))
