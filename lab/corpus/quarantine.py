"""The bad rows of a source: written as they come, so that a million of them cost no memory."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from lab.core.schema import QUARANTINE
from lab.corpus.readers.rows import BadRow

HELD_ROWS = 1_000  # bad rows in memory before they are written as one row group


class Quarantine:
    """`quarantine.parquet` while it is being written; use it as a context."""

    def __init__(self, path: Path) -> None:
        self.rows: list[tuple[str, int, str, str]] = []
        self.writer = pq.ParquetWriter(path, self.table().schema, compression="zstd")

    def __enter__(self) -> "Quarantine":
        """Itself."""
        return self

    def table(self) -> "pq.pa.Table":
        """The rows held, as Arrow."""
        frame = pl.DataFrame(self.rows, schema=QUARANTINE, orient="row")
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())

    def add(self, file: str, bad: BadRow) -> None:
        """Write one bad row of `file` down."""
        self.rows.append((file, bad.line, bad.reason, bad.excerpt))
        if len(self.rows) == HELD_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the rows held."""
        self.writer.write_table(self.table())
        self.rows = []

    def __exit__(self, *reason: object) -> None:
        """Write the rest and close the file."""
        if self.rows:
            self.flush()
        self.writer.close()
