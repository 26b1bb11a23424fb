"""Documents to read on either side of a threshold: stratified by source, seeded, reproducible.

    just dropped      fail the rule in the hand, nearest to its threshold
    just kept         pass every rule, nearest to the threshold
    borderline        both sides in equal numbers
    dropped overall   fail any rule
    changed           stand otherwise than under the saved recipe

The first three are drawn evenly from the `BAND` documents of each source that lie nearest, so that
another seed shows other documents of the same kind; the last two in proportion to tokens, because a
long document costs more (Efraimidis and Spirakis 2006: the n largest u^(1/w) are a weighted sample
without replacement). Sources get equal numbers in the first three; in the last two a source gets
its share of the tokens that fall, and at least one document. Cost: one pass over the masks, 5 ms
for a million documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.ui.cuts import Bounds

WHICH = ("just dropped", "just kept", "borderline", "dropped overall", "changed")
NEAREST = WHICH[:3]
BAND = 200  # documents of a source on each side that samples near a threshold are drawn from
SCHEMA = {"source": pl.String, "row": pl.Int64, "distance": pl.Float64, "kept": pl.Boolean}


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One source: values of the rule's column (None for a rule without numbers), documents that
    fail the rule, that are kept, that the saved recipe keeps, and tokens; arrays of [documents].
    """

    source: str
    values: NDArray[np.float64] | None
    bounds: Bounds
    fails: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    saved: NDArray[np.bool_]
    tokens: NDArray[np.int64]

    def distance(self) -> NDArray[np.float64]:
        """How far each value lies from the nearest bound; 0 without bounds."""
        gaps = [
            np.abs(self.values - b)
            for b in self.bounds
            if self.values is not None and b is not None
        ]
        return np.minimum.reduce(gaps) if gaps else np.zeros(self.tokens.size)


def draw_sample(sides: Sequence[Side], which: str, amount: int, seed: int) -> pl.DataFrame:
    """At most `amount` documents, `SCHEMA`: `row` is the place in the pool; nearest first."""
    rng = np.random.default_rng(seed)
    if which == "borderline":
        halves = [draw_sample(sides, kind, amount // 2, seed) for kind in NEAREST[:2]]
        return pl.concat(halves).sort("distance", "source", "row")
    picked = []
    known = [chosen(side, which) for side in sides]
    shares = allotted(sides, known, which, amount)
    for side, rows, share in zip(sides, known, shares, strict=True):
        if rows.size and share:
            weights = None if which in NEAREST else side.tokens[rows]
            picked.append(described(side, draw(rows, weights, share, rng)))
    frame = pl.concat(picked) if picked else pl.DataFrame(schema=SCHEMA)
    return frame.sort("distance", "source", "row")


def chosen(side: Side, which: str) -> NDArray[np.int64]:
    """Rows of a source that a sample may show."""
    if which == "just dropped":
        return nearest(side, side.fails)
    if which == "just kept":
        return nearest(side, side.kept)
    return np.flatnonzero(~side.kept if which == "dropped overall" else side.kept != side.saved)


def nearest(side: Side, among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The BAND rows of `among` nearest to the threshold; none without a threshold."""
    if side.values is not None and side.bounds == (None, None):
        return np.zeros(0, np.int64)
    rows = np.flatnonzero(among)
    if side.values is None or rows.size <= BAND:
        return rows
    distance = side.distance()[rows]
    return np.sort(rows[np.argpartition(distance, BAND)[:BAND]])


def allotted(
    sides: Sequence[Side], known: Sequence[NDArray[np.int64]], which: str, amount: int
) -> list[int]:
    """How many documents each source gives: equal numbers, or by tokens and at least one."""
    able = np.array([rows.size for rows in known])
    if which in NEAREST:
        weights = (able > 0).astype(np.float64)
    else:
        weights = np.array(
            [s.tokens[r].sum() for s, r in zip(sides, known, strict=True)], np.float64
        )
    given = np.minimum(able, 1) if (able > 0).sum() <= amount else np.zeros(len(sides), np.int64)
    while given.sum() < min(amount, able.sum()):  # at most `amount` rounds
        hunger = np.where(given < able, weights / (given + 1), -1.0)
        given[int(hunger.argmax())] += 1
    return [int(n) for n in given]


def draw(
    rows: NDArray[np.int64],
    weights: NDArray[np.int64] | None,
    amount: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """`amount` of `rows` without replacement, evenly or in proportion to `weights`."""
    keys = rng.random(rows.size)
    if weights is not None:
        keys = -np.log(keys) / np.maximum(weights, 1e-9)
    return rows[np.argpartition(keys, min(amount, rows.size) - 1)[:amount]]


def described(side: Side, rows: NDArray[np.int64]) -> pl.DataFrame:
    """`SCHEMA` for some rows of a source."""
    return pl.DataFrame(
        {
            "source": [side.source] * rows.size,
            "row": rows,
            "distance": side.distance()[rows],
            "kept": side.kept[rows],
        },
        schema=SCHEMA,
    )
