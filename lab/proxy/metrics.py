"""metrics.jsonl: one line per logged step, appended while the run trains.

    {"step": 12, "tokens": 24576, "loss": 6.91, "losses": {"web": 7.02, "code": 6.6}, "lr": 0.0018,
     "grad_norm": 0.8, "tokens_per_second": 21400.0, "seconds": 1.2, "cpu_share": 0.98}

`loss` is the mean over the step's batch in nats a token, before the step; `losses` are its parts by
source, over the few sequences that the batch holds, hence noisy. `seconds` counts training over all
sessions, `cpu_share` is processor seconds per second since the last line: below the number of
threads, other programs had the cores, and `tokens_per_second` says more about them than about the
run. Lines are flushed one by one; a checkpoint syncs the file first and remembers its length, and a
resumed run cuts the file there, so that no step appears twice.
"""

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

LINES = 2000  # about this many lines a run, however long

COLUMNS = {
    "step": pl.Int64,
    "tokens": pl.Int64,
    "loss": pl.Float64,
    "lr": pl.Float64,
    "grad_norm": pl.Float64,
    "tokens_per_second": pl.Float64,
    "seconds": pl.Float64,
    "cpu_share": pl.Float64,
}


class MetricsFile:
    """The open file of a run that trains."""

    def __init__(self, path: Path, length: int) -> None:
        """Open `path` for appending after its first `length` bytes, or its last whole line."""
        path.touch()
        whole = path.read_bytes()[:length].rfind(b"\n") + 1  # a disk may have lost the end
        os.truncate(path, whole)
        self.handle = path.open("ab")

    def append(self, line: dict[str, Any]) -> None:
        """Add one line, visible to readers at once; NaN is refused."""
        self.handle.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        self.handle.flush()

    def sync(self) -> int:
        """Bring all lines to the disk; the length of the file."""
        os.fsync(self.handle.fileno())
        return self.handle.tell()

    def close(self) -> None:
        """Close the file."""
        self.handle.close()


def is_logged(step: int, steps: int) -> bool:
    """Whether `step` (counted from 1) of `steps` gets a line; the first and last always do."""
    every = -(-steps // LINES)
    return step % every == 0 or step in (1, steps)


def whole_lines(path: Path) -> bytes:
    """The content up to the last end of line, empty if there is no file: what follows may be half a
    line, written while we read or by a process that was killed.
    """
    content = path.read_bytes() if path.is_file() else b""
    return content[: content.rfind(b"\n") + 1]


def read_lines(path: Path, sources: list[str]) -> pl.DataFrame:
    """All whole lines: `COLUMNS` and one `loss.SOURCE` per source, null where absent."""
    whole = whole_lines(path)
    parts = {f"loss.{name}": pl.col("losses").struct.field(name) for name in sources}
    schema = COLUMNS | {"losses": pl.Struct(dict.fromkeys(sources, pl.Float64))}
    if not whole:
        return pl.DataFrame(schema=COLUMNS | dict.fromkeys(parts, pl.Float64))
    frame = pl.read_ndjson(BytesIO(whole), schema=schema)
    return frame.with_columns(**parts).drop("losses")
