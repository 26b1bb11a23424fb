"""Conditions in SQL: what could stand after WHERE, over the columns of a document.

    tokens > 500 AND gopher.word_count < 0.8 * tokens AND text ILIKE '%river%'

The condition is parsed by DuckDB, and its syntax tree is checked before anything runs: one Boolean
expression, no subquery (so no table, no file), functions of `FUNCTIONS` only (so no gigabytes from
`repeat`, which DuckDB's limit of memory does not count), patterns that `check_pattern` accepts. It
is then evaluated on a connection that has no access to files and holds nothing but the columns it
reads, under limits of time and memory. Bare signal names stand for their definition ids. A
condition that reads no text is answered from memory, 0.1 s for a million documents, most of it for
opening the connection; one that does scans the documents (`scan`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lab.core.artifacts import Artifact
from lab.core.errors import ConfigError, DataError, nearest
from lab.core.query import ask, isolated, name, parse_condition
from lab.corpus.search.pattern import check_pattern
from lab.corpus.search.scan import COUNTS, Scanned, scan

SECONDS = 2.0
LONGEST = 2000  # characters of a condition: bounds what `||` can add up, and how deep it nests
STORED = ("text", "meta")  # columns of the documents that are read from disk
OPERATORS = (
    *("+", "-", "*", "/", "//", "%", "||", "~~", "!~~", "~~*", "!~~*", "~~~", "^", "**"),
    *("->", "->>", "json_extract", "json_extract_string", "~", "!~"),
)
FUNCTIONS = frozenset(
    (
        *OPERATORS,
        *("abs", "ceil", "ceiling", "floor", "round", "sqrt", "ln", "log", "log2", "log10", "exp"),
        *("pow", "power", "sign", "greatest", "least", "isnan", "isfinite", "mod", "bit_count"),
        *("lower", "upper", "length", "len", "strlen", "trim", "ltrim", "rtrim", "contains"),
        *("starts_with", "ends_with", "prefix", "suffix", "strpos", "instr", "position", "substr"),
        *("substring", "left", "right", "split_part", "reverse", "unicode", "ascii"),
        *("regexp_matches", "regexp_full_match", "like_escape", "ilike_escape", "nullif"),
        *("not_like_escape", "not_ilike_escape", "ifnull", "coalesce", "if", "md5", "hash"),
        *("json_valid", "json_type", "json_exists", "json_contains", "json_array_length"),
    )
)
CLASSES = frozenset(
    ("COMPARISON", "CONJUNCTION", "CONSTANT", "COLUMN_REF", "FUNCTION", "BETWEEN", "OPERATOR")
) | {"CAST", "CASE", "TYPE"}
# What makes a text of a text. Each holds a copy of all texts of a piece, which DuckDB's limit of
# memory does not count: 30 times `||` on sixteen documents of 1 MB took 6 GB.
MAKING = frozenset(
    (
        *("||", "lower", "upper", "trim", "ltrim", "rtrim", "substr", "substring", "left", "right"),
        *("split_part", "reverse", "greatest", "least", "ifnull", "coalesce", "nullif", "if"),
        *("CAST", "CASE", "json_extract", "json_extract_string", "->", "->>", "OPERATOR_COALESCE"),
        *("ARRAY_EXTRACT", "ARRAY_SLICE"),
    )
)
MOST_MAKING = 8
PATTERNS = ("regexp_matches", "regexp_full_match", "~", "!~")


@dataclass(frozen=True, slots=True)
class Predicate:
    """A checked condition; `columns` are the names it reads, of which some may be `STORED`."""

    sql: str
    columns: tuple[str, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """Those of its columns that are read from the documents' files."""
        return tuple(c for c in self.columns if c in STORED)


def read_predicate(condition: str, columns: Sequence[str]) -> Predicate:
    """The condition that a person typed, over `columns` (full names; a signal may be written
    without its definition).

    ConfigError for anything but one condition over columns that exist.
    """
    known = (
        {c: c for c in columns}
        | {c.partition("@")[0]: c for c in reversed(columns)}
        | {c: c for c in (*columns, *STORED)}
    )
    if len(condition) > LONGEST:
        raise refused(f"A condition has at most {LONGEST} characters.", len(condition))
    tree = parse_condition(with_quotes(condition, known))
    for node in nodes(tree):
        check_node(node)
    used = []
    for node in nodes(tree):
        if node.get("class") == "COLUMN_REF":
            written = ".".join(node["column_names"])
            if written not in known:
                raise ConfigError(
                    "There is no such column.",
                    where="search",
                    value=written,
                    next_step=nearest(written, known) + "; text stands in 'single quotes'",
                )
            used.append(written)
    if set(used) & set(STORED) and sum(map(makes_text, nodes(tree))) > MOST_MAKING:
        raise refused(f"A condition changes texts at most {MOST_MAKING} times.", condition)
    if not used:
        raise refused("A condition without a column is the same for every document.", condition)
    return Predicate(with_quotes(condition, known), tuple(dict.fromkeys(used)))


def with_quotes(condition: str, known: Mapping[str, str]) -> str:
    """The condition with every known column, bare or quoted, as a full name in double quotes."""
    pieces = []
    for quoted, token in tokens(condition):
        if quoted == '"':
            pieces.append(name(known.get(token, token)))
        else:
            pieces.append(name(known[token]) if not quoted and token in known else token)
    return "".join(pieces)


def tokens(condition: str) -> Iterator[tuple[str, str]]:
    """Yield (quote, token): '"' and the name inside, "'" and the literal with its quotes, or "" and
    a name or a single character.
    """
    names = r""""(?P<name>(?:[^"]|"")*)"|(?P<text>'(?:[^']|'')*')"""
    rest = r"|(?P<word>[A-Za-z_]\w*(?:\.\w+)*(?:@\w+(?:\.\w+)*)?(?:-\w+)*)|(?P<other>.)"
    for match in re.finditer(names + rest, condition, re.DOTALL):
        if match["name"] is not None:
            yield '"', match["name"].replace('""', '"')
        elif match["text"] is not None:
            yield "'", match["text"]
        else:
            yield "", match["word"] or match["other"]


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a syntax tree."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def makes_text(node: Mapping[str, Any]) -> bool:
    """True for a part of a condition that may hold a changed copy of every text."""
    if node.get("class") == "FUNCTION":
        return str(node["function_name"]).lower() in MAKING
    return node.get("class") in MAKING or node.get("type") in MAKING


def check_node(node: Mapping[str, Any]) -> None:
    """ConfigError for a part of a condition that is not allowed."""
    kind = node.get("class")
    if kind is not None and kind not in CLASSES:
        raise refused(f"A {str(kind).lower().replace('_', ' ')} is not possible here.", kind)
    if kind != "FUNCTION":
        return
    function = str(node["function_name"]).lower()
    if function not in FUNCTIONS:
        raise refused(f"Function {function!r} is not possible here.", function)
    if function in PATTERNS:
        pattern = node["arguments"][1]["expression"]
        if pattern.get("class") != "CONSTANT":
            raise refused("A pattern is written out here, not computed.", function)
        check_pattern(str(pattern["literal"].get("text", "")))


def refused(what: str, value: object) -> ConfigError:
    """The error for a condition that does more than to look at one document."""
    return ConfigError(
        what,
        where="search",
        value=value,
        next_step="use the columns of one document, comparisons, AND, OR, NOT, IN, LIKE and plain "
        "functions such as length, lower, contains, regexp_matches",
    )


def find_predicate(
    found: Mapping[str, Artifact],
    frames: Mapping[str, pl.DataFrame],
    predicate: Predicate,
    *,
    seconds: float = SECONDS,
) -> Scanned:
    """Documents of `found` (artifacts by source) that meet the condition.

    `frames` holds per source the columns that are not `STORED`, one row per document. Raises
    DataError if the condition cannot be evaluated, or takes longer without reading text.
    """
    sql = f"SELECT coalesce(CAST(({predicate.sql}\n) AS BOOLEAN), false) AS hit FROM documents"
    with isolated() as con:
        if not predicate.reads:
            return from_memory(con, sql, frames, seconds)

        def test(source: str, piece: pl.DataFrame, left: float) -> pl.Series | None:
            beside = frames[source]
            if beside.width:
                piece = pl.concat([piece, beside[piece["row"]]], how="horizontal")
            answer = ask(con, sql, piece, seconds=left)
            return None if answer is None else answer["hit"]

        return scan(found, test, seconds=seconds, columns=predicate.reads)


def from_memory(con: Any, sql: str, frames: Mapping[str, pl.DataFrame], seconds: float) -> Scanned:
    """The answer to a condition that reads no text."""
    rows, counts = {}, []
    for source, frame in frames.items():
        answer = ask(con, sql, frame, seconds=seconds)
        if answer is None:
            raise DataError(
                f"The condition took longer than {seconds:g} s and was stopped.",
                where="search",
                next_step="make it simpler, or choose one source",
            )
        rows[source] = np.flatnonzero(answer["hit"].to_numpy()).astype(np.uint32)
        counts.append((source, len(rows[source]), frame.height, frame.height))
    return Scanned(rows, pl.DataFrame(counts, schema=COUNTS, orient="row"))
