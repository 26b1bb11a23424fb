"""An index of nearest neighbours for large samples: HNSW graphs by usearch.

A layered graph of near vectors is searched greedily (Malkov and Yashunin 2018, arXiv:1603.09320):
some hundred distances instead of a million. Vectors lie in it as 8-bit integers, which is half of
the reading and misplaces close calls, so `WIDER` times as many as were asked for are taken (at
least the `SEARCH_WIDTH` that the search holds anyway) and put in order by the stored float16
vectors. Near is not certain: a search may miss a neighbour, and the share it finds is measured when
the index is built (`recall`, in the manifest).

The file lies beside the embeddings and is mapped, not read, so opening costs nothing and the pages
of a server share it. It is made from the vectors alone and may be deleted: search is exact then.
Threads insert in no fixed order, so two builds differ in bytes, and now and then in a neighbour.
Below `INDEXED` vectors exact search takes 15 ms or less and there is no index.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.engine import cores
from lab.core.progress import SILENT, Progress
from lab.diversity.embedding.stored import F32, read_vectors, unit

FILE = "nearest.usearch"
INDEXED = 100_000
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 16, 128, 128  # usearch's own defaults
WIDER = 2
ADDED = 20_000  # vectors between two reports
PROBES, PROBED = 200, 10  # queries and neighbours of the measured recall


def build_index(folder: Path, progress: Progress = SILENT) -> dict[str, Any]:
    """Index all vectors of an embeddings folder, by their row over all parts; its recall.

    Cost: a few thousand vectors a second and core at 384 dimensions.
    """
    parts = [vectors for part in Artifact(folder, {}).parts if len(vectors := read_vectors(part))]
    total, row = sum(map(len, parts)), 0
    index = new_index(parts[0].shape[1])
    for vectors in parts:
        for start in range(0, len(vectors), ADDED):
            progress(row, total, "indexing neighbours")
            block = unit(vectors[start : start + ADDED])
            index.add(np.arange(row, row + len(block)), block, threads=cores())
            row += len(block)
    temp = folder / f".{FILE}.tmp"
    index.save(str(temp))
    temp.replace(folder / FILE)
    return {"index": {"file": FILE, "recall": measured_recall(index, parts), "of": total}}


def new_index(dimensions: int) -> Any:
    """An empty graph; inner product, because the vectors have length 1."""
    from usearch.index import Index

    return Index(
        ndim=dimensions,
        metric="cos",
        dtype="i8",
        connectivity=LINKS,
        expansion_add=BUILD_WIDTH,
        expansion_search=SEARCH_WIDTH,
    )


def measured_recall(index: Any, parts: list[NDArray[np.float16]]) -> float:
    """Share of the exact nearest that the index and the reordering find, over `PROBES` vectors."""
    total = sum(map(len, parts))
    rows = np.linspace(0, total - 1, PROBES).astype(np.int64)
    queries = gather(parts, rows)
    exact = np.concatenate([queries @ unit(v[s : s + ADDED]).T for v, s in pieces(parts)], axis=1)
    hits = 0
    for query, similar in zip(queries, exact, strict=True):  # 2 ms a query
        nearest = np.argpartition(-similar, PROBED)[:PROBED]
        hits += len(np.intersect1d(nearest, search(index, parts, query, PROBED)[0]))
    return hits / (PROBES * PROBED)


def pieces(parts: list[NDArray[np.float16]]) -> list[tuple[NDArray[np.float16], int]]:
    """Each part with the places where its blocks begin."""
    return [(vectors, start) for vectors in parts for start in range(0, len(vectors), ADDED)]


def search(
    index: Any, parts: list[NDArray[np.float16]], query: F32, limit: int
) -> tuple[NDArray[np.int64], F32]:
    """Rows and cosines of about the `limit` nearest, closest first; ties by row."""
    found = index.search(query, min(max(WIDER * limit, SEARCH_WIDTH), len(index)))
    rows = np.sort(found.keys.astype(np.int64))
    cosines = gather(parts, rows) @ query
    order = np.argsort(-cosines, kind="stable")[:limit]
    return rows[order], cosines[order]


def gather(parts: list[NDArray[np.float16]], rows: NDArray[np.int64]) -> F32:
    """Unit vectors of rows over all parts, in their order."""
    ends = np.cumsum([0, *map(len, parts)])
    part = np.searchsorted(ends, rows, side="right") - 1
    found = np.empty((len(rows), parts[0].shape[1]), np.float32)
    for number in np.unique(part):
        own = part == number
        found[own] = unit(parts[number][rows[own] - ends[number]])
    return found


@lru_cache(maxsize=8)
def open_index(path: Path) -> Any | None:
    """The index of an embeddings folder, mapped; None where there is none."""
    if not (path / FILE).is_file():
        return None
    from usearch.index import Index

    return Index.restore(str(path / FILE), view=True)


@lru_cache(maxsize=8)
def open_vectors(path: Path) -> list[NDArray[np.float16]]:
    """The vectors of every part that has some, mapped once a process."""
    return [v for part in Artifact(path, {}).parts if len(v := read_vectors(part))]


@lru_cache(maxsize=8)
def all_ids(path: Path) -> pl.Series:
    """Ids of an artifact's rows; kept, because reading a million takes longer than searching."""
    return Artifact(path, {}).scan().select("id").collect()["id"]
