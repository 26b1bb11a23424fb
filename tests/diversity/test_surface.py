"""What a compressor and repeated n-grams see, by hand and on planted copies."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.diversity.breadth.measured import difference
from lab.diversity.breadth.surface import (
    measure_ratio,
    measure_texts,
    self_repetition,
    shared_runs,
    zstd_ratio,
)


def sentences(count: int, words: int = 60, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(f"w{k}" for k in rng.integers(5000, size=words)) for _ in range(count)]


def test_a_corpus_and_its_exact_double() -> None:
    """A long window sees the second copy however far it is; gzip looks back 32 kB."""
    content = "\n".join(sentences(1500)).encode()
    assert len(content) > 200_000
    assert zstd_ratio(content + content) / zstd_ratio(content) > 1.9
    single, double = (len(c) / len(gzip.compress(c)) for c in (content, content * 2))
    assert double / single < 1.02


def test_shared_runs_by_hand() -> None:
    texts = ["a b c d e", "x B c D y", "b c d", "", "q"]
    assert shared_runs(texts, 3).tolist() == [1, 1, 1, 0, 0]
    assert shared_runs(["a b a b a b", "a b z"], 2).tolist() == [1, 1]  # "b a" is its own only
    assert shared_runs(["a b c a b c"], 3).tolist() == [0]  # repeats itself, not another
    assert shared_runs([], 3).tolist() == []


@settings(max_examples=40)
@given(st.lists(st.text("ab \n", max_size=30), max_size=8), st.integers(1, 4))
def test_shared_runs_equal_a_count_by_sets(texts: list[str], run: int) -> None:
    words = [text.split() for text in texts]
    grams = [{tuple(w[i : i + run]) for i in range(len(w) - run + 1)} for w in words]
    expected = [
        sum(any(g in other for k, other in enumerate(grams) if k != i) for g in own)
        for i, own in enumerate(grams)
    ]
    assert shared_runs(texts, run).tolist() == expected


def test_copies_are_seen_by_both() -> None:
    fresh = sentences(400)
    copied = fresh[:100] * 4
    one, other = (measure_texts(t, np.arange(400), 100_000) for t in (copied, fresh))
    for name in ("zstd_ratio", "self_repetition"):
        assert one[name].estimate().low > other[name].estimate().high, name
        assert difference(one[name], other[name], paired=False).resolved
    assert other["self_repetition"].value == 0


def test_the_same_source_twice_differs_by_nothing_resolved() -> None:
    found = [measure_ratio(sentences(400, seed=s), np.arange(400)) for s in (1, 2)]
    assert found[0] and found[1]
    gap = difference(found[0], found[1], paired=False)
    assert abs(gap.value) < 0.05
    assert difference(found[0], found[0], paired=True).value == 0
    assert found[0].estimate().low < found[0].value < found[0].estimate().high


def test_hostile_texts() -> None:
    assert measure_texts([], np.zeros(0, int)) == {}
    empty = measure_texts(["", "", ""], np.arange(3))
    assert list(empty) == ["self_repetition"]
    assert empty["self_repetition"].value == 0
    same = measure_texts(["the same words again and again, to the end of it"] * 50, np.arange(50))
    assert same["zstd_ratio"].value > 10
    assert same["self_repetition"].value == pytest.approx(np.log(5))  # 11 words
    odd = measure_texts(["\ufffd broken", "\x00\x00"], np.arange(2))
    assert odd["zstd_ratio"].n == 2
    one = self_repetition(["just one text of more than eight words, and no other"], np.arange(1))
    assert one.value == 0
