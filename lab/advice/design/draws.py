"""Candidates for a design, and which of them to take.

Two ways to draw, both below caps and without shares that are too small to matter:

    dirichlet   Dirichlet(s prior^temper / sum), s one of 15 strengths spaced by ratio, as RegMix
                and Olmix draw (arXiv:2407.01492, 2602.12237; sail-sg/regmix
                synthesize_mixture.py): near-corners and near-centres around the supply
    spread      the candidate that is farthest from all taken before, again and again (Kennard and
                Stone 1969, Technometrics 11), among even draws from the simplex and those above:
                the widest gaps are closed first, wherever the supply lies; Aioli covers the
                simplex in the same spirit (arXiv:2411.05735, dirichlet_cover.py)

Spread learns most about mixtures that nobody expects and, in many dimensions, mostly about borders;
Dirichlet learns most where the answer probably is. Rows are multiples of 2^-20: they sum to one
exactly, in any order of adding.
"""

import numpy as np

from lab.advice.simplex import Array, fill, variation

STRENGTHS = 15
DRAWS = 10  # candidates per run wanted
APART = 0.05  # total variation between two runs; halved as often as needed to find enough
LEAST_APART = 1e-3
GRID = 2**20


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


def add_apart(taken: Array, drawn: Array, wanted: int) -> tuple[Array, float]:
    """Up to `wanted` of `drawn`, in order, that keep a distance from `taken` and from each other.

    Also the distance that they keep: `APART`, halved as often as needed down to `LEAST_APART`.
    """
    apart = APART
    while True:
        rows = taken
        for candidate in drawn:  # a few hundred candidates against as many rows: milliseconds
            if len(rows) == len(taken) + wanted:
                break
            if not len(rows) or variation(candidate[None, :], rows).min() >= apart:
                rows = np.vstack([rows, candidate])
        if len(rows) == len(taken) + wanted or apart <= LEAST_APART:
            return rows[len(taken) :], apart
        apart = max(apart / 2, LEAST_APART)


def add_farthest(taken: Array, drawn: Array, wanted: int) -> tuple[Array, float]:
    """Up to `wanted` of `drawn`, each the farthest from `taken` and from those before it.

    Also the least distance kept. Candidates nearer than `LEAST_APART` are never taken.
    """
    near = variation(drawn, taken).min(axis=1) if len(taken) else np.full(len(drawn), np.inf)
    picks: list[int] = []
    kept = np.inf
    for _ in range(wanted):  # one row of distances each: microseconds
        pick = int(np.argmax(near))
        if near[pick] < LEAST_APART:
            break
        kept = min(kept, float(near[pick]))
        picks.append(pick)
        near = np.minimum(near, variation(drawn, drawn[pick][None, :])[:, 0])
    return drawn[picks], min(kept, APART)
