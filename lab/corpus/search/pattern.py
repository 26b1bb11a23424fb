"""Regular expressions in RE2's syntax (Cox 2010), which no text can make run for ever.

RE2 simulates an automaton: time is linear in the text, whatever the pattern, where a backtracking
engine needs exponential time for `(a*)*b`. There are no look-arounds and no back-references, since
no automaton has them. Linear is still slow for a huge pattern, whose cache of states thrashes: the
pattern may compile to at most `LARGEST` instructions, and of a very long document only so much is
read that text times instructions stays below `STEPS`. Memory: RE2's limit of 8 MB.

DuckDB's RE2 tests documents (`regexp_matches`, 0.4 GB of text a second and core for a plain word);
google-re2 checks the pattern and finds the places to mark.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import polars as pl
import re2

from lab.core.artifacts import Artifact
from lab.core.errors import ConfigError
from lab.core.query import ask, isolated
from lab.corpus.search.scan import Scanned, scan

LONGEST = 1000  # characters of a pattern
LARGEST = 3000  # instructions; `\\w+ \\w+` has 25, `\\p{L}+` 1,200
STEPS = 2_000_000_000  # characters of a document times instructions
SECONDS = 2.0
SQL = "SELECT regexp_matches(left(text, CAST(? AS BIGINT)), ?, ?) AS hit FROM documents"


def check_pattern(pattern: str, *, case: bool = False) -> Any:
    """The compiled pattern of google-re2; upper and lower case are the same unless `case`.

    ConfigError for a pattern that RE2 does not know, or that is too large.
    """
    if len(pattern) > LONGEST:
        raise too_large(pattern)
    try:
        compiled = compile_pattern(pattern, case)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise ConfigError(
            "This is not a regular expression.",
            where="search",
            value=pattern,
            next_step=f"{said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}; "
            "RE2 has no look-around and no back-references; write \\ before a sign meant literally",
        ) from error
    if compiled.programsize > LARGEST:
        raise too_large(pattern)
    return compiled


@lru_cache(maxsize=64)
def compile_pattern(pattern: str, case: bool) -> Any:
    """The pattern, compiled without a word on standard error."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case
    return re2.compile(pattern, options)


def too_large(pattern: str) -> ConfigError:
    """The error for a pattern whose automaton is too large."""
    return ConfigError(
        "This regular expression is too large.",
        where="search",
        value=pattern,
        next_step="use smaller numbers of repetitions, or fewer alternatives",
    )


def find_pattern(
    found: Mapping[str, Artifact], pattern: str, *, case: bool = False, seconds: float = SECONDS
) -> Scanned:
    """Documents (artifacts by source) whose text matches, as far as `seconds` reach."""
    compiled = check_pattern(pattern, case=case)
    reach = STEPS // compiled.programsize
    with isolated() as con:

        def test(_: str, piece: pl.DataFrame, left: float) -> pl.Series | None:
            given = [reach, pattern, "c" if case else "i"]
            answer = ask(con, SQL, piece, given, seconds=left)
            return None if answer is None else answer["hit"]

        return scan(found, test, seconds=seconds)


def places(text: str, pattern: str, most: int = 300) -> list[tuple[int, int]]:
    """Characters [start, end) of the first matches in a text; empty matches are left out."""
    compiled, places = check_pattern(pattern), []
    for match in compiled.finditer(text):
        if match.end() > match.start():
            places.append((match.start(), match.end()))
        if len(places) >= most:
            break
    return places
