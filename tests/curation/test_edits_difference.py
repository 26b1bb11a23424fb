"""The difference of two texts: its pieces make both texts, and it is as one would draw it."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.curation.edits import apply_edits, diff

WORDS = ["the", "mill", "a", "a", "\n", "\n", " ", " ", "\n\n", "ann@b.org", "\u2028", "\r\n", "\t"]
texts = st.lists(st.sampled_from(WORDS), max_size=40).map("".join) | st.text(max_size=40)


def sides(original: str, edited: str) -> tuple[str, str]:
    changes = diff(original, edited)
    assert all(change.text for change in changes)
    assert {change.op for change in changes} <= {"equal", "delete", "insert"}
    before = "".join(text for op, text in changes if op != "insert")
    return before, "".join(text for op, text in changes if op != "delete")


@given(texts, texts)
def test_the_pieces_are_both_texts(original: str, edited: str) -> None:
    assert sides(original, edited) == (original, edited)


@given(texts)
def test_equal_texts_have_one_equal_piece(text: str) -> None:
    assert diff(text, text) == ([("equal", text)] if text else [])


def test_dropped_lines_and_replaced_words_are_shown_as_such() -> None:
    original = "Home | About\nWrite to ann@example.org today.\nThe mill turns.\nTerms"
    edited = "Write to |||EMAIL_ADDRESS||| today.\nThe mill turns."
    assert diff(original, edited) == [
        ("delete", "Home | About\n"),
        ("equal", "Write to "),
        ("delete", "ann@example.org"),
        ("insert", "|||EMAIL_ADDRESS|||"),
        ("equal", " today.\nThe mill turns."),
        ("delete", "\nTerms"),
    ]
    assert diff("", "new") == [("insert", "new")]
    assert diff("old", "") == [("delete", "old")]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"Line {i} has its own words.\nmenu {i}\n" for i in range(20_000)),
        "The mill turns.\nmenu\n" * 40_000,
        "the mill turns by day and ann@example.org sleeps. " * 20_000,
        "x" * 1_000_000,
    ],
)
def test_a_megabyte_is_compared(text: str) -> None:
    for name in ("c4-lines", "mask-pii"):
        edited = apply_edits(pl.Series([text]), [name]).item()
        assert sides(text, edited) == (text, edited)
    removed = sum(len(change.text) for change in diff(text, edited) if change.op == "delete")
    assert removed == text.count("ann@") * len("ann@example.org")
