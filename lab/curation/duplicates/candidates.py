"""From band keys to candidate pairs: documents that agree in at least one band.

Exact copies are folded into one representative first, so a page copied 100,000 times costs one row.
Per band the representatives are sorted by key; equal keys form a bucket. Within a bucket a document
is paired with the next `WINDOW` in content-hash order, which is all of them in buckets of up to
WINDOW + 1. In a larger bucket (boilerplate) that is a random graph of degree 2 x WINDOW; a group in
which a fraction f of the pairs are true duplicates stays connected if 64 f > ln(size), so the
groups survive while some pairs are not listed. The number of such buckets is reported.

Memory: 8 bytes a document and band at a time, 8 bytes a pair. Nothing depends on row order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lab.core.progress import SILENT, Progress
from lab.curation.words import I64, U64

WINDOW = 32


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs (`first`, `second`) as row numbers, and the buckets larger than the window."""

    first: I64
    second: I64
    large_buckets: int


def representatives(frame: pl.DataFrame) -> I64:
    """Rows to compare, in content-hash order: of exact copies the lowest id, none without shingle.

    `frame` has columns id, content_hash, shingles.
    """
    ordered = (
        frame.with_row_index("row")
        .filter(pl.col("shingles") > 0)
        .sort("content_hash", "id")
        .unique("content_hash", keep="first", maintain_order=True)
    )
    return ordered["row"].to_numpy().astype(np.int64)


def find_candidates(
    keys: Sequence[Path], rows: I64, bands: int, progress: Progress = SILENT
) -> Candidates:
    """Pairs of `rows` that share a band; `keys` are the parts' arrays in row order."""
    arrays = [np.load(path, mmap_mode="r", allow_pickle=False) for path in keys]
    pairs = np.empty(0, np.uint64)
    large = 0
    for band in range(bands):
        progress(band, bands, "candidates")
        column = np.concatenate([np.asarray(array[band]) for array in arrays])[rows]
        found, oversized = bucket_pairs(column)
        pairs = np.union1d(pairs, found)
        large += oversized
    first, second = np.divmod(pairs, np.uint64(2**32))
    return Candidates(rows[first.astype(np.int64)], rows[second.astype(np.int64)], large)


def bucket_pairs(keys: U64, window: int = WINDOW) -> tuple[U64, int]:
    """Pairs (i << 32 | j, i < j) of positions with equal keys, and the number of larger buckets."""
    order = np.argsort(keys, kind="stable").astype(np.uint64)
    ordered = keys[order]
    found = [np.empty(0, np.uint64)]
    for step in range(1, min(window, len(keys) - 1) + 1):
        same = ordered[step:] == ordered[:-step]
        if not same.any():
            return np.concatenate(found), 0
        # a stable sort leaves equal keys in position order, so the earlier one is the smaller
        found.append((order[:-step][same] << np.uint64(32)) | order[step:][same])
    far = np.flatnonzero(ordered[window + 1 :] == ordered[: -window - 1])
    return np.concatenate(found), len(np.unique(ordered[far]))
