"""Thresholds that data suggest: k standard deviations, and what a trusted source does not contain.

**k sigma** (Data-Juicer's 3-sigma recipes, Chen et al. 2023, arXiv:2309.02033): keep mean +- k sd
of the source at hand. It knows nothing of quality, takes the source itself for the norm, and on the
skewed signals that text has cuts one tail only; it is a way to find outliers.

**Reference corpus** (FineWeb's method, Penedo et al. 2024, arXiv:2406.17557, section 3.6): lay the
histogram of a trusted source beside the pool's and cut where the pool dominates. Per signal:

    distance   1-D Wasserstein distance of the two token distributions, values clipped to the range
               a histogram draws and divided by the pooled interquartile range (the standard
               deviation where that is 0), so that signals in different units can be ranked
    cut        on either side, the histogram edge with the largest (share of the pool's tokens
               beyond it) - `ratio` x (share of the reference's), which is where the two densities
               cross that ratio, among the edges that cost at most `loss` of the reference

A suggestion is a candidate for a proxy run, not a finding: FineWeb tried sixteen and kept three.
Shares come with 95 % intervals (Wilson 1927, for Kish's effective number of documents (sum t)^2 /
sum t^2, because a few long documents hold much of the tokens). The cut was chosen on the same
documents, so the intervals are a little too narrow. Cost: one sort a signal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.curation.effect.distribution import histogram, inner_range
from lab.curation.filters.measured import check_measured
from lab.curation.filters.rule import Rule

Side = Literal["min", "max"]
LOSS = 0.05  # share of the reference's tokens that a cut may cost
RATIO = 2.0  # how much more of the pool than of the reference a cut must remove
BINS = 50
DIGITS = 4  # significant digits of a suggested threshold
Z = 1.959963984540054  # 97.5 % point of the normal distribution


@dataclass(frozen=True, slots=True)
class Share:
    """A share of tokens with its 95 % interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One signal: how far pool and reference are apart, and the cut that the difference suggests.

    `rule` is None if no cut removes enough of the pool at so small a loss; then both shares are 0.
    """

    signal: str
    distance: float  # in pooled interquartile ranges
    rule: Rule | None
    pool: Share  # removed of the pool's tokens
    reference: Share  # removed of the reference's tokens


def written(value: float, side: Side) -> float:
    """A threshold of `DIGITS` significant digits, rounded so that it drops no document more: what
    is shown is then what is stored, and a sample resolves no finer.
    """
    if value == 0 or not math.isfinite(value):
        return value
    exact = Decimal(value)
    last = Decimal(1).scaleb(exact.adjusted() - DIGITS + 1)
    way = ROUND_FLOOR if side == "min" else ROUND_CEILING
    return float((exact / last).to_integral_value(way) * last)


def k_sigma(frame: pl.DataFrame, signals: Sequence[str], k: float = 3.0) -> tuple[Rule, ...]:
    """Rules mean - k sd <= value <= mean + k sd over the documents of `frame`, one source's.

    A side beyond the observed range is left out, since it drops nothing, and so is a rule without
    sides. Standard deviations are those of the population. Raises what `check_measured` raises.
    """
    rules = []
    for signal in signals:
        check_measured(frame, Rule(signal))
        values = frame[signal].cast(pl.Float64).to_numpy()
        if values.size == 0:
            continue
        middle, reach = float(values.mean()), k * float(values.std())
        floor, roof = written(middle - reach, "min"), written(middle + reach, "max")
        low = floor if floor > values.min() else None
        high = roof if roof < values.max() else None
        if low is not None or high is not None:
            rules.append(Rule(signal, low, high))
    return tuple(rules)


def reference_cuts(
    pool: pl.DataFrame,
    reference: pl.DataFrame,
    signals: Sequence[str],
    loss: float = LOSS,
    ratio: float = RATIO,
    bins: int = BINS,
) -> list[Suggestion]:
    """Suggestions for `signals`, those furthest apart first (ties by name).

    pool, reference: tokens and the signals of training documents. Raises what `check_measured`
    raises.
    """
    found = []
    for signal in signals:
        both = []
        for name, frame in (("pool", pool), ("reference", reference)):
            check_measured(frame, Rule(signal))
            named = (pl.lit(name).alias("source"), pl.col("tokens").cast(pl.Int64))
            both.append(frame.select(*named, pl.col(signal).cast(pl.Float64)))
        found.append(suggest(pl.concat(both), signal, (loss, ratio), bins))
    return sorted(found, key=lambda s: (-s.distance, s.signal))


def suggest(frame: pl.DataFrame, signal: str, limits: tuple[float, float], bins: int) -> Suggestion:
    """The suggestion for one signal; `frame` has the sources pool and reference."""
    pool, reference = (frame.filter(source=name) for name in ("pool", "reference"))
    distance = normalised_distance(pool, reference, signal)
    cuts = [cut for side in ("min", "max") if (cut := best_cut(frame, signal, side, limits, bins))]
    written_cuts = [(written(t, side), side) for t, side in cuts]
    rules = [Rule(signal, t) if side == "min" else Rule(signal, max=t) for t, side in written_cuts]
    scored = [(removed(pool, rule), removed(reference, rule), rule) for rule in rules]
    if not scored:
        return Suggestion(signal, distance, None, Share(0, 0, 0), Share(0, 0, 0))
    gone, lost, rule = max(scored, key=lambda s: s[0].share)
    return Suggestion(signal, distance, rule, gone, lost)


def best_cut(
    frame: pl.DataFrame, signal: str, side: Side, limits: tuple[float, float], bins: int
) -> tuple[float, Side] | None:
    """The edge beyond which, on `side`, the pool most exceeds the reference, or None."""
    loss, ratio = limits
    drawn = histogram(frame, signal, bins)
    below = side == "min"
    shares = []
    for source in ("pool", "reference"):
        tails = drawn.outside(source)
        heights = np.concatenate([[tails[0]], drawn.heights(source), [tails[1]]])
        shares.append(heights / max(heights.sum(), 1))
    pool, reference = (s if below else s[::-1] for s in shares)
    # beyond edge k lie the bins 0..k, the first of them being the tail outside the histogram
    gone, lost = np.cumsum(pool)[:-1], np.cumsum(reference)[:-1]
    gain = np.where(lost <= loss, gone - ratio * lost, 0.0)
    if gain.max() <= 0:
        return None
    edge = (drawn.edges if below else drawn.edges[::-1])[int(gain.argmax())]
    if below:
        return edge, side
    # bins are closed at the left: `max` is the highest value that lies below the edge
    highest = frame.filter(pl.col(signal) < edge)[signal].max()
    return (float(highest), side) if isinstance(highest, float) else None


def removed(frame: pl.DataFrame, rule: Rule) -> Share:
    """The share of tokens that a rule with one bound removes."""
    values, tokens = frame[rule.signal].to_numpy(), frame["tokens"].cast(pl.Float64).to_numpy()
    fails = values < rule.min if rule.min is not None else values > (rule.max or 0.0)
    return token_share(fails, tokens)


def token_share(hit: NDArray[np.bool_], tokens: NDArray[np.float64]) -> Share:
    """Share of `tokens` in documents that are `hit`, with its Wilson interval."""
    total = float(tokens.sum())
    if total == 0:
        return Share(0.0, 0.0, 1.0)
    p = float(tokens[hit].sum()) / total
    n = total**2 / float((tokens**2).sum())
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return Share(p, float(max(0.0, middle - reach)), float(min(1.0, middle + reach)))


def normalised_distance(pool: pl.DataFrame, reference: pl.DataFrame, signal: str) -> float:
    """Wasserstein distance of two token distributions in units of their pooled spread."""
    from scipy.stats import wasserstein_distance  # half a second to import

    values = [frame[signal].to_numpy() for frame in (pool, reference)]
    weights = [frame["tokens"].cast(pl.Float64).to_numpy() for frame in (pool, reference)]
    if any(w.sum() == 0 for w in weights):
        return 0.0
    both = np.concatenate(values)
    low, high = inner_range(both)
    clipped = [np.clip(v, low, high) for v in values]
    quarter, three = np.quantile(both, [0.25, 0.75])
    spread = float(three - quarter) or float(np.clip(both, low, high).std())
    return float(wasserstein_distance(*clipped, *weights)) / spread if spread else 0.0
