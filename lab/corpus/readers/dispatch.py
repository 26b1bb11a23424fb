"""One door to all readers: a data file in, rows out; and what its content is called.

`fingerprint` names a file's content: SHA-256 here (about 1.5 GB/s), the blob or commit id on the
hub. It is taken before the rows are read; `stamp` tells whether the file changed meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lab.core.errors import DataError
from lab.core.files import file_sha256
from lab.corpus.readers.delimited import read_delimited
from lab.corpus.readers.hub import HubFile, open_file, read_dataset
from lab.corpus.readers.jsonl import read_jsonl
from lab.corpus.readers.lines import reading
from lab.corpus.readers.locate import DataFile, LocalFile
from lab.corpus.readers.parquet import read_parquet
from lab.corpus.readers.rows import BadRow, ReadSettings, Row, Tick, no_tick
from lab.corpus.readers.saved import read_saved
from lab.corpus.readers.text import read_text


def read_rows(
    file: DataFile, settings: ReadSettings | None = None, tick: Tick = no_tick
) -> Iterator[Row | BadRow]:
    """Yield every row of `file` in order, good or bad; `tick` hears how many bytes are read."""
    settings = settings or ReadSettings()
    if isinstance(file, HubFile):
        if file.form == "hub":
            yield from read_dataset(file)
            return
        handle = open_file(file)
    elif file.form == "saved":
        yield from read_saved(file.path, file.split, tick)
        return
    else:
        handle = opened(file.path)
    with handle:
        where = str(file.path)
        if file.form == "parquet":
            yield from read_parquet(handle, file_size(file), where, tick)
        elif file.form == "text":
            yield from read_text(handle, file.name, settings)
        elif file.form == "jsonl":
            yield from read_jsonl(reading(handle, file.compression, tick), settings)
        else:
            read = reading(handle, file.compression, tick)
            yield from read_delimited(read, file.form, where, settings)


def file_size(file: DataFile) -> int:
    """Bytes of the file as it is stored; 0 if unknown."""
    return file.size if isinstance(file, HubFile) else file.path.stat().st_size


def fingerprint(file: DataFile) -> str:
    """What names the file's content; DataError if it cannot be read."""
    if isinstance(file, HubFile):
        return file.version
    try:
        return file_sha256(file.path)
    except OSError as error:
        raise not_readable(file.path, error) from error


def opened(path: Path) -> BinaryIO:
    """The file at `path`, open for reading; DataError if it cannot be."""
    try:
        return path.open("rb")
    except OSError as error:
        raise not_readable(path, error) from error


def not_readable(path: Path, error: OSError) -> DataError:
    """The error for a file that is there but cannot be read, or is there no more."""
    return DataError(
        f"This file cannot be read: {error.strerror}.",
        where=str(path),
        next_step="correct its permissions, or leave it out",
    )


def stamp(file: LocalFile) -> tuple[int, int]:
    """Size and time of change: what differs if somebody writes to the file."""
    state = file.path.stat()
    return state.st_size, state.st_mtime_ns
