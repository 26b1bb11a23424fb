"""Shares of repeated n-grams per document: one loop for each of three ways to cut text into words.

The readings of the tools and the method are in `grams`; here they are put together, so that the
definitions over the same words share the work of finding out which n-grams repeat.

Cost: about 24 microseconds a document of 2.9 kB for `white_space` (most of it for datatrove's
joined words) and 12 to 15 for each of the others, where datatrove's Python takes a millisecond over
the same words (2026-11). Working memory for each word of the longest document: 50 bytes.
"""

import numpy as np
from numpy.typing import NDArray

from lab.core.compiled import compiled
from lab.curation.signals.grams import (
    FIRST,
    LAST,
    LAST_TOP,
    all_copies,
    class_grams,
    class_words,
    covered,
    entropy,
    extend_joined,
    later_copies,
    longest,
    longest_of_most_frequent,
    most_frequent,
    room_for,
    skipped,
    skipped_joined,
)


@compiled
def white_space(
    hashes: NDArray[np.uint64],
    powers: NDArray[np.uint64],
    sizes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    chars: NDArray[np.int64],
    shares: NDArray[np.float64],
) -> None:
    """Fill shares [docs, 24]: ws1 for n = 2..10, dol1 for n = 2..10, cur1 for n = 5..10.

    Document d has words offsets[d] to offsets[d + 1] and chars[d] characters. 0 where none fits.
    """
    most = longest(offsets)
    keys, grams = np.empty(most, np.uint64), np.empty(most, np.uint64)
    classes, count = np.empty(most, np.int32), np.empty(most, np.int32)
    starts, tables = np.zeros(most + 1, np.int64), np.empty(room_for(most), np.int32)
    for d in range(offsets.shape[0] - 1):
        a, m = offsets[d], offsets[d + 1] - offsets[d]
        table = tables[: room_for(m)]
        grams[:m] = hashes[a : a + m]
        class_words(grams[:m], classes, count, table)
        for i in range(m):
            starts[i + 1] = starts[i] + sizes[a + i]
        repeats = True
        for n in range(FIRST, min(m, LAST) + 1):
            last = m - n + 1
            repeats = repeats and class_grams(classes, count, keys, table, last)
            if n <= LAST_TOP:
                best, times = most_frequent(classes, count, last, repeats)
                letters = starts[best + n] - starts[best]
                shares[d, n - 2] = (letters + n - 1) * times / chars[d]
                shares[d, 7 + n] = letters * times / starts[m]
                continue
            extend_joined(grams, hashes[a:], powers[a:], last, n)
            shares[d, n - 2] = skipped_joined(grams, table, starts, last, n) / chars[d]
            if repeats:
                every = before = 0
                for i in range(last):
                    every += starts[i + n]
                    before += starts[i]
                shares[d, 7 + n] = all_copies(classes, starts, last, n) / (every - before)
                shares[d, 13 + n] = later_copies(classes, starts, last, n) / chars[d]


@compiled
def unicode_words(
    hashes: NDArray[np.uint64],
    sizes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    chars: NDArray[np.int64],
    shares: NDArray[np.float64],
) -> None:
    """Fill shares [docs, 20]: distinct words, entropy, uw1 and dclm1 for n = 2..10."""
    most = longest(offsets)
    keys, seen = np.empty(most, np.uint64), np.empty(most, np.int32)
    classes, count = np.empty(most, np.int32), np.empty(most, np.int32)
    starts, tables = np.zeros(most + 1, np.int64), np.empty(room_for(most), np.int32)
    for d in range(offsets.shape[0] - 1):
        a, m = offsets[d], offsets[d + 1] - offsets[d]
        if m == 0:
            continue
        table = tables[: room_for(m)]
        shares[d, 0] = class_words(hashes[a : a + m], classes, count, table) / m
        shares[d, 1] = entropy(classes, count, m)
        for i in range(m):
            starts[i + 1] = starts[i] + sizes[a + i]
        seen[:m] = 0
        repeats = True
        for n in range(FIRST, min(m, LAST) + 1):
            last = m - n + 1
            repeats = repeats and class_grams(classes, count, keys, table, last)
            if n <= LAST_TOP:
                best, times = most_frequent(classes, count, last, repeats)
                letters = starts[best + n] - starts[best]
                shares[d, n] = (letters + n - 1) * times / chars[d]
                if repeats:
                    long = longest_of_most_frequent(classes, count, starts, last, n, times)
                    shares[d, 9 + n] = long * times / starts[m]
            elif repeats:
                shares[d, n] = skipped(classes, starts, seen, last, n) / chars[d]
                shares[d, 9 + n] = covered(classes, starts, last, n) / starts[m]


@compiled
def normal_words(
    hashes: NDArray[np.uint64],
    sizes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    shares: NDArray[np.float64],
) -> None:
    """Fill shares [docs, 11]: distinct words, entropy, rps1 for n = 2..10."""
    most = longest(offsets)
    keys = np.empty(most, np.uint64)
    classes, count = np.empty(most, np.int32), np.empty(most, np.int32)
    starts, tables = np.zeros(most + 1, np.int64), np.empty(room_for(most), np.int32)
    for d in range(offsets.shape[0] - 1):
        a, m = offsets[d], offsets[d + 1] - offsets[d]
        if m == 0:
            continue
        table = tables[: room_for(m)]
        shares[d, 0] = class_words(hashes[a : a + m], classes, count, table) / m
        shares[d, 1] = entropy(classes, count, m)
        for i in range(m):
            starts[i + 1] = starts[i] + sizes[a + i]
        for n in range(FIRST, min(m, LAST) + 1):
            last = m - n + 1
            if not class_grams(classes, count, keys, table, last):
                break
            if n <= LAST_TOP:
                best, times = most_frequent(classes, count, last, True)
                shares[d, n] = (starts[best + n] - starts[best]) * times / starts[m]
            else:
                shares[d, n] = covered(classes, starts, last, n) / starts[m]
