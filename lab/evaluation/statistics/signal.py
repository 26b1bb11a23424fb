"""Signal and noise of one metric over runs: the statistics, from arrays alone.

**Noise** is what would come out otherwise if the same mixture were trained again. Two sources, and
never a third:

    seeds        s^2 = sum_j sum_k (y_jk - y_j.)^2 / sum_j (n_j - 1)     repeats k of mixture j
    checkpoints  s^2 = sum of squared residuals from each run's own line over its last checkpoints
                       / sum of (checkpoints - 2)

The spread *between* mixtures is what one wants to see and never counts as noise: the table in the
README of Signal and Noise divides by an SD that was taken across mixes (`snr_simple.py` flattens
both axes), which gives 2.9-5.8 for every benchmark, pure noise included; its `snr_variants.py` uses
the noise within a mix, as here. Training noise contains the jitter of checkpoints, so a seed noise
below the checkpoint noise is luck of few repeats: the larger of the two is used.

**Signal** is the SD that the means of mixtures would have without noise. Each mean carries noise of
its own, so the variance of means is too large by it (analysis of variance, unweighted means;
Searle 1971, ch. 11):

    signal^2 = max(0, var_j(y_j.) - h s^2),    h = mean_j(1/n_j)        SNR = signal / s

Signal and Noise (Heineman et al. 2025, arXiv:2508.13144) takes (max - min)/mean over SD/mean. That
ratio grows with the number of mixtures (pure noise: 1.1 for 2, 3.3 for 12, 5.0 for 100) and is not
corrected; `range_to_noise` is theirs, for comparison with their tables. Without the correction, the
SD ratio of pure noise would be 1 rather than 0, as in marin-community's table, whose bands give the
threshold: above 5 a law can be fitted, below 2 it should not be (SNR 5 here is 5.1 there).

**Interval** of the SNR: var_j / (h s^2) is (1 + SNR^2/h) times F with M - 1 and df degrees of
freedom, exactly for equal n_j and normal scores (Burdick and Graybill 1992, ch. 4).

**Where it fails.** Designed mixtures are no random sample, so the SNR is that of *these* mixtures:
a narrower set has less. Runs of one seed share weights and document order; that shared part counts
as noise but cancels between mixtures, so the SNR is then too low rather than too high. Under a
learning rate that decays to zero, neighbouring checkpoints hardly differ: checkpoint noise is a
lower bound. Scores of few repeats have few degrees of freedom; read the interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from lab.core.estimate import Estimate
from lab.evaluation.statistics.noise import LEVEL

Array = NDArray[np.float64]
UPPER = (1 + LEVEL) / 2
ROUNDING = 0.01  # snapshots lie on whole steps: .9 of 117 is step 105, a share of .897


@dataclass(frozen=True, slots=True)
class Noise:
    """A standard deviation with its degrees of freedom and interval (chi-square)."""

    sd: float
    df: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One run over training: `share` of its steps and the score there, the finished model last."""

    share: Array
    score: Array


def noise_of(squares: float, df: int) -> Noise | None:
    """The noise of a sum of squares; None without a degree of freedom."""
    from scipy.stats import chi2

    if df < 1:
        return None
    low, high = (sqrt(squares / chi2.ppf(q, df)) for q in (UPPER, 1 - UPPER))
    return Noise(sqrt(squares / df), df, low, high)


def seed_noise(groups: Sequence[Array]) -> Noise | None:
    """Noise within mixtures; `groups` holds the scores of each mixture's repeats."""
    squares = sum(float(((scores - scores.mean()) ** 2).sum()) for scores in groups)
    return noise_of(squares, sum(len(scores) - 1 for scores in groups))


def checkpoint_noise(curves: Sequence[Curve], last: float) -> Noise | None:
    """Noise about each run's own line over its checkpoints from share `last` of training on."""
    squares, df = 0.0, 0
    for curve in curves:
        late = curve.share >= last - ROUNDING
        if late.sum() > 2:
            x, y = curve.share[late], curve.score[late]
            line = np.polynomial.polynomial.polyfit(x, y, 1)
            rest = y - np.polynomial.polynomial.polyval(x, line)
            squares, df = squares + float((rest**2).sum()), df + int(late.sum()) - 2
    return noise_of(squares, df)


def larger(first: Noise | None, second: Noise | None) -> Noise | None:
    """The larger of two noises, of those that are known."""
    known = [noise for noise in (first, second) if noise is not None]
    return max(known, key=lambda noise: noise.sd) if known else None


def signal(groups: Sequence[Array], noise: Noise) -> float:
    """SD between mixtures, corrected for the noise of their means; at least two mixtures."""
    spread, part = spread_of(groups)
    return sqrt(max(spread - part * noise.sd**2, 0.0))


def spread_of(groups: Sequence[Array]) -> tuple[float, float]:
    """(variance of the mixtures' means, mean of 1/n over mixtures)."""
    means = np.array([scores.mean() for scores in groups])
    return float(means.var(ddof=1)), float(np.mean([1 / len(scores) for scores in groups]))


def signal_to_noise(groups: Sequence[Array], noise: Noise) -> Estimate:
    """SNR with its interval; infinite where repeats agree to the last bit and mixtures do not."""
    from scipy.stats import f

    spread, part = spread_of(groups)
    runs = sum(map(len, groups))
    if noise.sd == 0:
        value = inf if spread > 0 else 0.0
        return Estimate(value, 0.0, inf, runs)
    ratio = spread / (part * noise.sd**2)
    freedom = (len(groups) - 1, noise.df)
    low, high = (
        sqrt(max(part * (ratio / f.ppf(q, *freedom) - 1), 0.0)) for q in (UPPER, 1 - UPPER)
    )
    return Estimate(sqrt(max(part * (ratio - 1), 0.0)), low, high, runs)


def range_to_noise(groups: Sequence[Array], noise: Noise) -> float:
    """(Best mean - worst mean) / noise: the ratio of Signal and Noise, uncorrected."""
    means = [float(scores.mean()) for scores in groups]
    gap = max(means) - min(means)
    return gap / noise.sd if noise.sd > 0 else (inf if gap > 0 else 0.0)


def monotonicity(curves: Sequence[Curve], points: int) -> Estimate | None:
    """Mean over runs of Spearman(step, score), of those with at least `points` checkpoints.

    FineTasks' measure (Kydlicek et al. 2024). `score` must be better when larger; a run whose
    scores are all alike counts as 0. The interval is that of a mean over runs.
    """
    from scipy.special import stdtrit
    from scipy.stats import spearmanr

    long = [curve for curve in curves if len(curve.share) >= points]
    if not long:
        return None
    found = np.array([
        spearmanr(c.share, c.score).statistic if np.ptp(c.score) > 0 else 0.0 for c in long
    ])  # fmt: skip
    value = float(found.mean())
    if len(found) < 2:
        return Estimate(value, -1.0, 1.0, 1)
    half = float(stdtrit(len(found) - 1, UPPER) * found.std(ddof=1) / sqrt(len(found)))
    return Estimate(value, max(value - half, -1.0), min(value + half, 1.0), len(found))


def chance_distance(
    groups: Sequence[Array], noise: Noise | None, chance: float, items: int
) -> tuple[float, float]:
    """((best mean - chance) / SD, SD): how far the best mixture is from guessing.

    A guess over n items has SD sqrt(c (1 - c) / n); training noise may be larger. The larger one
    counts. The best of many mixtures is a chosen value: the best of 64 that all guess lies 2.4 SD
    above chance on average, so the usual limit of 3 leaves little to luck.
    """
    guess = sqrt(chance * (1 - chance) / max(items, 1))
    sd = max(guess, noise.sd if noise else 0.0)
    best = max(float(scores.mean()) for scores in groups)
    return ((best - chance) / sd if sd > 0 else inf), sd


def rank_stability(here: Array, there: Array) -> Estimate:
    """Kendall's tau-b of the means of the same mixtures at two sizes, five or more.

    Interval: z = atanh(tau) with variance 0.437/(M - 4) (Fieller, Hartley and Pearson 1957). It
    takes mixtures as a sample and knows nothing of the noise of each mean; `scale` judges pairs.
    """
    from scipy.stats import kendalltau

    tau = float(kendalltau(here, there).statistic)
    tau = tau if isfinite(tau) else 0.0
    half = 1.959964 * sqrt(0.437 / (len(here) - 4))
    z = np.arctanh(np.clip(tau, -0.999999, 0.999999))
    return Estimate(tau, float(np.tanh(z - half)), float(np.tanh(z + half)), len(here))
