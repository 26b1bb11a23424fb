"""Gaussian process on powers of the weights: no form is assumed, only that near mixtures are alike.

    ln(cost - floor) = centre + spread f(z),   z = (r + .001)^.4,   f ~ GP(0, Matern 5/2, one length
                                                                           scale per source)

Powers below one stretch the region of small shares, where effects are steep: on RegMix's runs the
weights as they are rank worse by .1 at 64 runs; there exponents of .2-.5 are within .005.
The logarithm, with the floor half a range below the best run, evens out the steep side of a
loss; it is worth .008 at 32 runs and nothing at 512. For a cost that is positive in every run the
floor is not below zero (`least_possible`). Scales and noise are those of the marginal
likelihood (`marginal_likelihood`), sought once per metric; replicates of a bootstrap keep them and
repeat the linear solve only.

On RegMix's runs the best at the size it was fitted on (Pile-CC .995 from 512 runs) and worse than
the parametric laws at 1B (.972): it learns what is peculiar to the small model. Falls back to the
mean far from the runs. Not convex. Cost: K^3 / 3 a factor; the search sees at most 256 runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from lab.advice.laws.law import Fitted, counted, least_possible, standardise
from lab.advice.laws.marginal_likelihood import matern, search, squared_distances
from lab.advice.simplex import Array

POWER = 0.4  # of the weights
FAINT = 1e-3  # share below which a source is as good as absent; keeps the slope finite at zero
BELOW = 0.5  # how far below the best run the floor lies, in ranges of the cost
SEARCHED = 256  # runs at most that the search of scales sees, drawn with a fixed seed
AT_ONCE = 4096  # mixtures predicted together: with 512 runs, 16 MB


@dataclass(frozen=True, slots=True)
class GPFit:
    """Mixtures of the runs [K, m]; length [H, m] and noise [H] of H searches, `kind` [B] says which
    of them a column uses; duals [B, K]; floor, centre and spread [B] of the cost.
    """

    points: Array
    length: Array
    noise: Array
    kind: npt.NDArray[np.intp]
    duals: Array
    floor: Array
    centre: Array
    spread: Array
    law: ClassVar[str] = "gp"
    convex: ClassVar[bool] = False

    def predict(self, weights: Array) -> Array:
        """[n, m] -> [n, B]."""
        parts = [weights[k : k + AT_ONCE] for k in range(0, len(weights), AT_ONCE)]
        return np.vstack([self.costs(self.latent(part)) for part in parts or [weights]])

    def latent(self, weights: Array) -> Array:
        """f at mixtures [n, m]: [n, B]."""
        found = np.empty((len(weights), len(self.kind)))
        for kind in np.unique(self.kind):
            columns = self.kind == kind
            one, runs = (features(w) / self.length[kind] for w in (weights, self.points))
            found[:, columns] = matern(squared_distances(one, runs))[0] @ self.duals[columns].T
        return found

    def costs(self, latent: Array) -> Array:
        """Costs of values of f, columns on the last axis."""
        return np.asarray(self.floor + np.exp(self.centre + self.spread * latent))

    def at(self, points: Array) -> tuple[Array, Array]:
        """[B, m] -> cost [B], slope [B, m]."""
        latent, slope = np.empty(len(points)), np.empty_like(points)
        for kind in np.unique(self.kind):
            columns = self.kind == kind
            one, runs = (features(w) / self.length[kind] for w in (points[columns], self.points))
            near, fall = matern(squared_distances(one, runs))
            pull = self.duals[columns] * fall
            latent[columns] = (self.duals[columns] * near).sum(axis=1)
            moved = 2.0 * (one * pull.sum(axis=1, keepdims=True) - pull @ runs)
            slope[columns] = moved / self.length[kind]
        rise = self.costs(latent) - self.floor
        steep = POWER * (points + FAINT) ** (POWER - 1)
        return self.floor + rise, (rise * self.spread)[:, None] * slope * steep

    def take(self, columns: Sequence[int]) -> "GPFit":
        """Only the given columns."""
        index = np.asarray(columns, dtype=np.intp)
        used, kind = np.unique(self.kind[index], return_inverse=True)
        scaled = (part[index] for part in (self.duals, self.floor, self.centre, self.spread))
        return GPFit(self.points, self.length[used], self.noise[used], kind.reshape(-1), *scaled)

    def mapping(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        fields = {name: getattr(self, name).tolist() for name in NAMES}
        return {"law": self.law, **fields, "kind": self.kind.tolist()}


NAMES = ("points", "length", "noise", "duals", "floor", "centre", "spread")


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """Fits by marginal likelihood; with a `start` its scales and noise are kept."""

    name: ClassVar[str] = "gp"

    def fit(
        self,
        weights: Array,
        values: Array,
        counts: Array | None = None,
        start: Fitted | None = None,
    ) -> GPFit:
        """Fit every column of `values` [K, B]."""
        rows, counts = counted(values, counts)
        floor, logs = logarithms(rows, counts)
        centre, spread = standardise(logs, counts)
        scaled = (logs - centre) / spread
        if isinstance(start, GPFit):
            length, noise, kind = start.length, start.noise, start.kind
        else:
            found = [searched(weights, y, c) for y, c in zip(scaled, counts, strict=True)]
            length, noise = np.array([f[0] for f in found]), np.array([f[1] for f in found])
            kind = np.arange(len(rows))
        duals = solve(weights, scaled, counts, length, noise, kind)
        parts = (floor[:, 0], centre[:, 0], spread[:, 0])
        return GPFit(weights, length, noise, kind, duals, *parts)

    def restore(self, mapping: Mapping[str, Any]) -> GPFit:
        """The fit that `GPFit.mapping` wrote."""
        fields = {name: np.array(mapping[name]) for name in NAMES}
        return GPFit(**fields, kind=np.array(mapping["kind"], dtype=np.intp))


def features(weights: Array) -> Array:
    """(r + .001)^.4."""
    return np.asarray((weights + FAINT) ** POWER)


def logarithms(rows: Array, counts: Array) -> tuple[Array, Array]:
    """The floor [B, 1] and ln(cost - floor) [B, K]; rows that do not count may lie below it."""
    lowest = np.where(counts > 0, rows, np.inf).min(axis=1, keepdims=True)
    spread = np.where(counts > 0, rows, -np.inf).max(axis=1, keepdims=True) - lowest
    floor = lowest - np.where(spread > 0, BELOW * spread, 1.0)
    floor = np.maximum(floor, least_possible(rows, counts))
    return floor, np.log(np.where(counts > 0, rows - floor, 1.0))


def searched(weights: Array, values: Array, counts: Array) -> tuple[Array, float]:
    """Scales and noise for one column [K], from at most `SEARCHED` of the rows that count."""
    rows = np.repeat(np.arange(len(values)), counts.astype(np.intp))
    if len(rows) > SEARCHED:
        rows = np.sort(np.random.default_rng(0).choice(rows, SEARCHED, replace=False))
    return search(features(weights[rows]), values[rows])


def solve(
    weights: Array,
    values: Array,
    counts: Array,
    length: Array,
    noise: Array,
    kind: npt.NDArray[np.intp],
) -> Array:
    """Duals [B, K]: one factor for all columns of one kind whose rows count alike."""
    from scipy.linalg import cho_factor, cho_solve

    duals = np.zeros_like(values)
    alike = np.unique(np.column_stack([kind, counts]), axis=0, return_inverse=True)[1].reshape(-1)
    for group in range(int(alike.max()) + 1):
        columns = np.flatnonzero(alike == group)
        own, used = int(kind[columns[0]]), np.flatnonzero(counts[columns[0]] > 0)
        scaled = features(weights[used]) / length[own]
        covariance = matern(squared_distances(scaled, scaled))[0]
        covariance[np.diag_indices_from(covariance)] += noise[own] / counts[columns[0], used]
        factor = cho_factor(covariance, lower=True)
        duals[np.ix_(columns, used)] = cho_solve(factor, values[np.ix_(columns, used)].T).T
    return duals
