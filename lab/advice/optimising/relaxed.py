"""The certificate of thresholds: drawing a source from several of its pools at once.

A relaxation of one cut a source: a document of the innermost pool is in all of them, so that
sum_j p_j / N_j <= cap / R for every source, and repetition costs nothing. It is one convex problem
that contains every single cut, so no cut can cost less than its optimum. Its mixture says where
drawing better text more often than the rest, instead of a cut, could still win.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab.advice.optimising.optimise import Optimum, optimum
from lab.advice.optimising.problem import Problem
from lab.advice.optimising.region import simplex
from lab.advice.optimising.response import Response
from lab.advice.optimising.supply import Supply
from lab.advice.simplex import TINY, Array


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


def graded(
    surface: Response,
    supply: Supply,
    blend: Array,
    base: Array,
    owner: Array,
    kl: float,
    names: Sequence[str],
    seed: int,
) -> Optimum:
    """The relaxed optimum over the pools in `names`, `owner` [s, m] their sources: nothing is worn
    out.
    """
    region = simplex(supply.caps, names)
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
