"""Append-only files of JSON lines: what was acknowledged is on the disk, what was torn is ignored.

A record is one line, written by one `write` to a file opened for appending, and synced before the
call returns. A process killed in between leaves a last line without its line feed; readers skip it,
and the next append cuts it off. Writers hold a lock beside the file. Cost: one sync an append,
about 1 ms on a solid-state disk, so many records go into one call.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.core.errors import DataError
from lab.core.files import disk_error
from lab.core.lock import hold

PATIENCE = 10.0  # seconds to wait for another writer; an append takes milliseconds

Record = dict[str, Any]


@contextmanager
def writing(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock of the journal at `path`; WorkspaceError if another process keeps it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    busy = "Another process is writing to this file."
    with hold(path.with_suffix(".writer.json"), purpose, PATIENCE, busy):
        yield


def append(path: Path, records: Sequence[Record]) -> None:
    """Add `records` at the end; the caller holds `writing`. A full disk leaves the file as it was.

    Characters that UTF-8 cannot hold are written as JSON escapes.
    """
    lines = [json.dumps(record, allow_nan=False, separators=(",", ":")) for record in records]
    content = "".join(line + "\n" for line in lines).encode("ascii")
    try:
        with path.open("ab") as handle:
            end = whole_bytes(path)
            handle.truncate(end)
            try:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            except OSError:
                handle.truncate(end)
                raise
    except OSError as error:
        raise disk_error(error, path) from error


def whole_bytes(path: Path) -> int:
    """Length of the file up to its last line feed."""
    with path.open("rb") as handle:
        end = handle.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            handle.seek(start)
            found = handle.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def read(path: Path) -> list[Record]:
    """All whole records, in order; none if there is no file.

    Raises DataError with the line for a whole line that is no JSON object. A loop over lines: 3 us
    a short record.
    """
    if not path.is_file():
        return []
    *lines, _torn = path.read_bytes().split(b"\n")
    return [parse(line, path, number) for number, line in enumerate(lines, start=1)]


def parse(line: bytes, path: Path, number: int) -> Record:
    """One line as a record."""
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise DataError(
            "This line is damaged.",
            where=f"{path}, line {number}",
            value=line[:80],
            next_step="delete this line, or restore the file from a copy",
        )
    return record
