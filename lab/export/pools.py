"""The documents of a phase's pools, written as the formats that trainers read.

Streaming by part: memory is that of one documents part, whatever the size of the source.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.artifacts import write_part
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import tokenizer_facts
from lab.corpus.tokens import require_tokens, token_arrays
from lab.export.plan import Share

COLUMNS = ("id", "text", "source", "meta")


def pool_frames(ws: Workspace, share: Share) -> Iterator[pl.DataFrame]:
    """The pool's documents (id, text, source, meta), one frame per documents part, in order.

    The text is the edited one where the recipe trains on edits.
    """
    start = 0
    for part in documents(ws, share.source).parts:
        height = pl.scan_parquet(part).select(pl.len()).collect().item()
        mine = share.rows[(share.rows >= start) & (share.rows < start + height)] - start
        start += height
        if len(mine):
            frame = pl.read_parquet(part, columns=list(COLUMNS))
            if share.texts:
                edited = pl.read_parquet(share.texts.path / part.name, columns=["text"])
                frame = frame.with_columns(edited["text"])
            yield frame[mine]


def write_parquet(ws: Workspace, share: Share, folder: Path) -> list[Path]:
    """The pool as Parquet files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, frame in enumerate(pool_frames(ws, share)):
        path = folder / f"{share.source}-{number:05d}.parquet"
        write_part(frame, path)
        written.append(path)
    return written


def write_jsonl(ws: Workspace, share: Share, path: Path, compression: str | None = None) -> Path:
    """The pool as one JSONL file, `compression` None or "zstd"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_jsonl(path, compression) as sink:
        for frame in pool_frames(ws, share):
            sink.write(frame.write_ndjson().encode("utf-8"))
    return path


def open_jsonl(path: Path, compression: str | None) -> pa.NativeFile:
    """A file to write JSONL bytes to."""
    return pa.output_stream(str(path), compression=compression)


def write_token_file(ws: Workspace, share: Share, tokenizer: str, path: Path) -> int:
    """The pool's token ids, an end-of-text id after each document, as a headerless array.

    This is what OLMo-core calls `.npy`: raw little-endian uint16 (uint32 above 65,536 entries), no
    NumPy header. Returns the number of tokens.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    end = tokenizer_facts(ws, tokenizer).eot_id
    written = 0
    start = 0
    with path.open("wb") as sink:
        for flat, offsets in token_arrays(require_tokens(ws, share.source, tokenizer, share.texts)):
            count = len(offsets) - 1
            mine = share.rows[(share.rows >= start) & (share.rows < start + count)] - start
            start += count
            for array in with_end(flat, offsets, mine, end):
                sink.write(array.tobytes())
                written += len(array)
    return written


def with_end(
    flat: NDArray[np.unsignedinteger], offsets: NDArray[np.int64], rows: NDArray[np.int64], end: int
) -> Iterator[NDArray[np.unsignedinteger]]:
    """The tokens of each row followed by `end`. 2 microseconds a document (2026-11)."""
    tail = np.array([end], flat.dtype)
    for row in rows:
        yield np.concatenate([flat[offsets[row] : offsets[row + 1]], tail])
