"""The loops of the n-gram search: probing a hash table, comparing words, counting what is shared.

Membership is one probe of an open-addressing table of 64-bit hashes, at most a quarter full; what
it reports is then compared word by word in the texts' own bytes, so a reported match is a match.
Counting is sparse: a document touches the few items it shares an n-gram with.
"""

import numpy as np
from numpy.typing import NDArray

from lab.core.compiled import compiled
from lab.curation.words import DELETE, I64, LETTER, SPACE, U64, character

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]
F64 = NDArray[np.float64]


def fill_table(hashes: U64) -> tuple[U64, U32]:
    """Table and the number of each hash in it: `hashes` are distinct; 0 marks an empty slot."""
    table = np.zeros(1 << max(int(len(hashes) * 4).bit_length(), 4), np.uint64)
    numbers = np.zeros(len(table), np.uint32)
    fill_kernel(hashes, table, numbers)
    return table, numbers


@compiled
def fill_kernel(hashes: U64, table: U64, numbers: U32) -> None:
    """Put each hash in the first free slot from its own place on."""
    mask = np.uint64(table.shape[0] - 1)
    for k in range(hashes.shape[0]):
        at = hashes[k] & mask
        while table[at] != 0 and table[at] != hashes[k]:
            at = (at + np.uint64(1)) & mask
        table[at], numbers[at] = hashes[k], k


@compiled
def probe_kernel(runs: U64, table: U64, numbers: U32, out: I32) -> None:
    """Number of each run in the table, -1 where it is not there."""
    mask = np.uint64(table.shape[0] - 1)
    for k in range(runs.shape[0]):
        at = runs[k] & mask
        out[k] = -1
        while table[at] != 0:
            if table[at] == runs[k]:
                out[k] = numbers[at]
                break
            at = (at + np.uint64(1)) & mask


@compiled
def place_kernel(data: U8, bounds: I64, classes: U8, docs: I64, places: I64, out: I64) -> None:
    """Byte at which word `places[k]` of text `docs[k]` begins; pairs in ascending order."""
    at, word, inside, before = 0, -1, False, -1
    for k in range(docs.shape[0]):
        if docs[k] != before:
            before, at, word, inside = int(docs[k]), int(bounds[docs[k]]), -1, False
        while word < places[k]:
            kind, width = character(data, at, classes)
            if kind == LETTER and not inside:
                inside, word = True, word + 1
                out[k] = at
            elif kind == SPACE:
                inside = False
            at += width
        if k > 0 and docs[k] == docs[k - 1] and places[k] == places[k - 1]:
            out[k] = out[k - 1]


@compiled
def agree_kernel(
    left: U8,
    left_at: I64,
    left_end: I64,
    right: U8,
    right_at: I64,
    right_end: I64,
    n: int,
    classes: U8,
    out: NDArray[np.bool_],
) -> None:
    """True where the `n` words from two places are the same words."""
    for k in range(out.shape[0]):
        i, j, words, same = left_at[k], right_at[k], 0, True
        while same and words < n:
            i, i_kind, i_width = next_kept(left, i, left_end[k], classes)
            j, j_kind, j_width = next_kept(right, j, right_end[k], classes)
            if i_kind != j_kind:
                same = False
            elif i_kind == SPACE:
                words += 1
                i = next_word(left, i, left_end[k], classes)
                j = next_word(right, j, right_end[k], classes)
                ended = i >= left_end[k] or j >= right_end[k]
                same = words == n or not ended
            else:
                same = i_width == j_width
                for b in range(i_width):
                    same = same and left[i + b] == right[j + b]
                i, j = i + i_width, j + j_width
        out[k] = same


@compiled
def next_kept(data: U8, at: int, end: int, classes: U8) -> tuple[int, int, int]:
    """Place, class and width of the next character that is not deleted; the end is a space."""
    while at < end:
        kind, width = character(data, at, classes)
        if kind != DELETE:
            return at, kind, width
        at += width
    return at, SPACE, 0


@compiled
def next_word(data: U8, at: int, end: int, classes: U8) -> int:
    """Place of the next letter."""
    while at < end:
        kind, width = character(data, at, classes)
        if kind == LETTER:
            return at
        at += width
    return at


@compiled
def distinct_kernel(runs: U64, bounds: I64, docs: I64, out: U32) -> None:
    """Number of different runs of each of some documents."""
    for k in range(docs.shape[0]):
        own = np.sort(runs[bounds[docs[k]] : bounds[docs[k] + 1]])
        out[k] = own.shape[0] > 0
        for i in range(1, own.shape[0]):
            out[k] += own[i] != own[i - 1]


@compiled
def share_kernel(
    starts: I64,
    grams: U32,
    repeats: U32,
    places: I64,
    distinct: U32,
    totals: U32,
    bounds: I64,
    owners: U32,
    counts: U32,
    owner_distinct: U32,
    owner_totals: U32,
    floor: float,
    first: int,
    scratch: I64,
    best: F64,
    out_doc: I64,
    out_owner: U32,
    out_shared: U32,
    out_place: I64,
    out_ratio: F64,
) -> tuple[int, int]:
    """Count what documents `first`... share with each owner; document d has the hits (each n-gram
    once) from `starts[d]` to `starts[d + 1]`.

    Emits owners whose ratio, as sets or as multisets, is at least `floor`, and stores both largest
    ratios of each document in `best`. Stops before the buffers run over; returns the entries
    written and the next document.
    """
    used = 0
    touched = np.empty(owner_distinct.shape[0], np.uint32)
    for d in range(first, starts.shape[0] - 1):
        count = 0
        for h in range(starts[d], starts[d + 1]):
            for p in range(bounds[grams[h]], bounds[grams[h] + 1]):
                owner = owners[p]
                if scratch[owner, 0] == 0:
                    touched[count], count = owner, count + 1
                    scratch[owner, 2] = places[h]
                scratch[owner, 0] += 1
                scratch[owner, 1] += min(repeats[h], counts[p])
        over = used + count > out_doc.shape[0]
        for t in range(count):
            owner = touched[t]
            as_set = scratch[owner, 0] / min(distinct[d], owner_distinct[owner])
            as_bag = scratch[owner, 1] / min(totals[d], owner_totals[owner])
            if not over and max(as_set, as_bag) >= floor:
                out_doc[used], out_owner[used] = d, owner
                out_shared[used], out_place[used] = scratch[owner, 0], scratch[owner, 2]
                out_ratio[used, 0], out_ratio[used, 1] = as_set, as_bag
                used += 1
            best[d, 0], best[d, 1] = max(best[d, 0], as_set), max(best[d, 1], as_bag)
            scratch[owner, 0], scratch[owner, 1] = 0, 0
        if over:
            return used, d
    return used, starts.shape[0] - 1
