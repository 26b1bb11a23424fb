"""Where heads, their evaluation and their arrays are kept.

    artifacts/quality-head/ID/head.safetensors      arrays of the head, no code
    artifacts/quality-head/ID/evaluation/*.parquet  see `lab.curation.quality.evaluation`

A head is named by its labels, its settings and the documents that were labelled, not by the
embeddings it read: those follow from the texts and the encoder, so embedding more documents later
does not make a score stale.
"""

from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, find
from lab.core.errors import ArtifactMissing, ConfigError, nearest
from lab.core.files import write_bytes
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.curation.labels import Labels, label_names, registered_labels

HEAD_STEP, HEAD_VERSION = "quality-head", 2
TABLES = (
    "errors",  # measure, value, low, high, n, unit: on held-out folds
    "predictions",  # id, source, label, predicted, fold
    "calibration",  # bin, from, to, predicted, label, low, high, n
    "learning_curve",  # labels, measure, value, low, high, n
    "bias",  # grouping, name, n, residual (predicted - label), selected, labelled, each low, high
    "agreement",  # measure, a, b, value, low, high, n: between labellers
)


def head_settings(labels: Labels) -> dict[str, Any]:
    """What a head depends on, beside the documents."""
    return {"name": labels.name, "labels": labels.sha256, "learning": labels.settings}


def head_inputs(ws: Workspace, labels: Labels) -> list[str]:
    """Documents ids of the labelled sources; a source that is gone has none, and fits no head."""
    current = {source.name: source.documents for source in list_sources(ws)}
    return [current.get(name, "") for name in labels.sources]


def find_head(ws: Workspace, name: str) -> Artifact | None:
    """The head of the labels now registered under `name`, or None."""
    labels = registered_labels(ws, name)
    if labels is None:
        return None
    return find(ws, HEAD_STEP, HEAD_VERSION, head_settings(labels), head_inputs(ws, labels))


def read_evaluation(ws: Workspace, name: str, table: str) -> pl.DataFrame:
    """One of `TABLES` of the head of score `name`.

    Raises ConfigError for a table that does not exist, ArtifactMissing without a current head.
    """
    if table not in TABLES:
        raise ConfigError("There is no such table.", value=table, next_step=nearest(table, TABLES))
    head = find_head(ws, name)
    if head is None:
        raise ArtifactMissing(
            f"The score {name!r} has not been learned from its present labels.",
            value=name,
            next_step=f"`mixlab score {name}`; {nearest(name, label_names(ws))}",
        )
    return pl.read_parquet(head.path / "evaluation" / f"{table}.parquet")


def save_head(head: Any, path: Path) -> None:
    """Write a head's arrays as safetensors."""
    from safetensors.numpy import save

    write_bytes(path, save(head.arrays()))


def load_head(path: Path, kind: str) -> Any:
    """The head of this kind that `save_head` wrote."""
    from safetensors.numpy import load_file

    from lab.curation.quality.dense import load_linear
    from lab.curation.quality.forest import load_forest
    from lab.curation.quality.ngrams import load_ngrams

    loaders = {
        "ngrams": load_ngrams,
        "embedding-ridge": load_linear,
        "embedding-forest": load_forest,
    }
    return loaders[kind](load_file(path))
