"""Files of benchmark items: JSONL, plain or compressed, and Parquet, as rows with their place.

Lines end at LF only; U+2028 or a form feed inside a text is no line end. A line that is not JSON in
UTF-8 is handed on as the error that describes it, so that the caller decides whether to stop.
Benchmarks are small: a file is read whole.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from lab.core.errors import DataError

READABLE = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")


def read_rows(path: Path) -> Iterator[tuple[str, object]]:
    """Yield (place, row) of a JSONL(.gz, .zst) or Parquet file; a row is what the JSON held.

    A line that is not JSON is yielded as a DataError. Raises DataError if `path` is no such file.
    """
    if not path.is_file() or not path.name.endswith(READABLE):
        raise DataError(
            "This is not a file of benchmark items.",
            where=str(path),
            next_step=f"name a file that ends in {', '.join(READABLE)}",
        )
    if path.suffix == ".parquet":
        for number, row in enumerate(read_parquet(path).iter_rows(named=True), start=1):
            yield f"{path.name} row {number}", row
        return
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            place = f"{path.name} line {number}"
            yield place, parse_line(line, place)


def read_parquet(path: Path) -> pl.DataFrame:
    """A Parquet file as a frame; DataError if it is none."""
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise DataError("This file is not Parquet.", where=str(path), value=str(error)) from error


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, decompressed by the ending of its name."""
    import pyarrow as pa

    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            yield from stream.read().split(b"\n")
    except (OSError, pa.ArrowException) as error:
        raise DataError("This file cannot be read.", where=str(path), value=str(error)) from error


def parse_line(line: bytes, place: str) -> object:
    """One line as JSON, or the DataError that says why it is none."""
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return DataError("A line is not UTF-8.", where=place, value=str(error))
    except json.JSONDecodeError as error:
        return DataError("A line is not JSON.", where=place, value=str(error))
