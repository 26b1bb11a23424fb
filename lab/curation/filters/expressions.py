"""`where`: a small, safe SQL over columns, for what no single interval can say.

    "gopher.word_count" < 30 AND NOT ("language.code@ft1" IN ('ja', 'zh') OR tags.poem)

A rule must mean the same in the lab, in a review and in the exported DuckDB statement, so the
language is the part of SQL on which Polars (`polars.sql_expr`, which evaluates it) and DuckDB
agree: comparisons, AND/OR/NOT, IN, BETWEEN, LIKE, CASE, + - *, and functions of one row. What is
left out, and why: aggregates, windows and subqueries (a verdict would depend on the other
documents of the run); NULL tests (an unmeasured document is an error, never an answer); division
and modulo (0/0 is NaN, and NaN is greater than every threshold: `a > 2 * b` says the same as
`a / b > 2`); comments and semicolons. Numbers are compared as doubles, as in other rules. Where an
expression calculates, a document with an infinite value in one of its columns fails
(`calculated`): inf - inf is NaN, which every database would let pass a minimum.

Text is split into tokens by one regular expression and each is looked up; nothing that is not
listed here reaches a parser. Bare signal names become definition ids. Cost: microseconds.
"""

import re
from collections.abc import Callable, Iterator

import polars as pl

from lab.core.errors import ConfigError

LONGEST = 2000  # characters; also bounds how deep a parser can be made to recurse
DEEPEST = 24  # brackets
FUNCTIONS = ("abs", "ceil", "ends_with", "floor", "greatest", "least", "length", "starts_with")
KEYWORDS = (
    *("and", "or", "not", "in", "between", "like", "true", "false"),
    *("case", "when", "then", "else", "end"),
)
REFUSED = {
    "select": "A subquery makes a verdict depend on other documents.",
    "over": "A window makes a verdict depend on other documents.",
    "null": "A document without a value is an error, so there is no NULL to test for.",
    "is": "A document without a value is an error, so there is no NULL to test for.",
}
OPERATORS = ("=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "(", ")", ",")
TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"[^"]+"|`[^`"]+`)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_]\w*(?:[.@]\w+)*)
    |(?P<operator>--|/\*|[=<>!]+|[-+*(),])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[tuple[str, str, bool]]:
    """(kind, token, followed by an opening bracket) for every token of `text`."""
    for match in TOKEN.finditer(text):
        called = text[match.end() :].lstrip().startswith("(")
        yield str(match.lastgroup), match.group(), called


def canonical(text: str, where: str, column_of: Callable[[str, str], str]) -> str:
    """`text` with every column as a full name in double quotes; itself if it is that already.

    `column_of(name, where)` gives a column's full name. Raises ConfigError naming `where` for
    anything outside the language, for an expression without a column, and for one too long.
    """
    check_length(text, where)
    pieces, depth, found = [], 0, False
    for kind, token, called in tokens(text.strip()):
        name = column_name(kind, token, called)
        if name is None:
            check_token(kind, token, called, where)
            depth += {"(": 1, ")": -1}.get(token, 0)
            pieces.append(token)
        else:
            found = True
            pieces.append(f'"{column_of(name, where)}"')
        if depth > DEEPEST:
            raise refuse("The brackets are nested too deeply.", where, text, "split the rule")
    written = "".join(pieces)
    if not found:
        raise refuse(
            "A rule that reads no column is the same for every document.",
            where,
            text,
            "name a column, for example `gopher.word_count >= 50`",
        )
    check_length(written, where)
    check_sql(written, where)
    return written


def check_length(text: str, where: str) -> None:
    """ConfigError for an expression, as written or with full names, of too many characters."""
    if len(text) > LONGEST:
        raise refuse(
            "The expression is too long.",
            where,
            len(text),
            f"at most {LONGEST} characters with full column names; split it into several rules",
        )


def column_name(kind: str, token: str, called: bool) -> str | None:
    """The column that a token names, or None if it is something else."""
    if kind == "quoted":
        return token[1:-1]
    plain = kind == "word" and token.lower() not in (*KEYWORDS, *REFUSED)
    return token if plain and not called else None


def check_token(kind: str, token: str, called: bool, where: str) -> None:
    """ConfigError unless the token is part of the language."""
    if kind == "word" and token.lower() in REFUSED:
        raise refuse(REFUSED[token.lower()], where, token, "use the columns of one document only")
    if kind == "word" and called and token.lower() not in (*FUNCTIONS, *KEYWORDS):
        raise refuse(
            f"Function {token!r} is not allowed in a rule: only functions of one row are.",
            where,
            token,
            f"use {', '.join(FUNCTIONS)}",
        )
    if kind == "other" or (kind == "operator" and token not in OPERATORS):
        hint = "write `a > 2 * b` in place of `a / b > 2`" if token == "/" else ""
        known = f"use {' '.join(OPERATORS)} AND OR NOT IN BETWEEN LIKE CASE, 'text' and numbers"
        raise refuse(f"{token!r} is not allowed in a rule.", where, token, hint or known)


def check_sql(written: str, where: str) -> None:
    """ConfigError unless a canonical expression is one SQL expression."""
    try:
        found = pl.sql_expr(written)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # `greatest()` panics in Polars
        raise refuse("This is not an SQL expression.", where, written, str(error)) from error
    named = not found.meta.eq(found.meta.undo_aliases())  # `a > 1 'b'` is `a > 1 AS b`
    if named or set(found.meta.root_names()) != set(columns_in(written)):
        raise refuse("This is more than one SQL expression.", where, written, "join them with AND")


def columns_in(written: str) -> tuple[str, ...]:
    """The columns of a canonical expression, each once, in order."""
    return tuple(dict.fromkeys(t[1:-1] for kind, t, _ in tokens(written) if kind == "quoted"))


def calculated(written: str) -> tuple[str, ...]:
    """The columns of a canonical expression that adds, subtracts or multiplies; none of another."""
    before = ""
    for kind, token, _ in tokens(written):
        operand = before in ("quoted", "number", ")")
        if kind == "operator" and token in "+-*" and operand:  # a sign stands behind no operand
            return columns_in(written)
        if kind != "space":
            before = ")" if token == ")" else kind
    return ()


def with_columns(written: str, rename: Callable[[str], str]) -> str:
    """A canonical expression with every column replaced by what `rename` makes of its name."""
    return "".join(rename(t[1:-1]) if kind == "quoted" else t for kind, t, _ in tokens(written))


def refuse(what: str, where: str, value: object, next_step: str) -> ConfigError:
    """The error for an expression outside the language."""
    return ConfigError(what, where=where, value=value, next_step=next_step)
