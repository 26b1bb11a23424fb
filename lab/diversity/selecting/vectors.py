"""Vectors that stay on disk until some of them are asked for.

A million vectors of 384 dimensions are 0.8 GB as they are stored (float16) and 1.5 GB as they are
compared (float32), several times over if a method copies them. So a problem holds a folder and row
numbers, 8 bytes a document, and reads what it compares at the moment: a block, a cluster, a piece.
The file's pages are mapped; the system keeps as many as it has room for and may drop them. Rows are
in an order by chance, so a disk that cannot be mapped into memory is read at random places.

Measured besides mapped pages (tests/benchmarks/selecting_at_size.py): 0.1 to 0.2 GB for any method
at 200,000 vectors; at a million 0.3 GB for MMR, 0.9 GB for semantic de-duplication, whose k-means
is fitted on a quarter of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.diversity.embedding.index import gather, open_vectors
from lab.diversity.embedding.stored import unit

PIECE = 16_384  # vectors at once where all are looked at: 25 MB at 384 dimensions

F32 = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Some `rows` (over all parts) of an embeddings `folder`; indexed like an array [n, d]."""

    folder: Path
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, wanted: Rows | slice) -> F32:
        """These vectors in float32, of length 1."""
        parts = open_vectors(self.folder)
        return gather(parts, self.rows[wanted]) if parts else np.zeros((0, 0), np.float32)

    def part(self, wanted: Rows | slice) -> "Stored":
        """Some of them, still on disk."""
        return Stored(self.folder, self.rows[wanted])


Vectors = F32 | Stored


def part(vectors: Vectors, wanted: Rows | slice) -> Vectors:
    """Some vectors, read only if they are in memory already."""
    return vectors.part(wanted) if isinstance(vectors, Stored) else vectors[wanted]


def units(vectors: NDArray[Any] | Stored, wanted: Rows) -> Vectors:
    """Some vectors scaled to length 1; those on disk are scaled when they are read."""
    return vectors.part(wanted) if isinstance(vectors, Stored) else unit(vectors[wanted])


def pieces(vectors: NDArray[Any] | Stored) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Every vector once, `PIECE` at a time, with where they stand."""
    for start in range(0, len(vectors), PIECE):
        own = slice(start, start + PIECE)
        yield own, vectors[own]


def mean_of(vectors: Vectors) -> F32:
    """Their mean [d]."""
    total = sum((piece.sum(axis=0, dtype=np.float64) for _, piece in pieces(vectors)), np.zeros(1))
    return np.asarray(total / max(len(vectors), 1), np.float32)
