"""Diversity of a mixture, and what one per cent more of a source does to it, from summaries alone.

M(w) = sum of w_s M_s, mu(w) = sum of w_s mu_s and p(w) = sum of w_s p_s are linear in the weights,
so any weights cost one d x d eigen-decomposition of P = C / tr C, C = M - mu mu^T, and no document.
With D_s = M_s - mu_s mu^T - mu mu_s^T and H = -tr P log P the gradient is in closed form:

    dH/dw_s = -(<D_s, log P> + H tr D_s) / tr C,  one per cent more: .01 (d_s - sum w_t d_t)

("add s, shrink the rest in proportion"). For clusters the one per cent is exact, not a slope:
a source may bring a cluster that the mixture lacks, where the slope is infinite. For the Vendi
scores it is a slope, an upper bound for a source that the mixture hardly holds (entropy is
concave).

Bands, 95 %: a jackknife over the summaries' batches (one batch of every source deleted at a time,
Student's t), for speed in the `LEADING` directions of the pooled texts; widths are relative ones.
Nearest neighbours and copies are not linear in weights and are not here. Cost: 12 sources at 384
dimensions: 20 ms of one core, 13 of them the decomposition (tests/benchmarks/mixture_diversity.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import ConfigError, DataError, nearest
from lab.core.estimate import Estimate
from lab.diversity.breadth.moments import (
    F64,
    Moments,
    effective_number,
    linear_algebra,
    slopes,
    spectrum,
)
from lab.diversity.breadth.summary import Summary

STEP = 0.01  # of the mixture's tokens: "one per cent more"
LEADING = 24  # directions in which bands are taken
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}
MEASURES = {"vendi_1": "directions", "vendi_2": "directions", "effective_clusters": "clusters"}


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Summaries of `sources` laid side by side: second moments [s, d(d+1)/2], means [s, d], cluster
    shares [s, k]; of the jackknife's replicates in the leading directions `left_second`
    [b, s, r, r], `left_mean` [b, s, r] and `left_shares` [b, s, k]; texts in all.
    """

    sources: tuple[str, ...]
    second: F64
    mean: F64
    shares: F64
    left_second: F64
    left_mean: F64
    left_shares: F64
    n: int


@dataclass(frozen=True, slots=True)
class MixtureBreadth:
    """`scores` by measure; `gains`: measure -> source -> change for one per cent more of it."""

    scores: dict[str, Estimate]
    gains: dict[str, dict[str, Estimate]]


def lay_ground(by_source: Mapping[str, Summary]) -> Ground:
    """What `mixture_breadth` needs of the summaries; done once for any number of weights.

    Raises DataError where they are of different encoders or partitions.
    """
    found = list(by_source.values())
    if len({(s.mean.shape[1], s.shares.shape[1]) for s in found}) != 1:
        raise DataError(
            "The sources' summaries are of different encoders or partitions.",
            value={name: (s.mean.shape[1], s.shares.shape[1]) for name, s in by_source.items()},
            next_step="`mixlab diversity` measures all sources anew",
        )
    second, mean, shares = (
        np.array([np.average(getattr(s, of), axis=0, weights=s.counts) for s in found])
        for of in ("second", "mean", "shares")
    )
    basis = leading(second.mean(axis=0), mean.mean(axis=0))
    batches = max(len(s.counts) for s in found)
    left = [replicates(s, basis, batches) for s in found]
    left_second, left_mean, left_shares = (
        np.stack([each[k] for each in left], axis=1) for k in range(3)
    )
    n = sum(s.n for s in found)
    return Ground(tuple(by_source), second, mean, shares, left_second, left_mean, left_shares, n)


def leading(second: F64, mean: F64) -> F64:
    """The `LEADING` largest directions [d, r] of the pooled texts about their mean."""
    centred = unpacked(second) - np.outer(mean, mean)
    with linear_algebra().limit(limits=1):
        vectors: F64 = np.linalg.eigh(centred)[1]
    return np.ascontiguousarray(vectors[:, ::-1][:, :LEADING])


def replicates(of: Summary, basis: F64, batches: int) -> tuple[F64, F64, F64]:
    """Second moments, means and shares without each batch in turn; few batches take turns again."""
    with linear_algebra().limit(limits=1):
        second = np.array([basis.T @ unpacked(row) @ basis for row in of.second])
    mean = of.mean.astype(np.float64) @ basis
    gone = np.arange(batches) % len(of.counts)

    def without(values: F64) -> F64:
        counts = of.counts.reshape(-1, *[1] * (values.ndim - 1))
        total = (values * counts).sum(axis=0)
        kept: F64 = (total - values[gone] * counts[gone]) / (of.counts.sum() - counts[gone])
        return kept

    return without(second), without(mean), without(of.shares)


def unpacked(row: NDArray[np.floating]) -> F64:
    """A symmetric matrix from its upper triangle."""
    places = places_in_triangle(int((8 * len(row) + 1) ** 0.5) // 2)
    return np.asarray(row, np.float64).take(places)


@cache
def places_in_triangle(d: int) -> NDArray[np.intp]:
    """For each entry [d, d] of a symmetric matrix its place in the upper triangle."""
    upper = np.triu_indices(d)
    found = np.empty((d, d), np.intp)
    found[upper] = found.T[upper] = np.arange(len(upper[0]))
    return found


@cache
def upper_triangle(d: int) -> tuple[NDArray[np.intp], F64]:
    """Flat places of the upper triangle, and how often an inner product counts each: 1 or 2."""
    rows, columns = np.triu_indices(d)
    return rows * d + columns, np.where(rows == columns, 1.0, 2.0)


def packed(matrix: F64) -> F64:
    """The upper triangle of a symmetric matrix, so that its product with another triangle is the
    inner product of both matrices.
    """
    places, twice = upper_triangle(len(matrix))
    return np.asarray(matrix.ravel().take(places) * twice)


def mixture_breadth(ground: Ground, weights: Mapping[str, float]) -> MixtureBreadth:
    """Scores of the mixture that draws source s with share `weights[s]` (normalised here), and the
    gains of every source of the ground, also of those without weight.

    Raises ConfigError for a weight without a summary, a negative weight, or a sum of zero.
    """
    shares = normalise(weights, ground.sources)
    w = np.array([shares.get(name, 0.0) for name in ground.sources])
    values, changes = point(ground, w)
    left_values, left_changes = jackknife(ground, w)
    scores, gains = {}, {}
    for k, (name, unit) in enumerate(MEASURES.items()):
        level = left_values[:, k]  # lower than the value: fewer directions
        scale = values[k] / float(level.mean())
        factor = float(np.exp(scale * spread(level) / values[k]))
        scores[name] = Estimate(values[k], values[k] / factor, values[k] * factor, ground.n, unit)
        halves = scale * spread(left_changes[:, k])
        gains[name] = {
            source: Estimate(gain, gain - half, gain + half, ground.n, unit)
            for source, gain, half in zip(
                ground.sources, changes[k].tolist(), halves.tolist(), strict=True
            )
        }
    return MixtureBreadth(scores, gains)


def point(ground: Ground, w: F64) -> tuple[list[float], F64]:
    """The three scores, and their gains [3, s], in all directions."""
    mean = w @ ground.mean
    of = spectrum(Moments(unpacked(w @ ground.second), mean, ground.n))
    both = np.stack([packed(of.log), packed(of.share)])
    linear = ground.mean @ np.stack([of.log @ mean, of.share @ mean, mean], axis=1)
    inner = ground.second @ both.T - 2 * linear[:, :2]
    one, two = slopes(of, inner[:, 0], inner[:, 1], 1 - 2 * linear[:, 2])
    clusters, more = cluster_gains(ground.shares, w)
    return [of.vendi_1, of.vendi_2, clusters], np.stack([along(one, w), along(two, w), more])


def along(slope: F64, w: F64) -> F64:
    """Change for one per cent more of each source, the rest shrunk in proportion."""
    return STEP * (slope - slope @ w)


def cluster_gains(shares: F64, w: F64) -> tuple[float, F64]:
    """Effective clusters of the mixture, and the exact change for one per cent more of each."""
    mixed = w @ shares
    now = float(effective_number(mixed))
    return now, effective_number((1 - STEP) * mixed + STEP * shares) - now


def jackknife(ground: Ground, w: F64) -> tuple[F64, F64]:
    """Scores [b, 3] and gains [b, 3, s] of every replicate, in the leading directions."""
    values, changes = [], []
    traces = np.trace(ground.left_second, axis1=2, axis2=3)
    flat = ground.left_second.reshape(*traces.shape, -1)
    for seconds, means, shares, trace in zip(
        flat, ground.left_mean, ground.left_shares, traces, strict=True
    ):
        mean = w @ means
        of = spectrum(Moments((w @ seconds).reshape(len(mean), -1), mean, ground.n))
        inner = seconds @ np.stack([of.log.ravel(), of.share.ravel()], axis=1)
        linear = means @ np.stack([of.log @ mean, of.share @ mean, mean], axis=1)
        inner -= 2 * linear[:, :2]
        one, two = slopes(of, inner[:, 0], inner[:, 1], trace - 2 * linear[:, 2])
        clusters, more = cluster_gains(shares, w)
        values.append([of.vendi_1, of.vendi_2, clusters])
        changes.append([along(one, w), along(two, w), more])
    return np.array(values), np.array(changes)


def spread(left: F64) -> F64:
    """Half width of the interval from replicates [b, ...] that leave one batch out."""
    b = len(left)
    variance = (b - 1) / b * ((left - left.mean(axis=0)) ** 2).sum(axis=0)
    return STUDENT.get(b - 1, 1.96) * np.asarray(np.sqrt(variance))


def normalise(weights: Mapping[str, float], known: Sequence[str]) -> dict[str, float]:
    """Positive weights scaled to sum 1."""
    for name, weight in weights.items():
        if name not in known:
            raise ConfigError(
                f"The breadth of source {name!r} has not been measured.",
                where="weights",
                value=name,
                next_step=f"`mixlab diversity {name}`; {nearest(name, known)}",
            )
        if not weight >= 0:
            raise ConfigError("A weight is negative.", where=f"weights.{name}", value=weight)
    total = sum(weights.values())
    if not 0 < total < float("inf"):
        raise ConfigError("The weights sum to nothing.", where="weights", value=total)
    return {name: weight / total for name, weight in weights.items() if weight > 0}


def gain_words(source: str, gains: Mapping[str, Mapping[str, Estimate]]) -> str:
    """`One per cent more of X adds ... and removes ...`, of what is resolved."""
    words = {"vendi_1": "effective directions", "effective_clusters": "effective clusters"}
    said = [
        f"{'adds' if gain.value > 0 else 'removes'} {abs(gain.value):.2g} {what}"
        for name, what in words.items()
        if (gain := gains[name][source]).resolved
    ]
    changes = " and ".join(said) or "changes nothing that can be told apart from zero"
    return f"One per cent more of {source} {changes}."
