"""Post-training of a prepared run through `trl`'s trainers, in the manner of `lab.proxy.train`.

Same files as in pretraining: status.json while it runs, metrics.jsonl, at the end model/, which
opens with `AutoModelForCausalLM`. The loss of `sft` is in nats a token of the answers; of `dpo`

    L = -log sigmoid(b (log p(c)/q(c) - log p(r)/q(r)))     p model, q parent, c chosen, r rejected

which begins at log 2; its lines also have `reward_accuracy` (share of pairs whose chosen answer
gained more) and `reward_margin`. Examples longer than the model's context are left out and counted
in the status. Stopped on request, the run begins again from its parent the next time.

`trl` would report each use to its makers; that is switched off here.
"""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree
from typing import Any

import polars as pl
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
)
from transformers.utils import logging

from lab.core.errors import ArtifactMissing, Cancelled, DataError
from lab.core.files import clear_halves, new_folder, read_json, write_json
from lab.core.lock import hold
from lab.core.progress import SILENT, Progress
from lab.proxy.checkpoint import write_tensors
from lab.proxy.environment import pick_device, pick_precision
from lab.proxy.faults import explain_memory
from lab.proxy.metrics import LINES
from lab.proxy.posttraining.follower import Follower
from lab.proxy.posttraining.settings import Settings
from lab.proxy.posttraining.template import MARKED
from lab.proxy.runs import Run, load_run, read_status

PATIENCE = 60.0  # seconds to wait for a process that is just ending its work on the same run
BUSY = "Another process is training this run."


def posttrain(
    folder: Path, progress: Progress = SILENT, *, device: str = "auto", threads: int = 1
) -> None:
    """Train the run in `folder` from its parent's model to its end; nothing if it is done.

    Raises ArtifactMissing if the parent is not finished, Cancelled when asked to stop, DataError if
    no example fits the model's context or the loss is not finite, LabError if memory is exhausted.
    """
    run = load_run(folder)
    with hold(folder / "training.json", f"post-training ({run.stage})", PATIENCE, BUSY):
        if read_status(folder).get("state") == "done":
            return
        clear_halves(folder)
        torch.set_num_threads(threads)
        follower = Follower(run, progress, str(pick_device(device)))
        try:
            with explain_memory(run, settings_of(run).batch):
                model = work(run, follower, pick_device(device))
                write_model(run, model)
        except Cancelled:
            follower.write("interrupted")
            raise
        except Exception as error:
            follower.write("failed", error=str(error))
            raise
        finally:
            follower.close()
        follower.write("done")


def work(run: Run, follower: Follower, device: torch.device) -> PreTrainedModel:
    """Train; the model."""
    source = parent_model(run)
    tokenizer = AutoTokenizer.from_pretrained(run.folder / "tokenizer", local_files_only=True)
    tokenizer.chat_template = MARKED
    read = pl.read_parquet(run.folder / "data" / "material.parquet").to_dicts()
    rows = fitting(read, tokenizer, run)
    follower.left_out = len(read) - len(rows)
    model = load(source)
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*gradient_checkpointing", FutureWarning)  # `trl`'s own
        trainer = build_trainer(run, model, rows, tokenizer, device, scratch)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(follower)
        trainer.train()
    if follower.progress.stopping and follower.step < run.steps:
        raise Cancelled("Stopped on request.", next_step="run the same command to begin again")
    return model


def settings_of(run: Run) -> Settings:
    """The settings that the run was prepared with."""
    return Settings(**read_json(run.folder / "run.json")["posttraining"])


def parent_model(run: Run) -> Path:
    """The folder of the parent's model; ArtifactMissing if it is not there."""
    found = run.folder.parent / run.parent / "model"
    if not found.is_dir():
        raise ArtifactMissing(
            "The run to start from has no finished model.",
            where=str(found),
            next_step=f"`mixlab train --resume` until {run.parent} is done",
        )
    return found


def load(source: Path) -> PreTrainedModel:
    """A model in float32 from its own files only."""
    model = AutoModelForCausalLM.from_pretrained(source, local_files_only=True, dtype=torch.float32)
    return model


def fitting(
    read: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase, run: Run
) -> list[dict[str, Any]]:
    """The examples that fit the model's context; DataError if none does."""
    length = run.hyperparameters.sequence_length
    rows = [row for row in read if longest(row, tokenizer) <= length]
    if not rows:
        raise DataError(
            "No example fits the model's context.",
            where=str(run.folder / "data"),
            value=f"{len(read)} examples, context {length} tokens",
            next_step="shorten them, or start from a run with a longer context",
        )
    return rows


def longest(row: dict[str, Any], tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens of an example, the longer answer counted."""
    if "messages" in row:
        texts = [row["messages"]]
    else:
        texts = [row["prompt"] + row["chosen"], row["prompt"] + row["rejected"]]
    return max(len(tokenizer.apply_chat_template(t, return_dict=False)) for t in texts)


def build_trainer(
    run: Run,
    model: PreTrainedModel,
    rows: list[dict[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    device: torch.device,
    scratch: str,
) -> Any:
    """`trl`'s trainer of the stage; its own reports and progress bars are off."""
    import datasets
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    from trl.trainer.dpo_config import DPOConfig  # late: the trainers take seconds to import
    from trl.trainer.dpo_trainer import DPOTrainer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    datasets.disable_progress_bars()
    logging.disable_progress_bar()
    settings = settings_of(run)
    data = datasets.Dataset.from_list(rows)
    options = arguments(run, settings, device) | {"output_dir": scratch}
    if run.stage == "sft":
        return SFTTrainer(
            model,
            on_one_gpu(SFTConfig(assistant_only_loss=True, **options)),
            train_dataset=data,
            processing_class=tokenizer,
        )
    return DPOTrainer(
        model,
        ref_model=load(parent_model(run)),
        args=on_one_gpu(DPOConfig(beta=settings.beta, **options)),
        train_dataset=data,
        processing_class=tokenizer,
    )


def on_one_gpu(config: Any) -> Any:
    """The same settings for the first GPU only: the library would spread a process over all that
    it sees, which multiplies the batch, and which `trl` refuses.
    """
    config._n_gpu = min(config.n_gpu, 1)
    return config


def arguments(run: Run, settings: Settings, device: torch.device) -> dict[str, Any]:
    """What both trainers are told."""
    return {
        "max_steps": settings.steps,
        "per_device_train_batch_size": settings.batch,
        "learning_rate": settings.learning_rate(run.hyperparameters),
        "lr_scheduler_type": "linear",
        "warmup_steps": round(settings.warmup_share * settings.steps),
        "weight_decay": 0.0,
        "adam_beta2": settings.beta2,
        "max_grad_norm": settings.clip,
        "max_length": run.hyperparameters.sequence_length,
        "bf16": pick_precision(device) == torch.bfloat16,
        "use_cpu": device.type == "cpu",
        "gradient_checkpointing": False,
        "seed": run.seed,
        "data_seed": run.seed,
        "logging_steps": -(-settings.steps // LINES),
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # it would hide a loss that is not finite
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def write_model(run: Run, model: PreTrainedModel) -> None:
    """The folder `model/`: the parent's config, new weights, the tokenizer with its template."""
    with new_folder(run.folder / "model") as temp:
        copytree(run.folder / "tokenizer", temp, dirs_exist_ok=True)
        write_json(temp / "config.json", read_json(parent_model(run) / "config.json"))
        weights = {name: value.detach() for name, value in model.named_parameters()}
        write_tensors(temp / "model.safetensors", weights)
