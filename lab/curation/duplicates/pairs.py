"""The expensive half of duplicate search: band keys by shard, candidates, true similarity.

Both steps are stored without the threshold, so moving it reuses them. Cost on one core, 400,000
generated documents of 880 bytes, a tenth of them copies: keys 5.1 s, candidates and their
verification 2.6 s, peak memory 0.4 GB in all. A killed run keeps every finished part.
"""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, write_part
from lab.core.engine import each_share, run_shards
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.curation.duplicates.config import FLOOR, MinHash
from lab.curation.duplicates.graph import build_graph, save_graph

Rows = NDArray[np.int64]

VERSION = 2
PROCESSES_FROM = 8  # parts; below, starting processes (2.7 s) costs more than it saves


def pair_settings(minhash: MinHash) -> dict[str, Any]:
    """What the pairs depend on: everything but the threshold."""
    return {**key_settings(minhash), "floor": FLOOR}


def key_settings(minhash: MinHash) -> dict[str, Any]:
    """What the band keys depend on."""
    return {"bands": minhash.bands, "rows": minhash.rows, "ngram": minhash.ngram}


def hash_documents(
    ws: Workspace,
    found: Artifact,
    minhash: MinHash,
    progress: Progress = SILENT,
) -> Artifact:
    """Band keys of one source's documents: step `minhash`, columns id, shingles, and key arrays."""
    from lab.curation.duplicates.bands import BandsTask, write_bands

    def make(folder: Path) -> dict[str, Any]:
        tasks = [
            BandsTask(part, folder / part.name, minhash)
            for part in found.parts
            if not (folder / part.name).exists()
        ]
        run_shards(
            write_bands, tasks, processes_from=PROCESSES_FROM, progress=progress, message="hashing"
        )
        return {}

    return build(ws, "minhash", VERSION, key_settings(minhash), [found.id], make)


def find_pairs(
    ws: Workspace,
    found: Sequence[Artifact],
    minhash: MinHash,
    progress: Progress = SILENT,
) -> Artifact:
    """`pairs.parquet`: a < b (ids), jaccard >= FLOOR, sorted; and the same as a graph in numbers.

    Step `duplicate-pairs`; `lab.curation.duplicates.graph.load_graph` reads the graph.
    """
    share = 0.6 / max(len(found), 1)
    keys = each_share(
        partial(hash_documents, ws, artifact, minhash, progress.part(share * k, share * (k + 1)))
        for k, artifact in enumerate(found)
    )

    def make(folder: Path) -> dict[str, Any]:
        from lab.curation.duplicates.candidates import find_candidates, representatives

        parts = [part for artifact in found for part in artifact.parts]
        key_parts = [part for artifact in keys for part in artifact.parts]
        frames = [read_documents(*both) for both in zip(parts, key_parts, strict=True)]
        frame = pl.concat(frames)
        rows = representatives(frame)
        arrays = [part.with_suffix(".bands.npy") for part in key_parts]
        candidates = find_candidates(arrays, rows, minhash.bands, progress.part(0.6, 0.7))
        starts = np.cumsum([0, *(f.height for f in frames[:-1])], dtype=np.int64)
        ends = (candidates.first, candidates.second)
        measured = measure_pairs(
            folder, parts, starts, ends, minhash.ngram, progress.part(0.7, 1.0)
        )
        pairs = name_pairs(frame["id"], ends, measured)
        write_part(pairs, folder / "pairs.parquet")
        save_graph(build_graph(frame, pairs), folder)
        return {
            "documents": frame.height,
            "too_short": int((frame["shingles"] == 0).sum()),
            "compared": len(rows),
            "candidates": len(measured),
            "pairs": pairs.height,
            "large_buckets": candidates.large_buckets,
        }

    return build(
        ws, "duplicate-pairs", VERSION, pair_settings(minhash), [a.id for a in found], make
    )


def read_documents(part: Path, key_part: Path) -> pl.DataFrame:
    """Columns id, content_hash, shingles of one part."""
    columns = pl.read_parquet(part, columns=["id", "content_hash"])
    return columns.hstack(pl.read_parquet(key_part, columns=["shingles"]))


def measure_pairs(
    folder: Path,
    parts: Sequence[Path],
    starts: Rows,
    ends: tuple[Rows, Rows],
    ngram: int,
    progress: Progress,
) -> NDArray[np.float32]:
    """Similarities of the candidate rows; the shingles on disk are removed afterwards."""
    from lab.curation.duplicates.verify import ShinglesTask, similarities, write_shingles

    scratch = folder / "shingles"
    scratch.mkdir(exist_ok=True)
    rows = np.unique(np.concatenate(ends))
    shares = np.split(rows, np.searchsorted(rows, starts[1:]))
    tasks = [
        ShinglesTask(part, share - start, scratch / f"{start:012d}", ngram)
        for part, share, start in zip(parts, shares, starts, strict=True)
    ]
    for number, task in enumerate(tasks):
        progress.part(0, 0.5)(number, len(tasks), "shingles")
        write_shingles(task)
    measured = similarities(tasks, starts, *ends, progress.part(0.5, 1))
    shutil.rmtree(scratch)
    return measured


def name_pairs(
    ids: pl.Series,
    ends: tuple[Rows, Rows],
    measured: NDArray[np.float32],
) -> pl.DataFrame:
    """Pairs of ids in order, those of at least `FLOOR`."""
    x, y = pl.Series("x", ids.gather(ends[0])), pl.Series("y", ids.gather(ends[1]))
    ordered = pl.col("x") < pl.col("y")
    return (
        pl.DataFrame([x, y, pl.Series("jaccard", measured)])
        .filter(pl.col("jaccard") >= FLOOR)
        .select(
            a=pl.when(ordered).then("x").otherwise("y"),
            b=pl.when(ordered).then("y").otherwise("x"),
            jaccard=pl.col("jaccard").cast(pl.Float32),
        )
        .sort("a", "b")
    )
