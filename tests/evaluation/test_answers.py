"""Answers in a model's own words, read by hand."""

import pytest

from lab.core.errors import ConfigError
from lab.evaluation.scoring.answers import cut, extract, is_match


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2*3 = <<2*3=6>>6 fish.\n#### 6", "6"),
        ("#### 1,234\nQuestion: 9", "1,234"),
        ("#### -5 and 7", "-5"),
        ("#### none, but 7", "7"),
        ("so 3 and then 12.", "12"),
        ("It costs $1,000.50.", "$1,000.50"),
        ("no number", ""),
        ("", ""),
    ],
)
def test_a_number_after_the_mark_else_the_last_one(text: str, number: str) -> None:
    assert extract(text, "number") == number


@pytest.mark.parametrize(
    ("said", "gold", "right"),
    [
        ("1,000", "1000", True),
        ("$5", "5.00", True),
        ("-5", "5", False),
        ("", "0", False),
        ("12", "1", False),
        ("3.50", "3.5", True),
    ],
)
def test_numbers_match_by_value(said: str, gold: str, right: bool) -> None:
    assert is_match(said, gold, pattern="number") is right


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("The Cork", True),
        ("cork!", True),
        ("  a   CORK ", True),
        ("corks", False),
        ("wine-cork", True),
        ("", False),
        ("the", False),
    ],
)
def test_aliases_match_after_the_authors_normalisation(said: str, right: bool) -> None:
    assert is_match(said, "Cork", ["wine cork"]) is right


def test_an_answer_is_the_first_line_and_generation_is_cut() -> None:
    assert extract("\n  Cork. \nQuestion: more", "alias") == "Cork."
    assert cut("6 fish\nQuestion: 7", ["Question:", "</s>"]) == "6 fish\n"
    assert cut("a, b. c", ["\n", ".", ","]) == "a"
    assert cut("whole", []) == "whole"
    assert is_match("x = 1", "x = 1 ", pattern="line")


def test_an_unknown_pattern_is_named() -> None:
    with pytest.raises(ConfigError, match="number"):
        extract("x", "numbr")
