"""Compiled loops: one pass over the bytes of a batch, and the n-gram repetition of Gopher.

`scan` decodes UTF-8 once and writes, per word, a polynomial hash of its bytes h = sum (byte + 1) *
BASE^(k - 1 - i) mod 2^64 together with BASE^k, and per document the counts that the quality
signals divide. `repetition` then needs words only, never text.

Keys. datatrove joins the words of a *top* n-gram (n = 2..4) with a space and those of a
*duplicate* n-gram (n = 5..10) with nothing, so that ("ab", "c") equals ("a", "bc") there. A
polynomial hash composes under concatenation, hash(xy) = hash(x) * BASE^|y| + hash(y), so the hash
of every n-gram is that of the very string datatrove builds, extended word by word from n - 1 to n.
(Hashing the sequence of words instead got 48 of 11,464 values wrong, by up to 0.23, on tables and
number lists.)

Cost: about 45 microseconds a document of 2.9 kB on one core, where datatrove's Python takes a
millisecond over the same words (2026-11). Working memory per word of the longest document: 20 bytes
for the word, 30 to 40 for its n-grams and their hash table.
Where it fails: two different n-grams collide with probability 2^-64 per pair on natural text;
mod 2^64 an adversary can build colliding strings of a thousand characters (Thue-Morse words), which
would add one false repeat.

This module imports numba: only code that computes imports it. All kernels stand in one file because
numba's cache checks the time stamp of the caller's file only.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lab.curation.signals import characters
from lab.curation.signals.words import COUNTS

BASE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: every power has an inverse
JOINT = np.uint64(ord(" ") + 1)
ONE = np.uint64(1)
SHIFT = np.uint64(32)

SPACE, LETTER, SYMBOL, UPPER, DIGIT, BREAK = (
    int(bit)
    for bit in (
        characters.IS_SPACE,
        characters.IS_LETTER,
        characters.IS_SYMBOL,
        characters.IS_UPPER,
        characters.IS_DIGIT,
        characters.IS_BREAK,
    )
)

# Positions of `words.COUNTS`.
(
    CHARS,
    WORDS,
    WORD_CHARS,
    CONTENT_WORDS,
    CONTENT_CHARS,
    LETTER_WORDS,
    STOP_WORDS,
    HASHES,
    ELLIPSES,
    NEWLINES,
    LINES,
    LETTERS,
    CAPITALS,
    DIGITS,
) = range(len(COUNTS))

FIRST_GRAM, LAST_TOP, LAST_GRAM = 2, 4, 10  # Rae et al. 2021, table A1


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, compiled on its first call and kept on disk for the next process.

    Numba looks for a writable folder beside this file, then in the user's cache folder. Where there
    is none, the compiled code is kept in memory only, and every process compiles anew (6 s).
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


@compiled
def code_point(data: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """The code point that starts at byte `at` of valid UTF-8, and its length in bytes."""
    lead = int(data[at])
    if lead < 0x80:
        return lead, 1
    second = int(data[at + 1]) & 0x3F
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | second, 2
    third = int(data[at + 2]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | second << 6 | third, 3
    return (lead & 0x07) << 18 | second << 12 | third << 6 | int(data[at + 3]) & 0x3F, 4


@compiled
def count_character(count: NDArray[np.int64], code: int, bits: int, before: int, dots: int) -> int:
    """Add one character to a document's counts; returns the length of the run of full stops."""
    count[CHARS] += 1
    if bits & LETTER:
        count[LETTERS] += 1
        if bits & UPPER:
            count[CAPITALS] += 1
    elif bits & DIGIT:
        count[DIGITS] += 1
    if bits & BREAK:
        if code == 10:
            count[NEWLINES] += 1
        if not (code == 10 and before == 13):  # "\r\n" is one break
            count[LINES] += 1
    elif code == ord("#"):
        count[HASHES] += 1
    elif code == 0x2026:
        count[ELLIPSES] += 1
    if code != ord("."):
        return 0
    if dots == 2:  # str.count does not overlap: six full stops are two ellipses
        count[ELLIPSES] += 1
        return 0
    return dots + 1


@compiled
def count_word(
    count: NDArray[np.int64], size: int, seen: int, word: np.uint64, stops: NDArray[np.uint64]
) -> None:
    """Add one word of `size` characters to a document's counts; `seen` has its characters' bits."""
    count[WORDS] += 1
    count[WORD_CHARS] += size
    if seen & 128:
        count[CONTENT_WORDS] += 1
        count[CONTENT_CHARS] += size
    if seen & LETTER:
        count[LETTER_WORDS] += 1
    if size <= 4:  # the longest stop word
        for k in range(stops.shape[0]):
            if word == stops[k]:
                count[STOP_WORDS] |= 1 << k


@compiled
def scan(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    classes: NDArray[np.uint8],
    stops: NDArray[np.uint64],
    counts: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    powers: NDArray[np.uint64],
    sizes: NDArray[np.int32],
) -> int:
    """Fill counts [docs, COUNTS] and hashes, powers, sizes [words] from UTF-8; returns the words.

    `ends` are the documents' last bytes + 1 in `data`; `classes` is `characters.table()`; `stops`
    are `word_hash` of the stop words. The word arrays must hold (bytes + docs) // 2 entries.
    """
    at = 0
    total = 0
    for d in range(ends.shape[0]):
        count = counts[d]
        word = np.uint64(0)
        power = ONE
        size = seen = before = dots = 0
        while at < ends[d]:
            code, length = code_point(data, at)
            bits = int(classes[code])
            dots = count_character(count, code, bits, before, dots)
            if bits & SPACE:
                if size:
                    hashes[total], powers[total], sizes[total] = word, power, size
                    total += 1
                    count_word(count, size, seen, word, stops)
                    word, power, size, seen = np.uint64(0), ONE, 0, 0
            else:
                size += 1
                seen |= bits if bits & SYMBOL else bits | 128
                for k in range(length):
                    word = word * BASE + np.uint64(data[at + k]) + ONE
                    power *= BASE
            before = code
            at += length
        if size:
            hashes[total], powers[total], sizes[total] = word, power, size
            total += 1
            count_word(count, size, seen, word, stops)
        if count[CHARS] and not classes[before] & BREAK:
            count[LINES] += 1
    return total


@compiled
def find(grams: NDArray[np.uint64], table: NDArray[np.int32], mask: np.uint64, i: int) -> np.uint64:
    """The slot of `table` that holds, or would hold, the first position of gram `i`."""
    gram = grams[i]
    slot = (gram ^ gram >> SHIFT) * BASE >> SHIFT & mask
    while table[slot] >= 0 and grams[table[slot]] != gram:
        slot = slot + ONE & mask
    return slot


@compiled
def most_frequent(
    grams: NDArray[np.uint64],
    table: NDArray[np.int32],
    count: NDArray[np.int32],
    mask: np.uint64,
    last: int,
) -> int:
    """First position of the most frequent of `last` grams; a tie goes to the one seen first."""
    count[:last] = 0
    for i in range(last):
        slot = find(grams, table, mask, i)
        if table[slot] < 0:
            table[slot] = i
        count[table[slot]] += 1
    best = 0
    for i in range(1, last):
        if count[i] > count[best]:
            best = i
    return best


@compiled
def repeated_chars(
    grams: NDArray[np.uint64],
    table: NDArray[np.int32],
    starts: NDArray[np.int64],
    mask: np.uint64,
    last: int,
    n: int,
) -> int:
    """Characters of repeated n-grams, read greedily: after a repeat, its n words are skipped."""
    i = 0
    total = 0
    while i < last:
        slot = find(grams, table, mask, i)
        if table[slot] < 0:
            table[slot] = i
            i += 1
        else:
            total += starts[i + n] - starts[i]
            i += n
    return total


@compiled
def extend(
    grams: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    powers: NDArray[np.uint64],
    last: int,
    n: int,
) -> None:
    """Turn hashes of (n - 1)-grams in `grams` into those of n-grams; from n = 5 words join bare."""
    if n == LAST_TOP + 1:
        for i in range(last):
            gram = np.uint64(0)
            for k in range(n):
                gram = gram * powers[i + k] + hashes[i + k]
            grams[i] = gram
        return
    for i in range(last):
        gram = grams[i] * BASE + JOINT if n <= LAST_TOP else grams[i]
        grams[i] = gram * powers[i + n - 1] + hashes[i + n - 1]


@compiled
def repetition(
    hashes: NDArray[np.uint64],
    powers: NDArray[np.uint64],
    sizes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    chars: NDArray[np.int64],
    shares: NDArray[np.float64],
) -> None:
    """Fill shares [docs, 9]: characters in repeated n-grams over all, n = 2..10; 0 if none fits.

    Document d has words offsets[d] to offsets[d + 1] and chars[d] characters.
    """
    longest = 0
    for d in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    room = 2
    while room < 2 * longest:
        room *= 2
    grams = np.empty(longest, np.uint64)
    count = np.empty(longest, np.int32)
    starts = np.zeros(longest + 1, np.int64)
    tables = np.empty(room, np.int32)
    for d in range(offsets.shape[0] - 1):
        a, m = offsets[d], offsets[d + 1] - offsets[d]
        room = 2
        while room < 2 * m:
            room *= 2
        table, mask = tables[:room], np.uint64(room - 1)
        for i in range(m):
            starts[i + 1] = starts[i] + sizes[a + i]
            grams[i] = hashes[a + i]
        for n in range(FIRST_GRAM, min(m, LAST_GRAM) + 1):
            last = m - n + 1
            extend(grams, hashes[a:], powers[a:], last, n)
            table[:] = -1
            if n <= LAST_TOP:
                best = most_frequent(grams, table, count, mask, last)
                found = (starts[best + n] - starts[best] + n - 1) * count[best]
            else:
                found = repeated_chars(grams, table, starts, mask, last, n)
            shares[d, n - FIRST_GRAM] = found / chars[d]


def word_hash(word: str) -> np.uint64:
    """The hash `scan` gives a word, in Python."""
    value = 0
    for byte in word.encode():
        value = (value * int(BASE) + byte + 1) % 2**64
    return np.uint64(value)
