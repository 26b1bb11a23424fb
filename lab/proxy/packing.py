"""Packing: the documents of a run become rows of `sequence_length + 1` token ids on disk.

Which source a row comes from is drawn by `lab.proxy.schedule`; in which order a source's documents
are read, by `lab.proxy.reading`; where the rows lie and how training reads them,
`lab.proxy.shards`. Nothing is lost but the rest of the document in which the last row of a phase
ends. (Best-fit packing drops about a third of the tokens at 2,048 and skews sources with long
documents; masks between documents gain .0003 bits per byte: nanochat's log.)

Cost: 55 million tokens a CPU-second, when the tokens are in the page cache; a stream that another
run has packed costs only the order of its documents.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.core.errors import DataError
from lab.core.files import digest, write_json
from lab.core.progress import SILENT, Progress
from lab.proxy.reading import Documents, Parts, Reader, open_reader, stream, take
from lab.proxy.schedule import draw_schedule, split_phases
from lab.proxy.shards import put_stream, stream_folder

VERSION = 1  # of the bytes of a stream: raise it when the same inputs would give others


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """One phase: share of the run's tokens, weight of each source, rows each source may use."""

    name: str
    share: float
    weights: Mapping[str, float]
    rows: Mapping[str, Documents]


@dataclass(frozen=True, slots=True)
class Cache:
    """Where packed streams are shared, and what names the tokens of each source there."""

    folder: Path
    tokens: Mapping[str, str]


@dataclass(slots=True)
class Layout:
    """How rows of a run are laid out, and what of each source earlier phases have read."""

    sequence_length: int
    eot_id: int
    cache: Cache | None
    history: dict[str, list[tuple[str, int]]]  # per source: digest of the documents, rows read


def pack(
    folder: Path,
    phases: Sequence[PhasePlan],
    tokens: Mapping[str, Parts],
    *,
    sequences: int,
    sequence_length: int,
    eot_id: int,
    seed: int,
    cache: Cache | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Write the training rows of a run to `folder` and return the account that packing.json holds.

    Shards in rows/ (`lab.proxy.shards`); source.npy uint16 and phase.npy uint8 [sequences]. The
    account has, per phase and in all, per source: weight, sequences, tokens, share, kept documents,
    unique tokens, epochs. DataError if a source with weight keeps no document.
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
    layout = Layout(sequence_length, eot_id, cache, {name: [] for name in names})
    for k, phase in enumerate(phases):
        used = np.bincount(drawn[k], minlength=len(names)).tolist()
        for number, name in enumerate(names):
            if used[number]:
                place = stream_folder(folder, k, number)
                pack_stream(place, readers[name], phase.rows[name], used[number], layout)
            progress(k * len(names) + number + 1, len(phases) * len(names), f"packing {name}")
    account = describe(names, phases, drawn, readers, sequence_length)
    write_json(folder / "packing.json", account)
    return account


def pack_stream(folder: Path, reader: Reader, rows: Documents, count: int, layout: Layout) -> None:
    """Bring the next `count` rows of a source into `folder`, packed here or by an earlier run."""
    history = layout.history[reader.name]
    content = hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()[:20]
    order = take(reader, rows, count * layout.sequence_length)

    def make(start: int, stop: int) -> Iterator[npt.NDArray[Any]]:
        return stream(reader, order, start, stop, layout.eot_id)

    cache = layout.cache
    shared = cache.folder / stream_key(reader, content, layout, cache) if cache else None
    put_stream(folder, shared, count, layout.sequence_length, reader.dtype, make)
    history.append((content, count))


def stream_key(reader: Reader, content: str, layout: Layout, cache: Cache) -> str:
    """Names a stream by all that it depends on; see `lab.proxy.shards`."""
    return digest(
        {
            "version": VERSION,
            "source": reader.name,
            "tokens": cache.tokens[reader.name],
            "seed": reader.seed,
            "eot": layout.eot_id,
            "sequence_length": layout.sequence_length,
            "history": layout.history[reader.name],
            "documents": content,
        }
    )


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


def describe(
    names: Sequence[str],
    phases: Sequence[PhasePlan],
    drawn: Sequence[npt.NDArray[np.uint16]],
    readers: Mapping[str, Reader],
    width: int,
) -> dict[str, Any]:
    """The account of a packed run; `unique_tokens` counts one end-of-text per document."""
    kept: dict[str, Documents] = {}
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


def usage(reader: Reader, rows: Documents, sequences: int, of: int, width: int) -> dict[str, Any]:
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
