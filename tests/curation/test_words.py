"""Words: the kernel, the regular expressions and a plain reading of the rule must agree."""

import unicodedata

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.curation.words import hash_runs, hash_words, spell

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=8)


def plain_words(text: str) -> list[str]:
    """The rule in Python: lower-case, keep letters, marks, numbers and white space, split."""
    kept = [c for c in text.lower() if unicodedata.category(c)[0] in "LMN" or white(c)]
    return "".join(" " if white(c) else c for c in kept).split(" ")


def white(character: str) -> bool:
    """Unicode's White_Space; Python's isspace also takes the four separators U+001C to U+001F."""
    return character.isspace() and not "\x1c" <= character <= "\x1f"


@settings(deadline=None)  # the first call compiles
@given(texts)
def test_spelt_words_follow_the_rule(batch: list[str]) -> None:
    # only ASCII letters here: Rust and Python lower-case a few others by different Unicode versions
    batch = ["".join(c if ord(c) < 128 or not c.isalpha() else "é" for c in t) for t in batch]
    batch = ["".join(c for c in t if unicodedata.category(c) not in ("Cn", "Co")) for t in batch]
    expected = [[word for word in plain_words(text) if word] for text in batch]
    assert spell(pl.Series(batch, dtype=pl.String)).to_list() == expected


@settings(deadline=None)  # the first call compiles
@given(texts)
def test_equal_hashes_are_equal_words(batch: list[str]) -> None:
    series = pl.Series(batch, dtype=pl.String)
    hashes, offsets = hash_words(series)
    words = spell(series)
    assert np.diff(offsets).tolist() == words.list.len().to_list()
    flat = [word for text in words.to_list() for word in text]
    by_word = dict(zip(flat, hashes.tolist(), strict=True))
    assert [by_word[word] for word in flat] == hashes.tolist()
    assert len(set(by_word.values())) == len(by_word)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=12), min_size=1, max_size=5))
def test_a_run_is_named_by_its_words_not_by_its_place(batch: list[list[str]]) -> None:
    series = pl.Series([" ".join(words) for words in batch], dtype=pl.String)
    runs, bounds = hash_runs(*hash_words(series), 3)
    seen: dict[tuple[str, ...], int] = {}
    for k, words in enumerate(batch):
        own = runs[bounds[k] : bounds[k + 1]].tolist()
        grams = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
        assert len(own) == len(grams)
        for gram, value in zip(grams, own, strict=True):
            assert seen.setdefault(gram, value) == value
    assert len(set(seen.values())) == len(seen)


def test_punctuation_case_and_line_breaks_do_not_matter() -> None:
    hashes, offsets = hash_words(pl.Series(["It's 3.5, (ONE) test!", "it’s\n35\u2028one\ttest"]))
    assert offsets.tolist() == [0, 4, 8]
    assert hashes[:4].tolist() == hashes[4:].tolist()


def test_empty_texts_have_no_words() -> None:
    for batch in ([], [""], ["", " \n ", "?!"]):
        hashes, offsets = hash_words(pl.Series(batch, dtype=pl.String))
        assert len(hashes) == 0
        assert offsets.tolist() == [0] * (len(batch) + 1)
        assert len(hash_runs(hashes, offsets, 5)[0]) == 0


def test_hashes_are_the_same_on_every_machine_and_day() -> None:
    """FNV-1a 64 of b'a', finished with MurmurHash3's mixer, computed here in plain Python."""
    full = 2**64 - 1
    value = (0xCBF29CE484222325 ^ ord("a")) * 0x100000001B3 & full
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & full
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & full
    value ^= value >> 33
    assert hash_words(pl.Series(["A"]))[0].tolist() == [value]
