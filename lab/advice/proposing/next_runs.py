"""Which mixture to train next, and at which size: where a minute buys the most.

Each replicate of the fit is a world that the runs allow. Today's decision is the mixture of least
mean cost over worlds. A run of mixture x would show y = cost_b(x) + noise if world b is the true
one; seeing y makes worlds more or less likely,

    weight of world w  ~  exp(-(y - cost_w(x))^2 / 2 s^2),

and moves the decision. What the run is worth is by how much the decision is then better on average:
the knowledge gradient (Frazier, Powell and Dayanik 2008), with the replicates for a posterior. It
is nil where all worlds agree, where they disagree without consequence, and where one run is too
noisy to tell them apart; plain expected improvement sees the first only. Divided by the minutes of
a run it chooses between sizes (as ADMIRE-BayesOpt does, arXiv:2508.11551). Runs of a batch are
valued together: the second is worth what it adds to the first.

A run at another size than the fit's speaks about it only so far as scores of the two sizes agree.
With correlation r between true costs of mixtures it counts as one with the further noise
variance  var(cost) (1 / r^2 - 1), so that r = .9 makes a cheap size about as noisy as half the
spread between mixtures. Olmix measured rank correlations to 1B of .73 at 1M and .89 from 15M up.

Candidates: the proposal, the optimum of every replicate, and the points halfway. Decisions are the
same, under the KL term. Noise is the error of held-out runs: what the law gets wrong counts as
noise. Cost: 30 ms a run for 200 replicates. Where it fails: worlds hold what the law can say. A
mixture where the law itself is wrong is not sought out; the swarm's anchors and draws are for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.optimising.response import Response
from lab.advice.simplex import Array, divergence, variation

APART = 0.02  # total variation between two suggested runs: less would be the same run twice
TRIED = 40  # candidates that are valued, those of most expected improvement
TAILS = (0.05, 0.95)
OUTCOMES = 64  # outcomes of a run that are imagined


@dataclass(frozen=True, slots=True)
class Place:
    """A size to train at: minutes of one run, and the correlation of true costs with the fit's."""

    size: str = ""
    minutes: float = 1.0
    agreement: float = 1.0


def next_runs(
    posterior: Response,
    blend: Array,
    natural: Array,
    kl: float,
    proposal: Array,
    optima: Array,
    names: Sequence[str],
    count: int,
    *,
    noise: float,
    places: Sequence[Place] = (Place(),),
) -> pl.DataFrame:
    """At most `count` mixtures: the columns of `columns`, in the order in which to run them.

    `noise` is the SD of one run about the fit, in the cost's unit. `expected_gain` is by how much
    the decision gets better with this run added to those above it, `per_minute` that over the
    minutes of the run, `spread` the SD over worlds of the mixture's cost less the proposal's. Fewer
    rows come back when no further candidate differs from those chosen.
    """
    points = np.vstack([proposal, optima, (optima + proposal) / 2])
    costs = without_tails(posterior.predict(points) @ blend)
    decided = costs + (kl * divergence(points, natural) if kl > 0 else 0.0)
    tried = candidates(points, decided)
    outcomes = Outcomes.imagine(costs[:, tried], noise, places)
    spread = (decided - decided[:, :1]).std(axis=0)
    today, taken, rows = float(decided.mean(axis=0).min()), points[:0], []
    log_weights = np.zeros((len(outcomes.drawn), len(costs)))
    before = 0.0
    for number in range(count):
        fresh = np.array([not near(points[t], taken) for t in tried])
        if not fresh.any():
            break
        worth = np.full((len(tried), len(places)), -np.inf)
        for k in np.flatnonzero(fresh).tolist():
            for s in range(len(places)):
                weighed = log_weights + outcomes.log_likelihood(k, s)
                worth[k, s] = today - decision_value(weighed, decided) - before
        minutes = np.array([place.minutes for place in places])
        k, s = divmod(int(np.argmax(worth / minutes)), len(places))
        gain, place, pick = max(float(worth[k, s]), 0.0), places[s], tried[k]
        row: dict[str, object] = {"run": f"next-{number + 1}", "size": place.size}
        row |= {"minutes": place.minutes, "expected_gain": gain}
        row |= {"per_minute": gain / place.minutes, "spread": float(spread[pick])}
        rows.append(row | dict(zip(names, points[pick].tolist(), strict=True)))
        log_weights += outcomes.log_likelihood(k, s)
        before += gain
        taken = np.vstack([taken, points[pick]])
    return pl.DataFrame(rows, schema=columns(names))


def without_tails(costs: Array) -> Array:
    """Costs [B, C] of every point held to their central nine tenths over worlds.

    Where no run was, a few replicates of an exponential law explode, and would be all of a mean.
    """
    return np.asarray(np.clip(costs, *np.quantile(costs, TAILS, axis=0)))


def near(point: Array, taken: Array) -> bool:
    """Whether `point` is as good as one of `taken`."""
    return bool(len(taken)) and float(variation(point[None, :], taken).min()) < APART


def candidates(points: Array, decided: Array) -> list[int]:
    """The proposal and the `TRIED` other points of most expected improvement on it that differ."""
    gain = np.maximum(decided[:, :1] - decided, 0.0).mean(axis=0)
    kept = [0]
    for index in np.argsort(-gain, kind="stable"):  # a few hundred against forty: milliseconds
        if len(kept) > TRIED:
            break
        if not near(points[index], points[kept]):
            kept.append(int(index))
    return kept


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Imagined results of every candidate at every place.

    `costs` [B, C] of candidates in all worlds, `variance` [C, P] of what a run shows about them,
    `drawn` [Q] worlds that are true in turn, `luck` [Q, C] standard normal.
    """

    costs: Array
    variance: Array
    drawn: Array
    luck: Array

    @classmethod
    def imagine(cls, costs: Array, noise: float, places: Sequence[Place]) -> "Outcomes":
        """Outcomes in every so many-th world, with one draw of luck each."""
        rng = np.random.default_rng(0)  # common random numbers: the same luck for every candidate
        drawn = np.unique(np.linspace(0, len(costs) - 1, OUTCOMES).round().astype(int))
        further = np.array([1 / place.agreement**2 - 1 for place in places])
        variance = noise**2 + costs.var(axis=0)[:, None] * further
        tiny = 1e-12 * max(float(np.abs(costs).max()), 1e-12)
        luck = rng.standard_normal((len(drawn), costs.shape[1]))
        return cls(costs, np.maximum(variance, tiny**2), drawn, luck)

    def log_likelihood(self, candidate: int, place: int) -> Array:
        """Of every world under every outcome of one run, up to a constant: [Q, B]."""
        cost, variance = self.costs[:, candidate], self.variance[candidate, place]
        seen = cost[self.drawn] + np.sqrt(variance) * self.luck[:, candidate]
        return np.asarray(-((seen[:, None] - cost[None, :]) ** 2) / (2 * variance))


def decision_value(log_weights: Array, decided: Array) -> float:
    """Mean over outcomes of the least expected cost: log_weights [Q, B], decided [B, C].

    Expectations are taken with the mean weight of a world over outcomes brought back to 1 / B, so
    that seeing something never looks worse than seeing nothing for lack of outcomes.
    """
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    bias = (1 / len(decided) - weights.mean(axis=0)) @ decided
    return float((weights @ decided + bias).min(axis=1).mean())


def columns(names: Sequence[str]) -> dict[str, type[pl.DataType]]:
    """Columns of the table of next runs for these sources."""
    own: dict[str, type[pl.DataType]] = {"run": pl.String, "size": pl.String}
    figures = ("minutes", "expected_gain", "per_minute", "spread")
    return own | dict.fromkeys(figures, pl.Float64) | dict.fromkeys(names, pl.Float64)
