"""What distinguishes a selection from the rest: its words, and the signals that shifted.

Words by the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008,
"Fightin' Words"): with y_w documents of n that hold word w, and a prior a_w of `PRIOR` documents in
the shares of both together,

    delta_w = log (y + a) / (n + PRIOR - y - a)  of the selection, less the same of the rest
    variance = 1 / (y + a) + 1 / (n + PRIOR - y - a), of both      z = delta / its root

Documents are counted, not occurrences: one text that repeats a word a hundred times is one witness.
A word can then stand in most documents, so the second term, left out in the paper, is needed.
Words whose |z| would not survive Bonferroni's bound over all words are left out.

Signals by the probability of superiority A (Vargha and Delaney 2000; the area under the ROC curve):
a document of the selection exceeds one of the rest, ties counting half; 0.5 is no shift. Interval
by DeLong et al. 1988. It says nothing about how far the tails moved.
"""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import DataError
from lab.core.estimate import Estimate
from lab.diversity.breadth.measured import Z

PRIOR = 100.0  # documents
RAREST = 3  # documents that a word must stand in
CHARACTERS = 5000  # of each text are read


def marking_words(
    texts: Sequence[str], selected: NDArray[np.bool_], *, most: int = 20
) -> pl.DataFrame:
    """Columns word, log_odds, low, high, z, selected, rest (shares of documents with the word);
    those that mark the selection first, then those that mark the rest, `most` of each.

    Raises DataError if the selection is empty, or everything.
    """
    inside = both_sides(selected)
    n, rest = int(inside.sum()), int((~inside).sum())
    counted = (
        pl.DataFrame({"text": list(texts), "selected": inside})
        .with_row_index("document")
        .select(
            "document", "selected",
            word=pl.col("text").str.slice(0, CHARACTERS).str.to_lowercase()
            .str.extract_all(r"\p{L}{3,}").list.unique(),
        )
        .explode("word").drop_nulls("word").group_by("word")
        .agg(pl.col("selected").sum().alias("y"), (~pl.col("selected")).sum().alias("o"))
        .filter(pl.col("y") + pl.col("o") >= RAREST)
    )  # fmt: skip
    y, o = counted["y"].to_numpy().astype(float), counted["o"].to_numpy().astype(float)
    prior = np.clip(PRIOR * (y + o) / (n + rest), 1e-9, PRIOR * (1 - 1e-9))
    delta = log_odds(y + prior, n + PRIOR) - log_odds(o + prior, rest + PRIOR)
    error = np.sqrt(spread(y + prior, n + PRIOR) + spread(o + prior, rest + PRIOR))
    bound = NormalDist().inv_cdf(1 - 0.025 / max(len(y), 1))
    found = counted.with_columns(
        log_odds=delta, low=delta - Z * error, high=delta + Z * error, z=delta / error,
        selected=y / n, rest=o / rest,
    ).filter(pl.col("z").abs() > bound)  # fmt: skip
    columns = ("word", "log_odds", "low", "high", "z", "selected", "rest")
    up = found.filter(pl.col("z") > 0).sort("z", "word", descending=[True, False]).head(most)
    down = found.filter(pl.col("z") < 0).sort("z", "word").head(most)
    return pl.concat([up, down]).select(columns)


def log_odds(hits: NDArray[np.float64], n: float) -> NDArray[np.float64]:
    """Logarithm of the odds of `hits` in `n`."""
    return np.asarray(np.log(hits) - np.log(n - hits))


def spread(hits: NDArray[np.float64], n: float) -> NDArray[np.float64]:
    """Variance of the log odds."""
    return np.asarray(1 / hits + 1 / (n - hits))


def both_sides(selected: NDArray[Any]) -> NDArray[np.bool_]:
    """The mask; DataError unless both sides have a document."""
    inside = np.asarray(selected, np.bool_)
    if inside.all() or not inside.any():
        raise DataError(
            "A selection is distinguished from a rest, and one of the two is empty.",
            value=f"{int(inside.sum())} of {len(inside)} selected",
            next_step="select some documents, not none and not all",
        )
    return inside


def shifted_signals(
    columns: Mapping[str, NDArray[Any]], selected: NDArray[np.bool_]
) -> pl.DataFrame:
    """Columns signal, superiority, low, high, selected, rest (medians), n; largest shift first.

    Values that are missing or not finite are left out. Raises DataError as `marking_words`.
    """
    inside = both_sides(selected)
    rows = []
    for name, column in columns.items():
        values = np.asarray(column, np.float64)
        known = np.isfinite(values)
        one, two = values[known & inside], values[known & ~inside]
        if len(one) > 1 and len(two) > 1:
            found = superiority(one, two)
            medians = (float(np.median(one)), float(np.median(two)))
            rows.append((name, found.value, found.low, found.high, *medians, found.n))
    names = ["signal", "superiority", "low", "high", "selected", "rest", "n"]
    types = [pl.String, *[pl.Float64] * 5, pl.Int64]
    frame = pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")
    return frame.sort((pl.col("superiority") - 0.5).abs(), "signal", descending=[True, False])


def superiority(one: NDArray[np.float64], two: NDArray[np.float64]) -> Estimate:
    """Probability that a value of `one` exceeds one of `two`, ties half, with DeLong's interval on
    the logit scale; at 0 and 1 as wide as one value less would be.
    """
    above = placements(one, two)
    below = 1 - placements(two, one)
    value = float(above.mean())
    variance = above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)
    least = 1 / (len(one) + len(two))
    at = min(max(value, least / 2), 1 - least / 2)
    half = Z * max(float(np.sqrt(variance)), least / 2) / (at * (1 - at))
    logit = np.log(at / (1 - at))
    low, high = (float(1 / (1 + np.exp(-(logit + side * half)))) for side in (-1, 1))
    n = len(one) + len(two)
    return Estimate(value, min(low, value), max(high, value), n, "probability")


def placements(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each value of `one` the share of `two` below it, ties half."""
    order = np.sort(two)
    below = np.searchsorted(order, one, "left") + np.searchsorted(order, one, "right")
    return np.asarray(below / (2 * len(two)))
