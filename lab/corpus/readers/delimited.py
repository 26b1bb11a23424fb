"""CSV and TSV (RFC 4180): a header, then records whose quoted fields may hold line breaks.

The delimiter is the one the name promises; where the header does not contain it, `;`, tab and comma
are tried. A record whose number of fields differs from the header's is quarantined, never padded. A
quote that is opened and never closed would swallow the file: the record ends, as a bad row, once it
exceeds the field limit, and reading goes on with the next line. Cost: 9 us a 1 kB record.
"""

import csv
from collections.abc import Iterator

from lab.core.errors import ConfigError
from lab.corpus.readers.jsonl import BOM
from lab.corpus.readers.lines import Read, split_lines
from lab.corpus.readers.rows import (
    NOT_CSV,
    NOT_UTF8,
    TOO_LONG,
    UNREADABLE,
    WRONG_FIELDS,
    BadRow,
    ReadSettings,
    Row,
    excerpt,
)

DELIMITERS = {"csv": ",;\t", "tsv": "\t,;"}


class Lines:
    """The lines of a stream as `csv` wants them, remembering those that could not be delivered."""

    def __init__(self, read: Read, limit: int) -> None:
        self.source = split_lines(read, limit)
        self.bad: list[BadRow] = []

    def __iter__(self) -> Iterator[str]:
        """Yield lines with their LF; an undeliverable one is yielded empty, to keep the count."""
        for line in self.source:
            if isinstance(line, BadRow):
                self.bad.append(line)
                yield "\n"
                continue
            content = line.content.removeprefix(BOM) if line.number == 1 else line.content
            # surrogateescape: the record, not the line, is the unit that is quarantined
            yield content.decode("utf-8", "surrogateescape") + "\n"


def read_delimited(
    read: Read, form: str, where: str, settings: ReadSettings
) -> Iterator[Row | BadRow]:
    """Yield the rows of a CSV or TSV stream; `form` says which, `where` names it in errors."""
    csv.field_size_limit(settings.max_line_bytes // 4)  # `csv` holds a field as 4 bytes a character
    lines = Lines(read, settings.max_line_bytes)
    stream = iter(lines)
    first = next(stream, "")
    delimiter = next((d for d in DELIMITERS[form] if d in first), DELIMITERS[form][0])
    records = csv.reader(joined(first, stream), delimiter=delimiter, strict=True)
    header = header_of(records, where)
    while True:
        begin = records.line_num + 1
        row = next_record(records, header, begin)
        if lines.bad:  # lines inside this record were skipped: the record is not what was written
            yield from lines.bad
            broken = lines.bad[-1].reason == UNREADABLE
            lines.bad.clear()
            if broken:
                return
        elif row is None:
            return
        elif not isinstance(row, Row) or row.values:
            yield row


def joined(first: str, rest: Iterator[str]) -> Iterator[str]:
    """`first`, then `rest`."""
    yield first
    yield from rest


def header_of(records: "Iterator[list[str]]", where: str) -> list[str]:
    """The column names; ConfigError if two are the same."""
    header = next(records, [])
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ConfigError(
            "Two columns have the same name.",
            where=where,
            value=repeated,
            next_step="rename one of them in the first line of the file",
        )
    return header


def next_record(
    records: "Iterator[list[str]]", header: list[str], begin: int
) -> Row | BadRow | None:
    """The record that begins at line `begin`; a blank line is an empty Row, the end is None."""
    try:
        fields = next(records, None)
    except csv.Error as error:
        reason = TOO_LONG if "field limit" in str(error) else NOT_CSV
        return BadRow(begin, reason, excerpt(str(error)))
    if fields is None:
        return None
    if fields and len(fields) != len(header):
        return BadRow(begin, WRONG_FIELDS, excerpt(", ".join(fields)))
    if any(map(holds_surrogate, fields)):
        return BadRow(begin, NOT_UTF8, excerpt(", ".join(fields)))
    return Row(begin, dict(zip(header, fields, strict=False)))


def holds_surrogate(text: str) -> bool:
    """True if bytes that are not UTF-8 were carried into `text`."""
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
