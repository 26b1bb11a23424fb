"""One file, one document: plain text, Markdown, source code.

The row has the columns `text`, `path` (relative to the folder that was named) and `extension`. A
file is binary if a NUL stands in its first 8 kB (the rule of git and grep), which also catches
UTF-16 and UTF-32.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from lab.corpus.readers.jsonl import BOM
from lab.corpus.readers.rows import (
    BINARY,
    NOT_UTF8,
    TEXT_TOO_LONG,
    UNREADABLE,
    BadRow,
    ReadSettings,
    Row,
    excerpt,
)

HEAD = 8192  # bytes looked at for a NUL, as git does


def read_text(handle: BinaryIO, name: str, settings: ReadSettings) -> Iterator[Row | BadRow]:
    """Yield the one row of a text file whose path is `name`."""
    try:
        content = handle.read(settings.max_line_bytes + 1)
    except OSError as error:
        yield BadRow(1, UNREADABLE, excerpt(str(error)))
        return
    yield text_row(content, name, settings)


def text_row(content: bytes, name: str, settings: ReadSettings) -> Row | BadRow:
    """The row of a file's bytes, or why it has none."""
    if b"\0" in content[:HEAD]:
        return BadRow(1, BINARY, excerpt(content))
    if len(content) > settings.max_line_bytes:
        return BadRow(1, TEXT_TOO_LONG, excerpt(content))
    try:
        text = content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        return BadRow(1, NOT_UTF8, excerpt(content))
    return Row(1, {"text": text, "path": name, "extension": PurePosixPath(name).suffix})
