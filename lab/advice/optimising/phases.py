"""Weights by phase: what runs can say about order, and when they cannot.

A law fitted on shares of the whole run, r_i = sum_k s_k w_ik, predicts the same for every order
with the same totals, so it says nothing about phases, however well it fits: asked for per-phase
weights it must refuse. Where runs did vary the weights of phases apart from each other, every
source in every phase is a source of its own,

    z_ki = s_k w_ki,    sum_i z_ki = s_k  for every phase k

and the same laws are fitted on z (columns PHASE:SOURCE of the ratios; Marin's swarms over domain x
phase are fitted so, marin-community/marin#2398). The optimum lies in a product of simplices, with
caps on r_i over all phases as linear constraints. Beside it stands the best mixture that is the
same in all phases under the same fit: the difference is what order is worth, with its odds.

Where it fails: twice the sources need twice the runs (3 (m + 1) with m = phases x sources). The
shares of the phases must be those of the runs; another split was not tried. A law of this form has
no memory of what came before: effects of a phase are added up inside the law, and learning rates
that differ between proxy and real run move what an anneal is worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.fitting.bootstrap import REPLICATES, bootstrap
from lab.advice.fitting.fit import Fit
from lab.advice.optimising.optimise import optimum, require_reference
from lab.advice.optimising.outlook import SURE, Outlook, gain_estimate, odds, outlook, skill
from lab.advice.optimising.problem import Problem
from lab.advice.optimising.region import Region, simplex
from lab.advice.optimising.response import Response
from lab.advice.optimising.settings import blend_of, weight_estimates
from lab.advice.simplex import Array, distribution, vector
from lab.core.errors import ConfigError
from lab.core.estimate import Estimate

SEPARATOR = ":"
SAME = 1e-3  # largest difference of weights between phases that is none


@dataclass(frozen=True, slots=True)
class Phases:
    """`names` and `shares` of phases, and the columns [phases, sources] of the fit."""

    names: tuple[str, ...]
    shares: tuple[float, ...]
    sources: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PhaseAdvice:
    """`weights`: phase -> source -> Estimate, each phase summing to one; `gain` over natural in all
    phases; `tied`: the best mixture that is the same in all; `order`: what the phases gain on it.
    `verdict` says of the order: better or unresolved.
    """

    verdict: str
    p_order: float
    weights: Mapping[str, Mapping[str, Estimate]]
    tied: Mapping[str, float]
    gain: Estimate
    order: Estimate


@dataclass(frozen=True, slots=True)
class Tied:
    """A response over mixtures w [s] that are the same in all phases: z = w @ `spread` [s, m]."""

    inner: Response
    spread: Array

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
        """As the inner one."""
        return self.inner.convex

    def predict(self, weights: Array) -> Array:
        """[n, s] -> [B, n, T]."""
        return self.inner.predict(weights @ self.spread)

    def each(self, points: Array) -> tuple[Array, Array]:
        """[B, s] -> cost [B, T], slope [B, T, s]."""
        cost, slope = self.inner.each(points @ self.spread)
        return cost, slope @ self.spread.T

    def at(self, points: Array, blend: Array) -> tuple[Array, Array]:
        """Metrics weighed by `blend`."""
        cost, slope = self.each(points)
        return cost @ blend, np.einsum("t,btm->bm", blend, slope)

    def only(self, metrics: Sequence[int]) -> "Tied":
        """Some metrics."""
        return Tied(self.inner.only(metrics), self.spread)

    def first(self, replicates: int) -> "Tied":
        """The first so many replicates."""
        return Tied(self.inner.first(replicates), self.spread)


Parts = Sequence[tuple[str, float, Mapping[str, float]]]  # phase, share, weights


def phase_ratios(runs: Mapping[str, Parts]) -> pl.DataFrame:
    """Ratios with a column PHASE:SOURCE of every run: run -> its phases in order."""
    rows = [
        {"run": run}
        | {f"{phase}{SEPARATOR}{s}": share * w for phase, share, ws in parts for s, w in ws.items()}
        for run, parts in runs.items()
    ]
    names = list(dict.fromkeys(name for row in rows for name in row if name != "run"))
    return pl.DataFrame([{"run": row["run"]} | {n: row.get(n, 0.0) for n in names} for row in rows])


def phases_of(fit: Fit) -> Phases:
    """The phases that the runs varied; ConfigError, in words, if they did not."""
    parts = [name.split(SEPARATOR, 1) for name in fit.sources]
    if any(len(part) < 2 for part in parts):
        raise ConfigError(
            "These runs were fitted on shares of the whole run, and such a law predicts the same "
            "for every order of the same totals: it cannot choose weights by phase.",
            where="phases",
            next_step="train runs whose phases differ, and fit columns PHASE:SOURCE",
        )
    names = list(dict.fromkeys(part[0] for part in parts))
    everything = list(dict.fromkeys(part[1] for part in parts))
    index = {name: number for number, name in enumerate(fit.sources)}
    sources = [s for s in everything if all(f"{p}{SEPARATOR}{s}" in index for p in names)]
    if len(names) < 2 or len(sources) < len(everything):
        raise ConfigError(
            "Every source must have been used in every one of two phases or more.",
            where="phases",
            value={"phases": names, "not in all": [s for s in everything if s not in sources]},
            next_step="train runs that use it there, or leave it out",
        )
    columns = tuple(tuple(index[f"{p}{SEPARATOR}{s}"] for s in sources) for p in names)
    held = np.stack([fit.weights[:, list(block)].sum(axis=1) for block in columns], axis=1)
    if np.ptp(held, axis=0).max() > SAME:
        raise ConfigError(
            "The runs gave their phases different shares of training.",
            where="phases",
            value=dict(zip(names, np.ptp(held, axis=0).round(4).tolist(), strict=True)),
            next_step="fit runs of one split only",
        )
    shares = held.mean(axis=0)
    weights = [fit.weights[:, list(b)] / s for b, s in zip(columns, shares, strict=True)]
    if max(np.abs(other - weights[0]).max() for other in weights[1:]) <= SAME:
        raise ConfigError(
            "No run varied the weights between its phases, so the runs cannot say what order is "
            "worth.",
            where="phases",
            next_step="train runs whose phases differ",
        )
    return Phases(tuple(names), tuple(shares.tolist()), tuple(sources), columns)


def advise_phases(
    fit: Fit,
    natural: Mapping[str, float],
    *,
    caps: Mapping[str, float] | None = None,
    targets: Sequence[str] = (),
    kl: float = 0.05,
    replicates: int = REPLICATES,
    level: float = 0.9,
    seed: int = 0,
) -> PhaseAdvice:
    """Weights for every phase; `natural` and `caps` (of the whole run) are by source.

    ConfigError if the runs did not vary phases, and as `advise`.
    """
    phases, blend = phases_of(fit), blend_of(fit, targets)
    base = distribution(natural, phases.sources, "natural")
    require_reference(base, kl, phases.sources)
    limits = np.minimum(vector(caps or {}, phases.sources, "caps", 1.0), 1.0)
    spread = spreading(phases, len(fit.sources))
    posterior = bootstrap(fit, replicates, seed)
    apart = [phased(r, blend, base, limits, kl, phases, spread) for r in (fit.surface, posterior)]
    whole = simplex(limits, phases.sources, base)
    same = [Problem(Tied(r, spread), blend, base, whole, kl) for r in (fit.surface, posterior)]
    free, each = (optimum(problem, seed).mixtures for problem in apart)
    tied, tied_each = (optimum(problem, seed).mixtures for problem in same)
    worlds = outlook(fit.surface, posterior, base @ spread, free[0], each)
    flat = outlook(fit.surface, posterior, base @ spread, tied[0] @ spread, tied_each @ spread)
    order = Outlook(flat.proposal, worlds.proposal)
    chance = odds(order.gains(blend), skill(fit, blend) > 0)
    estimates = {
        name: weight_estimates(
            *(phases.sources, free[0][list(block)] / share, each[:, list(block)] / share),
            *(level, len(fit.runs)),
        )
        for name, block, share in zip(phases.names, phases.columns, phases.shares, strict=True)
    }
    return PhaseAdvice(
        "better" if chance >= SURE else "unresolved",
        chance,
        estimates,
        dict(zip(phases.sources, tied[0].tolist(), strict=True)),
        gain_estimate(worlds, blend, level, len(fit.runs)),
        gain_estimate(order, blend, level, len(fit.runs)),
    )


def spreading(phases: Phases, columns: int) -> Array:
    """z of a mixture that is the same in all phases, as a matrix [s, m]."""
    spread = np.zeros((len(phases.sources), columns))
    for block, share in zip(phases.columns, phases.shares, strict=True):
        spread[np.arange(len(block)), list(block)] = share
    return spread


def phased(
    response: Response,
    blend: Array,
    base: Array,
    limits: Array,
    kl: float,
    phases: Phases,
    spread: Array,
) -> Problem:
    """The problem over z: one simplex a phase, caps on the whole run as linear constraints."""
    held = np.flatnonzero(limits < 1)
    simplex(limits, phases.sources, base)  # refuses caps that no mixture fits
    region = Region(np.ones(spread.shape[1]), phases.columns, phases.shares)
    rows = (spread > 0).astype(np.float64)[held]
    return Problem(
        *(response, blend, base @ spread, region, kl),
        bounds=np.zeros((response.replicates, 0)),
        rows=rows,
        most=limits[held],
    )
