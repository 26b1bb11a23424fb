"""Score one run: all registered benchmarks and held-out text of all sources, once each.

    scores/items.parquet      one row per benchmark item (scores.SCORES)
    scores/heldout.parquet    one row per held-out document (heldout.HELDOUT)
    scores/summary.json       hashes of model, items and documents; every metric with its error
    scores/snapshots/step-XXXXXXXX/    the same three of a snapshot that training kept

The summary is written last, after each benchmark and source, so it never names what the frames do
not hold, and a killed process loses the one it was scoring. What is there with the same hashes is
not scored again: a benchmark that is added later costs only itself. Before something is scored
anew, the summary forgets it, so that old hashes never stand beside new rows. Frames that a disk
fault has cut are found when they are read, and what they lack is scored again.

A single run has item error only: `se` is that of the mean over items (clusters of items that share
a question). It says nothing about training again; `compare` does, from several seeds. The scores of
snapshots say how much a metric moves between neighbouring checkpoints of one training, which is the
cheap stand-in for its noise between trainings (Heineman et al. 2025, "Signal and Noise",
arXiv:2508.13144). Cost: five snapshots cost five times the scoring of the run.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lab.core.artifacts import write_part
from lab.core.errors import ArtifactMissing, DataError
from lab.core.files import read_json, write_json
from lab.core.lock import held, hold
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.evaluation.runs.checkpoints import (
    load_model,
    load_weights,
    model_hash,
    snapshot_names,
    weights_of,
)
from lab.evaluation.runs.material import Material, gather
from lab.evaluation.runs.metrics import Scored, metric_tables
from lab.evaluation.scoring.generation import exact_matches
from lab.evaluation.scoring.heldout import HELDOUT, score_heldout
from lab.evaluation.scoring.scores import SCORES, VERSION, context_length, score_items
from lab.evaluation.statistics.noise import split_variance

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class RunScores:
    """What a run scored; `summary` has scorer, model, context, benchmarks, heldout, metrics."""

    folder: Path  # of the run
    items: pl.DataFrame
    heldout: pl.DataFrame
    summary: dict[str, Any]
    snapshot: str = ""  # name of its folder; empty for the finished model

    @property
    def metrics(self) -> pl.DataFrame:
        """Rows scope, on, metric, unit, better_is, value, se, n, chance."""
        return pl.DataFrame(self.summary["metrics"], schema=METRICS)

    @property
    def chances(self) -> dict[str, float | None]:
        """Chance accuracy of every scored benchmark."""
        return {name: entry["chance"] for name, entry in self.summary["benchmarks"].items()}

    @property
    def place(self) -> Path:
        """Where they are stored."""
        return scores_folder(self.folder, self.snapshot)


METRICS = {
    "scope": pl.String,
    "on": pl.String,
    "metric": pl.String,
    "unit": pl.String,
    "better_is": pl.String,
    "value": pl.Float64,
    "se": pl.Float64,
    "n": pl.UInt32,
    "chance": pl.Float64,
}


def evaluate_run(
    ws: Workspace,
    folder: Path,
    progress: Progress = SILENT,
    snapshots: bool = False,
    generate: bool = False,
) -> RunScores:
    """Score what run `folder` has not scored yet, on a GPU where there is one, and return it all.

    The finished model first; with `snapshots` every snapshot that training kept after it. With
    `generate` generative items are also answered in the model's own words. Waits for another
    process that scores the same run. Raises ArtifactMissing if the run has no finished model,
    DataError if a snapshot cannot be read.
    """
    weights_of(folder, "")
    with alone(folder, progress):
        names = ["", *(snapshot_names(folder) if snapshots else [])]
        known = [known_scores(folder, name) for name in names]
        materials = list(gather(ws, generate))
        todo = [lacking(scores, materials) for scores in known]
        count = sum(map(len, todo))
        if not count:
            save(known[0])
            return known[0]
        model, tokenizer = load_model(folder)
        done, found = 0, []
        for scores, work in zip(known, todo, strict=True):
            part = progress.part(done / count, (done + len(work)) / count)
            if work and scores.snapshot:
                load_weights(model, folder, scores.snapshot)
            found.append(score_all(scores, work, model, tokenizer, part))
            done += len(work)
        return found[0]


def evaluate_run_and_snapshots(
    ws: Workspace, folder: Path, progress: Progress = SILENT
) -> RunScores:
    """`evaluate_run` with the snapshots: what a training worker calls when it is done."""
    return evaluate_run(ws, folder, progress, snapshots=True)


@contextmanager
def alone(folder: Path, progress: Progress) -> Iterator[None]:
    """Keep other processes from scoring this run meanwhile; wait for one that does so now."""
    path = folder / "evaluating.json"
    while held(path):
        progress(0, 1, "waiting for another process that scores this run")
        time.sleep(0.2)
    with hold(path, f"scoring {folder.name}", 2.0, "Another process scores this run."):
        yield


def score_all(
    scores: RunScores,
    work: Sequence[Material],
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    progress: Progress,
) -> RunScores:
    """`scores` with `work` added, stored after each piece of it."""
    scores.summary["context"] = context_length(model)
    if work:
        forget(scores, work)
    for index, material in enumerate(work):
        label = f"{scores.snapshot} {material.name}: ".lstrip()
        step = progress.part(index / len(work), (index + 1) / len(work), label)
        scores = score_one(scores, material, model, tokenizer, step)
        save(scores)
    return scores


def score_one(
    scores: RunScores,
    material: Material,
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    progress: Progress,
) -> RunScores:
    """`scores` with one benchmark or source scored anew; nothing is written."""
    now, frame, table = material.read()
    name = now.name
    if now.part == "benchmarks":
        first = progress.part(0, 0.5) if now.generated else progress
        new = score_items(model, tokenizer, frame, table=table, progress=first)
        if now.generated and table is not None:
            own = exact_matches(model, tokenizer, frame, table, progress.part(0.5, 1))
            new = new.with_columns(own)
        items = pl.concat([scores.items.filter(pl.col("benchmark") != name), new])
        scores = replace(scores, items=items)
        entry = now.entry
    else:
        new = score_heldout(model, tokenizer, name, frame, progress=progress)
        heldout = pl.concat([scores.heldout.filter(pl.col("source") != name), new])
        scores = replace(scores, heldout=heldout)
        entry = now.entry | {key: int(new[key].sum()) for key in ("bytes", "tokens")}
    scores.summary[now.part][name] = entry
    return scores


def run_scores(folder: Path, snapshot: str = "") -> RunScores:
    """The scores of run `folder`; ArtifactMissing if it has not been evaluated.

    Raises DataError if a file of the scores is damaged.
    """
    place = scores_folder(folder, snapshot)
    if not (place / "summary.json").is_file():
        raise ArtifactMissing(
            "This run has not been evaluated.",
            where=str(folder),
            next_step=f"`mixlab evaluate {folder.name}`; while it is being trained, wait",
        )
    try:
        items = pl.read_parquet(place / "items.parquet")
        heldout = pl.read_parquet(place / "heldout.parquet")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            "The scores of this run are damaged.",
            where=str(place),
            value=str(error),
            next_step=f"`mixlab evaluate {folder.name}` scores it again",
        ) from error
    return RunScores(folder, items, heldout, read_json(place / "summary.json"), snapshot)


def known_scores(folder: Path, snapshot: str = "") -> RunScores:
    """The scores that still hold: of this model and these definitions; empty ones otherwise.

    What the summary names and the frames do not hold is left out, as after a disk fault.
    """
    model = model_hash(folder, snapshot)
    try:
        found = run_scores(folder, snapshot)
    except (ArtifactMissing, DataError):
        found = None
    if found and (found.summary.get("scorer"), found.summary.get("model")) == (VERSION, model):
        return whole(found)
    summary = {"scorer": VERSION, "model": model, "context": 0, "benchmarks": {}, "heldout": {}}
    empty = pl.DataFrame(schema=SCORES), pl.DataFrame(schema=HELDOUT)
    return RunScores(folder, *empty, {**summary, "metrics": []}, snapshot)


def whole(scores: RunScores) -> RunScores:
    """`scores` without the entries of its summary that its frames do not bear out."""
    items = dict(scores.items["benchmark"].value_counts().iter_rows())
    documents = dict(scores.heldout["source"].value_counts().iter_rows())
    summary = scores.summary | {
        part: {name: e for name, e in scores.summary[part].items() if counts.get(name) == e[key]}
        for part, key, counts in (
            ("benchmarks", "items", items),
            ("heldout", "documents", documents),
        )
    }
    return replace(scores, summary=summary)


def lacking(scores: RunScores, materials: Sequence[Material]) -> list[Material]:
    """Those of `materials` that `scores` does not hold under the same hash."""
    known = [scores.summary[m.part].get(m.name, {}) for m in materials]
    return [
        material
        for material, entry in zip(materials, known, strict=True)
        if entry.get("hash") != material.entry["hash"]
        or (material.generated and not entry.get("generated"))
    ]


def forget(scores: RunScores, work: Sequence[Material]) -> None:
    """Strike what will be scored anew from the summary, on disk too, before any row changes."""
    stale = [m for m in work if m.name in scores.summary[m.part]]
    for material in stale:
        del scores.summary[material.part][material.name]
    if stale:
        write_json(scores.place / "summary.json", scores.summary)


def save(scores: RunScores) -> None:
    """Write the frames, then the summary with every metric."""
    folder = scores.place
    folder.mkdir(parents=True, exist_ok=True)
    write_part(scores.items, folder / "items.parquet")
    write_part(scores.heldout, folder / "heldout.parquet")
    tables = metric_tables([scores.items], [scores.heldout], scores.chances)
    scores.summary["metrics"] = [metric_row(table) for table in tables]
    write_json(folder / "summary.json", scores.summary)


def metric_row(scored: Scored) -> dict[str, Any]:
    """One row of METRICS for a single run; `se` is null where one unit tells nothing of spread."""
    parts = split_variance(scored.tables)
    error = float(np.sqrt(parts.item))
    metric = scored.metric
    return {
        "scope": metric.scope,
        "on": metric.on,
        "metric": metric.metric,
        "unit": metric.unit,
        "better_is": metric.better_is,
        "value": float(parts.value),
        "se": error if np.isfinite(error) else None,
        "n": scored.n,
        "chance": scored.chance,
    }


def scores_folder(folder: Path, snapshot: str) -> Path:
    """Where the scores of a run's finished model, or of one of its snapshots, are stored."""
    return folder / "scores" / "snapshots" / snapshot if snapshot else folder / "scores"
