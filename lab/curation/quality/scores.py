"""From labels to a stored score of every document, and back from a column to its artifact."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from lab.core.artifacts import Artifact, build, find, write_part
from lab.core.engine import run_shards
from lab.core.errors import ArtifactMissing
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.curation.labels import (
    check_label_name,
    label_names,
    labelled_documents,
    merge_labels,
    read_ratings,
    register_labels,
)
from lab.curation.labels.files import mean_labels
from lab.curation.quality.learning import Learning, check_learning
from lab.curation.quality.store import find_head, load_head
from lab.curation.quality.train import check_labels, prepare, train_head
from lab.curation.quality.vectors import require_all_embedded

STEP, VERSION = "quality", 1
PROCESSES_FROM = 8  # parts; below, starting processes (2.7 s) costs more than it saves
FACTS = ("name", "labels", "head", "chosen", "threshold", "label_sd", "error", "agreement")


class Task(NamedTuple):
    """One documents part, the part to write, the head, its kind, its vectors, the column's name."""

    part: Path
    target: Path
    head: Path
    kind: str
    vectors: Path | None
    column: str


def score(
    ws: Workspace,
    name: str,
    labels: Path | Sequence[Path],
    sources: Sequence[str],
    *,
    learning: Learning | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Learn score `name` from files of labels and store it for every document of `sources`.

    Without sources, the head is learned and evaluated only. The labels are kept in the workspace.
    Returns the facts of the fit (labels, setting, error, agreement) and the number of documents per
    source. Raises ConfigError for an impossible name or head, DataError for fewer than `MIN_LABELS`
    different texts, labels that do not vary, or ids that are in no source, ArtifactMissing where a
    head on embeddings finds documents that have none; nothing is registered then.
    """
    check_label_name(name)
    learning = check_learning(learning or Learning())
    paths = [labels] if isinstance(labels, Path) else list(labels)
    content, where = merge_labels(paths), ", ".join(str(path) for path in paths)
    ratings = pl.concat([read_ratings(path) for path in paths])
    frame = check_labels(labelled_documents(ws, mean_labels(ratings)), where)
    for source in sources if learning.embedded else ():
        require_all_embedded(ws, source, learning.encoder)
    material = prepare(ws, frame, learning)
    own = frame["source"].unique().to_list()
    registered = register_labels(ws, name, content, own, learning.settings())
    progress(0, 1, "learning from labels")
    head = train_head(ws, registered, frame, learning, material)
    counts = {}
    for k, source in enumerate(sources):
        part = progress.part(0.3 + 0.7 * k / len(sources), 0.3 + 0.7 * (k + 1) / len(sources))
        made = score_source(ws, head, name, source, learning, part)
        counts[source] = made.manifest["documents"]
    return {**fit_facts(head), "documents": counts}


def fit_facts(head: Artifact) -> dict[str, Any]:
    """What the head's manifest says about the fit."""
    return {k: head.manifest[k] for k in FACTS}


def score_source(
    ws: Workspace,
    head: Artifact,
    name: str,
    source: str,
    learning: Learning,
    progress: Progress = SILENT,
) -> Artifact:
    """Scores of one source's documents: step `quality`, columns id, `quality.NAME`."""
    found = documents(ws, source)
    embedded = require_all_embedded(ws, source, learning.encoder) if learning.embedded else None

    def make(folder: Path) -> dict[str, Any]:
        column = f"quality.{name}"
        vectors = embedded.parts if embedded else [None] * len(found.parts)
        tasks = [
            Task(
                part, folder / part.name, head.path / "head.safetensors", learning.head, own, column
            )
            for part, own in zip(found.parts, vectors, strict=True)
            if not (folder / part.name).exists()
        ]
        message = f"quality.{name} of {source}"
        run_shards(
            score_part, tasks, processes_from=PROCESSES_FROM, progress=progress, message=message
        )
        scored = pl.scan_parquet([folder / part.name for part in found.parts])
        mean = pl.col(column).mean().alias("mean")
        (summary,) = scored.select(mean, pl.len().alias("documents")).collect().to_dicts()
        return {**fit_facts(head), **summary, "source": source}

    return build(ws, STEP, VERSION, {"name": name}, [found.id, head.id], make)


def score_part(task: Task) -> None:
    """One documents part to one part of scores."""
    from lab.diversity.embedding.stored import unit

    head = load_head(task.head, task.kind)
    if task.vectors is None:
        frame = pl.read_parquet(task.part, columns=["id", "text"])
        values = head.predict(frame["text"])
    else:  # every document is embedded, so the rows are the same ones
        frame = pl.read_parquet(task.vectors, columns=["id"])
        stored = np.load(task.vectors.with_suffix(".embeddings.npy"), allow_pickle=False)
        values = head.predict(unit(stored))
    scores = pl.Series(task.column, values, pl.Float64)
    write_part(frame.select("id").with_columns(scores), task.target)


def find_quality(ws: Workspace, name: str, source: str) -> Artifact | None:
    """Scores `quality.NAME` of the source's current documents under the current labels, or None."""
    head = find_head(ws, name)
    if head is None:
        return None
    inputs = [get_source(ws, source).documents, head.id]
    return find(ws, STEP, VERSION, {"name": name}, inputs)


def require_quality(ws: Workspace, source: str, column: str) -> Artifact:
    """The artifact with `column` (`quality.NAME`) of `source`, or ArtifactMissing."""
    name = column.removeprefix("quality.")
    found = find_quality(ws, name, source)
    if found is None:
        raise ArtifactMissing(
            f"The score {column!r} is not there for these documents and labels.",
            where=f"source {source}",
            value=column,
            next_step=f"`mixlab score {name} --labels FILE`",
        )
    return found


def quality_columns(ws: Workspace, source: str) -> list[str]:
    """Columns of the learned scores that are stored for the source's current documents."""
    return [f"quality.{name}" for name in label_names(ws) if find_quality(ws, name, source)]
