"""Compiled loop over the bytes of a batch: words between white space, and counts of characters.

`scan` decodes UTF-8 once and writes, per word, a polynomial hash of its bytes h = sum (byte + 1) *
BASE^(k - 1 - i) mod 2^64 together with BASE^k, and per document the counts that the signals divide.
What is known of a byte below 128 is counted in a histogram and read off it once a document; only
the other characters are counted one by one.

A polynomial hash composes under concatenation, hash(xy) = hash(x) * BASE^|y| + hash(y), which
`grams` needs: datatrove joins the words of an n-gram of five words or more without a separator.

Cost: about 23 microseconds a document of 2.9 kB on one core (2026-11). Working memory: 20 bytes a
word. Where it fails: two different words collide with probability 2^-64 per pair on natural text;
mod 2^64 an adversary can build colliding strings of a thousand characters (Thue-Morse words), which
would count as one word.

This module imports numba: only code that computes imports it. Numba's cache checks the time stamp
of a kernel's own file, so an edit here does not by itself recompile `grams`, `tokens` and `pieces`,
which use `code_point` and `slot_of`.
"""

import numpy as np
from numpy.typing import NDArray

from lab.core.compiled import compiled
from lab.curation.signals import characters, words
from lab.curation.signals.words import COUNTS

BASE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: every power has an inverse
ONE = np.uint64(1)
SHIFT = np.uint64(32)

SPACE, LETTER, SYMBOL, UPPER, DIGIT, BREAK, ALNUM = (
    characters.IS_SPACE,
    characters.IS_LETTER,
    characters.IS_SYMBOL,
    characters.IS_UPPER,
    characters.IS_DIGIT,
    characters.IS_BREAK,
    characters.IS_ALNUM,
)
CONTENT, MARKED, DOTTED = 1 << 16, 1 << 17, 1 << 18  # bits of a word, beside those of its letters

# Positions of `words.COUNTS`.
(
    CHARS,
    WORDS,
    WORD_CHARS,
    CONTENT_WORDS,
    CONTENT_CHARS,
    LETTER_WORDS,
    STOP_WORDS,
    STOP_COUNT,
    ANY_STOP_COUNT,
    MARKED_WORDS,
    SYMBOL_WORDS,
    SPACED_WORDS,
    LONGEST_WORD,
    MEDIAN_TWICE,
    HASHES,
    ELLIPSES,
    NEWLINES,
    LINES,
    LETTERS,
    CAPITALS,
    DIGITS,
    BRACKETS,
    CURLY,
    PLAIN_ALNUM,
    PLAIN_BLANKS,
    CODE_MARKS,
) = range(len(COUNTS))

# The ASCII characters of the counts that are sums over the histogram.
CLASSES = tuple(
    (place, np.array([ord(c) for c in map(chr, range(128)) if test(c)], np.int64))
    for place, test in (
        (LETTERS, str.isalpha),
        (CAPITALS, str.isupper),
        (DIGITS, str.isdigit),
        (BRACKETS, "{}[]()".__contains__),
        (CURLY, "{}".__contains__),
        (PLAIN_ALNUM, lambda c: c.isalnum() or c in "\n?!,."),
        (PLAIN_BLANKS, "\t\n\r\b ".__contains__),
        (CODE_MARKS, "{}[]()<>=;|&^~\\$#@*+_/%".__contains__),
        (LINES, characters.LINE_BREAK.__contains__),
    )
)
MEMBERS = np.zeros((len(CLASSES), 128), np.int64)
for row, (_, codes) in enumerate(CLASSES):
    MEMBERS[row, codes] = 1
PLACES = np.array([place for place, _ in CLASSES])

# A perfect hash of the stop words: their bytes as a number, modulo the length of STOP_KEYS.
PACKED = [int.from_bytes(word.encode(), "little") for word in words.STOP_WORDS]
ROOM = next(m for m in range(8, 512) if len({key % m for key in PACKED}) == len(PACKED))
LONGEST_STOP = max(map(len, words.STOP_WORDS))
STOP_KEYS, STOP_PLACES = np.full(ROOM, -1, np.int64), np.zeros(ROOM, np.int64)
for place, key in enumerate(PACKED):
    STOP_KEYS[key % ROOM], STOP_PLACES[key % ROOM] = key, place


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
def is_letter(byte: int) -> bool:
    """True for an ASCII letter."""
    return 97 <= (byte | 0x20) <= 122


@compiled
def slot_of(
    keys: NDArray[np.uint64], table: NDArray[np.int32], mask: np.uint64, key: np.uint64
) -> np.uint64:
    """The slot of `table` that holds, or would hold, the first position of `key` in `keys`."""
    slot = (key ^ key >> SHIFT) * BASE >> SHIFT & mask
    while table[slot] >= 0 and keys[table[slot]] != key:
        slot = slot + ONE & mask
    return slot


@compiled
def count_other(count: NDArray[np.int64], code: int, bits: int) -> None:
    """Add one character outside ASCII to a document's counts."""
    count[CHARS] += 1
    count[LETTERS] += (bits & LETTER) != 0
    count[CAPITALS] += (bits & LETTER) != 0 and (bits & UPPER) != 0
    count[DIGITS] += (bits & DIGIT) != 0
    count[LINES] += (bits & BREAK) != 0
    count[ELLIPSES] += code == 0x2026
    count[BRACKETS] += code == 0x27E8 or code == 0x27E9


@compiled
def count_ascii(count: NDArray[np.int64], seen: NDArray[np.int64]) -> None:
    """Add what follows from the histogram `seen` [128] of ASCII characters to a document's."""
    for row in range(PLACES.shape[0]):
        total = 0
        for code in range(128):
            total += MEMBERS[row, code] * seen[code]
        count[PLACES[row]] += total
    for code in range(128):
        count[CHARS] += seen[code]
    count[HASHES] += seen[ord("#")]
    count[NEWLINES] += seen[10]


@compiled
def stop_word(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, bool]:
    """Which stop word bytes start to end are in any case, -1 for none; true if in lower case."""
    packed = low = 0
    for k in range(end - 1, start - 1, -1):
        packed = packed << 8 | int(data[k])
        low = low << 8 | int(data[k]) | 0x20  # makes a lower-case letter of no other character
    slot = low % STOP_KEYS.shape[0]
    if STOP_KEYS[slot] != low:
        return -1, False
    return STOP_PLACES[slot], packed == low


@compiled
def count_word(
    count: NDArray[np.int64],
    data: NDArray[np.uint8],
    end: int,
    size: int,
    seen: int,
    runs: int,
    word: np.uint64,
    marks: NDArray[np.uint64],
) -> None:
    """Add the word before byte `end` to a document's counts; `seen` has its characters' bits."""
    count[WORDS] += 1
    count[WORD_CHARS] += size
    count[LONGEST_WORD] = max(count[LONGEST_WORD], size)
    if seen & CONTENT:
        count[CONTENT_WORDS] += 1
        count[CONTENT_CHARS] += size
    if seen & LETTER:
        count[LETTER_WORDS] += 1
        if size <= LONGEST_STOP:
            place, lower = stop_word(data, end - size, end)
            if place >= 0:
                count[ANY_STOP_COUNT] += 1
                if lower:
                    count[STOP_COUNT] += 1
                    count[STOP_WORDS] |= 1 << place
    if seen & (MARKED | DOTTED):
        count[MARKED_WORDS] += (seen & MARKED) != 0
        symbol = 2 * runs > size
        for k in range(marks.shape[0]):
            symbol = symbol or word == marks[k]
        count[SYMBOL_WORDS] += symbol


@compiled
def middle_twice(seen: NDArray[np.int64], sizes: NDArray[np.int32]) -> int:
    """Twice the median of `sizes`, of which `seen` is the histogram (the last bin: and more)."""
    total = sizes.shape[0]
    if total == 0:
        return 0
    twice = below = size = 0
    for rank in ((total - 1) // 2, total // 2):
        while below + seen[size] <= rank:
            below += seen[size]
            size += 1
        if size == seen.shape[0] - 1:
            return int(2 * np.median(sizes))
        twice += size
    return twice


@compiled
def entropy(seen: NDArray[np.int64]) -> float:
    """Entropy in nats of the distribution of which `seen` is the histogram; 0 for nothing."""
    total, weighted = 0, 0.0
    for times in seen:
        if times:
            total += times
            weighted += times * np.log(times)
    return max(np.log(total) - weighted / total, 0.0) if total else 0.0


@compiled
def is_gap(code: int) -> bool:
    """True for the white space of fastText: ASCII's, and NUL."""
    return code == 32 or 9 <= code <= 13 or code == 0


@compiled
def scan(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    classes: NDArray[np.uint16],
    marks: NDArray[np.uint64],
    counts: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    powers: NDArray[np.uint64],
    sizes: NDArray[np.int32],
    entropies: NDArray[np.float64],
) -> int:
    """Fill counts [docs, COUNTS] and hashes, powers, sizes [words] from UTF-8; returns the words.

    Fills entropies [docs] too, those of the documents' bytes.

    `ends` are the documents' last bytes + 1 in `data`; `classes` is `characters.table()`; `marks`
    are `word_hash` of Curator's ellipses. The word arrays must hold (bytes + docs) // 2 entries.
    """
    bytes_seen, size_seen = np.empty(256, np.int64), np.empty(256, np.int64)
    at = total = 0
    for d in range(ends.shape[0]):
        bytes_seen[:], size_seen[:] = 0, 0
        first = total
        count = counts[d]
        word, power = np.uint64(0), ONE
        size = seen = before = dots = runs = 0
        gap = True
        while at <= ends[d]:
            if at < ends[d] and is_letter(data[at]):  # as most bytes are
                count[SPACED_WORDS] += gap
                gap = False
                while at < ends[d] and is_letter(data[at]):
                    before = int(data[at])
                    bytes_seen[before] += 1
                    seen |= int(classes[before])
                    word = word * BASE + np.uint64(before + 1)
                    power *= BASE
                    size += 1
                    at += 1
                seen |= CONTENT
                dots = 0
                continue
            code, length = code_point(data, at) if at < ends[d] else (32, 1)
            bits = int(classes[code])
            for k in range(at, min(at + length, ends[d])):
                bytes_seen[data[k]] += 1
            if code >= 128:
                count_other(count, code, bits)
            elif code == 10 and before == 13 and at < ends[d]:  # "\r\n" is one break
                count[LINES] -= 1
            if gap and bits & ALNUM:
                count[SPACED_WORDS] += 1
            gap = is_gap(code)
            dots = dots + 1 if code == 46 else 0
            if dots == 3:  # str.count does not overlap: six full stops are two ellipses
                count[ELLIPSES] += 1
                dots = 0
            if bits & SPACE:
                if size:
                    hashes[total], powers[total], sizes[total] = word, power, size
                    size_seen[min(size, 255)] += 1
                    total += 1
                    count_word(count, data, at, size, seen, runs, word, marks)
                    word, power = np.uint64(0), ONE
                    size = seen = runs = 0
            else:
                size += 1
                seen |= bits if bits & SYMBOL else bits | CONTENT
                if code == 35 or code == 0x2026:
                    runs += code == 35 and (before != 35 or size == 1)
                    seen |= MARKED | DOTTED
                elif code == 46 or code == 0xBB:
                    seen |= DOTTED
                for k in range(at, at + length):
                    word = word * BASE + np.uint64(data[k]) + ONE
                    power *= BASE
            before = code if at < ends[d] else before
            at += length
        at = ends[d]
        count_ascii(count, bytes_seen)
        entropies[d] = entropy(bytes_seen)
        count[MEDIAN_TWICE] = middle_twice(size_seen, sizes[first:total])
        if count[CHARS] and not classes[before] & BREAK:
            count[LINES] += 1
    return total


def word_hash(word: str) -> np.uint64:
    """The hash `scan` gives a word, in Python."""
    value = 0
    for byte in word.encode():
        value = (value * int(BASE) + byte + 1) % 2**64
    return np.uint64(value)
