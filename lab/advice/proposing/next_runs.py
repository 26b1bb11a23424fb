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

At which size (`lab.advice.proposing.places`): the decision is for the target run, whose costs
differ from those at the fit's size by an unknown D. A run at the fit's size says nothing of D, one
at a larger size shows part of it, and so is worth its minutes once the worlds agree. D is a
Gaussian process of mean 0 with Matern's covariance (3/2) in Euclidean distance. Its length is that
from the natural mixture to the candidates, and its size what costs vary over that length at the
fit's size, times what `places` says: a fit's corners, where costs are wild, do not enter. It is
followed exactly inside every world, not drawn. Noise is taken to be the same at every size.

Candidates: the proposal, the optimum of every replicate, and the points halfway. Decisions are the
same, under the KL term. Noise is the error of held-out runs: what the law gets wrong counts as
noise. Cost: 20 ms a run and size for 200 replicates of 10 metrics over 7 sources. Where it fails:
worlds hold what the law can say. A mixture where the law itself is wrong is not sought out; the
swarm's anchors and draws are for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lab.advice.optimising.response import Response
from lab.advice.proposing.places import Place, seen_of_difference
from lab.advice.simplex import Array, divergence, variation

APART = 0.02  # total variation between two suggested runs: less would be the same run twice
TRIED = 40  # candidates that are valued, those of most expected improvement
TAILS = (0.05, 0.95)
OUTCOMES = 64  # outcomes of a run that are imagined


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
    spread = (decided - decided[:, :1]).std(axis=0)
    costs, decided, points = costs[:, tried], decided[:, tried], points[tried]
    at_natural = without_tails(posterior.predict(natural[None, :]) @ blend).mean()
    scale = float(np.sqrt(np.mean((costs.mean(axis=0) - at_natural) ** 2) / 2))
    length = float(np.sqrt(((points - natural) ** 2).sum(axis=1)).mean())
    known = Known.before(costs, covariance_of(points, scale, length, places[0]))
    seen = [seen_of_difference(place.agreement, places[0].agreement) for place in places]
    today, taken, rows = float(decided.mean(axis=0).min()), points[:0], []
    minutes = np.array([place.minutes for place in places])
    before = 0.0
    for number in range(count):
        fresh = [k for k in range(len(points)) if not near(points[k], taken)]
        if not fresh:
            break
        worth = np.full((len(points), len(places)), -np.inf)
        for k in fresh:
            for s, (part, further) in enumerate(seen):
                shown = known.run(k, part, noise**2 + scale**2 * further)
                worth[k, s] = today - known.decision_value(decided, shown) - before
        k, s = divmod(int(np.argmax(worth / minutes)), len(places))
        gain, place = max(float(worth[k, s]), 0.0), places[s]
        row: dict[str, object] = {"run": f"next-{number + 1}", "size": place.size}
        row |= {"tokens": place.tokens, "minutes": place.minutes, "expected_gain": gain}
        row |= {"per_minute": gain / place.minutes, "spread": float(spread[tried[k]])}
        rows.append(row | dict(zip(names, points[k].tolist(), strict=True)))
        known = known.after(known.run(k, seen[s][0], noise**2 + scale**2 * seen[s][1]))
        before += gain
        taken = np.vstack([taken, points[k]])
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


def covariance_of(points: Array, scale: float, length: float, here: Place) -> Array:
    """Covariance [C, C] of what the target's costs have that those at the fit's size have not."""
    variance = scale**2 * max(1 / here.agreement**2 - 1, 0.0)
    square = ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    apart = np.sqrt(3 * square) / max(length, APART)
    return np.asarray(variance * (1 + apart) * np.exp(-apart))


@dataclass(frozen=True, slots=True)
class Run:
    """One imagined run: `residual` [Q, B] of its outcome in every world, `variance` of that, and by
    how much the target's costs move per unit of residual, `gain` [C]; `part` of D that it shows.
    """

    residual: Array
    variance: float
    gain: Array
    part: float

    @property
    def log_likelihood(self) -> Array:
        """Of every world under every outcome, up to a constant: [Q, B]."""
        return np.asarray(-(self.residual**2) / (2 * self.variance))


@dataclass(frozen=True, slots=True)
class Known:
    """What imagined outcomes have taught: `log_weights` [Q, B] of worlds, and inside each world the
    mean `shift` [Q, B, C] and `covariance` [C, C] of D.

    `costs` [B, C] of candidates, `drawn` [Q] worlds that are true in turn, `luck` [Q, C] standard
    normal: the same for every candidate.
    """

    costs: Array
    covariance: Array
    log_weights: Array
    shift: Array
    drawn: Array
    luck: Array

    @classmethod
    def before(cls, costs: Array, covariance: Array) -> "Known":
        """Nothing seen yet; every so many-th world is true in turn."""
        drawn = np.unique(np.linspace(0, len(costs) - 1, OUTCOMES).round().astype(int))
        luck = np.random.default_rng(0).standard_normal((len(drawn), costs.shape[1]))
        shift = np.zeros((len(drawn), *costs.shape))
        return cls(costs, covariance, np.zeros(shift.shape[:2]), shift, drawn, luck)

    def run(self, candidate: int, part: float, variance: float) -> Run:
        """A run of a candidate that shows `part` of D and has that variance about it."""
        column = part * self.covariance[:, candidate]
        tiny = (1e-12 * max(float(np.abs(self.costs).max()), 1e-12)) ** 2
        total = max(variance + part * float(column[candidate]), tiny)
        mean = self.costs[:, candidate] + part * self.shift[:, :, candidate]
        seen = (
            mean[np.arange(len(self.drawn)), self.drawn] + np.sqrt(total) * self.luck[:, candidate]
        )
        return Run(seen[:, None] - mean, total, column / total, part)

    def after(self, run: Run) -> "Known":
        """With the outcome of a run known."""
        taught = run.variance * np.outer(run.gain, run.gain)
        return replace(
            self,
            log_weights=self.log_weights + run.log_likelihood,
            shift=self.shift + run.residual[:, :, None] * run.gain,
            covariance=self.covariance - taught,
        )

    def decision_value(self, decided: Array, run: Run) -> float:
        """Mean over outcomes of the least expected cost at the target: `decided` [B, C].

        Expectations are taken with the mean weight of a world over outcomes brought back to 1 / B
        and the mean of D to 0, so that seeing something never looks worse than seeing nothing for
        lack of outcomes.
        """
        weights = softmax(self.log_weights + run.log_likelihood)
        bias = (1 / len(decided) - weights.mean(axis=0)) @ decided
        moved = (weights * run.residual).sum(axis=1)[:, None] * run.gain
        if self.shift.any():
            moved = moved + np.einsum("qb,qbc->qc", weights, self.shift)
        expected = weights @ decided + bias + moved - moved.mean(axis=0)
        return float(expected.min(axis=1).mean())


def softmax(log_weights: Array) -> Array:
    """Weights [Q, B] that sum to one in every row."""
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def columns(names: Sequence[str]) -> dict[str, type[pl.DataType]]:
    """Columns of the table of next runs for these sources."""
    own: dict[str, type[pl.DataType]] = {"run": pl.String, "size": pl.String, "tokens": pl.Int64}
    figures = ("minutes", "expected_gain", "per_minute", "spread")
    return own | dict.fromkeys(figures, pl.Float64) | dict.fromkeys(names, pl.Float64)
