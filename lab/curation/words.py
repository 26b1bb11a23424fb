"""Words as numbers: what duplicate search and decontamination compare.

A text is lower-cased, everything but letters, marks, digits and white space is deleted, and what
remains is split on white space (the normalisation of GPT-3, Brown et al. 2020, appendix C). Line
breaks do not matter, so a re-wrapped text has the same words; `don't` and `dont` are one word.
Scripts written without spaces give one word a phrase, so both methods are weak on them.

Each word becomes a 64-bit FNV-1a hash, finished with a multiply-shift so that all bits vary; a run
of n words becomes a polynomial of its word hashes, updated in O(1) a step (Karp and Rabin 1987).
The hashes are ours because those of libraries promise nothing across versions. Two different runs
agree by chance with probability 2^-64 a pair; who cannot bear that compares the words (`spell`).

A code point's class is looked up in a table (1.1 MB, made by the regular expressions that `spell`
uses), so a text is lower-cased and then read once: 190 MB a second on one core.
"""

from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.compiled import compiled

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

DELETED = r"[^\p{L}\p{M}\p{N}\s]"
DELETE, LETTER, SPACE = 0, 1, 2
CODE_POINTS = 0x110000
BASE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: the base of the polynomial


@cache
def classes() -> NDArray[np.uint8]:
    """Class of each code point: `LETTER` joins a word, `SPACE` ends it, `DELETE` does neither."""
    points = np.r_[0:0xD800, 0xE000:CODE_POINTS].astype("<u4")  # all but surrogates
    every = pl.Series([points.tobytes().decode("utf-32-le")])
    for kind, pattern in enumerate((DELETED, r"[^\s\x00]", r"\s")):
        every = every.str.replace_all(pattern, chr(kind))
    table = np.full(CODE_POINTS, DELETE, np.uint8)
    table[points] = np.frombuffer(every[0].encode(), np.uint8)
    return table


def hash_words(text: pl.Series) -> tuple[U64, I64]:
    """Hashes of all words of all texts, and offsets: text k owns `[offsets[k], offsets[k + 1])`."""
    return hash_lowered(*utf8(text.str.to_lowercase()))


def hash_lowered(data: NDArray[np.uint8], bounds: I64) -> tuple[U64, I64]:
    """`hash_words` for the bytes of lower-cased texts and their bounds."""
    longest = int(bounds[-1] - bounds[0]) // 2 + len(bounds)  # a word and its space: two bytes
    hashes = np.empty(longest, np.uint64)
    offsets = np.zeros(len(bounds), np.int64)
    count = hash_kernel(data, bounds, classes(), hashes, offsets)
    return hashes[:count], offsets


def spell(text: pl.Series) -> pl.Series:
    """The words themselves, as lists of strings: the same words that `hash_words` hashes."""
    return text.str.to_lowercase().str.replace_all(DELETED + "+", "").str.extract_all(r"\S+")


def utf8(text: pl.Series) -> tuple[NDArray[np.uint8], I64]:
    """The bytes of all texts, one after the other, and the bounds of each."""
    array = text.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, bounds, data = array.buffers()
    if not len(array) or data is None:
        return np.zeros(1, np.uint8), np.zeros(len(array) + 1, np.int64)
    limits = np.frombuffer(bounds, np.int64, len(array) + 1, array.offset * 8)
    return np.frombuffer(data, np.uint8), limits


@compiled
def hash_kernel(
    data: NDArray[np.uint8], bounds: I64, table: NDArray[np.uint8], out: U64, offsets: I64
) -> int:
    """Write the hash of each word and where each text ends; a deleted byte does not end a word."""
    at = 0
    for k in range(bounds.shape[0] - 1):
        inside, value, i = False, np.uint64(0), bounds[k]
        while i < bounds[k + 1]:
            kind, width = character(data, i, table)
            if kind == LETTER:
                if not inside:
                    inside, value = True, np.uint64(14695981039346656037)
                for j in range(i, i + width):
                    value = (value ^ np.uint64(data[j])) * np.uint64(1099511628211)
            elif kind == SPACE and inside:
                inside, out[at], at = False, finish(value), at + 1
            i += width
        if inside:
            out[at], at = finish(value), at + 1
        offsets[k + 1] = at
    return at


@compiled
def character(data: NDArray[np.uint8], i: int, table: NDArray[np.uint8]) -> tuple[int, int]:
    """Class and width in bytes of the UTF-8 character that begins at byte `i`."""
    lead = int(data[i])
    if lead < 0x80:
        return int(table[lead]), 1
    if lead < 0xE0:
        return int(table[(lead & 0x1F) << 6 | int(data[i + 1]) & 0x3F]), 2
    tail = (int(data[i + 1]) & 0x3F) << 6 | int(data[i + 2]) & 0x3F
    if lead < 0xF0:
        return int(table[(lead & 0x0F) << 12 | tail]), 3
    return int(table[(lead & 0x07) << 18 | tail << 6 | int(data[i + 3]) & 0x3F]), 4


@compiled
def finish(value: np.uint64) -> np.uint64:
    """Spread the entropy of `value` over all its bits (MurmurHash3's finaliser, Appleby 2011)."""
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))


def hash_runs(words: U64, offsets: I64, n: int) -> tuple[U64, I64]:
    """Hashes of all runs of `n` consecutive words, and offsets; a text of fewer words has none."""
    counts = np.maximum(np.diff(offsets) - (n - 1), 0)
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    out = np.empty(bounds[-1], np.uint64)
    run_kernel(words, offsets, n, bounds, out)
    return out, bounds


@compiled
def run_kernel(words: U64, offsets: I64, n: int, bounds: I64, out: U64) -> None:
    """Roll a window of `n` words over each text: add the new word, take the old one off."""
    top = np.uint64(1)
    for _ in range(n):
        top *= BASE
    for k in range(bounds.shape[0] - 1):
        if bounds[k] == bounds[k + 1]:
            continue
        value, start = np.uint64(0), offsets[k]
        for i in range(start, offsets[k + 1]):
            value = value * BASE + words[i]
            if i - start >= n:
                value -= words[i - n] * top
            if i - start >= n - 1:
                out[bounds[k] + i - start - n + 1] = finish(value)
