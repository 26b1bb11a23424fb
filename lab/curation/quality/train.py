"""From labelled documents to a stored head with its evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, write_part
from lab.core.errors import DataError
from lab.core.workspace import Workspace
from lab.curation.labels import Labels, registered_ratings
from lab.curation.quality.learning import Learning
from lab.curation.quality.nested import Learner, Model, learning_curve, nested
from lab.curation.quality.store import (
    HEAD_STEP,
    HEAD_VERSION,
    head_inputs,
    head_settings,
    save_head,
)

MIN_LABELS = 50  # below, five folds of ten and fewer say nothing about the error


@dataclass(frozen=True, slots=True)
class Material:
    """What a head is fitted on: rows `x`, the family of heads, how a fit becomes a head on texts or
    vectors, and the vectors themselves if there are any.
    """

    x: Any
    learner: Learner
    head: Callable[[Model], Any]
    vectors: NDArray[np.float32] | None


def check_labels(labels: pl.DataFrame, where: str) -> pl.DataFrame:
    """`labels` (label, content_hash, ...), or DataError if a head cannot be learned from them."""
    texts = labels["content_hash"].n_unique()
    if texts < MIN_LABELS:
        raise DataError(
            f"{texts} labelled texts are too few to learn from.",
            where=where,
            value=texts,
            next_step=f"label at least {MIN_LABELS}; a few hundred give a usable score",
        )
    if labels["label"].n_unique() < 2:
        raise DataError(
            "All labels are equal, so nothing can be learned.",
            where=where,
            value=labels["label"][0],
            next_step="label some documents that are better or worse",
        )
    return labels


def train_head(
    ws: Workspace, labels: Labels, frame: pl.DataFrame, learning: Learning, material: Material
) -> Artifact:
    """The head for registered labels; `frame` has id, label, source, content_hash, meta, text."""

    def make(folder: Path) -> dict[str, Any]:
        y, groups = frame["label"].to_numpy(), fold_groups(ws, frame, learning.groups)
        fit = nested(material.x, y, groups, material.learner)
        save_head(material.head(fit.model), folder / "head.safetensors")
        tables = evaluate(frame, y, fit.predicted, learning.cut(y), material.vectors)
        tables["predictions"] = frame.select("id", "source", "label").with_columns(
            predicted=pl.Series(fit.predicted), fold=pl.Series(fit.fold, dtype=pl.UInt8)
        )
        tables["learning_curve"] = learning_curve(
            material.x, y, groups, material.learner, fit.choice, learning.cut(y)
        )
        tables["agreement"] = agreement_of(ws, labels.name)
        (folder / "evaluation").mkdir(exist_ok=True)
        for name, table in tables.items():
            write_part(table, folder / "evaluation" / f"{name}.parquet")
        rows = tables["errors"].rows_by_key("measure", named=True, unique=True)
        return {
            "name": labels.name,
            "labels": frame.height,
            "head": learning.head,
            "chosen": {material.learner.setting: fit.choice},
            "threshold": learning.cut(y),
            "label_sd": frame["label"].std(),
            "error": {measure: dict(row) | {"level": 0.95} for measure, row in rows.items()},
            "agreement": tables["agreement"].to_dicts(),
        }

    inputs = head_inputs(ws, labels)
    return build(ws, HEAD_STEP, HEAD_VERSION, head_settings(labels), inputs, make)


def prepare(ws: Workspace, frame: pl.DataFrame, learning: Learning) -> Material:
    """The rows that a head of this kind reads; ArtifactMissing if they have not been embedded."""
    if not learning.embedded:
        from lab.curation.quality.ngrams import NGRAMS, features

        made = features(frame["text"])
        return Material(made.x, NGRAMS, made.head, None)
    from lab.curation.quality.dense import LINEAR
    from lab.curation.quality.forest import FOREST
    from lab.curation.quality.vectors import labelled_vectors

    vectors = labelled_vectors(ws, frame, learning.encoder)
    learner = LINEAR if learning.head == "embedding-ridge" else FOREST
    return Material(vectors, learner, lambda model: model, vectors)


def fold_groups(ws: Workspace, frame: pl.DataFrame, kind: str) -> pl.Series:
    """The group of each labelled document: its text, or its near-duplicate group if it has one.

    Raises ArtifactMissing if near duplicates are asked for and have not been looked for.
    """
    if kind == "content":
        return frame["content_hash"]
    from lab.curation.duplicates import MinHash, require_duplicates

    found = require_duplicates(ws, MinHash()).scan().select("id", "near_group").collect()
    joined = frame.join(found, on="id", how="left", maintain_order="left")
    near = pl.format("{}", pl.col("near_group"))
    return joined.select(pl.coalesce(near, "content_hash").alias("group"))["group"]


def evaluate(
    frame: pl.DataFrame,
    labels: NDArray[np.float64],
    predicted: NDArray[np.float64],
    cut: float,
    vectors: NDArray[np.float32] | None,
) -> dict[str, pl.DataFrame]:
    """The tables errors, calibration and bias of held-out predictions."""
    from lab.curation.quality.evaluation import (
        bias_table,
        calibration_table,
        error_table,
        find_groupings,
    )
    from lab.curation.quality.measures import held_out_error

    return {
        "errors": error_table(held_out_error(labels, predicted, cut)),
        "calibration": calibration_table(labels, predicted),
        "bias": bias_table(find_groupings(frame, vectors), labels, predicted, cut),
    }


def agreement_of(ws: Workspace, name: str) -> pl.DataFrame:
    """How far the labellers of a score agree."""
    from lab.curation.labels.agreement import agreement

    return agreement(registered_ratings(ws, name))
