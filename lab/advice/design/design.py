"""Which mixtures to run, so that a law fitted to them can be trusted.

Anchors first: the natural mixture, the uniform one, what the caller names (the present recipe,
UniMax, the best so far), and, if they leave half of the runs for the rest, the natural mixture
without each source in turn, since a law learns most about a source from its absence. Then draws
that keep `APART` from each other (`lab.advice.design.draws`), which RegMix's own rule does not see
to: it drops exact twins only. An existing swarm is extended by the same rule: what was run counts
as taken, so nothing new lies near it.

Needed: 3 (m + 1) runs for a log-linear law (Olmix, arXiv:2602.12237, figure on swarm size). Noise
is measured by training one mixture again under other seeds; the marin project repeats its natural
row 11 times (marin-community/marin#6611), the signal gate asks for three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.design.draws import APART, DRAWS, GRID, add_apart, add_farthest, draw, on_grid
from lab.advice.simplex import (
    Array,
    distribution,
    fill,
    nearest_distances,
    require_feasible,
    variation,
    vector,
)
from lab.core.errors import ConfigError, nearest

TWIN = 0.02  # total variation below which an anchor is another one, and a next run a repeat
METHODS = ("dirichlet", "spread")


@dataclass(frozen=True, slots=True)
class Design:
    """K new mixtures of m sources, and what they can tell, together with `before` mixtures.

    `needed` is 3 (m + 1); `rank` counts the independent ways in which weights vary, at most m;
    `nearest` is the total variation of every new mixture to its nearest neighbour, [K].
    """

    sources: tuple[str, ...]
    names: tuple[str, ...]
    weights: Array
    before: int
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
    method: str = "dirichlet",
    temper: float = 0.5,
    strengths: tuple[float, float] = (0.1, 5.0),
    minimum: float = 2e-3,
    caps: Mapping[str, float] | None = None,
    anchors: Mapping[str, Mapping[str, float]] | None = None,
    before: Mapping[str, Mapping[str, float]] | None = None,
) -> Design:
    """`runs` mixtures of the sources in `natural`; `caps` bound every share of every mixture.

    `anchors` are further mixtures to include, by name; `before` those that were run already.
    ConfigError for impossible settings.
    """
    sources = list(natural)
    base = distribution(natural, sources, "natural")
    limits = np.minimum(vector(caps or {}, sources, "caps", 1.0), 1.0)
    known = stack(before or {}, sources)
    check_settings(sources, runs + len(known), strengths, minimum)
    check_way(method, temper)
    require_feasible(limits, sources)
    require_room(limits)
    fixed = fixed_mixtures(base, limits, sources, anchors or {}, runs, known)
    rows = on_grid(np.stack(list(fixed.values())), limits) if fixed else known[:0]
    wanted = runs - len(rows)
    rng = np.random.default_rng(seed)
    count = DRAWS * max(wanted, 1)
    drawn = draw(rng, base**temper, count, strengths, minimum, limits)
    if method == "spread":
        even = draw(rng, np.ones_like(base), count, (len(base),) * 2, minimum, limits)
        drawn = np.vstack([drawn, even])
    choose = add_farthest if method == "spread" else add_apart
    more, apart = choose(np.vstack([known, rows]), drawn, wanted)
    names = [*fixed, *free_names(before or {}, len(more))]
    return describe(sources, names, np.vstack([rows, more]), known, runs, apart)


def natural_mixture(natural: Mapping[str, float]) -> dict[str, float]:
    """`natural` in any scale as a design without caps trains it: shares on the grid."""
    sources = list(natural)
    base = distribution(natural, sources, "natural")[None, :]
    free = np.ones(len(sources))
    return dict(zip(sources, on_grid(fill(base, free), free)[0].tolist(), strict=True))


def stack(mixtures: Mapping[str, Mapping[str, float]], sources: Sequence[str]) -> Array:
    """Mixtures as rows that sum to one, [n, m]; those of none of `sources` are left out."""
    rows = [[shares.get(name, 0.0) for name in sources] for shares in mixtures.values()]
    weights = np.array(rows, dtype=np.float64).reshape(-1, len(sources))
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights[total[:, 0] > 0] / total[total[:, 0] > 0])


def free_names(taken: Mapping[str, object], count: int) -> list[str]:
    """`count` names draw-NNN that are not `taken`."""
    numbers = (f"draw-{k:03d}" for k in range(1, len(taken) + count + 1))
    return [name for name in numbers if name not in taken][:count]


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


def check_way(method: str, temper: float) -> None:
    """ConfigError for an unknown way to draw, or a prior that is sharpened or turned over."""
    if method not in METHODS:
        raise ConfigError("Unknown design.", value=method, next_step=nearest(method, METHODS))
    if not 0 <= temper <= 1:
        raise ConfigError(
            "The temper of the prior must lie between 0 (even) and 1 (natural).", value=temper
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
    known: Array,
) -> dict[str, Array]:
    """Anchors by name, below the caps, without twins among them or in `known`, at most `runs`."""
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
        others = np.vstack([known, *kept.values()])
        if len(kept) < runs and not (variation(mixture[None, :], others) < TWIN).any():
            kept[name] = mixture
    return kept


def describe(
    sources: Sequence[str],
    names: Sequence[str],
    weights: Array,
    known: Array,
    runs: int,
    apart: float,
) -> Design:
    """The design with its figures, those of rank and distance over `known` mixtures too."""
    everything = np.vstack([weights, known])
    needed = 3 * (len(sources) + 1)
    notes = []
    if len(weights) < runs:
        notes.append(
            f"Only {len(weights)} different mixtures fit under the caps; {runs} were asked for."
        )
    if len(everything) < needed:
        notes.append(
            f"{len(everything)} runs are fewer than 3(m + 1) = {needed}: expect wide intervals."
        )
    if apart < APART:
        notes.append(
            f"So many runs of {len(sources)} sources lie within {2 * apart:g} of each other."
        )
    return Design(
        tuple(sources),
        tuple(names),
        weights,
        len(known),
        needed,
        int(np.linalg.matrix_rank(everything, tol=1e-6)),
        nearest_distances(everything)[: len(weights)],
        tuple(notes),
    )


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
