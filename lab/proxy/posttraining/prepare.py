"""A post-training run as a folder: what `lab.proxy.runs` describes, from a parent instead of data.

    runs/ID/  run.json         as its parent's, with stage, parent, the settings and the material
              data/            material.parquet: the chats or pairs that will be read
              tokenizer/       the parent's, with the chat template
              model/, status.json, metrics.jsonl, scores/       as in every run

`size`, `tokens` and `seed` are the parent's, and the recipe's name gets the stage: `balanced+sft`.
So `compare balanced+sft natural+sft` compares runs of one pretraining budget, seed by seed, and
`compare balanced balanced+sft` one mixture before and after. The version of such a recipe is that
of the parent's recipe with the settings and the whole material: runs that read other chats are not
repeats of each other.

A stage takes minutes at most, so it has no checkpoints: interrupted, it begins again, and ends with
the same bits at one thread.
"""

from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import polars as pl

from lab.core.artifacts import write_part
from lab.core.errors import ConfigError, DependencyMissing
from lab.core.files import digest, new_folder, read_json, write_json
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.proxy.posttraining.material import read_material
from lab.proxy.posttraining.settings import Settings, get_settings
from lab.proxy.posttraining.template import add_template
from lab.proxy.reading import in_order
from lab.proxy.runs import run_id

VERSION = 1  # of post-training: raise it when the same inputs would give another model


def require_trl() -> None:
    """DependencyMissing where `trl` is not installed."""
    from importlib.util import find_spec

    if find_spec("trl") is None:
        raise DependencyMissing(
            "Post-training needs the package `trl`.", next_step="pip install 'mixlab[posttrain]'"
        )


def prepare_posttraining(
    ws: Workspace,
    parent: Path,
    stage: str,
    material: str,
    *,
    steps: int | None = None,
    track: str = "",
    progress: Progress = SILENT,
) -> Path:
    """The folder of the run that trains the model of run `parent` further; new or as it stands.

    `material` is a source or a JSONL file (`read_material`). The parent need not be finished yet.
    Raises ConfigError for an unknown stage or a parent that has had it, DataError for material that
    cannot be used, DependencyMissing without `trl`.
    """
    require_trl()
    settings = get_settings(stage, steps)
    before = read_json(parent / "run.json")
    refuse_repeated(before, stage, parent)
    progress(0, 1, f"reading {material}")
    examples = read_material(ws, material, stage)
    spec = run_spec(before, parent.name, settings, Path(material).name, examples)
    folder = ws.runs / run_id(spec)
    if not folder.is_dir():
        with new_folder(folder) as temp:
            (temp / "data").mkdir()
            write_part(draw(examples, settings, spec["seed"]), temp / "data" / "material.parquet")
            copytree(parent / "tokenizer", temp / "tokenizer")
            add_template(temp / "tokenizer")
            now = datetime.now(UTC).isoformat(timespec="seconds")
            own = {"id": folder.name, "created": now}
            write_json(temp / "run.json", spec | own | {"track": track, "snapshots": False})
    progress(1, 1, "prepared")
    return folder


def refuse_repeated(before: dict[str, Any], stage: str, parent: Path) -> None:
    """ConfigError if the parent is itself the result of this stage or of a later one."""
    had = str(before["recipe"]).split("+")[1:]
    if stage in had or "dpo" in had:
        raise ConfigError(
            f"This run has been through {had[-1]!r} already.",
            where=str(parent),
            value=before["recipe"],
            next_step="start from the run that it came from",
        )


def run_spec(
    before: dict[str, Any], parent: str, settings: Settings, name: str, examples: pl.DataFrame
) -> dict[str, Any]:
    """Everything that decides the result, in the keys of run.json."""
    material = {"name": name, "examples": examples.height, "hash": digest(examples.to_dicts())}
    made = {"version": VERSION, "settings": settings.mapping(), "material": material["hash"]}
    own = ("id", "created", "snapshots", "track")  # of the parent's folder, not of its result
    return {key: value for key, value in before.items() if key not in own} | {
        "recipe": f"{before['recipe']}+{settings.stage}",
        "recipe_id": digest([before["recipe_id"], made]),
        "steps": settings.steps,
        "stage": settings.stage,
        "parent": parent,
        "posttraining": settings.mapping(),
        "material": material,
    }


def draw(examples: pl.DataFrame, settings: Settings, seed: int) -> pl.DataFrame:
    """As many examples as the steps read, first by a hash of (seed, row): the same for all parents
    of one seed. In which order they are read the trainer draws, by the same seed.
    """
    order = in_order(np.arange(examples.height), "posttraining", seed, 0)
    return examples[order[: settings.steps * settings.batch]]
