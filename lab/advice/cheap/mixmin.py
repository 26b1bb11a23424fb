"""MixMin: mix the predictions of per-source models, and take the weights that predict best.

A model that has learnt all there is in a mixture of sources predicts text x with the mixture of
their probabilities, so that the best mixture for a target solves a convex problem that no further
training enters (MixMin, Thudi et al. 2025, arXiv:2502.10510):

    min over p of  f(p) = - sum over x of c_x log sum over i of p_i exp(l_xi)

with l_xi = log probability of x under the model trained on source i alone. Here c_x = 1 / (bytes x
ln 2) in the way of each metric, so that f at a corner is what that source's run scored: of held-out
text sums over sums, of benchmarks the mean over right answers (the paper divides each sequence by
its tokens, which is the latter).

What x is decides what is learnt. The paper takes whole sequences, the default here: each document
then goes to the model that predicts it best, and weights become shares of the text claimed. With
tokens the model is an ensemble that mixes at every step, which rewards a source for the words that
it alone knows. Benchmarks are scored here given their question; the paper scores both.

Solved by entropic mirror descent, as in the paper, but with steps that are halved until descent is
certain and with a certificate instead of a fixed number of steps: f is convex, so that the most the
slope promises over the region (`Region.certificate`) bounds how far f lies above its minimum. It
stops when the bound is `RELATIVE` of sum c_x, the price of one nat on everything. Cost: one
product [n, m] a step, 0.1 ms for 3,000 sequences and 7 sources.

Measured on the sample world (`nano`, 200k tokens, one seed, 15 mixtures of seven sources;
tests/benchmarks/cheap_predictors.py), 90 % intervals: rho of the mean cost .90 [.72, .97] with
sequences, .93 [.80, .98] with tokens; single metrics .68 (grammar) to .99. Guessing by the share of
a source alone orders its own held-out text as well (.92 on code) and the mean hardly (.26).

Where it fails. It knows nothing of budget: a source with a tenth of the weight is taken to be
learnt as well as alone. So it sees neither what sources teach each other nor what a small model
forgets, nor that repeating a small source wears it out. It moves no mass to a source that improves
everything a little, only to the one that is best somewhere. Values are those of an ensemble, not of
a trained mixture: compare mixtures by them, nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.advice.optimising.region import Region
from lab.advice.simplex import Array
from lab.core.errors import ConfigError, DataError

RELATIVE = 1e-6
STEPS = 10_000  # planted and real problems took 30 to 800
FAINT = 1e-200


@dataclass(frozen=True, slots=True)
class Target:
    """Text to predict: `logs` [n, m], log-likelihood (nats) of each of n pieces under each of m
    source models; `prices` [n], what one nat on a piece adds to the metric `name`, in bits a byte.
    """

    name: str
    logs: Array
    prices: Array


@dataclass(frozen=True, slots=True)
class Solution:
    """Weights [m] of least cost; no mixture of the region costs less than `cost - gap`."""

    weights: Array
    cost: float
    gap: float
    steps: int


def costs(targets: Sequence[Target], mixtures: Array) -> Array:
    """Cost of each target under mixtures [k, m], in bits a byte: [k, B].

    Infinite where a mixture leaves a piece without a source that could have written it.
    """
    return np.stack([target_cost(target, mixtures) for target in targets], axis=1)


def target_cost(target: Target, mixtures: Array) -> Array:
    """Cost of one target under mixtures [k, m]: [k]."""
    top, likelihoods = scaled(target.logs)
    with np.errstate(divide="ignore"):
        logs = np.log(likelihoods @ mixtures.T) + top[:, None]
    low = np.isinf(logs).any(axis=0)  # underflow, or impossible: once more without the scaling
    for k in np.flatnonzero(low):  # rare: a mixture without the source of a piece
        logs[:, k] = log_mixture(target.logs, mixtures[k])
    return np.asarray(-(target.prices @ logs))


def log_mixture(logs: Array, mixture: Array) -> Array:
    """log sum_i p_i exp(logs_i) over the sources that the mixture has: [n]."""
    used = mixture > 0
    own = logs[:, used] + np.log(mixture[used])
    top = own.max(axis=1, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray((np.log(np.exp(own - safe).sum(axis=1, keepdims=True)) + safe)[:, 0])


def scaled(logs: Array) -> tuple[Array, Array]:
    """(largest log-likelihood of each piece [n], likelihoods over it [n, m])."""
    top = logs.max(axis=1)
    return top, np.exp(logs - top[:, None])


def blended(targets: Sequence[Target], blend: Array) -> Target:
    """One target that costs `blend` [B] times the costs of all; ConfigError without targets."""
    if not targets:
        raise ConfigError(
            "There is no text to mix for.", next_step="name held-out text or benchmarks"
        )
    return Target(
        " + ".join(target.name for target in targets),
        np.concatenate([target.logs for target in targets]),
        np.concatenate([b * t.prices for b, t in zip(blend.tolist(), targets, strict=True)]),
    )


def require_possible(target: Target, sources: Sequence[str], used: NDArray[np.bool_]) -> None:
    """DataError for log-likelihoods that are no numbers, or a piece that no used source allows."""
    logs = target.logs[:, used]
    if np.isnan(target.logs).any() or (logs == np.inf).any():
        bad = np.isnan(target.logs).any(axis=0) | (target.logs == np.inf).any(axis=0)
        raise DataError(
            "A source model gives no usable probabilities.",
            where=target.name,
            value=[name for name, broken in zip(sources, bad, strict=True) if broken],
            next_step="train its run again: its weights are damaged",
        )
    none = ~np.isfinite(logs).any(axis=1)
    if none.any():
        raise DataError(
            f"{int(none.sum())} pieces of text have probability zero under every source model.",
            where=target.name,
            value=int(np.flatnonzero(none)[0]),
            next_step="smooth the models, or leave these pieces out: no mixture can predict them",
        )


def mixmin(
    target: Target,
    sources: Sequence[str],
    region: Region,
    start: Array | None = None,
    relative: float = RELATIVE,
) -> Solution:
    """The mixture within `region` that predicts `target` best, with a bound on what is left.

    Starts from the uniform mixture unless given another. Sources capped at zero stay out. Raises
    DataError for unusable probabilities, ConfigError for one source only.
    """
    if len(sources) < 2:
        raise ConfigError("A mixture needs two sources or more.", value=list(sources))
    used = region.caps > 0
    require_possible(target, sources, used)
    top, likelihoods = scaled(np.where(used, target.logs, -np.inf))
    floor = float(-(target.prices @ top))  # cost if every piece had its best model to itself
    price = float(target.prices.sum())
    begin = np.where(used, 1.0, FAINT)[None, :] if start is None else np.maximum(start, FAINT)[None]
    point = region.fill(begin)
    value, slope = local(likelihoods, target.prices, point)
    rate = 1.0 / price
    for step in range(STEPS + 1):
        gap = float(region.certificate(point, slope)[0])
        if gap <= relative * price or step == STEPS:
            break
        point, value, slope, rate = descend(
            likelihoods, target.prices, region, point, value, slope, rate
        )
    weights = np.where(used, point[0], 0.0)
    return Solution(weights / weights.sum(), value + floor, gap, step)


def local(likelihoods: Array, prices: Array, point: Array) -> tuple[float, Array]:
    """Cost above the floor and slope [1, m] at point [1, m]."""
    mixed = np.maximum(likelihoods @ point[0], 1e-300)
    return float(-(prices @ np.log(mixed))), -((prices / mixed) @ likelihoods)[None, :]


def descend(
    likelihoods: Array,
    prices: Array,
    region: Region,
    point: Array,
    value: float,
    slope: Array,
    rate: float,
) -> tuple[Array, float, Array, float]:
    """One step of mirror descent: (point, cost, slope, rate to try next).

    The step is halved until the cost lies below its linear model plus KL / rate, which makes it
    fall (Bauschke, Bolte & Teboulle 2017, on descent relative to an entropy).
    """
    logs = np.log(np.maximum(point, FAINT))
    while True:
        there = region.nearest(logs - rate * slope)
        found, its_slope = local(likelihoods, prices, there)
        moved = float((there * (np.log(np.maximum(there, FAINT)) - logs)).sum())
        bound = value + float((slope * (there - point)).sum()) + moved / rate
        if found <= bound + 1e-13 * abs(value) or moved == 0.0:
            return there, found, its_slope, 2.0 * rate
        rate /= 2.0


def resampled(
    target: Target,
    sources: Sequence[str],
    region: Region,
    solved: Solution,
    replicates: int,
    seed: int,
) -> Array:
    """Solutions for as many bootstrap samples of the pieces, [replicates, m].

    Says how far the answer hangs on which text was held out; not on the seeds of the models.
    """
    rng = np.random.default_rng(seed)
    count = len(target.prices)
    begin = 0.9 * solved.weights + 0.1 / len(solved.weights)
    found = []
    for _ in range(replicates):  # 20 ms each for 3,000 pieces of 7 sources
        times = rng.multinomial(count, np.full(count, 1.0 / count))
        kept = times > 0
        sample = Target(target.name, target.logs[kept], target.prices[kept] * times[kept])
        found.append(mixmin(sample, sources, region, begin, 100 * RELATIVE).weights)
    return np.array(found).reshape(replicates, len(sources))
