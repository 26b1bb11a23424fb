"""The four questions of the signal gate, each answered for one metric.

Passed or failed on the value, "not measured" with the run that would settle it where the evidence
is too thin; `gate` says where the limits come from. Only rank stability fails by its interval: a
handful of mixtures that lie close may change places by noise alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf, isfinite
from typing import Any, Final

import polars as pl

from lab.core.errors import ConfigError
from lab.core.estimate import Estimate
from lab.evaluation.statistics import signal as of

PASSED, FAILED, UNKNOWN = "passed", "failed", "not measured"
QUESTIONS = ("signal to noise", "monotonicity", "distance from chance", "rank stability")
LEAST_FREEDOM: Final = 3
LEAST_MIXTURES: Final = 3
LEAST_POINTS: Final = 4
LEAST_RANKED: Final = 6


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What each question asks for; `last` is the share of training from which checkpoints count."""

    snr: float = 5.0
    monotonicity: float = 0.5
    chance: float = 3.0  # SD
    ranks: float = 0.6  # Kendall's tau
    last: float = 0.9

    def __post_init__(self) -> None:
        """ConfigError for a value that no score can be held against."""
        limits = {"snr": 1e9, "monotonicity": 1.0, "chance": 1e9, "ranks": 1.0, "last": 1.0}
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= limits[field.name]:
                raise ConfigError(
                    f"Threshold {field.name!r} is out of range.",
                    where="signal gate",
                    value=value,
                    next_step=f"give a number from 0 to {limits[field.name]:g}",
                )


DEFAULT = Thresholds()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question about one metric; `settle` says which run would answer an open one."""

    name: str
    state: str  # passed, failed, not measured
    value: float | None
    low: float | None
    high: float | None
    threshold: float
    reason: str
    settle: str = ""


def usable_noise(seeds: of.Noise | None, late: of.Noise | None) -> of.Noise | None:
    """The larger noise of those with enough degrees of freedom: every question takes this one."""
    known = [n if n is not None and n.df >= LEAST_FREEDOM else None for n in (seeds, late)]
    return of.larger(*known)


def signal_criterion(
    groups: Sequence[of.Array],
    have: int,
    noise: of.Noise | None,
    limits: Thresholds,
    settle: Mapping[str, str],
) -> Criterion:
    """Can these mixtures be told apart? Noise of checkpoints alone can say no, but not yes.

    `have`: degrees of freedom from seeds; `noise` as `usable_noise` chooses it.
    """
    name, least = "signal to noise", limits.snr

    def unknown(reason: str, run: str) -> Criterion:
        return Criterion(name, UNKNOWN, None, None, None, least, reason, settle[run])

    if noise is None:
        return unknown(f"noise unknown: {have} degrees of freedom, {LEAST_FREEDOM} needed", "noise")
    if len(groups) < LEAST_MIXTURES:
        return unknown(
            f"{len(groups)} mixtures: {LEAST_MIXTURES} needed to see a spread", "mixtures"
        )
    found = of.signal_to_noise(groups, noise)
    if found.value == inf:
        return unknown("repeats agree to the last digit: these are copies, not repeats", "noise")
    if have < LEAST_FREEDOM and found.value >= least:
        at_most = f"signal to noise at most {found.value:.2g}, by checkpoints"
        return unknown(f"{at_most}: {have} degrees of freedom from seeds", "noise")
    state = PASSED if found.value >= least else FAILED
    return Criterion(
        name, state, found.value, found.low, finite(found.high), least,
        signal_words(found, least), narrow(found, least, settle["noise"]),
    )  # fmt: skip


def signal_words(found: Estimate, least: float) -> str:
    """Signal to noise with its interval, and that it is too small."""
    if found.value == 0:
        return "mixtures differ by no more than repeats of one"
    text = f"signal to noise {found.value:.2g} [{found.low:.2g}, {found.high:.2g}]"
    return text if found.value >= least else f"{text}, below {least:g}"


def narrow(found: Estimate, least: float, run: str) -> str:
    """What would narrow an interval that holds the threshold; empty otherwise."""
    if not found.low < least < found.high:
        return ""
    return f"its interval holds {least:g}, more repeats would narrow it: {run}"


def monotone_criterion(
    curves: Sequence[of.Curve], limits: Thresholds, settle: Mapping[str, str]
) -> Criterion:
    """Does it improve while a model trains?"""
    name, least = "monotonicity", limits.monotonicity
    found = of.monotonicity(curves, LEAST_POINTS)
    if found is None:
        reason = f"no run has scores of {LEAST_POINTS} checkpoints"
        return Criterion(name, UNKNOWN, None, None, None, least, reason, settle["snapshots"])
    state = PASSED if found.value >= least else FAILED
    text = f"monotonicity {found.value:.2f} over {found.n} runs of the better mixtures"
    text += "" if state == PASSED else f", below {least:g}: it does not improve with training"
    return Criterion(name, state, found.value, found.low, found.high, least, text)


def chance_criterion(
    groups: Sequence[of.Array],
    noise: of.Noise | None,
    first: Mapping[str, Any],
    limits: Thresholds,
) -> Criterion:
    """Does the best mixture do better than guess? Without usable noise, by the SD of a guess."""
    found, sd = of.chance_distance(groups, noise, first["chance"], first["n"])
    state = PASSED if found >= limits.chance else FAILED
    text = f"best mixture {found:+.1f} SD of {sd:.3f} from chance ({first['chance']:.3f})"
    text += "" if state == PASSED else f", below {limits.chance:g}"
    return Criterion("distance from chance", state, found, None, None, limits.chance, text)


def rank_criterion(
    final: pl.DataFrame, others: pl.DataFrame, limits: Thresholds, settle: Mapping[str, str]
) -> Criterion:
    """Do mixtures rank alike at the other size that has most of them?"""
    name, least = "rank stability", limits.ranks
    elsewhere = others.filter(pl.col("share") == 1)
    best: tuple[int, str, pl.DataFrame] | None = None
    for (size, _), part in elsewhere.group_by("size", "tokens", maintain_order=True):
        both = mixture_means(final).join(mixture_means(part), on="recipe_id", suffix="_there")
        if best is None or both.height > best[0]:
            best = (both.height, str(size), both)
    if best is None or best[0] < LEAST_RANKED:
        have = best[0] if best else 0
        reason = f"{have} mixtures at a second size, {LEAST_RANKED} needed"
        return Criterion(name, UNKNOWN, None, None, None, least, reason, settle["sizes"])
    found = of.rank_stability(best[2]["value"].to_numpy(), best[2]["value_there"].to_numpy())
    text = f"tau {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] to {best[1]}"
    if found.high < least:
        text += f", below {least:g}: another order at another size"
        return Criterion(name, FAILED, found.value, found.low, found.high, least, text)
    state = PASSED if found.value >= least else UNKNOWN
    more = "" if state == PASSED else "more mixtures at both sizes"
    return Criterion(name, state, found.value, found.low, found.high, least, text, more)


def mixture_means(final: pl.DataFrame) -> pl.DataFrame:
    """recipe_id and mean value of its repeats."""
    return final.group_by("recipe_id", maintain_order=True).agg(pl.col("value").mean())


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if isfinite(value) else None
