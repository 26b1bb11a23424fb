"""The order in which a source is read: a hash of each document and reading, not a shuffle.

**Common random numbers.** A document's n-th reading is placed by a hash of (seed, source, n,
row), not by a shuffle of what happens to be kept. Two recipes with one seed therefore read the
documents they share in the same order, whatever their weights and filters, and the difference
between the two runs is the mixture, not the luck of the order. Documents read least so far come
first, also across phases: a later phase goes on where the earlier one stopped, and a second epoch
starts only when every kept document has been read once.

Within a source, documents are laid end to end with an end-of-text token between them,

    EOT doc EOT doc EOT ...

Memory: 12 bytes a document, 40 for those of the source being laid out, and 40 MB of buffers. Cost:
0.1 microseconds a document for the order; where it fails: a source of fewer tokens than one row is
read hundreds of times, one pass of the loop in `take` each.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Parts = Sequence[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]  # per part: flat tokens, offsets
Documents = npt.NDArray[np.int64]  # row numbers of documents in their source

BLOCK = 1 << 20  # tokens gathered at once: 8 MB for each of two index arrays


@dataclass(slots=True)
class Reader:
    """The tokens of one source and how often each document has been read so far."""

    name: str
    seed: int
    parts: Parts
    lengths: npt.NDArray[np.int64]  # with the end-of-text token
    first: npt.NDArray[np.int64]  # global row at which each part begins, and the total
    readings: npt.NDArray[np.uint32]

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the token ids: uint16 or uint32."""
        return np.result_type(*(flat.dtype for flat, _ in self.parts))


def open_reader(name: str, seed: int, parts: Parts) -> Reader:
    """A reader at the beginning of a source."""
    lengths = np.concatenate([np.diff(offsets) for _, offsets in parts]) + 1
    first = np.cumsum([0, *(len(offsets) - 1 for _, offsets in parts)])
    return Reader(name, seed, parts, lengths, first, np.zeros(len(lengths), np.uint32))


def take(reader: Reader, rows: Documents, tokens: int) -> Documents:
    """The next documents of `rows`, in reading order, that hold at least `tokens` tokens."""
    taken = []
    reading = int(reader.readings[rows].min())
    while tokens > 0:
        order = in_order(rows[reader.readings[rows] == reading], reader.name, reader.seed, reading)
        ends = np.cumsum(reader.lengths[order])
        order = order[: int(np.searchsorted(ends, tokens)) + 1]
        reader.readings[order] += 1
        taken.append(order)
        tokens -= int(reader.lengths[order].sum())
        reading += 1
    return np.concatenate(taken) if taken else rows[:0]


def in_order(rows: Documents, source: str, seed: int, reading: int) -> Documents:
    """Documents `rows` in the order of their `reading`-th reading, counted from 0."""
    return rows[np.argsort(keys(rows, source, seed, reading))]


def keys(rows: Documents, source: str, seed: int, reading: int) -> npt.NDArray[np.uint64]:
    """Distinct sort keys of documents: SplitMix64 (Steele et al. 2014) from a hashed start."""
    text = f"{seed}/{source}/{reading}"
    start = np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], "<u8")
    z = start + rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keyed: npt.NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return keyed


def stream(
    reader: Reader, order: Documents, start: int, stop: int, eot_id: int
) -> Iterator[npt.NDArray[Any]]:
    """Yield tokens `start` to `stop` of `EOT doc EOT doc EOT ...`, block by block.

    `order` is what `take` gave for `stop - 1` tokens or more.
    """
    ends = np.cumsum(reader.lengths[order]) + 1  # in the stream, whose first token is EOT
    if start == 0 < stop:
        yield np.array([eot_id], reader.dtype)
    first = int(np.searchsorted(ends, start, side="right"))
    last = int(np.searchsorted(ends, stop)) + 1
    cuts = np.searchsorted(ends, np.arange(ends[first] + BLOCK, ends[last - 1], BLOCK))
    borders = [first, *np.unique(cuts[(cuts > first) & (cuts < last)]).tolist(), last]
    for left, right in pairwise(borders):
        begin = int(ends[left] - reader.lengths[order[left]])
        block = gather(reader, order[left:right], eot_id)
        yield block[max(start - begin, 0) : stop - begin]


def gather(reader: Reader, rows: Documents, eot_id: int) -> npt.NDArray[Any]:
    """The tokens of documents `rows`, each followed by end-of-text."""
    lengths = reader.lengths[rows]
    stops = np.cumsum(lengths)
    out = np.full(int(stops[-1]) if len(stops) else 0, eot_id, reader.dtype)
    part = np.searchsorted(reader.first, rows, side="right") - 1
    for number in np.unique(part):
        here = part == number
        flat, offsets = reader.parts[number]
        source = offsets[rows[here] - reader.first[number]]
        inner = lengths[here] - 1
        target = stops[here] - lengths[here]
        out[spans(target, inner)] = flat[spans(source, inner)]
    return out


def spans(starts: Documents, lengths: Documents) -> Documents:
    """The numbers start, start + 1, ..., of each span, one after another."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
