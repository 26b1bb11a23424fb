"""`where`: what the small SQL says, and everything that it refuses."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError
from lab.core.query import query
from lab.curation.filters.expressions import LONGEST, columns_in
from lab.curation.filters.mask import fail_mask, holds
from lab.curation.filters.parsing import parse_rule
from lab.curation.filters.rule import Rule

WORDS = "gopher.word_count@ws1"
FRAME = pl.DataFrame(
    {
        WORDS: pl.Series([1, 20, 300], dtype=pl.UInt32),
        "x": [1.0, 2.0, 3.0],
        "y": pl.Series([2, 2, 2], dtype=pl.UInt32),
        "code": ["en", "de", "no"],
        "tags.good": [True, False, True],
    }
)


def rule(text: str) -> Rule:
    return parse_rule({"where": text}, "here")


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("gopher.word_count < 30 AND NOT (code IN ('de', 'no'))", [1, 0, 0]),
        (f'"{WORDS}" < 30 or tags.good', [1, 1, 1]),
        ("y - gopher.word_count > -20", [1, 1, 0]),  # unsigned columns do not wrap around
        ("x BETWEEN 1 AND 2", [1, 1, 0]),
        ("x >= 2", [0, 1, 1]),  # equality passes
        ("tags.good", [1, 0, 1]),
        ("`code` LIKE 'n%' or x*y = 2", [1, 0, 1]),
        ("case when x > 1 then tags.good else false end", [0, 0, 1]),
        ("abs(-x) >= 2 and length(code) = 2", [0, 1, 1]),
        ("greatest(x, y) > 2.5e0 or code = 'it''s'", [0, 0, 1]),
    ],
)
def test_an_expression_decides_row_by_row(text, passes):
    assert fail_mask(FRAME, [rule(text)]).to_list() == [1 - p for p in passes]


@pytest.mark.parametrize(
    ("text", "complaint", "next_step"),
    [
        ("sum(x) > 1", "Function 'sum' is not allowed", "abs"),
        ("x > (select max(x) from self)", "subquery", "one document"),
        ("row_number() over (order by x) > 1", "Function 'row_number'", "abs"),
        ("x > 1 over w", "window", "one document"),
        ("exists (select 1)", "Function 'exists'", "abs"),
        ("read_text('/etc/passwd') = x", "Function 'read_text'", "abs"),
        ("random() < x", "Function 'random'", "abs"),
        ("1 = 1", "reads no column", "name a column"),
        ("true", "reads no column", "name a column"),
        ("", "reads no column", "name a column"),
        ("x is null", "without a value is an error", "one document"),
        ("x = null", "without a value is an error", "one document"),
        ("x / y > 1", "'/' is not allowed", "2 * b"),
        ("x % 2 = 1", "'%' is not allowed", "AND"),
        ("x > 1; drop table t", "';' is not allowed", "AND"),
        ("x > 1 -- and y > 2", "'--' is not allowed", "AND"),
        ("x > /* 1 */ 2", r"'/\*' is not allowed", "AND"),
        ("x == 1", "'==' is not allowed", "="),
        ("x <=> 1", "'<=>' is not allowed", "="),
        ("x > 1 y", "more than one SQL expression", "AND"),
        ("x > 1 'y'", "more than one SQL expression", "AND"),  # an alias in quotes
        ("x as y", "no SQL expression|not an SQL expression", ""),
        ("x, y", "not an SQL expression", ""),
        ("x >", "not an SQL expression", ""),
        ("e'a' = code", "not an SQL expression", ""),
        ("gopher.word_cuont > 1", "Unknown signal", "gopher.word_count"),
        ("gopher.word_count@ws0 > 1", "Unknown signal", WORDS),
        ("(" * 30 + "x > 1" + ")" * 30, "too deeply", "split"),
        ("x > 1 and " * 400 + "x > 1", "too long", str(LONGEST)),
        ("not " * 490 + "tags.good", "not an SQL expression", ""),
        ("x > 1\x00", "is not allowed", "AND"),
        ('`x" / "y` > 1', "'`' is not allowed", "AND"),
        ('`x" IS NULL OR "y` > 1', "'`' is not allowed", "AND"),
        ("greatest() + x > 1", "not an SQL expression", ""),
    ],
)
def test_what_is_outside_the_language_is_refused_when_it_is_read(text, complaint, next_step):
    with pytest.raises(ConfigError, match=complaint) as error:
        rule(text)
    assert error.value.where == "here.where"
    assert next_step in error.value.next_step


@pytest.mark.parametrize("value", [5, ["x > 1"], True])
def test_an_expression_is_text(value):
    with pytest.raises(ConfigError, match="SQL expression over columns"):
        rule(value)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("x + 1", ConfigError, "not true or false"),
        ("x > 'a'", ConfigError, "not true or false"),
        ("x like 'a%'", ConfigError, "not true or false"),
        ("x > 1 and y", ConfigError, "not true or false"),
        ("case when x > 1 then tags.good end", DataError, "no answer for 1 of 3"),
        ("cod = 'en'", ConfigError, "did you mean code"),
    ],
)
def test_what_only_the_columns_can_tell_is_refused_when_documents_are_judged(text, error, says):
    with pytest.raises(error) as raised:
        fail_mask(FRAME, [rule(text)])
    assert says in str(raised.value)


@pytest.mark.parametrize("text", ["x > 1 or tags.good", "x < 9", "not x > 1"])
@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_value_that_is_missing_never_passes(text, missing):
    frame = FRAME.with_columns(x=pl.Series([1.0, missing, 3.0]))
    with pytest.raises(DataError, match="1 of 3 documents have no value of x"):
        fail_mask(frame, [rule(text)])


def test_names_are_bound_once_and_stay():
    once = rule("gopher.word_count > 5 and `x` < 2")
    assert once.where == f'"{WORDS}" > 5 and "x" < 2'
    assert rule(once.where) == once
    assert once.columns() == columns_in(once.where) == (WORDS, "x")
    assert once.words() == "where word count > 5 and x < 2"


numbers = st.sampled_from(["x", "y", "gopher.word_count", "1.5", "2", "20", "(x + y)", "x * -2"])
tests = st.builds(
    " ".join, st.tuples(numbers, st.sampled_from(["<", "<=", "=", "<>", ">=", ">"]), numbers)
)
whole = st.recursive(
    tests | st.just("tags.good") | st.just("code IN ('en', 'no')"),
    lambda inner: (
        st.builds("({} AND {})".format, inner, inner)
        | st.builds("({} OR {})".format, inner, inner)
        | st.builds("NOT ({})".format, inner)
    ),
    max_leaves=5,
)


@given(whole)
def test_polars_and_duckdb_agree(text):
    try:
        parsed = rule(text)
    except ConfigError:
        return  # a constant
    ours = FRAME.select(holds(parsed, FRAME.schema)).to_series().to_list()
    assert (
        query(
            f"SELECT {parsed.where} AS v FROM f", frames={"f": FRAME.cast({pl.UInt32: pl.Float64})}
        )["v"].to_list()
        == ours
    )


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("a - b >= 5", [1, 0, 0]),  # inf - inf is NaN, which Polars and DuckDB call the greatest
        ("NOT (a - b < 5)", [1, 0, 0]),
        ("a >= 5", [1, 1, 0]),  # nothing is calculated: infinity is at least 5
        ("a > -20 and b < 9", [1, 0, 1]),  # a sign calculates nothing
    ],
)
def test_what_is_no_number_passes_nothing(text, passes):
    infinite = float("inf")
    frame = pl.DataFrame({"a": [9.0, infinite, 1.0], "b": [1.0, infinite, 1.0]})
    assert fail_mask(frame, [rule(text)]).to_list() == [1 - p for p in passes]
