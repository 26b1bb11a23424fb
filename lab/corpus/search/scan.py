"""Reading documents against the clock: whatever tests texts, in pieces that cannot run away.

Parts are read in a fixed shuffled order over all sources, so what was read when the time was up is
spread over the corpus; counts per source say how many documents that is. A test sees a few
documents first and more as long as it is quick, so one slow piece delays the end by about the
length of the piece; no piece of several documents holds more than `PIECE_BYTES` of text. Cost:
reading 0.15 s for 64 MB of text (one core), the rest is the test.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact

FIRST = 16  # documents of the first piece
PIECE_SECONDS = 0.1
PIECE_BYTES = 64 << 20
COUNTS = {"source": pl.String, "matches": pl.UInt32, "read": pl.UInt32, "documents": pl.UInt32}
Rows = NDArray[np.uint32]
# (source, documents, seconds left) -> True where one matches; None if that took too long
Test = Callable[[str, pl.DataFrame, float], pl.Series | None]


@dataclass(frozen=True, slots=True)
class Scanned:
    """`rows`: per source the row numbers that match, sorted. `counts`: source, matches, read (the
    documents looked at), documents (all of them).
    """

    rows: Mapping[str, Rows]
    counts: pl.DataFrame

    @property
    def complete(self) -> bool:
        """True if every document was read."""
        return bool((self.counts["read"] == self.counts["documents"]).all())


@lru_cache(maxsize=4096)
def height(part: Path) -> int:
    """Rows of a Parquet part of an artifact, which never changes."""
    return int(pl.scan_parquet(part).select(pl.len()).collect().item())


def scan(
    found: Mapping[str, Artifact],
    test: Test,
    *,
    seconds: float,
    columns: Sequence[str] = ("text",),
) -> Scanned:
    """Rows of the documents artifacts `found` (by source) for which `test` says True, read for at
    most about `seconds`. `test` gets frames of a few documents with `columns` and `row`.
    """
    deadline = time.monotonic() + seconds
    hits: dict[str, list[Rows]] = {source: [] for source in found}
    read = dict.fromkeys(found, 0)
    for source, part, start in shuffled(found):
        if time.monotonic() >= deadline:
            break

        def tried(piece: pl.DataFrame, left: float, source: str = source) -> pl.Series | None:
            return test(source, piece, left)

        matched, looked_at = scan_part(part, start, tried, deadline, columns)
        hits[source].append(matched)
        read[source] += looked_at
    rows = {s: np.sort(np.concatenate([np.zeros(0, np.uint32), *h])) for s, h in hits.items()}
    totals = {source: sum(map(height, artifact.parts)) for source, artifact in found.items()}
    counts = [(s, len(rows[s]), read[s], totals[s]) for s in found]
    return Scanned(rows, pl.DataFrame(counts, schema=COUNTS, orient="row"))


def shuffled(found: Mapping[str, Artifact]) -> list[tuple[str, Path, int]]:
    """(source, part, row of its first document) of all parts, in an order that never changes."""
    parts = []
    for source, artifact in found.items():
        starts = accumulate((height(p) for p in artifact.parts), initial=0)
        parts += [(source, p, start) for p, start in zip(artifact.parts, starts, strict=False)]
    return sorted(parts, key=lambda p: hashlib.sha256(f"{p[0]}/{p[1].name}".encode()).digest())


def scan_part(
    part: Path,
    start: int,
    test: Callable[[pl.DataFrame, float], pl.Series | None],
    deadline: float,
    columns: Sequence[str],
) -> tuple[Rows, int]:
    """Matching rows of one part, and how many of its documents were tested before `deadline`."""
    frame = pl.read_parquet(part, columns=list(columns))
    numbers = np.arange(start, start + frame.height, dtype=np.uint32)
    frame = frame.with_columns(pl.Series("row", numbers))
    ends = sizes(frame).cum_sum().to_numpy()
    matched, at, size = [np.zeros(0, np.uint32)], 0, FIRST
    while at < frame.height:
        began = time.monotonic()
        before = int(ends[at - 1]) if at else 0
        fitting = int(np.searchsorted(ends, before + PIECE_BYTES, side="right")) - at
        piece = frame.slice(at, max(1, min(size, fitting)))
        verdict = test(piece, deadline - began) if began < deadline else None
        if verdict is None:
            break
        matched.append(piece["row"].filter(verdict).to_numpy())
        at += piece.height
        spent = max(time.monotonic() - began, 1e-4)
        size = max(FIRST, min(4 * size, int(piece.height * PIECE_SECONDS / spent)))
    return np.concatenate(matched), at


def sizes(frame: pl.DataFrame) -> pl.Series:
    """Bytes of text in each row."""
    texts = [pl.col(name).str.len_bytes().fill_null(0) for name, t in frame.schema.items()
             if t == pl.String]  # fmt: skip
    return frame.select(pl.sum_horizontal(pl.lit(0, pl.UInt64), *texts).alias("bytes")).to_series()
