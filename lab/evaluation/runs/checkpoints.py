"""The weights of a run that can be scored: its finished model, and the snapshots before it.

    runs/ID/model/                                 as transformers reads it
    runs/ID/snapshots/step-XXXXXXXX/model.safetensors    weights alone, by parameter name

A snapshot has the shape and the tokenizer of the finished model, so the model is built once and the
weights of a snapshot are copied into it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from lab.core.errors import ArtifactMissing, DataError
from lab.core.files import digest, file_sha256
from lab.proxy.environment import pick_device

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel


def snapshot_names(folder: Path) -> list[str]:
    """Names of the snapshots that training kept, by step."""
    return sorted(path.parent.name for path in folder.glob("snapshots/step-*/model.safetensors"))


def weights_of(folder: Path, snapshot: str) -> list[Path]:
    """Files of the weights of a run's model or snapshot; ArtifactMissing without any."""
    place = folder / "snapshots" / snapshot if snapshot else folder / "model"
    if weights := sorted(place.glob("*.safetensors")):
        return weights
    raise ArtifactMissing(
        "This run has no finished model to score.",
        where=str(place),
        next_step="let it train to its end: `mixlab train --resume`",
    )


def model_hash(folder: Path, snapshot: str = "") -> str:
    """Names a run's model by its weights and tokenizer; ArtifactMissing without one."""
    shape = [folder / "model" / name for name in ("config.json", "tokenizer.json")]
    return digest([file_sha256(path) for path in [*weights_of(folder, snapshot), *shape]])


def load_model(folder: Path) -> tuple["PreTrainedModel", "Tokenizer"]:
    """The run's model in fp32 on the best device, and its tokenizer, from its own files only."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    path = folder / "model"
    model = AutoModelForCausalLM.from_pretrained(path, local_files_only=True, dtype=torch.float32)
    model.to(pick_device("auto"))  # type: ignore[arg-type]
    return model, Tokenizer.from_file(str(path / "tokenizer.json"))


def load_weights(model: "PreTrainedModel", folder: Path, snapshot: str) -> None:
    """Put the weights of a snapshot into `model`; DataError if they are damaged or do not fit."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / "snapshots" / snapshot / "model.safetensors"
    here = {name: weight.detach() for name, weight in model.named_parameters()}
    try:
        kept = load_file(path)
    except SafetensorError as error:
        raise damaged_snapshot(path, str(error)) from error
    if {n: w.shape for n, w in kept.items()} != {n: w.shape for n, w in here.items()}:
        raise damaged_snapshot(path, "other names or shapes than the model's")
    for name, weight in here.items():
        weight.copy_(kept[name])


def damaged_snapshot(path: Path, value: str) -> DataError:
    """What to say of a snapshot that cannot be used."""
    return DataError(
        "This snapshot cannot be scored.",
        where=str(path),
        value=value,
        next_step="delete its folder; the other snapshots and the run are not affected",
    )
