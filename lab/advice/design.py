"""Which mixtures to run, so that a law fitted to them can be trusted.

Anchors first: the natural mixture, the uniform one, what the caller names (the present recipe,
UniMax), and, if they leave half of the runs for the rest, the natural mixture without each source
in turn, since a law learns most about a source from its absence. Then draws as in RegMix and Olmix
(arXiv:2407.01492 and 2602.12237; sail-sg/regmix synthesize_mixture.py): Dirichlet(s prior^temper /
sum), with s one of 15 strengths spaced by ratio, so that a design holds near-corners and
near-centres; shares below `minimum` become zero. Ten times as many are drawn as needed and taken
in order if they keep `APART` from all taken before, which RegMix's own rule does not see to: it
drops exact twins only.

Rows are multiples of 2^-20: they sum to one exactly, in any order of adding. Needed: 3 (m + 1)
runs for a log-linear law (Olmix, figure on swarm size); repeats for noise are the seeds of the
sweep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.simplex import (
    Array,
    distribution,
    fill,
    nearest_distances,
    require_feasible,
    variation,
    vector,
)
from lab.core.errors import ConfigError

STRENGTHS = 15
DRAWS = 10  # candidates per run wanted
APART = 0.05  # total variation between two runs; halved as often as needed to find enough
TWIN = 0.01  # total variation below which an anchor is another one
GRID = 2**20


@dataclass(frozen=True, slots=True)
class Design:
    """K mixtures of m sources, and what they can tell.

    `needed` is 3 (m + 1); `rank` counts the independent ways in which weights vary, at most m;
    `nearest` is the total variation of every mixture to its nearest neighbour, [K].
    """

    sources: tuple[str, ...]
    names: tuple[str, ...]
    weights: Array
    needed: int
    rank: int
    nearest: Array
    notes: tuple[str, ...]

    def ratios(self) -> pl.DataFrame:
        """The design as a table in Olmix's layout: run, name, index, one column per source."""
        ids = {"run": self.names, "name": self.names, "index": range(len(self.names))}
        shares = {name: self.weights[:, j] for j, name in enumerate(self.sources)}
        return pl.DataFrame(ids | shares)


def design_mixtures(
    natural: Mapping[str, float],
    runs: int,
    seed: int,
    *,
    temper: float = 0.5,
    strengths: tuple[float, float] = (0.1, 5.0),
    minimum: float = 2e-3,
    caps: Mapping[str, float] | None = None,
    anchors: Mapping[str, Mapping[str, float]] | None = None,
) -> Design:
    """`runs` mixtures of the sources in `natural`; `caps` bound every share of every mixture.

    `anchors` are further mixtures to include, by name. ConfigError for impossible settings.
    """
    sources = list(natural)
    base = distribution(natural, sources, "natural")
    limits = np.minimum(vector(caps or {}, sources, "caps", 1.0), 1.0)
    check_settings(sources, runs, strengths, minimum)
    require_feasible(limits, sources)
    require_room(limits)
    fixed = fixed_mixtures(base, limits, sources, anchors or {}, runs)
    names, weights = list(fixed), on_grid(np.stack(list(fixed.values())), limits)
    wanted = runs - len(weights)
    rng = np.random.default_rng(seed)
    drawn = draw(rng, base**temper, DRAWS * max(wanted, 1), strengths, minimum, limits)
    weights, apart = add_apart(weights, drawn, wanted)
    names += [f"draw-{number + 1:03d}" for number in range(len(weights) - len(names))]
    notes = describe(len(weights), runs, len(sources), apart)
    return Design(
        tuple(sources),
        tuple(names),
        weights,
        3 * (len(sources) + 1),
        int(np.linalg.matrix_rank(weights, tol=1e-6)),
        nearest_distances(weights),
        tuple(notes),
    )


def check_settings(
    sources: Sequence[str], runs: int, strengths: tuple[float, float], minimum: float
) -> None:
    """ConfigError for fewer than two sources or runs, or strengths and minimum out of range."""
    if len(sources) < 2:
        raise ConfigError("A mixture needs two sources or more.", value=list(sources))
    if runs < 2:
        raise ConfigError("A design needs two runs or more.", value=runs)
    if not 0 < strengths[0] <= strengths[1]:
        raise ConfigError("Strengths must be positive and in order.", value=strengths)
    if not 0 <= minimum < 1 / len(sources):
        raise ConfigError(
            "The smallest share must lie between zero and one over the number of sources.",
            value=minimum,
        )


def require_room(caps: Array) -> None:
    """ConfigError if the caps admit one mixture only."""
    if np.floor(caps * GRID).sum() <= GRID:
        raise ConfigError(
            "These caps leave a single mixture, so there is nothing to compare.",
            where="caps",
            value=caps.round(6).tolist(),
            next_step="lower the budget, raise the repeat cap, or add unique text",
        )


def fixed_mixtures(
    natural: Array,
    caps: Array,
    sources: Sequence[str],
    anchors: Mapping[str, Mapping[str, float]],
    runs: int,
) -> dict[str, Array]:
    """Anchors by name, below the caps, without twins, at most `runs`."""
    asked = {"natural": natural, "uniform": np.full(len(sources), 1 / len(sources))}
    for name, weights in anchors.items():
        shares = dict.fromkeys(sources, 0.0) | dict(weights)
        asked[name] = distribution(shares, sources, f"anchor {name!r}")
    if len(sources) <= (runs - len(asked)) / 2:
        for j, source in enumerate(sources):
            rest = np.where(np.arange(len(sources)) == j, 0.0, natural)
            if rest.sum() > 0 and np.delete(caps, j).sum() >= 1:
                asked[f"without-{source}"] = rest
    kept: dict[str, Array] = {}
    for name, wanted in asked.items():
        mixture = fill(wanted[None, :], caps)[0]
        others = np.stack(list(kept.values())) if kept else np.empty((0, len(sources)))
        if len(kept) < runs and not (variation(mixture[None, :], others) < TWIN).any():
            kept[name] = mixture
    return kept


def draw(
    rng: np.random.Generator,
    prior: Array,
    count: int,
    strengths: tuple[float, float],
    minimum: float,
    caps: Array,
) -> Array:
    """`count` draws from Dirichlets around `prior`, capped, on the grid: [count, m]."""
    scale = np.geomspace(*strengths, STRENGTHS)[rng.integers(STRENGTHS, size=count)]
    shape = np.maximum(scale[:, None] * prior / prior.sum(), 1e-3)
    # gamma(a) = gamma(a + 1) u^(1 / a): in logs, since small shapes underflow to 0 / 0 otherwise
    logs = np.log(rng.standard_gamma(shape + 1)) + np.log1p(-rng.random(shape.shape)) / shape
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights = fill(weights, caps)
    return on_grid(fill(np.where(weights < minimum, 0.0, weights), caps), caps)


def on_grid(weights: Array, caps: Array) -> Array:
    """Rows rounded to multiples of 1 / GRID that sum to one exactly and stay below the caps.

    Shares are rounded down; the units left go, one each, to the largest remainders with room.
    """
    units = np.floor(np.minimum(weights, caps) * GRID)
    room = np.floor(caps * GRID) - units
    rest = weights * GRID - units
    for row in range(len(units)):  # at most m units a row: microseconds
        left = int(GRID - units[row].sum())
        while left > 0:
            open_ = np.flatnonzero((room[row] > 0) & (weights[row] > 0))
            open_ = open_ if len(open_) else np.flatnonzero(room[row] > 0)
            take = open_[np.argsort(-rest[row, open_], kind="stable")][:left]
            units[row, take] += 1
            room[row, take] -= 1
            left -= len(take)
    return units / GRID


def add_apart(weights: Array, drawn: Array, wanted: int) -> tuple[Array, float]:
    """`weights` with up to `wanted` of `drawn` that keep a distance, and the distance they keep."""
    apart, size = APART, len(weights) + wanted
    while True:
        taken = weights
        for candidate in drawn:  # a few hundred candidates against as many rows: milliseconds
            if len(taken) == size:
                return taken, apart
            if variation(candidate[None, :], taken).min() >= apart:
                taken = np.vstack([taken, candidate])
        if len(taken) == size or apart < 1e-3:
            return taken, apart
        apart /= 2


def describe(found: int, runs: int, sources: int, apart: float) -> list[str]:
    """What the caller should know about the design."""
    notes = []
    if found < runs:
        notes.append(f"Only {found} different mixtures fit under the caps; {runs} were asked for.")
    if found < 3 * (sources + 1):
        notes.append(
            f"{found} runs are fewer than 3(m + 1) = {3 * (sources + 1)}: expect wide intervals."
        )
    if apart < APART:
        notes.append(f"So many runs of {sources} sources lie within {2 * apart:g} of each other.")
    return notes


def unimax(supply: Mapping[str, float], budget: float, epochs: float) -> dict[str, float]:
    """Tokens per source as even as possible with no source repeated more than `epochs` times.

    UniMax (arXiv:2304.09151): in order of size, each source gets an even part of what is left, or
    all it may give. `supply` in unique tokens, `budget` in tokens; ConfigError if the supply cannot
    fill it.
    """
    tokens = vector(supply, list(supply), "supply")
    if not 0 < budget <= epochs * tokens.sum():
        raise ConfigError(
            "The supply cannot fill this budget.",
            where="unimax",
            value=f"{budget:,.0f} tokens asked, {epochs * tokens.sum():,.0f} in {epochs:g} epochs",
            next_step="lower the budget, allow more epochs, or add unique text",
        )
    even = np.ones((1, len(tokens)))
    shares = fill(even, np.minimum(1.0, epochs * tokens / budget))[0]
    return dict(zip(supply, (budget * shares).tolist(), strict=True))
