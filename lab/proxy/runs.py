"""Proxy runs as folders: prepare one, find it again, read how it goes.

    runs/ID/  run.json           what was asked: recipe, size, tokens, seed, ids of all inputs
              data/              packed rows (`lab.proxy.shards`), packing.json (the account)
              tokenizer/         as it was when the run was prepared
              status.json        state, step, speed, device; rewritten while the run trains
              metrics.jsonl      losses, see `lab.proxy.metrics`
              checkpoint/        while the run is unfinished
              model/             when it is done: opens with AutoModelForCausalLM
              scores/            written by evaluation

The id is readable and ends in a hash of everything that decides the result: the recipe, the rows it
selects and those it uses of them, the token artifacts, the tokenizer, size, steps, seed and the
version of this code. Asking again for the same run finds the folder: done, or to be resumed. The
order of the documents in a run is fixed when it is prepared, so a run trains on what it was
prepared for, whatever changes later.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from lab import __version__
from lab.core.errors import DataError
from lab.core.files import digest, new_folder, read_json, write_json
from lab.core.lock import held
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe, recipe_id, recipe_mapping
from lab.proxy.inputs import Inputs, gather_inputs, write_tokenizer
from lab.proxy.metrics import read_lines
from lab.proxy.packing import Cache, pack
from lab.proxy.repetition import Budget, match_repetition, repetition_notes
from lab.proxy.sizes import ProxySize, get_size

VERSION = 2  # of packing and training: raise it when the same inputs would give another model
STATES = ("prepared", "running", "interrupted", "done", "failed")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run folder was prepared for; `tokens` is a whole number of steps."""

    folder: Path
    id: str
    recipe: str
    recipe_id: str
    size: str
    tokens: int
    seed: int
    steps: int
    hyperparameters: ProxySize
    tokenizer: dict[str, Any]
    sources: tuple[str, ...]
    created: str
    repetition: dict[str, Any] = field(default_factory=dict)
    snapshots: bool = True
    track: str = ""
    stage: str = "pretrain"
    parent: str = ""  # id of the run that a later stage starts from


def prepare_run(
    ws: Workspace,
    recipe: Recipe,
    *,
    size: str = "nano",
    tokens: int | None = None,
    seed: int = 0,
    repetition: bool = True,
    snapshots: bool = True,
    track: str = "",
    progress: Progress = SILENT,
) -> Path:
    """The folder of the run that trains `size` on `tokens` tokens of `recipe`; packed if it is new.

    `tokens` defaults to the size's own budget and is rounded to whole steps. With `repetition`
    sources are cut so that each is seen as often as in the recipe's own budget. `snapshots` and
    `track` (a tracker's name) say how to train, and are not part of what the run is. Raises
    ConfigError for an unknown size or a budget below one batch, DataError if a source with weight
    keeps nothing, ArtifactMissing if an attribute that the recipe reads is not computed.
    """
    shape = get_size(size)
    steps = shape.steps(shape.default_tokens if tokens is None else tokens)
    inputs = gather_inputs(ws, recipe, progress.part(0, 0.5))
    budget = Budget(steps * shape.tokens_per_step, recipe.mixture.tokens, shape.sequence_length)
    texts = inputs.tokens
    phases, used = match_repetition(inputs.phases, texts, budget, seed=seed, match=repetition)
    spec = specify(recipe, shape, budget.proxy, seed, inputs, used)
    folder = ws.runs / run_id(spec)
    if not folder.is_dir():
        with new_folder(folder) as temp:
            account = pack(
                temp / "data",
                phases,
                texts,
                sequences=steps * shape.batch,
                sequence_length=shape.sequence_length,
                eot_id=inputs.tokenizer["eot_id"],
                seed=seed,
                cache=Cache(ws.folder("cache", "packed"), inputs.names),
                progress=progress.part(0.5, 1.0),
            )
            said = {"notes": repetition_notes(used, budget)}
            write_json(temp / "data" / "packing.json", account | {"repetition": used | said})
            write_tokenizer(ws, inputs.tokenizer["name"], shape.sequence_length, temp / "tokenizer")
            write_run(temp, folder.name, spec, snapshots=snapshots, track=track)
    progress(1, 1, "prepared")
    return folder


def specify(
    recipe: Recipe,
    shape: ProxySize,
    tokens: int,
    seed: int,
    inputs: Inputs,
    used: dict[str, Any],
) -> dict[str, Any]:
    """All that decides the result of a run; `used` is its account of repetition."""
    return {
        "version": VERSION,
        "mixlab": __version__,
        "recipe": recipe.name,
        "recipe_id": recipe_id(recipe),
        "size": shape.name,
        "tokens": tokens,
        "seed": seed,
        "steps": shape.steps(tokens),
        "stage": "pretrain",
        "hyperparameters": asdict(shape),
        **inputs.hashes,
        "repetition": used,
        "mapping": recipe_mapping(replace(recipe, note="")),
    }


def write_run(folder: Path, name: str, spec: dict[str, Any], **how: object) -> None:
    """run.json: name and time, what decides the result, and `how` to train, which does not."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(folder / "run.json", {"id": name, "created": now} | spec | how)


def run_id(spec: dict[str, Any]) -> str:
    """`RECIPE-SIZE-TOKENS-sSEED-HASH`."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", spec["recipe"])
    amount = next(
        f"{spec['tokens'] / unit:.3g}{letter}"
        for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k"), (1, ""))
        if spec["tokens"] >= unit
    )
    return f"{slug}-{spec['size']}-{amount}-s{spec['seed']}-{digest(spec)[:8]}"


def load_run(folder: Path) -> Run:
    """The run in `folder`; DataError if it is not the folder of a run."""
    if not (folder / "run.json").is_file():
        raise DataError(
            "This is not the folder of a proxy run.",
            where=str(folder),
            next_step="`mixlab runs` lists the runs of a workspace",
        )
    spec = read_json(folder / "run.json")
    fixed = ProxySize(**spec["hyperparameters"])
    keys = ("id", "recipe", "recipe_id", "size", "tokens", "seed", "steps", "tokenizer", "created")
    later = ("repetition", "snapshots", "track", "stage", "parent")  # not in runs of version 1
    return Run(
        folder=folder,
        hyperparameters=fixed,
        sources=tuple(spec["sources"]),
        **{key: spec[key] for key in keys},
        **{key: spec[key] for key in later if key in spec},
    )


def read_status(folder: Path) -> dict[str, Any]:
    """The last status that training wrote; empty before it began."""
    path = folder / "status.json"
    status: dict[str, Any] = read_json(path) if path.is_file() else {}
    return status


def run_state(folder: Path) -> str:
    """One of `STATES`. A run without a live process is interrupted if it has a checkpoint."""
    state = read_status(folder).get("state")
    if state == "done":
        return "done"
    if held(folder / "training.json"):
        return "running"
    if state == "failed":
        return "failed"
    return "interrupted" if any((folder / "checkpoint").glob("step-*")) else "prepared"


def read_metrics(folder: Path) -> pl.DataFrame:
    """metrics.jsonl as columns: step, tokens, loss, lr, ..., one `loss.SOURCE` per source."""
    return read_lines(folder / "metrics.jsonl", list(load_run(folder).sources))


RUNS = {
    "id": pl.String,
    "recipe": pl.String,
    "size": pl.String,
    "tokens": pl.Int64,
    "seed": pl.Int64,
    "state": pl.String,
    "step": pl.Int64,
    "steps": pl.Int64,
    "loss": pl.Float64,  # of the last logged batch, nats a token
    "created": pl.String,
}


def run_folders(ws: Workspace) -> list[Path]:
    """Folders of all runs, by id."""
    return sorted(path.parent for path in ws.runs.glob("[!.]*/run.json"))


def list_runs(ws: Workspace) -> pl.DataFrame:
    """All runs of a workspace, columns of `RUNS`, oldest first."""
    rows = [run_row(load_run(folder)) for folder in run_folders(ws)]
    return pl.DataFrame(rows, schema=RUNS).sort("created", "id")


def run_row(run: Run) -> dict[str, Any]:
    """One row of `list_runs`."""
    status = read_status(run.folder)
    row = {key: getattr(run, key) for key in ("id", "recipe", "size", "tokens", "seed", "steps")}
    progress = {"step": status.get("step", 0), "loss": status.get("loss")}
    return row | progress | {"state": run_state(run.folder), "created": run.created}


def is_idle(folder: Path) -> bool:
    """Whether nobody is at a run that is not trained, or whose status does not name what came
    after: scores alone may be there in part.
    """
    if run_state(folder) == "done":
        return not (read_status(folder).get("after") or held(folder / "after.json"))
    return run_state(folder) != "running"


def unfinished(ws: Workspace, recipes: Sequence[str] = ()) -> list[Run]:
    """Runs with work left that nobody is at, of these recipes or of all, oldest first."""
    runs = [load_run(folder) for folder in run_folders(ws)]
    idle = [r for r in runs if (not recipes or r.recipe in recipes) and is_idle(r.folder)]
    return sorted(idle, key=lambda run: (run.created, run.id))
