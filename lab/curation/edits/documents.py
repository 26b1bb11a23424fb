"""Edited texts of a source as an artifact beside its documents, which stay as they are.

Parts are aligned with the documents' parts: id, text, removed_chars (characters by which the text
became shorter; 0 where a token made it longer), changed. The artifact's id is made of the documents
and of each edit's name and version, in order. A document may become empty; it stays as a row, since
dropping is the recipe's decision.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lab.core.artifacts import Artifact, build, require, write_part
from lab.core.engine import run_shards
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.edits.registry import apply_edits, identity

STEP = "edits"
VERSION = 1


class Task(NamedTuple):
    """One documents part, the part to write, and the edits to make."""

    part: Path
    target: Path
    edits: tuple[str, ...]


def edit_documents(
    ws: Workspace,
    source: str,
    edits: Sequence[str],
    *,
    progress: Progress = SILENT,
) -> Artifact:
    """The texts of `source` after `edits`, in order; made if they are not stored.

    The manifest counts documents, changed, emptied and removed_chars. Raises ConfigError for an
    unknown edit.
    """
    names = identity(edits)
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        tasks = [
            Task(part, folder / part.name, tuple(edits))
            for part in found.parts
            if not (folder / part.name).exists()
        ]
        message = f"edits of {source}"
        run_shards(edit_part, tasks, progress=progress, message=message)
        return {"source": source, **totals(folder)}

    return build(ws, STEP, VERSION, {"edits": names}, [found.id], make)


def require_edits(ws: Workspace, source: str, edits: Sequence[str]) -> Artifact:
    """The stored texts of `source` after exactly these edits, or ArtifactMissing."""
    return require(
        ws,
        STEP,
        VERSION,
        {"edits": identity(edits)},
        [documents(ws, source).id],
        what=f"The texts of {source} have not been edited by {', '.join(edits)}.",
        next_step=f"`mixlab edit --source {source} --edits {' '.join(edits)}`",
    )


def edit_part(task: Task) -> None:
    """One documents part to one part of edited texts."""
    frame = pl.read_parquet(task.part, columns=["id", "text"])
    edited = apply_edits(frame["text"], task.edits)
    before, after = (texts.str.len_chars().cast(pl.Int64) for texts in (frame["text"], edited))
    columns = [
        edited.alias("text"),
        (before - after).clip(lower_bound=0).cast(pl.UInt32).alias("removed_chars"),
        edited.ne_missing(frame["text"]).alias("changed"),
    ]
    write_part(frame.select("id").with_columns(columns), task.target)


def totals(folder: Path) -> dict[str, int]:
    """Counts over all parts, for the manifest."""
    counted = pl.scan_parquet(sorted(folder.glob("part-*.parquet"))).select(
        documents=pl.len(),
        changed=pl.col("changed").sum(),
        emptied=(pl.col("changed") & (pl.col("text") == "")).sum(),
        removed_chars=pl.col("removed_chars").cast(pl.Int64).sum(),
    )
    return {name: int(value) for name, value in counted.collect().row(0, named=True).items()}
