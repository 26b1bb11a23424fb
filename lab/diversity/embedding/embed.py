"""Embeddings of a sample of each source, stored as float16.

The sample is the `sample` documents with the smallest mixed content hash (bottom-k sampling, Cohen
and Kaplan 2007): uniform over texts, free of row order, and stable, so that a source that grows
keeps most of its sample. The bits used are not those of the held-out split. The manifest names it
in words (`sample_words`), and whoever shows a number of it repeats them.

Parts follow the documents' parts, with the sampled documents only: column id, and unit vectors in
`part-N.embeddings.npy` (float16). Work is done in blocks of texts of like length of one part, kept
as they finish: a killed process loses one block. Blocks go to the engine as other shards do, from
`PROCESSES_FROM` blocks on to one process a core. The manifest holds the panel of measures, and
`moments.safetensors` what the diversity of a mixture needs; above `INDEXED` vectors an index of
nearest neighbours lies beside them. For speed see `encoder` and `static`.
"""

import multiprocessing
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, asked_now, build, write_part
from lab.core.engine import run_shards
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.files import file_sha256
from lab.core.progress import SILENT, Progress, Report
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.diversity.embedding import static
from lab.diversity.embedding.encoder import DEFAULT, Encoder, gpu, load_encoder, locate_encoder
from lab.diversity.embedding.index import INDEXED, build_index
from lab.diversity.embedding.stored import STEP, VERSION, load_vectors, require_embeddings
from lab.diversity.embedding.summarise import summarise

SAMPLE, STATIC_SAMPLE = 2000, 100_000  # documents a source where no number is given
BLOCK, STATIC_BLOCK = 256, 16_384  # texts; some seconds of work on one core
PROCESSES_FROM = 16  # blocks: the imports of a process cost as much as one block
COMPARED = 2000  # texts on which the static encoder is held against the full one: O(n^2)

F16 = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Block:
    """Texts of one part of documents (`rows`) to embed into `target`."""

    part: Path
    rows: tuple[int, ...]
    target: Path
    encoder: str  # a name, or the folder of a static encoder


def embed(
    ws: Workspace,
    source: str,
    *,
    encoder: str = DEFAULT,
    sample: int | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Artifact:
    """Embed `sample` documents of `source`, all if it has fewer; None takes the encoder's default.

    Raises ConfigError for a sample below 2, DependencyMissing for an encoder that is not here,
    DataError for vectors that are not finite.
    """
    if sample is None:
        sample = STATIC_SAMPLE if encoder == static.NAME else SAMPLE
    if sample < 2:
        raise ConfigError(
            "A sample has at least two documents.",
            where="embed.sample",
            value=sample,
            next_step=f"leave it out for {SAMPLE}, or give the number of documents",
        )
    found = documents(ws, source)
    settings = {"encoder": encoder, "sample": sample, "seed": seed}
    if encoder == static.NAME:
        where = str(static.static_encoder(ws, progress.part(0, 0.3)).path)
    else:
        where = encoder
        settings |= folder_digest(encoder)

    def make(folder: Path) -> dict[str, Any]:
        chosen = choose(found, sample, seed)
        about = encode_blocks(folder, found, chosen, where, source, progress)
        about |= {"sample": sample_words(chosen.height, int(chosen["of"][0]), seed)}
        if encoder == static.NAME:
            about |= {"overlap": compare_with_full(ws, source, folder)}
        if chosen.height >= INDEXED:
            about |= build_index(folder, progress)
        return {**about, **summarise(folder), "source": source}

    return asked_now(build(ws, STEP, VERSION, settings, [found.id], make))


def folder_digest(encoder: str) -> dict[str, str]:
    """Hash of a local encoder's weights: its folder may hold others tomorrow."""
    folder, origin = locate_encoder(encoder)
    if origin != "folder":
        return {}
    files = sorted(folder.rglob("*.safetensors"))
    return {"weights": file_sha256(files[0])[:20]} if files else {}


def sample_words(embedded: int, total: int, seed: int) -> str:
    """The sample's name for people: how many of how many, and how they were chosen."""
    if embedded == total:
        return f"all {total:,} documents"
    return f"{embedded:,} of {total:,} documents, those with the lowest content hash (seed {seed})"


def choose(found: Artifact, sample: int, seed: int) -> pl.DataFrame:
    """Columns part, row, id, bytes of the sample, longest first; and `of`, the total."""
    frames = [
        pl.read_parquet(part, columns=["id", "bytes", "content_hash"])
        .with_row_index("row")
        .with_columns(part=pl.lit(number, pl.UInt32))
        for number, part in enumerate(found.parts)
    ]
    frame = pl.concat(frames)
    frame = frame.with_columns(mixed=mix(frame["content_hash"], seed), of=pl.len())
    return frame.sort("mixed", "id").head(sample).sort("bytes", "id", descending=[True, False])


def mix(content_hash: pl.Series, seed: int) -> pl.Series:
    """Bits 32 to 91 of each hash, shuffled by the seed (SplitMix64, Steele et al. 2014)."""
    bits = content_hash.str.slice(8, 15).str.to_integer(base=16).to_numpy().astype(np.uint64)
    value = bits + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return pl.Series("mixed", value ^ (value >> np.uint64(31)))


def encode_blocks(
    folder: Path, found: Artifact, chosen: pl.DataFrame, where: str, source: str, progress: Progress
) -> dict[str, Any]:
    """Write the vectors of the chosen documents, and facts about how they were made."""
    scratch = folder / "blocks"
    scratch.mkdir(exist_ok=True)
    blocks = list(cut_blocks(found, chosen, scratch, where))
    todo = [block for block in blocks if not block.target.exists()]
    started, count = time.monotonic(), sum(len(block.rows) for block in todo)
    progress(0, max(len(todo), 1), f"loading {Path(where).name}")
    run_shards(
        encode_block,
        todo,
        processes_from=len(todo) + 1 if gpu() else PROCESSES_FROM,
        progress=with_speed(progress, count),
        message=f"embedding {source}",
    )
    seconds = time.monotonic() - started
    about = join_blocks(folder, found, chosen, blocks)
    encoder = open_encoder(where)
    shutil.rmtree(scratch)
    return {
        "embedded": chosen.height,
        "documents": int(chosen["of"][0]),
        "dimensions": encoder.dimensions,
        "precision": encoder.precision,
        "origin": encoder.origin,
        "documents_a_second": round(count / seconds, 1) if todo else None,
        **about,
    }


def cut_blocks(found: Artifact, chosen: pl.DataFrame, scratch: Path, where: str) -> Iterator[Block]:
    """Yield the blocks of each part, longest texts first."""
    size = STATIC_BLOCK if is_static(where) else BLOCK
    for number, part in enumerate(found.parts):
        rows = chosen.filter(pl.col("part") == number)["row"].to_list()
        for start in range(0, len(rows), size):
            own = tuple(rows[start : start + size])
            target = scratch / f"{number:05d}-{start:08d}-{len(own)}.npy"
            yield Block(part, own, target, where)


def encode_block(block: Block) -> int:
    """Embed one block; the number of texts. DataError names the first document whose vector is not
    finite.
    """
    if multiprocessing.parent_process() is not None:
        import torch

        torch.set_num_threads(1)  # one process a core is parallel enough
    texts = part_texts(block.part)
    rows = list(block.rows)
    vectors = open_encoder(block.encoder).encode(texts["text"].gather(rows).to_list())
    check_vectors(vectors, texts["id"].gather(rows), block.encoder)
    write_array(block.target, vectors)
    return len(rows)


@lru_cache(maxsize=2)
def open_encoder(where: str) -> Encoder | static.StaticEncoder:
    """The encoder of that name or folder, loaded once a process."""
    if is_static(where):
        return static.load_static(Path(where))
    return load_encoder(where)


def is_static(where: str) -> bool:
    """True for the folder of a static encoder."""
    return (Path(where) / static.FILE).is_file()


@lru_cache(maxsize=1)
def part_texts(part: Path) -> pl.DataFrame:
    """Columns id, text of a part of documents; the next block is most often of the same."""
    return pl.read_parquet(part, columns=["id", "text"])


def check_vectors(vectors: NDArray[Any], ids: pl.Series, where: str) -> None:
    """DataError unless all numbers are finite."""
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise DataError(
            f"{len(bad)} of {len(vectors)} vectors hold numbers that are not finite.",
            where=where,
            value=f"document {ids[int(bad[0])]}",
            next_step="check the encoder's files, or use another encoder",
        )


def join_blocks(
    folder: Path, found: Artifact, chosen: pl.DataFrame, blocks: list[Block]
) -> dict[str, Any]:
    """Put the blocks' vectors into document order, part by part; how many are zero."""
    zero = 0
    for number, part in enumerate(found.parts):
        own = chosen.filter(pl.col("part") == number)
        pieces = [np.load(b.target, allow_pickle=False) for b in blocks if b.part == part]
        vectors = np.concatenate(pieces) if pieces else np.zeros((0, 0), np.float16)
        zero += int((~vectors.any(axis=1)).sum())
        place_part(folder, number, own, vectors)
    return {"without_vector": zero} if zero else {}


def write_parts(folder: Path, found: Artifact, chosen: pl.DataFrame, vectors: F16) -> None:
    """Put vectors and ids back into document order, part by part."""
    for number in range(len(found.parts)):
        own = (chosen["part"] == number).to_numpy()
        place_part(folder, number, chosen.filter(own), vectors[own])


def place_part(folder: Path, number: int, own: pl.DataFrame, vectors: F16) -> None:
    """One part: the vectors of `own` (row, id), which are in its order, by row."""
    order = own["row"].arg_sort().to_numpy()
    write_array(folder / f"part-{number:05d}.embeddings.npy", vectors[order])
    write_part(own.select("id")[order], folder / f"part-{number:05d}.parquet")


def with_speed(progress: Progress, documents: int) -> Progress:
    """The same progress, with documents a second behind its message."""
    started, part = time.monotonic(), progress.part(0.0, 1.0)

    def report(seen: Report) -> None:
        share = (seen.done / seen.total - part.low) / max(part.high - part.low, 1e-12)
        speed = share * documents / max(time.monotonic() - started, 1e-9)
        words = f"{seen.message}, {speed:,.0f} documents/s" if share > 0 else seen.message
        progress.report(replace(seen, message=words))

    return replace(part, report=report)


def compare_with_full(ws: Workspace, source: str, folder: Path) -> dict[str, Any] | None:
    """How many neighbours under the static encoder are neighbours under the full one, on documents
    that have both; None where the full one has not embedded this source.
    """
    try:
        full = require_embeddings(ws, source)
    except ArtifactMissing:
        return None
    ids, vectors = load_vectors(Artifact(folder, {}))
    others, theirs = load_vectors(full)
    rows = pl.DataFrame({"id": ids}).with_row_index("own")
    both = rows.join(pl.DataFrame({"id": others}).with_row_index("other"), on="id").sort("own")
    both = both.head(COMPARED)
    value = static.overlap(vectors[both["own"].to_numpy()], theirs[both["other"].to_numpy()])
    if value is None:
        return None
    return {"value": value, "neighbours": static.NEIGHBOURS, "n": both.height, "of": DEFAULT}
