"""What a reader yields: rows, bad rows, and the fixed words for what can be wrong with one.

A reason is one of a closed list so that quarantined rows can be counted by it; the place and the
excerpt tell them apart. Excerpts are for a person to recognise the row: at most 200 characters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

EXCERPT = 200  # characters, as schema.QUARANTINE promises

NOT_UTF8 = "not UTF-8"
NOT_UNICODE = "text holds a lone surrogate"  # "\ud800" in JSON: no Unicode text, not storable
NOT_JSON = "not JSON"
NOT_OBJECT = "not a JSON object"
NO_COLUMN = "text column is missing"
NULL_TEXT = "text is null"
NOT_STRING = "text is not a string"
EMPTY_TEXT = "text is empty"
TOO_LONG = "line is too long"
TEXT_TOO_LONG = "text is too long"
WRONG_FIELDS = "wrong number of fields"
NOT_CSV = "not CSV"
UNREADABLE = "the rest of the file is unreadable"
BAD_VALUE = "a column's value cannot be read"  # such as a date after the year 9999
BINARY = "binary file"
OUTSIDE = "link that leaves the folder"
NO_PERMISSION = "no permission to read it"
NOT_A_FILE = "not a regular file"


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Limits on a single row. Both change what is read, so they are part of an artifact's id."""

    max_line_bytes: int = 64_000_000  # a line, text file or text above this is quarantined
    max_meta_bytes: int = 16_384  # a document's other columns, as JSON


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line (or row) number from 1 and its columns."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no document: its line (or row) number from 1, why, and its beginning."""

    line: int
    reason: str
    excerpt: str = ""


Tick = Callable[[int], None]


def no_tick(position: int) -> None:
    """Drop a report of how many bytes of the file were read."""


def excerpt(content: bytes | str) -> str:
    """The first 200 characters of `content`, whatever it is, as valid text."""
    if isinstance(content, bytes):
        return content[: EXCERPT * 4].decode("utf-8", "replace")[:EXCERPT]
    return content[:EXCERPT].encode("utf-8", "replace").decode("utf-8")


def excerpt_values(values: dict[str, Any]) -> str:
    """The first characters of a row's columns, without printing a long value whole."""
    shown = (f"{k}: {v[:60] if isinstance(v, str) else repr(v)[:60]}" for k, v in values.items())
    return excerpt(", ".join(shown))
