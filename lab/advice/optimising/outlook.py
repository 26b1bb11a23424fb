"""What a proposal will do, once the optimism of having chosen it is taken off.

The mixture that a fit likes best is also the one whose prediction errs most in its favour (the
winner's curse). So the bootstrap repeats the choice: in replicate b the fit plays the truth, the
replicate plays the fit and chooses p_b, and the error of its own prediction there is known,

    e_b = fit(p_b) - replicate_b(p_b)        and for the natural mixture, which nobody chose,
    e_b = fit(natural) - replicate_b(natural).

Corrected predictions are fit(p) + e_b, a distribution over b (basic bootstrap; optimism as in
Efron 1983). Their medians are the values shown, their quantiles the intervals.

Measured on planted worlds (one log-linear metric, 3 or 7 sources, 6 to 64 runs, 60 worlds each).
Where mixtures made no difference it claimed a gain in 2-7 % of worlds; a fit taken at its word does
so in 23-75 %. Where the mean gain was like the noise of a run, or more, claims were right in 85-100
%; where it was a tenth of that few were made, and 40-80 % of them were right. The gain's 90 %
intervals held the truth in 65-98 %: too narrow, and the gain up to 1.8 times too high, where noise
is like the effect, because the fit that plays the truth is itself more curved than the truth.

Runs needed to resolve a gain follow from its error shrinking with the root of the number of runs:
K (1.28 s / g)^2 - K for a gain g with standard error s.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.fitting.fit import Fit
from lab.advice.optimising.response import Response
from lab.advice.simplex import Array, variation
from lab.core.estimate import Estimate

SURE = 0.9
DEVIATIONS = 1.2816  # of a normal variable that is positive with probability .9
SAME = 0.005  # total variation below which a proposal is the natural mixture
MOST = 9  # times the runs there are: a gain that needs more is too small to be worth resolving


@dataclass(frozen=True, slots=True)
class Outlook:
    """Corrected costs of every metric in B worlds, [B, T], for two mixtures."""

    natural: Array
    proposal: Array

    def gains(self, blend: Array) -> Array:
        """Blended gain of the proposal over natural in every world, [B]; positive is better."""
        return np.asarray((self.natural - self.proposal) @ blend)


def outlook(
    surface: Response, posterior: Response, natural: Array, proposal: Array, optima: Array
) -> Outlook:
    """Corrected costs; `optima` [B, m] are the mixtures that the replicates chose."""
    value = surface.predict(proposal[None, :])[0, 0]
    own = posterior.each(optima)[0]
    chosen = value + surface.predict(optima)[0] - own
    return Outlook(foreseen(surface, posterior, natural[None, :])[:, 0], chosen)


def foreseen(surface: Response, posterior: Response, mixtures: Array) -> Array:
    """Corrected costs of mixtures [n, m] that the fit did not choose: [B, n, T]."""
    return np.asarray(2 * surface.predict(mixtures) - posterior.predict(mixtures))


def interval(values: Array, level: float) -> tuple[Array, Array]:
    """Central interval over the first axis."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray(low), np.asarray(high)


def gain_estimate(worlds: Outlook, blend: Array, level: float, runs: int) -> Estimate:
    """The gain over natural, positive is better, in the targets' unit."""
    low, high = interval(worlds.gains(blend), level)
    value = (np.median(worlds.natural, axis=0) - np.median(worlds.proposal, axis=0)) @ blend
    return Estimate(float(value), float(low), float(high), n=runs, level=level)


def skill(fit: Fit, blend: Array) -> float:
    """1 - squared error / variance of the target on held-out runs; 0 is knowing its mean."""
    cost = fit.costs @ blend
    return float(1 - np.mean((fit.heldout @ blend - cost) ** 2) / cost.var())


def judge(
    worlds: Outlook, blend: Array, natural: Array, proposal: Array, fit: Fit
) -> tuple[str, float, int]:
    """(better, unresolved or same; odds of better; runs that would probably resolve it).

    A fit without skill, which predicts held-out runs no better than their mean does, supports no
    choice: the odds are even then, and as many runs again are asked for.
    """
    gains, runs = worlds.gains(blend), len(fit.runs)
    odds = float((gains > 0).mean())
    if float(variation(natural[None, :], proposal[None, :])[0, 0]) < SAME:
        return "same", odds, 0
    if skill(fit, blend) <= 0:
        return "unresolved", 0.5, runs
    if odds >= SURE:
        return "better", odds, 0
    low, value, high = np.quantile(gains, [0.16, 0.5, 0.84])
    ratio = DEVIATIONS * (high - low) / 2 / max(float(value), 1e-12)
    more = np.ceil(runs * min(ratio**2 - 1, float(MOST)))
    return "unresolved", odds, int(max(more, 1))


def blind(fit: Fit, blend: Array) -> list[str]:
    """A note if the fit has no skill for what it is asked."""
    if skill(fit, blend) > 0:
        return []
    return [
        "The fit predicts the target of runs it has not seen no better than their mean does: trust "
        "neither its gain nor its intervals."
    ]


def odds(gains: Array, skilled: bool) -> float:
    """Share of worlds with a gain; even if the fit has no skill."""
    return float((gains > 0).mean()) if skilled else 0.5


def score_rows(fit: Fit, worlds: Outlook, level: float, current: Array | None) -> pl.DataFrame:
    """Per metric: natural, proposal and gain (positive is better), each with low and high, p_better
    than natural; and `current` with low and high if its corrected costs [B, T] are given.
    """
    gain = worlds.natural - worlds.proposal
    columns: dict[str, object] = {
        "metric": list(fit.metrics),
        "better": ["lower" if sign > 0 else "higher" for sign in fit.signs],
        "p_better": (gain > 0).mean(axis=0),
    }
    parts = {"natural": worlds.natural * fit.signs, "proposal": worlds.proposal * fit.signs}
    parts |= {"current": current * fit.signs} if current is not None else {}
    for name, values in (parts | {"gain": gain}).items():
        low, high = interval(values, level)
        columns |= {name: np.median(values, axis=0), f"{name}_low": low, f"{name}_high": high}
    columns["gain"] = np.median(worlds.natural, axis=0) - np.median(worlds.proposal, axis=0)
    return pl.DataFrame(columns)
