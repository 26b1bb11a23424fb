"""Learned quality: labels on some documents become a score on all, stored like any signal.

phi-1 (Gunasekar et al. 2023, section 2.1) labelled 100,000 files for educational value, fitted a
classifier and kept a sixth of its text; FineWeb-Edu did the same with 450,000 labels. Here the
labels are a JSON-lines file {id, label}, from people, from a language model or planted; the head is
in `quality_head`. Steps: `quality-head` (one per set of labels), `quality` (one per source, column
`quality.NAME`, aligned with the documents). Held-out error with intervals is in both manifests: a
score whose interval of Spearman's correlation holds zero ranks nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lab.core.artifacts import Artifact, build, find, write_part
from lab.core.engine import run_shards
from lab.core.errors import ArtifactMissing, DataError
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source, list_sources
from lab.curation.labels import (
    Labels,
    check_label_name,
    label_names,
    labelled_documents,
    read_labels,
    register_labels,
    registered_labels,
)

STEP, HEAD_STEP, VERSION = "quality", "quality-head", 1
MIN_LABELS = 50  # below, five folds of ten and fewer say nothing about the error
PROCESSES_FROM = 8  # parts; below, starting processes (2.7 s) costs more than it saves


class Task(NamedTuple):
    """One documents part, the part to write, the head and the column's name."""

    part: Path
    target: Path
    head: Path
    column: str


def score(
    ws: Workspace,
    name: str,
    labels: Path,
    sources: Sequence[str],
    *,
    progress: Progress = SILENT,
    workers: int | None = None,
    engine: str = "local",
) -> dict[str, Any]:
    """Learn score `name` from a file of labels and store it for every document of `sources`.

    The labels are kept in the workspace. Returns the facts of the fit (labels, penalty, error) and
    the number of documents per source. Raises ConfigError for an impossible name, DataError for
    fewer than `MIN_LABELS` different texts, labels that do not vary, or ids that are in no source.
    """
    check_label_name(name)
    frame = check_labels(labelled_documents(ws, read_labels(labels)), labels)
    registered = register_labels(ws, name, labels, frame["source"].unique().to_list())
    progress(0, 1, "learning from labels")
    head = train_head(ws, registered, frame)
    counts = {}
    for k, source in enumerate(sources):
        part = progress.part(0.3 + 0.7 * k / len(sources), 0.3 + 0.7 * (k + 1) / len(sources))
        made = score_source(ws, head, name, source, part, workers, engine)
        counts[source] = made.manifest["documents"]
    return {**fit_facts(head), "documents": counts}


def check_labels(labels: pl.DataFrame, path: Path) -> pl.DataFrame:
    """`labels` (label, content_hash, ...), or DataError if a head cannot be learned from them."""
    texts = labels["content_hash"].n_unique()
    if texts < MIN_LABELS:
        raise DataError(
            f"{texts} labelled texts are too few to learn from.",
            where=str(path),
            value=texts,
            next_step=f"label at least {MIN_LABELS}; a few hundred give a usable score",
        )
    if labels["label"].n_unique() < 2:
        raise DataError(
            "All labels are equal, so nothing can be learned.",
            where=str(path),
            value=labels["label"][0],
            next_step="label some documents that are better or worse",
        )
    return labels


def train_head(ws: Workspace, labels: Labels, frame: pl.DataFrame) -> Artifact:
    """The head for registered labels; `frame` has id, label, content_hash, text."""

    def make(folder: Path) -> dict[str, Any]:
        from lab.curation.quality_head import fit_head, save_head

        fit = fit_head(frame["text"], frame["label"].to_numpy(), frame["content_hash"])
        save_head(fit.head, folder / "head.safetensors")
        return {
            "name": labels.name,
            "labels": frame.height,
            "penalty": fit.penalty,
            "label_sd": frame["label"].std(),
            "error": {name: asdict(estimate) for name, estimate in fit.error.items()},
        }

    return build(ws, HEAD_STEP, VERSION, head_settings(labels), head_inputs(ws, labels), make)


def head_settings(labels: Labels) -> dict[str, Any]:
    """What a head depends on, beside the documents."""
    return {"name": labels.name, "labels": labels.sha256}


def head_inputs(ws: Workspace, labels: Labels) -> list[str]:
    """Documents ids of the labelled sources; a source that is gone has none, and fits no head."""
    current = {source.name: source.documents for source in list_sources(ws)}
    return [current.get(name, "") for name in labels.sources]


def fit_facts(head: Artifact) -> dict[str, Any]:
    """What the head's manifest says about the fit."""
    return {k: head.manifest[k] for k in ("name", "labels", "penalty", "label_sd", "error")}


def score_source(
    ws: Workspace,
    head: Artifact,
    name: str,
    source: str,
    progress: Progress,
    workers: int | None,
    engine: str,
) -> Artifact:
    """Scores of one source's documents: step `quality`, columns id, `quality.NAME`."""
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        weights, column = head.path / "head.safetensors", f"quality.{name}"
        tasks = [
            Task(part, folder / part.name, weights, column)
            for part in found.parts
            if not (folder / part.name).exists()
        ]
        count = 1 if workers is None and len(tasks) < PROCESSES_FROM else workers
        message = f"quality.{name} of {source}"
        run_shards(
            score_part, tasks, workers=count, engine=engine, progress=progress, message=message
        )
        scored = pl.scan_parquet([folder / part.name for part in found.parts])
        mean = pl.col(column).mean().alias("mean")
        (summary,) = scored.select(mean, pl.len().alias("documents")).collect().to_dicts()
        return {**fit_facts(head), **summary, "source": source}

    return build(ws, STEP, VERSION, {"name": name}, [found.id, head.id], make)


def score_part(task: Task) -> None:
    """One documents part to one part of scores."""
    from lab.curation.quality_head import load_head

    frame = pl.read_parquet(task.part, columns=["id", "text"])
    scores = pl.Series(task.column, load_head(task.head).predict(frame["text"]), pl.Float64)
    write_part(frame.select("id").with_columns(scores), task.target)


def find_quality(ws: Workspace, name: str, source: str) -> Artifact | None:
    """Scores `quality.NAME` of the source's current documents under the current labels, or None."""
    labels = registered_labels(ws, name)
    if labels is None:
        return None
    head = find(ws, HEAD_STEP, VERSION, head_settings(labels), head_inputs(ws, labels))
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
