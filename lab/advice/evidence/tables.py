"""Runs as two tables: what was trained on, and what came out.

The layout is Olmix's: `ratios` with `run,name,index,<source...>` (rows sum to one) and `metrics`
with `run,name,index,<metric...>`, CSV or Parquet, joined on `run` or, if one of them lacks it, on
`index` or `name`. RegMix's CSV files have the same shape with `index` alone and are read as they
are. Published weights are rounded to three decimals and miss one by up to .004, so rows that sum
to .99-1.01 are renormalised, and the fit says how many; anything further off is an error, since it
means that a source is missing or that the column is a percentage.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lab.advice.simplex import Array
from lab.core.errors import DataError

KEYS = ("run", "index", "name")  # columns that name a run; a join prefers the first
TOLERANCE = 0.01  # of the sum of a row of weights
EXACT = 1e-9  # beyond it a reader is told
ROUNDING = 1e-12  # rows this near to one stay as they are, so that a table survives a round trip


@dataclass(frozen=True, slots=True)
class RunTable:
    """K runs: their names, weights [K, m] that sum to one, and values [K, T] as measured."""

    runs: tuple[str, ...]
    sources: tuple[str, ...]
    metrics: tuple[str, ...]
    weights: Array
    values: Array
    notes: tuple[str, ...]


def read_tables(ratios: Path, metrics: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both tables from CSV or Parquet files; DataError if one cannot be read or has no rows."""
    return read_table(ratios), read_table(metrics)


def read_table(path: Path) -> pl.DataFrame:
    """One table; the kind is told by the ending (.parquet, otherwise CSV)."""
    try:
        frame = (
            pl.read_parquet(path)
            if path.suffix == ".parquet"
            else pl.read_csv(path, infer_schema_length=None)
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            "This table cannot be read.",
            where=str(path),
            value=str(error),
            next_step="give a CSV file with a header, or Parquet",
        ) from error
    if frame.is_empty():
        raise DataError("This table has no rows.", where=str(path), next_step="give another file")
    return frame


def join_tables(ratios: pl.DataFrame, metrics: pl.DataFrame) -> RunTable:
    """Runs that are in both tables, checked; DataError names the table, the run and the column."""
    key = join_key(ratios, metrics)
    sources, measured = value_columns(ratios, "ratios"), value_columns(metrics, "metrics")
    for frame, where in ((ratios, "ratios"), (metrics, "metrics")):
        require_unique(frame, key, where)
    left = ratios.select(pl.col(key).cast(pl.String), *numbers(ratios, sources, key, "ratios"))
    right = metrics.select(pl.col(key).cast(pl.String), *numbers(metrics, measured, key, "metrics"))
    both = set(left[key]) & set(right[key])
    if not both:
        raise DataError(
            "No run is in both tables.",
            where=f"column {key!r}",
            value={"ratios": left[key].head(3).to_list(), "metrics": right[key].head(3).to_list()},
            next_step="give tables of the same runs",
        )
    left = left.filter(pl.col(key).is_in(list(both)))
    right = left.select(key).join(right, on=key, how="left", maintain_order="left")
    weights, notes = normalised(left.select(sources).to_numpy(), left[key].to_list())
    for frame, where in ((ratios, "ratios"), (metrics, "metrics")):
        if (lost := frame.height - left.height) > 0:
            notes.append(f"{lost} of {frame.height} rows of {where} have no partner.")
    values = right.select(measured).to_numpy()
    return RunTable(
        tuple(left[key]), tuple(sources), tuple(measured), weights, values, tuple(notes)
    )


def join_key(ratios: pl.DataFrame, metrics: pl.DataFrame) -> str:
    """The first of `KEYS` that both tables have."""
    for key in KEYS:
        if key in ratios.columns and key in metrics.columns:
            return key
    raise DataError(
        "The two tables share no column that names the run.",
        value={"ratios": ratios.columns[:4], "metrics": metrics.columns[:4]},
        next_step="add a column 'run' (or 'index') to both",
    )


def value_columns(frame: pl.DataFrame, where: str) -> list[str]:
    """Every column that does not name the run; DataError if there is none."""
    columns = [column for column in frame.columns if column not in KEYS]
    if not columns:
        raise DataError(
            "This table has no column of values.",
            where=where,
            value=frame.columns,
            next_step="add one column per source (ratios) or per metric (metrics)",
        )
    return columns


def require_unique(frame: pl.DataFrame, key: str, where: str) -> None:
    """DataError if a run occurs twice or has no name; repeats of a mixture are runs too."""
    bad = frame.filter(pl.col(key).is_duplicated() | pl.col(key).is_null())
    if not bad.is_empty():
        raise DataError(
            "A run is named twice, or not at all.",
            where=f"{where}, column {key!r}",
            value=bad[key][0],
            next_step="name every run once; repeats of one mixture get names of their own",
        )


def numbers(frame: pl.DataFrame, columns: list[str], key: str, where: str) -> list[pl.Series]:
    """The columns as finite floats; DataError names the first run and column that is none."""
    values = []
    for column in columns:
        series = frame[column].cast(pl.Float64, strict=False)
        bad = ~(series.is_finite().fill_null(value=False))
        if bad.any():
            row = bad.arg_true()[0]
            raise DataError(
                "A finite number was expected here.",
                where=f"{where}, run {frame[key][row]!r}, column {column!r}",
                value=frame[column][row],
                next_step="drop the run or the column, or correct the value",
            )
        values.append(series)
    return values


def normalised(weights: Array, runs: list[str]) -> tuple[Array, list[str]]:
    """Rows divided by their sums, and a note if any was off; DataError beyond `TOLERANCE`."""
    if (weights < 0).any():
        row = int(np.argmax((weights < 0).any(axis=1)))
        raise DataError(
            "A weight is negative.",
            where=f"ratios, run {runs[row]!r}",
            value=float(weights[row].min()),
            next_step="weights are shares of training tokens: correct the table",
        )
    sums = weights.sum(axis=1)
    off = np.abs(sums - 1)
    if off.max() > TOLERANCE:
        row = int(off.argmax())
        raise DataError(
            "The weights of a run do not sum to one.",
            where=f"ratios, run {runs[row]!r}",
            value=float(sums[row]),
            next_step="give every source a column, as shares (not percent)",
        )
    changed = int((off > EXACT).sum())
    note = (
        f"{changed} of {len(weights)} rows of weights summed to {sums.min():.4g}-{sums.max():.4g} "
        "and were renormalised."
    )
    scaled = np.where(off[:, None] > ROUNDING, weights / sums[:, None], weights)
    return scaled, [note] if changed else []
