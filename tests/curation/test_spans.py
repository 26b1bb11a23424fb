"""Spans: where the marks are counted, they give the signal's own value; nothing is marked twice."""

import re
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.curation.reading.spans import MOST, READ, Span, spans
from lab.curation.signals import DEFINITIONS, compute
from lab.curation.signals.characters import SENTENCE_END

PIECES = "the of and lamp a bc # ... … . ! - • {x} [1] javascript use|cookies LOREM|ipsum"
WORDS = ["Ⅷ", "é", "漢", "٣", "12", "https://a.org/?b=1,"]
WORDS += [piece.replace("|", " ") for piece in PIECES.split(" ")]
GAPS = [" ", " ", " ", "\n", "\n", "\n\n", "\r\n", "\t", "\x1c", "\x1f", "\x85", "\u2028", "", "- "]
hostile = st.lists(st.sampled_from([*WORDS, *GAPS, *GAPS]), max_size=60).map("".join)
texts = st.one_of(hostile, hostile.map(lambda text: text * 2), st.text(max_size=60))


def marked(text: str, column: str) -> list[str]:
    return [text[span.start : span.end] for span in spans(text, column)]


def value(text: str, name: str) -> float:
    return compute(pl.DataFrame({"text": [text]}), [name]).item()


def share(part: float, whole: float) -> float:
    return part / max(whole, 1)


@given(texts)
@settings(max_examples=40)
@example("• a\n - b\nc...\n\u2028…  \n")
def test_marks_count_what_the_signal_counts(text: str) -> None:
    words, lines = text.split(), text.splitlines()
    rows = [row for row in text.split("\n") if row.strip()]
    counts = {
        "gopher.hash_ratio": len(words),
        "gopher.ellipsis_ratio": len(words),
        "gopher.bullet_lines": len(lines),
        "gopher.ellipsis_lines": len(lines),
        "fineweb.short_lines": len(rows),
        "gopher.stop_words": 1,  # a count
        "content.urls": 1,
    }
    for name, whole in counts.items():
        assert value(text, name) == pytest.approx(share(len(spans(text, name)), whole)), name
    assert value(text, "gopher.alpha_words") == pytest.approx(
        share(len(words) - len(spans(text, "gopher.alpha_words")), len(words))
    )
    unended = len(spans(text, "fineweb.line_punct"))
    assert value(text, "fineweb.line_punct") == pytest.approx(share(len(rows) - unended, len(rows)))
    assert all(line[-1] not in SENTENCE_END for line in marked(text, "fineweb.line_punct"))


@given(texts)
@settings(max_examples=40)
def test_marked_characters_are_those_that_the_share_counts(text: str) -> None:
    chars = len(text)
    lines = sum(map(len, marked(text, "fineweb.dup_line_chars")))
    assert value(text, "fineweb.dup_line_chars") == share(lines, chars - text.count("\n"))
    paragraphs = sum(map(len, marked(text, "repetition.dup_para_chars")))
    assert value(text, "repetition.dup_para_chars") == share(paragraphs, chars)
    letters = sum(len("".join(gram.split())) for gram in marked(text, "repetition.dup_5_gram"))
    assert value(text, "repetition.dup_5_gram") == pytest.approx(share(letters, chars))
    for name in ("basic.digit_share", "content.url_chars", "content.code_marks"):
        found = sum(map(len, marked(text, name)))
        assert value(text, name) == pytest.approx(share(found, chars)), name


@given(texts)
@settings(max_examples=40)
@example("Lorem ipsum is here {.\nlorem ipsum\nuse javascript {x} now.\nWe use cookies all day.")
def test_c4_marks_the_lines_that_it_drops(text: str) -> None:
    full = [line for line in text.splitlines() if line.strip()]
    for definition in ("dt1", "fw1"):
        dropped = spans(text, f"c4.kept_lines@{definition}")
        kept = value(text, f"c4.kept_lines@{definition}")
        assert kept == pytest.approx(share(len(full) - len(dropped), len(full)))
        for name in ("lorem_ipsum", "curly_brackets"):
            column = f"c4.{name}@{definition}"
            assert bool(spans(text, column)) == bool(value(text, column))
    unended = len(spans(text, "c4.terminal_lines"))
    assert value(text, "c4.terminal_lines") == pytest.approx(share(len(full) - unended, len(full)))


@given(texts)
@settings(max_examples=40)
def test_every_column_marks_within_the_text_in_order_and_once(text: str) -> None:
    for column in [d.id for d in DEFINITIONS]:
        found = spans(text, column)
        assert all(0 <= span.start < span.end <= len(text) and span.what for span in found)
        assert found == sorted(found)
        for what in {span.what for span in found}:
            same = [span for span in found if span.what == what]
            assert all(a.end <= b.start for a, b in pairwise(same)), column


def test_what_is_marked_in_words() -> None:
    text = "one two one two one two\nWrite to ann@example.org"
    assert marked(text, "repetition.top_2_gram") == ["one two"] * 3
    assert marked("a a a a", "repetition.top_2_gram") == ["a a a a"]  # they overlap
    assert spans("a b. a b, a b.", "repetition.top_2_gram@ws1") == [
        Span(0, 4, "most frequent 2-gram, 2 times"),
        Span(10, 14, "most frequent 2-gram, 2 times"),
    ]
    assert spans(text, "pii.count") == [Span(33, 48, "email")]
    assert spans(text, "pii.email@lab1") == [Span(33, 48, "email")]
    assert spans(text, "pii.phone") == []
    assert marked("ABC Def é É", "basic.uppercase_share") == ["ABC", "D", "É"]
    dropped = spans("Menu\nTurn JavaScript on now.\nThe mill turns.", "c4.kept_lines")
    assert [span.what for span in dropped] == ["no end mark", "javascript"]


@pytest.mark.parametrize(
    "column",
    ["", "unknown", "gopher.bullet_lines@old9", "quality.url", "tags.bullet", "@", "a@b@c"],
)
def test_an_unknown_column_marks_nothing(column: str) -> None:
    assert spans("- a bullet\n- two https://example.org", column) == []


COSTLY = (
    *("gopher.alpha_words", "gopher.mean_word_length", "fineweb.dup_line_chars", "c4.kept_lines"),
    *("repetition.dup_paras", "repetition.top_3_gram", "repetition.dup_5_gram", "pii.count"),
    *("gopher.hash_ratio", "basic.uppercase_share", "c4.curly_brackets", "gopher.bullet_lines"),
)


@pytest.mark.parametrize("unit", ["- a{b} 1 B\n", "the the ", "\n", "x", "a@b.org ", "#", "… "])
def test_of_a_hostile_document_little_is_read_and_marked(unit: str) -> None:
    text = unit * (20_000_000 // len(unit))
    for column in COSTLY:
        found = spans(text, column)
        assert len(found) <= MOST
        assert all(span.end <= READ for span in found)


def test_right_to_left_and_combining_marks_are_marked_by_characters() -> None:
    text = "- שלום לכולם\nمرحبا …\ne\u0301te\u0301 #"
    assert marked(text, "gopher.bullet_lines") == ["- שלום לכולם"]
    assert marked(text, "gopher.ellipsis_lines") == ["…"]
    assert [m.start() for m in re.finditer("#", text)] == [
        span.start for span in spans(text, "gopher.hash_ratio")
    ]
