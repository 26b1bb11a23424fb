"""Compiled repetition of n-grams, n = 2..10, in the readings of five tools.

Gopher (Rae et al. 2021, table A1) limits the characters in the most frequent 2- to 4-gram and those
in repeated 5- to 10-grams; how to count them it leaves open, and each tool counts otherwise:

| def   | most frequent n-gram                    | repeated n-grams                          |
|-------|-----------------------------------------|-------------------------------------------|
| ws1   | length with spaces x count / characters | greedy: a repeat is skipped whole         |
| uw1   | the same over Unicode words             | the same                                  |
| dol1  | letters x count / letters               | letters of all copies / of all n-grams    |
| cur1  | (as ws1, by deleting it from the text)  | second copies, overlaps once, with spaces |
| dclm1 | longest of the most frequent; once: 0   | letters of covered words once / letters   |
| rps1  | first of the most frequent; once: 0     | letters of covered words once / letters   |

Method. Words get a class each: the position of their first occurrence. An n-gram can only repeat if
its first and its last n - 1 words do, so its class comes from the pair of their classes, exactly,
and everything unique is left out of the next n: for prose the work all but ends at n = 4. Ties go
to the n-gram seen first. datatrove joins words of n-grams of n >= 5 without a separator, ("ab",
"c") equals ("a", "bc"), so its repeats are found by the hash of the joined string instead, extended
word by word (hashing the sequence of words got 48 of 11,464 values wrong, by up to 0.23, on
tables).

`gram_shares` puts these together per definition.
"""

import numpy as np
from numpy.typing import NDArray

from lab.core.compiled import compiled
from lab.curation.signals.kernels import slot_of

FIRST, LAST_TOP, LAST = 2, 4, 10  # sizes of Rae et al. 2021, table A1


@compiled
def room_for(words: int) -> int:
    """Slots of a hash table for `words` keys: a power of two, at most half full."""
    room = 2
    while room < 2 * words:
        room *= 2
    return room


@compiled
def longest(offsets: NDArray[np.int64]) -> int:
    """Words of the longest document."""
    most = 0
    for d in range(offsets.shape[0] - 1):
        most = max(most, offsets[d + 1] - offsets[d])
    return most


@compiled
def class_words(
    keys: NDArray[np.uint64],
    classes: NDArray[np.int32],
    count: NDArray[np.int32],
    table: NDArray[np.int32],
) -> int:
    """Class of every word (position of its first occurrence), -1 where unique; distinct words."""
    mask = np.uint64(table.shape[0] - 1)
    table[:] = -1
    distinct = 0
    for i in range(keys.shape[0]):
        slot = slot_of(keys, table, mask, keys[i])
        if table[slot] < 0:
            table[slot], count[i] = i, 0
            distinct += 1
        classes[i] = table[slot]
        count[classes[i]] += 1
    drop_unique(classes, count, keys.shape[0])
    return distinct


@compiled
def drop_unique(classes: NDArray[np.int32], count: NDArray[np.int32], last: int) -> bool:
    """Set the classes of what occurs once to -1; true if anything repeats."""
    repeats = False
    for i in range(last):
        if classes[i] == i and count[i] == 1:
            classes[i] = -1
        elif classes[i] >= 0:
            repeats = True
    return repeats


@compiled
def class_grams(
    classes: NDArray[np.int32],
    count: NDArray[np.int32],
    keys: NDArray[np.uint64],
    table: NDArray[np.int32],
    last: int,
) -> bool:
    """Turn classes of (n - 1)-grams into those of the `last` n-grams; true if any repeats."""
    mask = np.uint64(table.shape[0] - 1)
    table[:] = -1
    for i in range(last):
        if classes[i] < 0 or classes[i + 1] < 0:
            classes[i] = -1
            continue
        keys[i] = np.uint64(classes[i]) << np.uint64(32) | np.uint64(classes[i + 1])
        slot = slot_of(keys, table, mask, keys[i])
        if table[slot] < 0:
            table[slot], count[i] = i, 0
        classes[i] = table[slot]
        count[classes[i]] += 1
    return drop_unique(classes, count, last)


@compiled
def most_frequent(
    classes: NDArray[np.int32], count: NDArray[np.int32], last: int, repeats: bool
) -> tuple[int, int]:
    """First position and occurrences of the most frequent n-gram, the one seen first in a tie."""
    best, times = 0, 1
    if repeats:
        for i in range(last):
            if classes[i] == i and count[i] > times:
                best, times = i, count[i]
    return best, times


@compiled
def longest_of_most_frequent(
    classes: NDArray[np.int32],
    count: NDArray[np.int32],
    starts: NDArray[np.int64],
    last: int,
    n: int,
    times: int,
) -> int:
    """Letters of the longest n-gram that occurs `times` times."""
    most = 0
    for i in range(last):
        if classes[i] == i and count[i] == times:
            most = max(most, starts[i + n] - starts[i])
    return most


@compiled
def covered(classes: NDArray[np.int32], starts: NDArray[np.int64], last: int, n: int) -> int:
    """Letters of words in n-grams that repeat, the first copy too, each word once."""
    total = end = 0
    for i in range(last):
        if classes[i] >= 0:
            total += starts[i + n] - starts[max(i, end)]
            end = i + n
    return total


@compiled
def later_copies(classes: NDArray[np.int32], starts: NDArray[np.int64], last: int, n: int) -> int:
    """Letters and inner spaces of second and later copies, what overlaps once (Curator)."""
    total = end = 0
    for i in range(last):
        if classes[i] >= 0 and classes[i] != i:
            overlap = max(0, end - i)
            total += starts[i + n] - starts[i + overlap] + min(n - overlap, n - 1)
            end = i + n
    return total


@compiled
def all_copies(classes: NDArray[np.int32], starts: NDArray[np.int64], last: int, n: int) -> int:
    """Letters of all n-grams that repeat, words counted once for every n-gram they are in."""
    total = 0
    for i in range(last):
        if classes[i] >= 0:
            total += starts[i + n] - starts[i]
    return total


@compiled
def skipped(
    classes: NDArray[np.int32],
    starts: NDArray[np.int64],
    seen: NDArray[np.int32],
    last: int,
    n: int,
) -> int:
    """Letters of repeats read greedily: after a repeat, its n words are skipped (datatrove)."""
    i = total = 0
    while i < last:
        if classes[i] < 0:
            i += 1
        elif seen[classes[i]] != n:
            seen[classes[i]] = n
            i += 1
        else:
            total += starts[i + n] - starts[i]
            i += n
    return total


@compiled
def extend_joined(
    grams: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    powers: NDArray[np.uint64],
    last: int,
    n: int,
) -> None:
    """Turn hashes of n - 1 joined words in `grams` into those of n; the first n makes them."""
    if n == LAST_TOP + 1:
        for i in range(last):
            gram = np.uint64(0)
            for k in range(n):
                gram = gram * powers[i + k] + hashes[i + k]
            grams[i] = gram
        return
    for i in range(last):
        grams[i] = grams[i] * powers[i + n - 1] + hashes[i + n - 1]


@compiled
def skipped_joined(
    grams: NDArray[np.uint64],
    table: NDArray[np.int32],
    starts: NDArray[np.int64],
    last: int,
    n: int,
) -> int:
    """As `skipped`, where n-grams are equal if their joined strings are."""
    mask = np.uint64(table.shape[0] - 1)
    table[:] = -1
    i = total = 0
    while i < last:
        slot = slot_of(grams, table, mask, grams[i])
        if table[slot] < 0:
            table[slot] = i
            i += 1
        else:
            total += starts[i + n] - starts[i]
            i += n
    return total


@compiled
def entropy(classes: NDArray[np.int32], count: NDArray[np.int32], words: int) -> float:
    """Entropy in nats of the distribution of words, classes as `class_words` leaves them."""
    total = 0.0
    for i in range(words):
        if classes[i] == i:
            total += count[i] * np.log(count[i])
    return max(np.log(words) - total / words, 0.0)
