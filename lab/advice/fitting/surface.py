"""The fitted response of all metrics to the mixture, for one fit or for many replicates of it.

Each metric has the law that predicted it best, so a surface is a few fitted laws, each holding the
columns of its metrics for all B replicates (replicate by replicate, metrics in order). Everything
here is in cost: lower is better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.advice.laws import Fitted, get_law, restore
from lab.advice.simplex import Array


@dataclass(frozen=True, slots=True)
class Surface:
    """`laws[i]` predicts the metrics numbered `members[i]` for `replicates` replicates."""

    members: tuple[tuple[int, ...], ...]
    laws: tuple[Fitted, ...]
    replicates: int

    @property
    def metrics(self) -> int:
        """How many metrics it predicts."""
        return sum(map(len, self.members))

    def predict(self, weights: Array) -> Array:
        """Costs of mixtures [n, m] under every replicate: [B, n, T]."""
        costs = np.empty((self.replicates, len(weights), self.metrics))
        for member, law in zip(self.members, self.laws, strict=True):
            columns = law.predict(weights).reshape(len(weights), self.replicates, len(member))
            costs[:, :, list(member)] = columns.transpose(1, 0, 2)
        return costs

    @property
    def convex(self) -> bool:
        """True if every law in it is convex in the weights, so that a local optimum is the best."""
        return all(law.convex for law in self.laws)

    def each(self, points: Array) -> tuple[Array, Array]:
        """Cost [B, T] and slope [B, T, m] of every metric of replicate b at points[b].

        `points` is [B, m] or, if every metric has a point of its own, [B, T, m].
        """
        if points.ndim == 2:
            points = np.repeat(points[:, None, :], self.metrics, axis=1)
        cost, slope = np.empty(points.shape[:2]), np.empty(points.shape)
        for member, law in zip(self.members, self.laws, strict=True):
            own = points[:, list(member)]
            values, slopes = law.at(own.reshape(-1, own.shape[2]))
            cost[:, list(member)] = values.reshape(own.shape[:2])
            slope[:, list(member)] = slopes.reshape(own.shape)
        return cost, slope

    def at(self, points: Array, blend: Array) -> tuple[Array, Array]:
        """Cost [B] and slope [B, m] of replicate b at points[b], metrics weighed by `blend`."""
        cost, slope = self.each(points)
        return cost @ blend, np.einsum("t,btm->bm", blend, slope)

    def first(self, replicates: int) -> "Surface":
        """The first so many replicates."""
        laws = [
            law.take(list(range(replicates * len(member))))
            for member, law in zip(self.members, self.laws, strict=True)
        ]
        return Surface(self.members, tuple(laws), replicates)

    def only(self, metrics: Sequence[int]) -> "Surface":
        """The surface of some metrics, numbered anew in the order given."""
        members, laws = [], []
        for member, law in zip(self.members, self.laws, strict=True):
            kept = [number for number, t in enumerate(metrics) if t in member]
            if kept:
                inside = [member.index(metrics[number]) for number in kept]
                width = len(member)
                columns = [b * width + t for b in range(self.replicates) for t in inside]
                members.append(tuple(kept))
                laws.append(law.take(columns))
        return Surface(tuple(members), tuple(laws), self.replicates)

    def mapping(self) -> list[dict[str, Any]]:
        """The parameters as JSON values."""
        return [
            {"metrics": list(member), **law.mapping()}
            for member, law in zip(self.members, self.laws, strict=True)
        ]


def restore_surface(parts: Sequence[dict[str, Any]]) -> Surface:
    """The surface of one replicate that `Surface.mapping` wrote."""
    return Surface(
        tuple(tuple(part["metrics"]) for part in parts), tuple(restore(part) for part in parts), 1
    )


def assemble(fits: Mapping[str, Fitted], choice: Sequence[str]) -> Surface:
    """Metric t as predicted by the law named `choice[t]`; every fit has all metrics as columns."""
    members = grouped(choice)
    laws = tuple(fits[choice[m[0]]].take(list(m)) for m in members)
    return Surface(members, laws, 1)


def refit(surface: Surface, weights: Array, costs: Array, counts: Array) -> Surface:
    """Replicates of a surface of one: costs [B, K, T] with rows counted counts [B, K].

    Each search starts from the original's parameters, so a replicate stays in the same valley.
    """
    fitted = []
    replicates, runs, _ = costs.shape
    for member, law in zip(surface.members, surface.laws, strict=True):
        columns = costs[:, :, list(member)].transpose(1, 0, 2).reshape(runs, -1)
        rows = np.repeat(counts.T, len(member), axis=1)
        start = law.take(list(range(len(member))) * replicates)
        fitted.append(get_law(law.law).fit(weights, columns, rows, start))
    return Surface(surface.members, tuple(fitted), replicates)


def grouped(choice: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """The numbers of the metrics that share a law, laws in order of first use."""
    names = list(dict.fromkeys(choice))
    return tuple(tuple(t for t, name in enumerate(choice) if name == law) for law in names)
