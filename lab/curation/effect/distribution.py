"""Distributions of a signal per source: histograms that lose nothing.

Signals have heavy tails: one document of ten million words would squeeze all others into one bar.
So the bins cover the values between the 0.5th and the 99.5th percentile of all sources together;
what lies beyond is counted in a bin of its own on either side, never dropped and never added to an
end bin. Counts that spread over more than two decades get bins of equal ratio, whole numbers in a
narrow range a bin each. Bins are closed at the left, so a cut `min: edge` keeps whole bins. Same
edges for all sources: the bars of two sources can be laid over each other, which is how FineWeb
chose its thresholds (cut where the worse corpus dominates; arXiv:2406.17557, section 3.6).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import ConfigError

Scale = Literal["linear", "log", "whole"]
TAIL = 0.005  # share of documents left to the bin beyond either end
DECADES = 100.0  # ratio of the ends from which counts get bins of equal ratio


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Documents and tokens per source and bin.

    `bins` has source, bin, low, high, documents, tokens, with a row for every source and bin. Bin
    k covers edges[k] to edges[k + 1]; -1 is what lies below all edges, len(edges) - 1 what lies
    above, null the documents without a value. Summed over all of them: the input.
    """

    column: str
    scale: Scale
    edges: tuple[float, ...]
    bins: pl.DataFrame

    def heights(self, source: str, weight: str = "tokens") -> NDArray[np.float64]:
        """Amounts of a source in the bins between the edges, [len(edges) - 1]."""
        inside = pl.col("bin").is_between(0, len(self.edges) - 2)
        rows = self.bins.filter(inside, pl.col("source") == source).sort("bin")
        return rows[weight].to_numpy().astype(np.float64)

    def outside(self, source: str, weight: str = "tokens") -> tuple[float, float, float]:
        """Amounts of a source below the edges, above them, and without a value."""
        rows = self.bins.filter(pl.col("source") == source)
        beyond = (
            pl.col("bin") == -1,
            pl.col("bin") == len(self.edges) - 1,
            pl.col("bin").is_null(),
        )
        below, above, unmeasured = (float(rows.filter(test)[weight].sum()) for test in beyond)
        return below, above, unmeasured


def histogram(
    frame: pl.DataFrame, column: str, bins: int = 50, scale: Scale | None = None
) -> Histogram:
    """The distribution of `column` per source of `frame` (source, tokens, `column`).

    `scale` None chooses by the values. Raises ConfigError for a logarithmic scale of values of
    which none is positive.
    """
    value = pl.col(column).cast(pl.Float64).fill_nan(None)
    values = frame.select(value).to_series()
    known = values.filter(values.is_finite()).to_numpy()
    chosen = scale or scale_of(known, bins)
    edges = edges_of(known, bins, chosen, column)
    places = place(values.fill_null(np.nan).to_numpy(), edges)
    counted = (
        frame.select("source", "tokens", bin=pl.Series(places).fill_nan(None).cast(pl.Int32))
        .group_by("source", "bin")
        .agg(documents=pl.len().cast(pl.Int64), tokens=pl.col("tokens").cast(pl.Int64).sum())
    )
    grid = frame.select(pl.col("source").unique().sort()).join(bin_frame(edges), how="cross")
    full = grid.join(
        counted, on=["source", "bin"], how="left", nulls_equal=True, maintain_order="left"
    )
    amounts = pl.col("documents", "tokens").fill_null(0)
    return Histogram(column, chosen, tuple(edges.tolist()), full.with_columns(amounts))


def bin_frame(edges: NDArray[np.float64]) -> pl.DataFrame:
    """Columns bin, low, high: all bins, the two beyond the edges, and one for no value."""
    bounds = [-np.inf, *edges.tolist(), np.inf]
    numbers = [*range(-1, len(edges)), None]
    low, high = [*bounds[:-1], None], [*bounds[1:], None]
    schema = {"bin": pl.Int32, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame({"bin": numbers, "low": low, "high": high}, schema=schema)


def scale_of(values: NDArray[np.float64], bins: int) -> Scale:
    """Whole numbers get a bin each if they fit, a logarithmic scale if they spread widely."""
    if values.size == 0 or not np.all(values == np.floor(values)):
        return "linear"
    low, high = inner_range(values)
    if high - low < bins:
        return "whole"
    positive = values[values > 0]
    return "log" if positive.size and high > DECADES * inner_range(positive)[0] else "linear"


def edges_of(
    values: NDArray[np.float64], bins: int, scale: Scale, column: str
) -> NDArray[np.float64]:
    """Increasing edges of the bins: [bins + 1], or one more than the whole numbers covered."""
    if values.size == 0:
        return np.array([0.0, 1.0])
    if scale == "log":
        if not np.any(values > 0):
            raise ConfigError(
                "No value is positive, so there is no logarithmic scale.",
                where=column,
                next_step="choose the linear scale",
            )
        low, high = inner_range(values[values > 0])
        edges = np.geomspace(low, high if high > low else low * 2, bins + 1)
        return closed(edges, low, high)
    low, high = inner_range(values)
    if scale == "whole":
        return np.arange(np.floor(low), np.floor(high) + 2)
    return closed(np.linspace(low, high if high > low else low + 1, bins + 1), low, high)


def closed(edges: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """`edges` with the ends put so that `low` and `high` themselves lie inside, rounding aside."""
    edges[0] = low
    edges[-1] = max(edges[-1], np.nextafter(high, np.inf))
    return edges


def inner_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """The values at both ends once the tails are left out; the whole range if that is one value."""
    low = float(np.quantile(values, TAIL, method="lower"))
    high = float(np.quantile(values, 1 - TAIL, method="higher"))
    return (low, high) if high > low else (float(values.min()), float(values.max()))


def place(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bin of each value: -1 below all edges, len(edges) - 1 above, NaN for NaN."""
    found = np.searchsorted(edges, values, side="right").astype(np.float64) - 1
    found[np.isnan(values)] = np.nan
    return found
