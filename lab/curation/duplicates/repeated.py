"""Repeated lines and paragraphs: how much of a document stands, word for word, in an earlier one.

    duplicates.lines@lab1        share of a document's characters in lines that occur earlier
    duplicates.paragraphs@lab1   the same for paragraphs

*Earlier* is the order of (content hash, id) over all documents of the workspace, so every text has
one owner, and the result depends on neither sources' order nor parts. A line ends at LF; a
paragraph is a run of non-blank lines. Both are stripped of ASCII white space and compared byte by
byte, by 64-bit hashes (two different ones agree by chance with probability 2^-64). Those shorter
than `MIN_CHARACTERS` never count as repeated, or "Home" and "}" would: a line from 20 characters,
a paragraph from 40. They do count in the denominator, the characters of all non-blank units. An
exact copy of an earlier document scores 1, repeats inside one document score 0 (that is
`gopher.duplicate_line_fraction`), and a document without text scores 0.

This stands in for substring deduplication (Lee et al. 2021 cut spans of 50 tokens with a suffix
array): it sees navigation, licences and pasted paragraphs, not a sentence moved into another line.

Cost: 170 MB of text a second on one core. Memory: 16 bytes a unit on disk, and in memory one range
of hashes at a time, `SHARD` units.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, find, require, write_part
from lab.core.engine import each_share, run_shards
from lab.core.errors import ConfigError, nearest
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.curation.duplicates.pairs import PROCESSES_FROM

STEP, UNITS_STEP, VERSION = "repeated", "repeated-units", 1
MIN_CHARACTERS = {"lines": 20, "paragraphs": 40}
COLUMNS = tuple(f"duplicates.{unit}@lab1" for unit in MIN_CHARACTERS)
SHARD = 4_000_000  # units whose hashes are compared at once: 100 MB

F64 = NDArray[np.float64]


def find_repeated(
    ws: Workspace,
    sources: Sequence[str],
    *,
    progress: Progress = SILENT,
) -> dict[str, Artifact]:
    """Per source an artifact aligned with its documents: id and the two `COLUMNS` (Float64).

    `sources` are all that are compared; a new source costs its own units and the comparison.
    """
    found = [documents(ws, name) for name in sorted(set(sources))]
    each = 0.8 / max(len(found), 1)
    hashed = each_share(
        partial(hash_units, ws, artifact, progress.part(each * k, each * (k + 1)))
        for k, artifact in enumerate(found)
    )
    scope = [artifact.id for artifact in found]
    stored = [find(ws, STEP, VERSION, settings(), [a.id, *scope]) for a in found]
    if not all(stored):
        shares = compare(found, hashed, progress.part(0.8, 1.0))
        stored = [
            store(ws, artifact, scope, share) for artifact, share in zip(found, shares, strict=True)
        ]
    names = sorted(set(sources))
    return {n: artifact for n, artifact in zip(names, stored, strict=True) if artifact is not None}


def settings() -> dict[str, Any]:
    """What the columns depend on, beside the documents."""
    return {"min_characters": MIN_CHARACTERS}


def require_repeated(ws: Workspace, source: str, column: str = COLUMNS[0]) -> Artifact:
    """The stored columns of `source`, compared with all present sources, or ArtifactMissing.

    ConfigError for a column that this step does not make.
    """
    if column not in COLUMNS:
        raise ConfigError(
            "Unknown column of duplicates.", value=column, next_step=nearest(column, COLUMNS)
        )
    return require(
        ws,
        STEP,
        VERSION,
        settings(),
        [documents(ws, source).id, *(documents(ws, s.name).id for s in list_sources(ws))],
        what=f"Repeated lines have not been looked for in the present sources ({column}).",
        next_step="`mixlab dedup --lines`",
    )


def repeated_columns(ws: Workspace, source: str) -> list[str]:
    """`COLUMNS` if they are stored for the present sources."""
    inputs = [documents(ws, source).id, *(documents(ws, s.name).id for s in list_sources(ws))]
    return list(COLUMNS) if find(ws, STEP, VERSION, settings(), inputs) else []


def hash_units(ws: Workspace, found: Artifact, progress: Progress) -> Artifact:
    """Step `repeated-units`: the hashed lines and paragraphs of one source, sorted by hash."""
    from lab.curation.duplicates.units import UnitsTask, write_units

    def make(folder: Path) -> dict[str, Any]:
        tasks = [
            UnitsTask(part, folder / part.name, MIN_CHARACTERS)
            for part in found.parts
            if not (folder / part.name).exists()
        ]
        run_shards(
            write_units, tasks, processes_from=PROCESSES_FROM, progress=progress, message="lines"
        )
        return {}

    return build(ws, UNITS_STEP, VERSION, settings(), [found.id], make)


def compare(
    found: Sequence[Artifact], hashed: Sequence[Artifact], progress: Progress
) -> list[dict[str, F64]]:
    """Per source and column the share of each document's characters in repeated units."""
    base = pl.concat([a.scan().select("id", "content_hash") for a in found]).collect()
    order = base.select(rank=pl.struct("content_hash", "id").rank("ordinal")).to_series()
    parts = [part for artifact in hashed for part in artifact.parts]
    totals = [pl.read_parquet(part) for part in parts]
    starts = np.cumsum([0, *(frame.height for frame in totals)])
    shares = {}
    for k, (unit, column) in enumerate(zip(MIN_CHARACTERS, COLUMNS, strict=True)):
        half = progress.part(k / 2, (k + 1) / 2)
        repeated = repeated_characters(parts, starts, order.to_numpy(), unit, half)
        total = np.concatenate([frame[unit].to_numpy() for frame in totals])
        shares[column] = np.divide(
            repeated, total, out=np.zeros(len(total)), where=total > 0, casting="unsafe"
        )
    ends = starts[np.cumsum([len(artifact.parts) for artifact in hashed])]
    cuts = {column: np.split(share, ends[:-1]) for column, share in shares.items()}
    return [{column: pieces[k] for column, pieces in cuts.items()} for k in range(len(found))]


def repeated_characters(
    parts: Sequence[Path],
    starts: NDArray[np.int64],
    order: NDArray[np.uint32],
    unit: str,
    progress: Progress,
) -> NDArray[np.int64]:
    """Characters of each document in units that an earlier document holds, range by range."""
    from lab.curation.duplicates.units import read_units

    units = [read_units(part, unit) for part in parts]
    count = max(1, -(-sum(len(u.hashes) for u in units) // SHARD))
    limits = np.array([k * 2**64 // count for k in range(1, count)], np.uint64)
    bounds = [[0, *np.searchsorted(u.hashes, limits).tolist(), len(u.hashes)] for u in units]
    repeated = np.zeros(len(order), np.int64)
    for k in range(count):
        progress(k, count, f"comparing {unit}")
        spans = [slice(b[k], b[k + 1]) for b in bounds]
        hashes = np.concatenate([u.hashes[s] for u, s in zip(units, spans, strict=True)])
        rows = np.concatenate(
            [u.rows[s] + start for u, s, start in zip(units, spans, starts, strict=False)]
        )
        characters = np.concatenate([u.characters[s] for u, s in zip(units, spans, strict=True)])
        again = seen_before(hashes, order[rows])
        repeated += np.bincount(rows[again], characters[again], len(order)).astype(np.int64)
    return repeated


def seen_before(hashes: NDArray[np.uint64], order: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """True where an entry of smaller `order` has the same hash."""
    if not len(hashes):
        return np.zeros(0, np.bool_)
    by_hash = np.argsort(hashes, kind="stable")
    ordered = hashes[by_hash]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lowest = np.minimum.reduceat(order[by_hash], first)
    group = np.repeat(lowest, np.diff(np.append(first, len(hashes))))
    again = np.empty(len(hashes), np.bool_)
    again[by_hash] = order[by_hash] > group
    return again


def store(ws: Workspace, found: Artifact, scope: list[str], shares: dict[str, F64]) -> Artifact:
    """Write one source's columns, part by part as its documents."""

    def make(folder: Path) -> dict[str, Any]:
        at = 0
        for part in found.parts:
            ids = pl.read_parquet(part, columns=["id"])
            own = {c: share[at : at + ids.height] for c, share in shares.items()}
            write_part(ids.with_columns(**own), folder / part.name)
            at += ids.height
        return {"mean": {c: float(share.mean()) for c, share in shares.items() if len(share)}}

    return build(ws, STEP, VERSION, settings(), [found.id, *scope], make)
