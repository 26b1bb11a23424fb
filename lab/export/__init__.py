"""Export: the chosen recipe as files that a trainer, a filter tool or a colleague uses as they are.

Every target's folder holds `recipe.yaml`, `mixture.json` (the canonical numbers, in tokens),
`README.md` (implied epochs, what happens when a source runs out, how to launch) and `manifest.json`
(SHA-256 of every file), beside the target's own files. It appears whole or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.errors import ConfigError, nearest
from lab.core.files import new_folder
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import default_tokenizer
from lab.export import huggingface, megatron, olmo_core, recipe_files, shards
from lab.export.folder import describe
from lab.export.plan import Plan, plan_export
from lab.mixture.recipe import Recipe

Write = Callable[[Workspace, Plan, Path, Progress], list[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of export. `write` fills a folder and returns notes for the README."""

    name: str
    label: str
    summary: str
    write: Write


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What was written: the folder, its files with sizes in bytes, and what to know about them."""

    target: str
    output: str
    files: dict[str, int]
    notes: list[str]


TARGETS = {
    target.name: target
    for target in (
        Target(
            "recipe",
            "Recipe and selection",
            "the YAML, the selection as DuckDB SQL, hashes, implied epochs",
            recipe_files.write,
        ),
        Target(
            "shards",
            "Materialised mix, JSONL.zst",
            "the mixture itself, sampled and shuffled, for any trainer",
            shards.write_jsonl_shards,
        ),
        Target(
            "shards-parquet",
            "Materialised mix, Parquet",
            "the mixture itself, sampled and shuffled, as Parquet",
            shards.write_parquet_shards,
        ),
        Target(
            "huggingface",
            "Hugging Face datasets",
            "Parquet per source and a script with interleave_datasets",
            huggingface.write,
        ),
        Target(
            "megatron",
            "Megatron-LM / Megatron-Bridge",
            "JSONL per source, preprocessing script, blend file per phase",
            megatron.write,
        ),
        Target(
            "olmo-core",
            "OLMo-core",
            "token files per source and a source-mixture YAML per phase",
            olmo_core.write,
        ),
    )
}


def export(
    ws: Workspace, recipe: Recipe, target: str, output: Path, *, progress: Progress = SILENT
) -> ExportSummary:
    """Write `recipe` for `target` into the new folder `output`.

    Raises ConfigError for an unknown target, a folder that is not empty, or a budget that the
    recipe's sources cannot meet under its repeat cap.
    """
    if target not in TARGETS:
        raise ConfigError("Unknown target.", value=target, next_step=nearest(target, TARGETS))
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(
            "The output folder is not empty.",
            where=str(output),
            next_step="choose a new folder with -o; an export never overwrites",
        )
    plan = plan_export(ws, recipe, recipe.tokenizer or default_tokenizer(ws))
    if output.is_dir():
        output.rmdir()
    with new_folder(output) as folder:
        notes = TARGETS[target].write(ws, plan, folder, progress)
        describe(ws, plan, target, folder, notes)
    files: dict[str, Any] = {
        str(path.relative_to(output)): path.stat().st_size
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }
    return ExportSummary(target, str(output), files, notes)
