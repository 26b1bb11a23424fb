"""Packing: documents become rows of `sequence_length + 1` token ids on disk, in training order.

Within a source, documents are laid end to end with an end-of-text token between them,

    EOT doc EOT doc EOT ...        row k = stream[k S : k S + S + 1]

so that neighbouring rows share one token: the last target of one is the first input of the next,
and every token of the stream is predicted exactly once. Nothing is lost but the rest of the
document in which the last row of a phase ends. (Best-fit packing drops about a third of the
tokens at 2,048 and skews sources with long documents; masks between documents gain .0003 bits per
byte: nanochat's log.)

**Common random numbers.** A document's n-th reading is placed by a hash of (seed, source, n,
row), not by a shuffle of what happens to be kept. Two recipes with one seed therefore read the
documents they share in the same order, whatever their weights and filters, and the difference
between the two runs is the mixture, not the luck of the order. Documents read least so far come
first, also across phases: a later phase goes on where the earlier one stopped, and a second epoch
starts only when every kept document has been read once.

Memory: 12 bytes a document, 40 for those of the source being laid out, and 40 MB of buffers; rows
are written through a memory map. Cost: 55 million tokens a CPU-second, when the tokens are in the
page cache.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.core.errors import DataError
from lab.core.files import write_json
from lab.core.progress import SILENT, Progress
from lab.proxy.schedule import draw_schedule, split_phases

Parts = Sequence[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]  # per part: flat tokens, offsets
Rows = npt.NDArray[np.int64]

BLOCK = 1 << 20  # tokens gathered at once: 8 MB for each of two index arrays


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """One phase: share of the run's tokens, weight of each source, rows each source may use."""

    name: str
    share: float
    weights: Mapping[str, float]
    rows: Mapping[str, Rows]


@dataclass(slots=True)
class Reader:
    """The tokens of one source and how often each document has been read so far."""

    name: str
    seed: int
    parts: Parts
    lengths: npt.NDArray[np.int64]  # with the end-of-text token
    first: npt.NDArray[np.int64]  # global row at which each part begins, and the total
    readings: npt.NDArray[np.uint32]


def pack(
    folder: Path,
    phases: Sequence[PhasePlan],
    tokens: Mapping[str, Parts],
    *,
    sequences: int,
    sequence_length: int,
    eot_id: int,
    seed: int,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Write the training rows of a run to `folder` and return the account that packing.json holds.

    sequences.npy (uint16 or uint32) [sequences, sequence_length + 1]; source.npy uint16 and
    phase.npy uint8 [sequences]. The account has, per phase and in all, per source: weight,
    sequences, tokens, share, kept documents, unique tokens, epochs. DataError if a source with
    weight keeps no document.
    """
    names = sorted({name for phase in phases for name, w in phase.weights.items() if w > 0})
    for phase in phases:
        require_documents(phase)
    readers = {name: open_reader(name, seed, tokens[name]) for name in names}
    counts = split_phases([phase.share for phase in phases], sequences)
    drawn = [
        draw_schedule([phase.weights.get(name, 0.0) for name in names], count)
        for phase, count in zip(phases, counts, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "source.npy", np.concatenate(drawn))
    np.save(folder / "phase.npy", np.repeat(np.arange(len(phases), dtype=np.uint8), counts))
    table = np.lib.format.open_memmap(
        folder / "sequences.npy",
        mode="w+",
        dtype=np.result_type(*(flat.dtype for r in readers.values() for flat, _ in r.parts)),
        shape=(sequences, sequence_length + 1),
    )
    borders = np.cumsum([0, *counts])
    for k, phase in enumerate(phases):
        for number, name in enumerate(names):
            places = borders[k] + np.flatnonzero(drawn[k] == number)
            if len(places):
                fill(table, places, readers[name], phase.rows[name], eot_id)
            progress(k * len(names) + number + 1, len(phases) * len(names), f"packing {name}")
    table.flush()
    account = describe(names, phases, drawn, readers, sequence_length)
    write_json(folder / "packing.json", account)
    return account


def require_documents(phase: PhasePlan) -> None:
    """DataError if a source with a weight has no document left in this phase."""
    for name, weight in phase.weights.items():
        if weight > 0 and len(phase.rows.get(name, ())) == 0:
            raise DataError(
                f"Source {name!r} keeps no training document, but has a weight.",
                where=f"phase {phase.name!r}",
                value=weight,
                next_step="loosen its filters (the ledger shows what each rule takes), or set its "
                "weight to 0",
            )


def open_reader(name: str, seed: int, parts: Parts) -> Reader:
    """A reader at the beginning of a source."""
    lengths = np.concatenate([np.diff(offsets) for _, offsets in parts]) + 1
    first = np.cumsum([0, *(len(offsets) - 1 for _, offsets in parts)])
    return Reader(name, seed, parts, lengths, first, np.zeros(len(lengths), np.uint32))


def fill(
    table: npt.NDArray[Any], places: npt.NDArray[np.int64], reader: Reader, rows: Rows, eot_id: int
) -> None:
    """Fill the rows `places` of `table` with the source's next documents out of `rows`."""
    width = table.shape[1] - 1
    taken = take(reader, rows, len(places) * width)
    ends = np.cumsum(reader.lengths[taken])
    cuts = np.searchsorted(ends, np.arange(BLOCK, ends[-1], BLOCK), side="left")
    rest = np.array([eot_id], table.dtype)
    done = 0
    for block in np.split(taken, np.unique(cuts)):
        rest = np.concatenate([rest, gather(reader, block, eot_id, table.dtype)])
        ready = min((len(rest) - 1) // width, len(places) - done)
        if ready:
            windows = np.lib.stride_tricks.sliding_window_view(rest, width + 1)
            table[places[done : done + ready]] = windows[: ready * width : width]
            rest = rest[ready * width :]
            done += ready


def take(reader: Reader, rows: Rows, tokens: int) -> Rows:
    """The next documents of `rows`, in reading order, that hold at least `tokens` tokens."""
    taken = []
    reading = int(reader.readings[rows].min())
    while tokens > 0:
        due = rows[reader.readings[rows] == reading]
        order = due[np.argsort(keys(due, reader, reading))]
        ends = np.cumsum(reader.lengths[order])
        order = order[: int(np.searchsorted(ends, tokens)) + 1]
        reader.readings[order] += 1
        taken.append(order)
        tokens -= int(reader.lengths[order].sum())
        reading += 1
    return np.concatenate(taken)


def keys(rows: Rows, reader: Reader, reading: int) -> npt.NDArray[np.uint64]:
    """Distinct sort keys of documents: SplitMix64 (Steele et al. 2014) from a hashed start."""
    text = f"{reader.seed}/{reader.name}/{reading}"
    start = np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], "<u8")
    z = start + rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keyed: npt.NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return keyed


def gather(reader: Reader, rows: Rows, eot_id: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The tokens of documents `rows`, each followed by end-of-text."""
    lengths = reader.lengths[rows]
    stops = np.cumsum(lengths)
    out = np.full(int(stops[-1]) if len(stops) else 0, eot_id, dtype)
    part = np.searchsorted(reader.first, rows, side="right") - 1
    for number in np.unique(part):
        here = part == number
        flat, offsets = reader.parts[number]
        source = offsets[rows[here] - reader.first[number]]
        inner = lengths[here] - 1
        target = stops[here] - lengths[here]
        out[spans(target, inner)] = flat[spans(source, inner)]
    return out


def spans(starts: Rows, lengths: Rows) -> Rows:
    """The numbers start, start + 1, ..., of each span, one after another."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def describe(
    names: Sequence[str],
    phases: Sequence[PhasePlan],
    drawn: Sequence[npt.NDArray[np.uint16]],
    readers: Mapping[str, Reader],
    width: int,
) -> dict[str, Any]:
    """The account of a packed run; `unique_tokens` counts one end-of-text per document."""
    kept: dict[str, Rows] = {}
    parts = []
    for phase, order in zip(phases, drawn, strict=True):
        count = np.bincount(order, minlength=len(names))
        facts = {}
        for number, name in enumerate(names):
            if phase.weights.get(name, 0.0) > 0:
                rows = phase.rows[name]
                kept[name] = np.union1d(kept[name], rows) if name in kept else rows
                facts[name] = {"weight": phase.weights[name]} | usage(
                    readers[name], rows, int(count[number]), len(order), width
                )
        parts.append({"name": phase.name, "sequences": len(order), "sources": facts})
    total = np.bincount(np.concatenate(drawn), minlength=len(names))
    length = int(total.sum())
    return {
        "sequence_length": width,
        "sequences": length,
        "tokens": length * width,
        "phases": parts,
        "sources": {
            name: usage(readers[name], kept[name], int(total[number]), length, width)
            | {"documents_read": int(np.count_nonzero(readers[name].readings))}
            for number, name in enumerate(names)
        },
    }


def usage(reader: Reader, rows: Rows, sequences: int, of: int, width: int) -> dict[str, Any]:
    """What a source gave to `of` sequences."""
    unique = int(reader.lengths[rows].sum())
    return {
        "sequences": sequences,
        "tokens": sequences * width,
        "share": sequences / of if of else 0.0,
        "documents": len(rows),
        "unique_tokens": unique,
        "epochs": sequences * width / unique,
    }
