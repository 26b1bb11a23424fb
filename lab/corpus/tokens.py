"""Token ids and counts of every document under one tokenizer, stored once.

Step "tokens", aligned with the documents' parts: `part-00000.parquet` (id, tokens) and
`part-00000.tokens.npy`, the ids of all documents of the part one after another (uint16 up to 65,536
tokens in the vocabulary, else uint32), without end-of-text tokens. Training maps the arrays into
memory and never encodes again.

Documents are encoded in batches of 1 MB: an encoding takes about 90 bytes a token while it exists.
A longer document is cut at line ends between two visible characters. GPT-2's pattern, and so every
tokenizer trained here, never joins across such a place, and the ids are those of the whole; other
tokenizers may differ by a token at a cut. Cost: 0.8 M tokens a core-second.

A recipe may train on edited texts: an artifact aligned with the documents, with a column `text`,
takes their place in `of`, and has tokens of its own.
"""

import multiprocessing
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from tokenizers import Tokenizer

from lab.core.artifacts import Artifact, build, require, write_part
from lab.core.engine import run_shards
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import folder_of, read_tokenizer, tokenizer_id, vocab_size

STEP = "tokens"
VERSION = 1
BATCH = 1_000_000  # characters encoded at once
SEAM = re.compile(r"(?<=\S)\n(?=\S)")

Ids = npt.NDArray[Any]  # uint16 or uint32


@dataclass(frozen=True, slots=True)
class Task:
    """One part of documents to encode into a folder."""

    part: Path
    tokenizer: Path
    dtype: str
    folder: Path


def count_tokens(
    ws: Workspace,
    source: str,
    tokenizer: str,
    progress: Progress = SILENT,
    of: Artifact | None = None,
) -> Artifact:
    """The tokens artifact of a source, made if it is not there; finished parts are kept.

    `of` holds edited texts to count in place of the documents'.
    """
    corpus = of or documents(ws, source)
    width = "uint16" if vocab_size(ws, tokenizer) <= 1 << 16 else "uint32"
    file = folder_of(ws, tokenizer) / "tokenizer.json"

    def make(folder: Path) -> dict[str, Any]:
        tasks = [
            Task(part, file, width, folder)
            for part in corpus.parts
            if not (folder / part.name).exists()
        ]
        run_shards(encode_part, tasks, progress=progress, message=f"tokens of {source}")
        totals = pl.scan_parquet(sorted(folder.glob("part-*.parquet"))).select(
            pl.len(), pl.col("tokens").cast(pl.UInt64).sum()
        )
        count, tokens = totals.collect().row(0)
        return {"source": source, "tokenizer": tokenizer, "documents": count, "tokens": tokens}

    config = {"tokenizer": tokenizer_id(ws, tokenizer)}
    return build(ws, STEP, VERSION, config, [corpus.id], make)


def require_tokens(
    ws: Workspace, source: str, tokenizer: str, of: Artifact | None = None
) -> Artifact:
    """The tokens artifact of a source, or of its edited texts `of`; ArtifactMissing without one."""
    edited = [name.partition("@")[0] for name in of.manifest["config"]["edits"]] if of else []
    return require(
        ws,
        STEP,
        VERSION,
        {"tokenizer": tokenizer_id(ws, tokenizer)},
        [(of or documents(ws, source)).id],
        what=f"The tokens of source {source!r} under {tokenizer!r} are not counted"
        + (f" after the edits {edited}." if edited else "."),
        next_step=f"`mixlab edit --source {source} --edits {' '.join(edited)}`"
        if of
        else f"mixlab measure --source {source}",
    )


def encode_part(task: Task) -> int:
    """Encode one part; the number of tokens. The Parquet file comes last: where it is, all is."""
    if multiprocessing.parent_process() is not None:
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one process a core is parallel enough
    tokenizer = read_tokenizer(task.tokenizer)
    tokenizer.encode_special_tokens = True
    frame = pl.read_parquet(task.part, columns=["id", "text"])
    flat, counts = encode(tokenizer, frame["text"].to_list(), task.dtype)
    final = task.folder / f"{task.part.stem}.tokens.npy"
    temp = final.with_name(f".{final.name}.{uuid.uuid4().hex[:8]}.tmp")
    with temp.open("wb") as handle:
        np.save(handle, flat, allow_pickle=False)
    temp.replace(final)
    ids = frame.select("id").with_columns(tokens=pl.Series(counts, dtype=pl.UInt32))
    write_part(ids, task.folder / task.part.name)
    return len(flat)


def encode(
    tokenizer: Tokenizer, texts: Sequence[str], dtype: str
) -> tuple[Ids, npt.NDArray[np.int64]]:
    """(ids of all texts one after another, number of ids of each text)."""
    flat: list[Ids] = []
    counts = np.zeros(len(texts), np.int64)
    for owners, pieces in batches(texts):
        encodings = tokenizer.encode_batch_fast(pieces, add_special_tokens=False)
        for owner, encoding in zip(owners, encodings, strict=True):  # 2 us a document of 250 tokens
            ids = encoding.ids
            counts[owner] += len(ids)
            flat.append(np.array(ids, dtype=dtype))
    return np.concatenate(flat) if flat else np.zeros(0, dtype), counts


def batches(
    texts: Sequence[str], limit: int | None = None
) -> Iterator[tuple[list[int], list[str]]]:
    """Yield (index of the text, piece) lists of about `limit` characters each, in order."""
    limit = limit or BATCH
    owners: list[int] = []
    pieces: list[str] = []
    size = 0
    for index, text in enumerate(texts):
        for piece in cut(text, limit):
            owners.append(index)
            pieces.append(piece)
            size += len(piece)
            if size >= limit:
                yield owners, pieces
                owners, pieces, size = [], [], 0
    if pieces:
        yield owners, pieces


def cut(text: str, limit: int) -> Iterator[str]:
    """Yield `text` in pieces of at most `limit` characters, cut at seams where there are some."""
    start = 0
    while len(text) - start > limit:
        seam = SEAM.search(text, start + limit - limit // 8, start + limit)
        end = seam.end() if seam else start + limit
        yield text[start:end]
        start = end
    yield text[start:]


def token_arrays(artifact: Artifact) -> list[tuple[Ids, npt.NDArray[np.int64]]]:
    """Per part: ids of all documents, mapped from disk, and offsets [documents + 1] into them."""
    arrays = []
    for part in artifact.parts:
        flat = np.load(part.with_name(f"{part.stem}.tokens.npy"), mmap_mode="r", allow_pickle=False)
        counts = pl.read_parquet(part, columns=["tokens"])["tokens"].to_numpy()
        arrays.append((flat, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])))
    return arrays
