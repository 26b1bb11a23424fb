"""Parquet, in batches of 256 rows, read page by page.

Row groups are not loaded whole (`pre_buffer=False` with a 1 MiB buffer a column): a file written as
one row group of many gigabytes costs a few pages. Parquet does not guarantee that its strings are
UTF-8; a batch that holds one that is not is taken row by row, and that row is quarantined. A page
that cannot be read ends the file with one bad row. Cost: 4 us a 1 kB row with three other columns.
"""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from lab.core.errors import ConfigError
from lab.corpus.readers.rows import BAD_VALUE, NOT_UTF8, UNREADABLE, BadRow, Row, Tick, excerpt

BATCH = 256  # rows held as Python objects at a time


def read_parquet(handle: BinaryIO, size: int, where: str, tick: Tick) -> Iterator[Row | BadRow]:
    """Yield the rows of a Parquet file of `size` bytes; `where` names it in errors."""
    try:
        file = pq.ParquetFile(handle, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowException, OSError) as error:
        yield BadRow(1, UNREADABLE, excerpt(str(error)))
        return
    refuse_repeated(file.schema_arrow.names, where)
    batches = file.iter_batches(batch_size=BATCH)
    done, total = 0, max(file.metadata.num_rows, 1)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            yield BadRow(done + 1, UNREADABLE, excerpt(str(error)))
            return
        if batch is None:
            return
        yield from batch_rows(batch, done + 1)
        done += batch.num_rows
        tick(size * done // total)


def batch_rows(batch: pa.RecordBatch, first: int) -> Iterator[Row | BadRow]:
    """Yield the rows of one Arrow batch whose first row has number `first`."""
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):  # UnicodeDecodeError is a ValueError; dates overflow
        yield from (one_row(batch.slice(i, 1), first + i) for i in range(batch.num_rows))
        return
    for number, values in enumerate(rows, start=first):
        yield Row(number, values)


def one_row(batch: pa.RecordBatch, number: int) -> Row | BadRow:
    """The only row of `batch`, or a BadRow if one of its values has no form in Python."""
    try:
        return Row(number, batch.to_pylist()[0])
    except UnicodeDecodeError as error:
        return BadRow(number, NOT_UTF8, excerpt(error.object))
    except (ValueError, OverflowError) as error:
        return BadRow(number, BAD_VALUE, excerpt(str(error)))


def refuse_repeated(names: list[str], where: str) -> None:
    """ConfigError if two columns have the same name: one would hide the other."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(
            "Two columns have the same name.",
            where=where,
            value=repeated,
            next_step="rename one of them and write the file again",
        )
