"""Score one run: all registered benchmarks and held-out text of all sources, once each.

    scores/items.parquet      one row per benchmark item (scoring.SCORES)
    scores/heldout.parquet    one row per held-out document (heldout.HELDOUT)
    scores/summary.json       hashes of model, items and documents; every metric with its error

The summary is written last, after each benchmark and source, so it never names what the frames do
not hold, and a killed process loses the one it was scoring. What is there with the same hashes is
not scored again: a benchmark that is added later costs only itself.

A single run has item error only: `se` is that of the mean over items (clusters of items that share
a question). It says nothing about training again; `compare` does, from several seeds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lab.core.artifacts import write_part
from lab.core.errors import ArtifactMissing
from lab.core.files import digest, file_sha256, read_json, write_json
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.evaluation.heldout import HELDOUT, heldout_sample, sample_hash, score_heldout
from lab.evaluation.metrics import Scored, metric_tables
from lab.evaluation.noise import split_variance
from lab.evaluation.scoring import SCORES, VERSION, context_length, score_items
from lab.evaluation.tasks import list_benchmarks, load_items
from lab.proxy.environment import pick_device

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class RunScores:
    """What a run scored; `summary` has scorer, model, context, benchmarks, heldout, metrics."""

    folder: Path
    items: pl.DataFrame
    heldout: pl.DataFrame
    summary: dict[str, Any]

    @property
    def metrics(self) -> pl.DataFrame:
        """Rows scope, on, metric, unit, better_is, value, se, n, chance."""
        return pl.DataFrame(self.summary["metrics"], schema=METRICS)

    @property
    def chances(self) -> dict[str, float | None]:
        """Chance accuracy of every scored benchmark."""
        return {name: entry["chance"] for name, entry in self.summary["benchmarks"].items()}


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


def evaluate_run(ws: Workspace, folder: Path, progress: Progress = SILENT) -> RunScores:
    """Score what run `folder` has not scored yet, on a GPU where there is one, and return it all.

    Raises ArtifactMissing if the run has no finished model.
    """
    scores = known_scores(folder)
    todo = list(missing(ws, scores))
    if not todo:
        save(scores)
        return scores
    model, tokenizer = load_model(folder)
    scores.summary["context"] = context_length(model)
    for index, (part, name, entry, frame) in enumerate(todo):
        step = progress.part(index / len(todo), (index + 1) / len(todo), f"{name}: ")
        if part == "benchmarks":
            new = score_items(model, tokenizer, frame, progress=step)
            items = pl.concat([scores.items.filter(pl.col("benchmark") != name), new])
            scores = RunScores(folder, items, scores.heldout, scores.summary)
        else:
            new = score_heldout(model, tokenizer, name, frame, progress=step)
            entry |= {key: int(new[key].sum()) for key in ("bytes", "tokens")}
            heldout = pl.concat([scores.heldout.filter(pl.col("source") != name), new])
            scores = RunScores(folder, scores.items, heldout, scores.summary)
        scores.summary[part][name] = entry
        save(scores)
    return scores


def run_scores(folder: Path) -> RunScores:
    """The scores of run `folder`; ArtifactMissing if it has not been evaluated."""
    if not (folder / "scores" / "summary.json").is_file():
        raise ArtifactMissing(
            "This run has not been evaluated.",
            where=str(folder),
            next_step=f"`mixlab evaluate {folder.name}`; while it is being trained, wait",
        )
    return RunScores(
        folder,
        pl.read_parquet(folder / "scores" / "items.parquet"),
        pl.read_parquet(folder / "scores" / "heldout.parquet"),
        read_json(folder / "scores" / "summary.json"),
    )


def known_scores(folder: Path) -> RunScores:
    """The scores that still hold: of this model and these definitions; empty ones otherwise."""
    model = model_hash(folder)
    if (folder / "scores" / "summary.json").is_file():
        found = run_scores(folder)
        if (found.summary["scorer"], found.summary["model"]) == (VERSION, model):
            return found
    summary = {"scorer": VERSION, "model": model, "context": 0, "benchmarks": {}, "heldout": {}}
    empty = pl.DataFrame(schema=SCORES), pl.DataFrame(schema=HELDOUT)
    return RunScores(folder, *empty, {**summary, "metrics": []})


def missing(
    ws: Workspace, scores: RunScores
) -> Iterator[tuple[str, str, dict[str, Any], pl.DataFrame]]:
    """What has to be scored: (part of the summary, name, entry for the summary, items or texts)."""
    from lab.corpus.sources import list_sources, scan_documents

    for bench in list_benchmarks(ws):
        if scores.summary["benchmarks"].get(bench.name, {}).get("hash") != bench.hash:
            entry = {"hash": bench.hash, "items": bench.items, "chance": bench.chance}
            yield "benchmarks", bench.name, entry, load_items(ws, bench.name)
    for source in list_sources(ws):
        sample = heldout_sample(scan_documents(ws, source.name))
        key = sample_hash(sample)
        if scores.summary["heldout"].get(source.name, {}).get("hash") != key:
            yield "heldout", source.name, {"hash": key, "documents": sample.height}, sample


def save(scores: RunScores) -> None:
    """Write the frames, then the summary with every metric."""
    folder = scores.folder / "scores"
    folder.mkdir(exist_ok=True)
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


def model_hash(folder: Path) -> str:
    """Names a run's model by its weights and tokenizer; ArtifactMissing without one."""
    weights = sorted((folder / "model").glob("*.safetensors"))
    if not weights:
        raise ArtifactMissing(
            "This run has no finished model to score.",
            where=str(folder / "model"),
            next_step="let it train to its end: `mixlab train --resume`",
        )
    files = [*weights, folder / "model" / "config.json", folder / "model" / "tokenizer.json"]
    return digest([file_sha256(path) for path in files])


def load_model(folder: Path) -> tuple["PreTrainedModel", "Tokenizer"]:
    """The run's model in fp32 on the best device, and its tokenizer, from its own files only."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    path = folder / "model"
    model = AutoModelForCausalLM.from_pretrained(path, local_files_only=True, dtype=torch.float32)
    model.to(pick_device("auto"))  # type: ignore[arg-type]
    return model, Tokenizer.from_file(str(path / "tokenizer.json"))
