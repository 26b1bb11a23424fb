"""Results as text: a title, tables, notes. The same result as JSON is `Shown.data`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from tqdm import tqdm

from lab.core.progress import Progress, Report


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command found: `data` for --json; tables (title, frame) and notes for people."""

    data: dict[str, Any]
    tables: list[tuple[str, pl.DataFrame]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    status: int = 0


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def show_result(shown: Shown) -> None:
    """Print tables and notes on standard output."""
    for title, frame in shown.tables:
        print(title)
        print(table(frame), end="\n\n")
    for note in shown.notes:
        print(note)


def table(frame: pl.DataFrame) -> str:
    """A frame as a plain text table, numbers with separators, no types, every row."""
    if frame.is_empty():
        return "(nothing)"
    with pl.Config(
        tbl_formatting="ASCII_BORDERS_ONLY_CONDENSED",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=240,
        fmt_str_lengths=80,
        float_precision=4,
        thousands_separator=",",
        tbl_cell_numeric_alignment="RIGHT",
    ):
        return str(frame)


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """A frame as JSON rows; infinite numbers become null, which JSON has."""
    floats = [c for c, t in frame.schema.items() if t.is_float()]
    finite = [
        pl.when(pl.col(c).is_finite()).then(pl.col(c)).otherwise(None).alias(c) for c in floats
    ]
    return frame.with_columns(finite).to_dicts()


def terminal_progress(should_stop: Callable[[], bool], quiet: bool) -> Progress:
    """A progress bar on standard error; silent when it is not a terminal or `quiet`."""
    if quiet or not sys.stderr.isatty():
        return Progress(should_stop=should_stop)
    bar = tqdm(
        total=1.0, bar_format="{desc:<46.46} {percentage:3.0f}% |{bar:24}| {elapsed}{postfix}"
    )

    def draw(report: Report) -> None:
        bar.n = min(1.0, report.done / max(report.total, 1e-12))
        bar.set_description_str(report.message, refresh=False)
        eta = f"  {report.eta:,.0f} s left" if report.eta and report.seconds > 2 else ""
        bar.set_postfix_str(eta, refresh=True)

    return Progress(draw, should_stop)
