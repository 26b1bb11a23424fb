"""Checkpoints: what a run needs to go on as if it had never stopped.

    checkpoint/step-00000400/    model.safetensors, optimiser.safetensors, state.json

A folder is filled under a temporary name, synced to disk and renamed, then older ones are
deleted: at any moment the newest folder that bears a step is whole. There is no random state to
keep, because nothing in training is drawn: the rows and their order are on disk, and step t reads
rows t B to (t + 1) B - 1. With one thread on a CPU the resumed run therefore ends with the same
bits. With several threads, or on a GPU, the order of a sum may change, and results agree to
rounding only.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from lab.core.files import new_folder, read_json, write_bytes, write_json
from lab.proxy.model import parameters
from lab.proxy.optimiser import moments, restore_moments


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: steps done, seconds of training, bytes of metrics.jsonl that belong."""

    step: int = 0
    seconds: float = 0.0
    metrics_bytes: int = 0


def save_checkpoint(
    folder: Path, model: LlamaForCausalLM, optimiser: torch.optim.AdamW, position: Position
) -> None:
    """Write the checkpoint of `position` under `folder`, then drop older ones."""
    final = folder / f"step-{position.step:08d}"
    with new_folder(final) as temp:
        write_tensors(temp / "model.safetensors", parameters(model))
        write_tensors(temp / "optimiser.safetensors", moments(model, optimiser))
        state = {
            "step": position.step,
            "seconds": position.seconds,
            "metrics_bytes": position.metrics_bytes,
        }
        write_json(temp / "state.json", state)
    sync_folder(folder)
    for old in checkpoints(folder)[:-1]:
        shutil.rmtree(old)


def load_checkpoint(
    folder: Path, model: LlamaForCausalLM, optimiser: torch.optim.AdamW
) -> Position:
    """Put the newest checkpoint under `folder` into place; the beginning if there is none."""
    found = checkpoints(folder)
    if not found:
        return Position()
    weights = safetensors.torch.load_file(found[-1] / "model.safetensors")
    for name, weight in parameters(model).items():
        weight.copy_(weights[name])
    state = safetensors.torch.load_file(found[-1] / "optimiser.safetensors")
    restore_moments(model, optimiser, state)
    return Position(**read_json(found[-1] / "state.json"))


def checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints under `folder`, oldest first."""
    return sorted(folder.glob("step-*"))


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors as safetensors, synced; a full disk is a LabError."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(plain, metadata={"format": "pt"}))


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
