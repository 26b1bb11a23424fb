"""A benchmark as a task of lm-evaluation-harness, so that anybody can repeat its scores.

    NAME.jsonl    one line an item: the texts as `prompts.render` makes them, shots included
    NAME.yaml     the task: which column is context, which are choices, which is gold

    lm_eval --model hf --model_args pretrained=RUN/model,dtype=float32 --include_path FOLDER \\
        --tasks mixlab_NAME --device cpu --log_samples --output_path OUT

The harness (Gao et al. 2024, 0.4.13) then asks for the likelihood of the same strings; nothing is
put together a second time. `acc` is our `accuracy`, `acc_norm` our `accuracy_norm`: both divide by
the characters of a choice without the joining space, which is the task's `target_delimiter` where
all choices begin with it. Where the choices stand in the context and what follows is scored
(WinoGrande), the task is what the harness calls multiple input; it has `acc` alone.

Where it fails: items with choices and items without cannot be one task of the harness.
"""

import json
from pathlib import Path
from typing import Any, Final

import polars as pl

from lab.core.errors import ConfigError
from lab.core.files import write_text, write_yaml
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.prompts import render_benchmark

PREFIX: Final = "mixlab_"  # so that no task of the harness itself is meant


def export_task(ws: Workspace, name: str, folder: Path) -> list[Path]:
    """Write benchmark `name` as a task called `mixlab_NAME`; the paths of its two files.

    Raises DataError if there is no such benchmark, ConfigError if the harness cannot hold it.
    """
    _, items, table = render_benchmark(ws, name)
    rows = item_rows(items, table)
    task = {"task": PREFIX + name, "dataset_path": "json", **task_of(rows, name)}
    data, config = folder / f"{name}.jsonl", folder / f"{name}.yaml"
    task["dataset_kwargs"] = {"data_files": {"test": str(data.resolve())}}
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_text(data, "".join(lines))
    write_yaml(config, task)
    return [config, data]


def item_rows(items: pl.DataFrame, table: pl.DataFrame) -> list[dict[str, Any]]:
    """One row an item: id, gold, contexts and continuations."""
    texts = table.group_by("item", maintain_order=True).agg("context", "continuation")
    gold = items["answer_index"].fill_null(0)
    return [
        {"id": name, "gold": right, "contexts": contexts, "continuations": continuations}
        for name, right, contexts, continuations in zip(
            items["id"],
            gold,
            texts["context"].to_list(),
            texts["continuation"].to_list(),
            strict=True,
        )
    ]


def task_of(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The keys of a task for `rows`, whose columns are renamed to what the task reads."""
    common = {
        "test_split": "test",
        "num_fewshot": 0,
        "target_delimiter": "",
        "fewshot_delimiter": "",
    }
    counts = {len(row["continuations"]) > 1 for row in rows}
    one_context = all(len(set(row["contexts"])) == 1 for row in rows)
    if len(counts) > 1 or not (one_context or all(len(set(r["continuations"])) == 1 for r in rows)):
        raise ConfigError(
            "The harness cannot hold these items in one task.",
            value=name,
            next_step="register items with choices and items without under two names",
        )
    if counts == {False}:
        for row in rows:
            row |= {"context": row.pop("contexts")[0], "target": row.pop("continuations")[0]}
        keys = {"output_type": "loglikelihood", "doc_to_text": "context", "doc_to_target": "target"}
        return {**common, **keys, "metric_list": [{"metric": "acc"}, {"metric": "perplexity"}]}
    common |= {"output_type": "multiple_choice", "doc_to_choice": "choices"}
    if not one_context:
        for row in rows:
            row |= {"choices": row.pop("contexts"), "target": row.pop("continuations")[0]}
        keys = {"doc_to_text": "gold", "doc_to_target": "target"}
        return {**common, **keys, "metric_list": [{"metric": "acc"}]}
    delimiter = " " if all(t.startswith(" ") for row in rows for t in row["continuations"]) else ""
    for row in rows:
        texts = [text.removeprefix(delimiter) for text in row.pop("continuations")]
        row |= {"context": row.pop("contexts")[0], "choices": texts}
    keys = {"doc_to_text": "context", "doc_to_target": "gold", "target_delimiter": delimiter}
    return {**common, **keys, "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}]}
