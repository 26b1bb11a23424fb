"""Checkpoints: what a run needs to go on as if it had never stopped; snapshots: what it leaves.

    checkpoint/step-00000400/    model.safetensors, optimiser.safetensors, state.json
    snapshots/step-00000400/     model.safetensors

A folder is filled under a temporary name, synced to disk and renamed: one that bears a step is
whole, unless the disk damaged it later. state.json therefore holds the SHA-256 of the two files and
of its own content; the last two checkpoints are kept, and where the newer one is damaged, the run
goes on from the one before, or from its beginning. There is no random state to keep, because
nothing in training is drawn: the rows and their order are on disk, and step t reads rows t B to
(t + 1) B - 1. With one thread on a CPU the resumed run therefore ends with the same bits. With
several threads, or on a GPU, the order of a sum may change, and results agree to rounding only.

Snapshots are the weights at fixed shares of the steps, kept for good, for whoever asks how a score
grew, or how far it moves from one step to another near the end. Cost: four bytes a parameter each.
"""

import hashlib
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import safetensors.torch
from torch import Tensor
from transformers import LlamaForCausalLM

from lab.core.errors import DataError
from lab.core.files import digest, file_sha256, new_folder, read_json, write_bytes, write_json
from lab.proxy.model import parameters
from lab.proxy.optimiser import Optimiser, moments, restore_moments

KEPT: Final = 2  # checkpoints: the newest, and one to fall back to
SNAPSHOT_AT: Final = (0.25, 0.5, 0.75, 0.9, 0.95)  # shares of the steps
WEIGHTS: Final = "model.safetensors"
MOMENTS: Final = "optimiser.safetensors"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: steps done, seconds of training, bytes of metrics.jsonl that belong."""

    step: int = 0
    seconds: float = 0.0
    metrics_bytes: int = 0


def save_checkpoint(
    folder: Path, model: LlamaForCausalLM, optimiser: Optimiser, position: Position
) -> None:
    """Write the checkpoint of `position` under `folder`, then drop all but the last `KEPT`."""
    final = folder / step_name(position.step)
    with new_folder(final) as temp:
        files = {
            WEIGHTS: write_tensors(temp / WEIGHTS, parameters(model)),
            MOMENTS: write_tensors(temp / MOMENTS, moments(model, optimiser)),
        }
        state = asdict(position) | {"files": files}
        write_json(temp / "state.json", state | {"digest": digest(state)})
    for old in checkpoints(folder)[:-KEPT]:
        shutil.rmtree(old)


def load_checkpoint(
    folder: Path, model: LlamaForCausalLM, optimiser: Optimiser
) -> tuple[Position, list[str]]:
    """Put the newest sound checkpoint under `folder` into place; the beginning if there is none.

    Damaged ones are deleted; the second value says in words which, and what was wrong.
    """
    notes: list[str] = []
    for path in reversed(checkpoints(folder)):
        state, fault = read_state(path)
        if not fault:
            weights = safetensors.torch.load_file(path / WEIGHTS)
            for name, weight in parameters(model).items():
                weight.copy_(weights[name])
            restore_moments(model, optimiser, safetensors.torch.load_file(path / MOMENTS))
            return Position(state["step"], state["seconds"], state["metrics_bytes"]), notes
        notes.append(f"checkpoint {path.name} is damaged and was not used: {fault}")
        shutil.rmtree(path)
    return Position(), notes


def read_state(path: Path) -> tuple[dict[str, Any], str]:
    """state.json of a checkpoint, and what is wrong with the folder; empty if nothing is."""
    missing = [name for name in ("state.json", WEIGHTS, MOMENTS) if not (path / name).is_file()]
    if missing:
        return {}, f"{missing[0]} is missing"
    try:
        state = read_json(path / "state.json")
    except DataError as error:
        return {}, f"state.json: {error.what}"
    if not isinstance(state, dict) or state.pop("digest", "") != digest(state):
        return {}, "state.json has been changed"
    for name, expected in state["files"].items():
        if file_sha256(path / name) != expected:
            return {}, f"{name} has been cut off or changed"
    return state, ""


def checkpoints(folder: Path) -> list[Path]:
    """Checkpoints or snapshots under `folder`, oldest first."""
    return sorted(folder.glob("step-*"))


def snapshot_steps(steps: int) -> list[int]:
    """The steps after which a run of `steps` keeps its weights, ascending, without the last."""
    return sorted({round(share * steps) for share in SNAPSHOT_AT} - {0, steps})


def save_snapshot(folder: Path, model: LlamaForCausalLM, step: int) -> None:
    """Keep the weights after `step` under `folder`; what is there already stays: it is the same."""
    if not (folder / step_name(step)).is_dir():
        with new_folder(folder / step_name(step)) as temp:
            write_tensors(temp / WEIGHTS, parameters(model))


def step_name(step: int) -> str:
    """The folder of a step; names sort as steps do."""
    return f"step-{step:08d}"


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> str:
    """Write tensors as safetensors, synced; their SHA-256. A full disk is a LabError."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = safetensors.torch.save(plain, metadata={"format": "pt"})
    write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()
