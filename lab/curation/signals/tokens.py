"""Compiled loops for the other ways to cut a text into words: Unicode's, RedPajama's two.

`unicode_words` (uw1), in words: a word starts at a letter or digit (`str.isalnum`) and goes on over
letters, digits, combining marks and joiners (categories Mn, Mc, Me, Cf). One apostrophe, full stop,
colon or middle dot between two letters belongs to the word, as does one apostrophe, full stop,
comma or semicolon between two decimal digits, and one `_` between two of either: `don't`, `e.g`,
`1,000.5`. Every Han, kana, Thai, Lao, Myanmar and Khmer character is a word, with its marks. All
else separates and is no word: white space, punctuation, symbols, hyphens. This is UAX #29 but for
Katakana (there a run is a word), Hebrew quotation marks, flags and emoji, and runs of `_`.

`normal_words` (rps1): lower-cased, ASCII punctuation deleted, NFD, split on white space; `don't`
becomes `dont`. `raw_tokens` (rps1): runs of `\\w`, and runs of what is neither that nor white
space, as NLTK's WordPunctTokenizer has it; sentences are matches of `\\b[^.!?]+[.!?]*`.

Cost: 12 to 16 microseconds a document of 2.9 kB each (2026-11).
"""

import numpy as np
from numpy.typing import NDArray

from lab.core.compiled import compiled
from lab.curation.signals import characters
from lab.curation.signals.kernels import (
    ALNUM,
    BASE,
    LETTER,
    LONGEST_STOP,
    ONE,
    SPACE,
    UPPER,
    code_point,
    is_letter,
    stop_word,
)
from lab.curation.signals.words import NORMAL_COUNTS, RAW_COUNTS, UNICODE_COUNTS

DIGIT, LOWER, NUMERIC = characters.IS_DIGIT, characters.IS_LOWER, characters.IS_NUMERIC
MARK, SINGLE = characters.IS_MARK, characters.IS_SINGLE
MID_LETTER, MID_NUMBER = characters.IS_MID_LETTER, characters.IS_MID_NUMBER

(U_WORDS, U_CHARS, U_LETTER_WORDS, U_STOP_WORDS) = range(len(UNICODE_COUNTS))
(N_WORDS, N_CHARS, N_JAVASCRIPT, N_LOREM, N_NUMERIC) = range(len(NORMAL_COUNTS))
(R_TOKENS, R_LETTER_TOKENS, R_CAPITAL_TOKENS, R_SENTENCES) = range(len(RAW_COUNTS))

LOREM = np.uint64(int.from_bytes(b"lorem", "big"))
IPSUM = np.uint64(int.from_bytes(b"ipsum", "big"))
FIVE_BYTES = np.uint64(2**40 - 1)


@compiled
def joins(bits: int, code: int, last: int, after: int) -> bool:
    """True if a mark between characters of classes `last` and `after` belongs to their word."""
    if after & SINGLE or last & SINGLE:
        return False
    if code == 95:
        return (after & ALNUM) != 0
    if bits & MID_LETTER and last & LETTER and after & LETTER:
        return True
    return (bits & MID_NUMBER and last & DIGIT and after & DIGIT) != 0


@compiled
def end_unicode_word(
    count: NDArray[np.int64],
    data: NDArray[np.uint8],
    start: int,
    end: int,
    seen: int,
    size: int,
) -> None:
    """Add the word in bytes start to end to a document's counts."""
    count[U_WORDS] += 1
    count[U_CHARS] += size
    if not seen & LETTER:
        return
    count[U_LETTER_WORDS] += 1
    if end - start <= LONGEST_STOP:
        place, _ = stop_word(data, start, end)
        if place >= 0:
            count[U_STOP_WORDS] |= 1 << place


@compiled
def unicode_words(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    classes: NDArray[np.uint16],
    counts: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    sizes: NDArray[np.int32],
) -> int:
    """Fill counts [docs, UNICODE_COUNTS] and hashes, sizes [words]; returns the words.

    The word arrays must hold an entry for every two bytes of ASCII or one other character.
    """
    at = total = 0
    for d in range(ends.shape[0]):
        count, word = counts[d], np.uint64(0)
        size = seen = last = start = 0
        while at <= ends[d]:
            if at < ends[d] and is_letter(data[at]) and not (size and last & SINGLE):
                start = start if size else at
                while at < ends[d] and is_letter(data[at]):
                    word = word * BASE + np.uint64(data[at]) + ONE
                    size += 1
                    at += 1
                last = int(classes[data[at - 1]])
                seen |= last
                continue
            code, length = code_point(data, at) if at < ends[d] else (32, 1)
            bits = int(classes[code])
            after = at + length
            goes_on = False
            if bits & MARK:
                goes_on = size > 0
            elif bits & ALNUM:
                goes_on = size > 0 and not (bits | last) & SINGLE
            elif size and after < ends[d] and (bits & (MID_LETTER | MID_NUMBER) or code == 95):
                goes_on = joins(bits, code, last, int(classes[code_point(data, after)[0]]))
            if size and not goes_on:
                hashes[total], sizes[total] = word, size
                total += 1
                end_unicode_word(count, data, start, at, seen, size)
                word, size, seen = np.uint64(0), 0, 0
            if goes_on or (bits & ALNUM and not bits & MARK):
                start = at if size == 0 else start
                size += 1
                seen |= bits
                last = last if bits & MARK else bits
                for k in range(at, after):
                    word = word * BASE + np.uint64(data[k]) + ONE
            at = after
        at = ends[d]
    return total


@compiled
def is_punctuation(code: int) -> bool:
    """True for ASCII punctuation (`string.punctuation`)."""
    return 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126


@compiled
def normal_words(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    classes: NDArray[np.uint16],
    ready: NDArray[np.bool_],
    javascript: np.uint64,
    counts: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    sizes: NDArray[np.int32],
) -> int:
    """Fill counts [docs, NORMAL_COUNTS] and hashes, sizes [words]; returns the words.

    Documents that are `ready` have been normalised; of the others, characters outside ASCII have no
    other normal form, so that lower-casing and deleting ASCII is enough.
    """
    at = total = 0
    for d in range(ends.shape[0]):
        count = counts[d]
        word, tail, head, before = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
        size = 0
        while at <= ends[d]:
            if at < ends[d] and is_letter(data[at]):  # as most bytes are
                while at < ends[d] and is_letter(data[at]):
                    byte = np.uint64(data[at] | 0x20)
                    word = word * BASE + byte + ONE
                    tail = (tail << np.uint64(8) | byte) & FIVE_BYTES
                    size += 1
                    head = tail if size == 5 else head
                    at += 1
                continue
            code, length = code_point(data, at) if at < ends[d] else (32, 1)
            if int(classes[code]) & SPACE:
                if size:
                    hashes[total], sizes[total] = word, size
                    total += 1
                    count[N_WORDS] += 1
                    count[N_CHARS] += size
                    count[N_JAVASCRIPT] += word == javascript
                    count[N_LOREM] += before == LOREM and head == IPSUM
                    before, word, tail, head = tail, np.uint64(0), np.uint64(0), np.uint64(0)
                    size = 0
            elif ready[d] or not is_punctuation(code):
                size += 1
                count[N_NUMERIC] += (classes[code] & NUMERIC) != 0
                for k in range(at, at + length):
                    capital = 65 <= data[k] <= 90 and not ready[d]
                    byte = np.uint64(data[k] | 0x20 if capital else data[k])
                    word = word * BASE + byte + ONE
                    tail = (tail << np.uint64(8) | byte) & FIVE_BYTES
                head = tail if size == 5 else head
            at += length
        at = ends[d]
    return total


@compiled
def raw_tokens(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    classes: NDArray[np.uint16],
    counts: NDArray[np.int64],
) -> None:
    """Fill counts [docs, RAW_COUNTS]."""
    at = 0
    for d in range(ends.shape[0]):
        count = counts[d]
        kind = 0  # of the running token: 0 white space, 1 `\w`, 2 other
        letter = capital = small = inside = stopping = False
        while at <= ends[d]:
            if kind == 1 and inside and at < ends[d] and is_letter(data[at]):
                seen = 0
                while at < ends[d] and is_letter(data[at]):
                    seen |= int(classes[data[at]])
                    at += 1
                letter = True
                capital, small = capital or (seen & UPPER) != 0, small or (seen & LOWER) != 0
                stopping = False
                continue
            code, length = code_point(data, at) if at < ends[d] else (32, 1)
            bits = int(classes[code])
            now = 1 if bits & ALNUM or code == 95 else 0 if bits & SPACE else 2
            stop = code == 46 or code == 33 or code == 63
            if inside and not stop and stopping:
                inside = False  # the match ended before this character
            if not inside and not stop and at < ends[d] and (now == 1) != (kind == 1):
                inside = True
                count[R_SENTENCES] += 1
            stopping = stop
            if now != kind:
                if kind:
                    count[R_TOKENS] += 1
                    count[R_LETTER_TOKENS] += letter
                    count[R_CAPITAL_TOKENS] += capital and not small
                letter = capital = small = False
                kind = now
            letter = letter or (65 <= code & ~32 <= 90 and code < 128)
            capital = capital or (bits & UPPER) != 0
            small = small or (bits & LOWER) != 0
            at += length
        at = ends[d]
