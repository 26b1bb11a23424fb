"""JSON lines (https://jsonlines.org): one object a line, LF between them, UTF-8.

Blank lines are no rows. `NaN` and `Infinity`, which Python's parser accepts and JSON does not have,
are read as null. Of a repeated key the last one counts, as everywhere in Python. Cost: 8-14 us a
1 kB row, the largest share of `mixlab add`. The standard parser is used because it is exact about
types, where columnar JSON readers turn a number into text unasked.
"""

import json
from collections.abc import Iterator

from lab.corpus.readers.lines import Line, Read, split_lines
from lab.corpus.readers.rows import (
    NOT_JSON,
    NOT_OBJECT,
    NOT_UTF8,
    BadRow,
    ReadSettings,
    Row,
    excerpt,
)

BOM = b"\xef\xbb\xbf"
DECODER = json.JSONDecoder(parse_constant=lambda constant: None)


def read_jsonl(read: Read, settings: ReadSettings) -> Iterator[Row | BadRow]:
    """Yield the rows of a stream of JSON lines."""
    for line in split_lines(read, settings.max_line_bytes):
        if isinstance(line, BadRow):
            yield line
        elif line.content and not line.content.isspace():
            yield parse_line(line)


def parse_line(line: Line) -> Row | BadRow:
    """The object on one line; a BadRow if it is not UTF-8, not JSON or not an object."""
    content = line.content.removeprefix(BOM) if line.number == 1 else line.content
    try:
        value = DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError:
        return BadRow(line.number, NOT_UTF8, excerpt(content))
    except (ValueError, RecursionError):  # RecursionError: "[[[[..." thousands deep
        return BadRow(line.number, NOT_JSON, excerpt(content))
    if not isinstance(value, dict):
        return BadRow(line.number, NOT_OBJECT, excerpt(content))
    return Row(line.number, value)
