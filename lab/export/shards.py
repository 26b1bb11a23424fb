"""Targets `shards` and `shards-parquet`: the mixture itself, for trainers that cannot mix.

Each phase's documents are drawn (whole epochs, then a seeded sample without repetition until the
tokens are met), dealt at random onto shards and shuffled within each: sources one after another
gave loss spikes elsewhere. Two passes: the first streams the sources once and deals documents to
buckets on disk, the second shuffles one bucket at a time, so memory is one shard.
"""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import write_part
from lab.core.errors import LabError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.tokens import require_tokens
from lab.export.plan import PhasePlan, Plan, Share
from lab.export.pools import open_jsonl, pool_frames

SHARD_DOCUMENTS = 50_000
SHARD_BYTES = 500_000_000  # estimated; books would make a shard of 50,000 documents too large
BYTES_PER_TOKEN = 6.0  # upper estimate for the check of free space
SEED = 0
WriteShard = Callable[[pl.DataFrame, Path], None]


def write_jsonl_shards(ws: Workspace, plan: Plan, folder: Path, progress: Progress) -> list[str]:
    """Write `PHASE/shard-00000.jsonl.zst`, ..."""
    return write(ws, plan, folder, progress, ".jsonl.zst", jsonl_shard)


def write_parquet_shards(ws: Workspace, plan: Plan, folder: Path, progress: Progress) -> list[str]:
    """Write `PHASE/shard-00000.parquet`, ..."""
    return write(ws, plan, folder, progress, ".parquet", parquet_shard)


def write(
    ws: Workspace, plan: Plan, folder: Path, progress: Progress, suffix: str, shard: WriteShard
) -> list[str]:
    """Materialise every phase; LabError if the disk cannot hold it."""
    require_space(plan, folder)
    notes = ["Read the phases in order, each phase's shards in order; no weights are needed."]
    for k, phase in enumerate(plan.phases):
        low, high = k / len(plan.phases), (k + 1) / len(plan.phases)
        drawn = write_phase(ws, plan, k, folder, suffix, shard, progress.part(low, high))
        notes.append(f"Phase {phase.name}: {drawn:,} documents, {phase.tokens:,.0f} tokens asked.")
    return notes


def require_space(plan: Plan, folder: Path) -> None:
    """Refuse to start what cannot end: twice the text must fit (buckets and shards)."""
    needed = 2 * BYTES_PER_TOKEN * plan.recipe.mixture.tokens
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise LabError(
            "The materialised mixture does not fit on this disk.",
            where=str(folder),
            value=f"about {needed / 1e9:,.1f} GB needed, {free / 1e9:,.1f} GB free",
            next_step="lower mixture.tokens, choose another disk with -o, or export for a trainer "
            "that mixes by itself",
        )


def write_phase(
    ws: Workspace,
    plan: Plan,
    number: int,
    folder: Path,
    suffix: str,
    shard: WriteShard,
    progress: Progress,
) -> int:
    """Deal phase `number` to buckets, shuffle each into a shard; the number of documents."""
    phase = plan.phases[number]
    rng = np.random.default_rng([SEED, number])
    count = shard_count(phase)
    buckets = folder / f".buckets-{phase.folder}"
    for k, share in enumerate(phase.shares):
        copies = draw(ws, plan.tokenizer, share, rng)
        deal(ws, share, copies, buckets, count, rng)
        progress(k + 1, 2 * len(phase.shares), f"{phase.name}: {share.source}")
    (folder / phase.folder).mkdir()
    total = 0
    for k in range(count):
        pieces = sorted(buckets.glob(f"{k:05d}-*"))
        if pieces:  # few long documents may leave a bucket empty
            frame = pl.concat([pl.read_parquet(piece) for piece in pieces])
            order = rng.permutation(frame.height)
            shard(frame[order], folder / phase.folder / f"shard-{k:05d}{suffix}")
            total += frame.height
        progress(count + k + 1, 2 * count, f"{phase.name}: shard {k + 1} of {count}")
    shutil.rmtree(buckets)
    return total


def shard_count(phase: PhasePlan) -> int:
    """Shards of a phase, so that one fits in memory by documents and by bytes."""
    by_bytes = phase.tokens * BYTES_PER_TOKEN / SHARD_BYTES
    return max(1, -(-phase.documents // SHARD_DOCUMENTS), math.ceil(by_bytes))


def draw(
    ws: Workspace, tokenizer: str, share: Share, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Copies of each row of the pool, [pool_documents]: together they just meet the tokens."""
    counted = require_tokens(ws, share.source, tokenizer, share.texts)
    lengths = counted.scan().select("tokens").collect()
    sizes = lengths["tokens"].gather(share.rows).to_numpy().astype(np.int64) + 1
    whole, rest = divmod(share.tokens, float(sizes.sum()))
    copies = np.full(len(sizes), int(whole), np.int64)
    order = rng.permutation(len(sizes))
    reached = np.cumsum(sizes[order])
    if rest > 0:
        copies[order[: int(np.searchsorted(reached, rest)) + 1]] += 1
    return copies


def deal(
    ws: Workspace,
    share: Share,
    copies: NDArray[np.int64],
    buckets: Path,
    count: int,
    rng: np.random.Generator,
) -> None:
    """Send every copy of every document to a random bucket."""
    buckets.mkdir(exist_ok=True)
    start = 0
    for number, frame in enumerate(pool_frames(ws, share)):
        mine = copies[start : start + frame.height]
        start += frame.height
        rows = np.repeat(np.arange(frame.height), mine)
        place = rng.integers(count, size=len(rows))
        for bucket in np.unique(place):
            path = buckets / f"{bucket:05d}-{share.source}-{number:05d}.parquet"
            write_part(frame[rows[place == bucket]], path)


def jsonl_shard(frame: pl.DataFrame, path: Path) -> None:
    """One shard as zstd-compressed JSONL."""
    with open_jsonl(path, "zstd") as sink:
        sink.write(frame.write_ndjson().encode("utf-8"))


def parquet_shard(frame: pl.DataFrame, path: Path) -> None:
    """One shard as Parquet."""
    write_part(frame, path)
