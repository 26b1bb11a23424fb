"""What is fed and scored, against the rules of the harness and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from lab.evaluation.benchmarks.prompts import seam
from lab.evaluation.scoring.encoding import Span, cut, encode_pairs, windows


@pytest.mark.parametrize(
    ("context", "continuation", "expected"),
    [
        ("The lamp is", "green", ("The lamp is", " green")),
        ("The lamp is ", "green", ("The lamp is", " green")),
        ("def f():\n    return", "1", ("def f():\n    return", " 1")),
        ("Answer:\n", "green", ("Answer:", "\ngreen")),
        ("Answer:", "\ngreen", ("Answer:", "\ngreen")),
        ("", "The river", ("", "The river")),
        ("  ", "The river", ("", "  The river")),
    ],
)
def test_the_seam(context: str, continuation: str, expected: tuple[str, str]) -> None:
    assert seam(context, continuation) == expected


def encode_pair_of_the_harness(
    tokenizer: Tokenizer, context: str, continuation: str
) -> tuple[list[int], list[int]]:
    """lm-evaluation-harness 0.4 api/model.py `_encode_pair`, written out again."""
    spaces = len(context) - len(context.rstrip())
    if spaces > 0:
        continuation = context[-spaces:] + continuation
        context = context[:-spaces]
    whole = tokenizer.encode(context + continuation, add_special_tokens=False).ids
    size = len(tokenizer.encode(context, add_special_tokens=False).ids)
    return whole[:size], whole[size:]


@given(
    context=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1),
    continuation=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1),
)
def test_pairs_are_encoded_as_the_harness_does(
    tokenizer: Tokenizer, context: str, continuation: str
) -> None:
    pair = seam(context, continuation)
    [span] = encode_pairs(tokenizer, [pair], eot_id=0)
    before, after = encode_pair_of_the_harness(tokenizer, *pair)
    if before and after:
        assert (span.tokens[: span.start], span.tokens[span.start :]) == (before, after)
    assert 1 <= span.start < len(span.tokens)


def test_end_of_text_stands_in_for_an_empty_context() -> None:
    assert cut([5, 6], 0, eot_id=9) == Span([9, 5, 6], 1)
    assert cut([5, 6], 1, eot_id=9) == Span([5, 6], 1)
    assert cut([5], 1, eot_id=9) == Span([9, 5], 1)  # one token over the whole seam


@given(st.integers(2, 80).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_windows_score_every_token_once_and_fit(shape: tuple[int, int]) -> None:
    count, start = shape
    span = Span(list(range(count)), start)
    pieces, lost = windows(span, 16)
    assert [t for p in pieces for t in p.tokens[p.start :]] == span.tokens[start:]
    assert all(len(p.tokens) - 1 <= 16 for p in pieces)
    assert pieces[0].tokens[0] == lost


def test_a_context_that_does_not_fit_is_cut_from_the_left() -> None:
    pieces, lost = windows(Span(list(range(20)), 18), 8)
    assert pieces == [Span(list(range(11, 20)), 7)]
    assert lost == 11
