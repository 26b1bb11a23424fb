"""The order of the list: as found, by a column, or drawn at random from every source alike.

The random order is a fixed permutation for each seed: documents get a mixed 64-bit number from row
and seed (SplitMix64, Steele et al. 2014), are ranked within their source, and the first of every
source comes before the second of any. A page therefore shows the same number of each source,
however small; narrowing the filters keeps the order of those that remain.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import ConfigError
from lab.ui.browse.pool import Pool, Rows

RANDOM = "random sample"
STORED = "as found"
JUMPS = (1, 50, 99)  # percentiles of the sorting column


def in_random_order(pool: Pool, rows: Rows, seed: int) -> Rows:
    """`rows` in the random order of `seed`."""
    keys = mixed(rows, seed)
    sources = pool.frame["source"].to_physical().to_numpy()[rows]
    frame = pl.DataFrame({"row": rows, "key": keys, "source": sources})
    rank = pl.col("key").rank("ordinal").over("source")
    ordered = frame.with_columns(rank=rank).sort("rank", "key")
    return ordered["row"].to_numpy()


def mixed(rows: Rows, seed: int) -> NDArray[np.uint64]:
    """A number for each row that looks random and depends on row and seed only."""
    value = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    value += np.uint64((seed * 0xD1342543DE82EF95 + 1) % 2**64)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def by_column(values: pl.Series, rows: Rows, falling: bool) -> Rows:
    """`rows` sorted by a column, missing values last, equal values in stored order."""
    frame = pl.DataFrame({"row": rows, "value": values.gather(rows)})
    ordered = frame.sort("value", "row", descending=[falling, False], nulls_last=True)
    return ordered["row"].to_numpy()


def place_of(values: pl.Series, ordered: Rows, percent: float, falling: bool) -> int:
    """The place in the ordered list where the percentile of the column's values lies."""
    known = len(ordered) - values.gather(ordered).null_count()
    share = (100 - percent if falling else percent) / 100
    return int(share * max(known - 1, 0))


def check_sortable(values: pl.Series) -> None:
    """ConfigError for a column that has no value in scope."""
    if values.null_count() == len(values):
        raise ConfigError(
            "No document in scope has a value of this column.",
            where="sort by",
            value=values.name,
            next_step="choose another column, or measure these sources",
        )
