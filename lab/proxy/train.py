"""The training loop: one prepared run folder in, a model folder out, stoppable at any step.

Each step reads the next `batch` rows, predicts every token from those before it, clips the
gradient's norm, and takes one AdamW step at the scheduled rate. Weights, gradients of weights and
moments are float32; matrices are multiplied in bfloat16 where the device can
(`lab.proxy.environment`). Nothing is drawn at random, so the loop is a function of the folder.

What can happen to a run, and what is left of it:

    stopped on request    a checkpoint at the very step; state interrupted
    killed, power cut     the last checkpoint, at most `CHECKPOINT_SECONDS` of training old
    loss not finite       an error that names step and rate; the checkpoint is from before
    done                  model/, and the checkpoint is deleted
"""

import math
import shutil
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaForCausalLM

from lab.core.errors import Cancelled, DataError
from lab.core.files import new_folder, write_json
from lab.core.lock import hold
from lab.core.progress import SILENT, Progress
from lab.proxy.checkpoint import Position, load_checkpoint, save_checkpoint, write_tensors
from lab.proxy.environment import pick_device, pick_precision
from lab.proxy.metrics import MetricsFile, is_logged
from lab.proxy.model import build_model, next_token_loss, parameters
from lab.proxy.optimiser import build_optimiser, learning_rate, set_rate
from lab.proxy.runs import Run, load_run, read_status

CHECKPOINT_SECONDS = 30.0
CHECKPOINT_SHARE = 0.02  # of the time may go into checkpoints: large models write fewer
STATUS_SECONDS = 1.0
PATIENCE = 60.0  # seconds to wait for a process that is just ending its work on the same run
BUSY = "Another process is training this run."


@dataclass(slots=True)
class Session:
    """One process's work on a run: model, data, place, and the clocks behind the reported speed."""

    run: Run
    model: LlamaForCausalLM
    optimiser: torch.optim.AdamW
    rows: np.ndarray[Any, Any]
    source: np.ndarray[Any, Any]
    metrics: MetricsFile
    precision: torch.dtype
    start: Position
    step: int
    loss: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    line: tuple[int, float, float] = (0, 0.0, 0.0)  # step, wall and CPU clock of the last line

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.lm_head.weight.device

    @property
    def elapsed(self) -> float:
        """Seconds in this session."""
        return time.perf_counter() - self.began

    @property
    def position(self) -> Position:
        """The place to resume from; brings the metrics to the disk."""
        return Position(self.step, self.start.seconds + self.elapsed, self.metrics.sync())

    @property
    def tokens(self) -> int:
        """Tokens trained on so far, in all sessions."""
        return self.step * self.run.hyperparameters.tokens_per_step

    @property
    def speed(self) -> float:
        """Mean tokens a second in this session."""
        done = (self.step - self.start.step) * self.run.hyperparameters.tokens_per_step
        return done / max(self.elapsed, 1e-9)


def train(
    folder: Path,
    progress: Progress = SILENT,
    *,
    device: str = "auto",
    threads: int = 1,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> None:
    """Train the run in `folder` to its end, from its last checkpoint if it has one.

    Does nothing if it is done. Raises Cancelled after a checkpoint when asked to stop,
    WorkspaceError if another process trains it, DataError if the loss is not finite.
    """
    run = load_run(folder)
    with hold(folder / "training.json", "training", PATIENCE, BUSY):
        if read_status(folder).get("state") == "done":
            return
        torch.set_num_threads(threads)
        session = None
        try:
            session = open_session(run, pick_device(device))
            advance(session, progress, checkpoint_seconds)
            write_model(session)
        except Cancelled:
            write_status(folder, session, "interrupted")
            raise
        except Exception as error:
            write_status(folder, session, "failed", error=str(error))
            raise
        finally:
            if session:
                session.metrics.close()
        write_status(folder, session, "done")
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)


def open_session(run: Run, device: torch.device) -> Session:
    """Model, optimiser and data of a run, at the place where it was left."""
    end = run.tokenizer
    model = build_model(run.hyperparameters, end["vocab_size"], end["eot_id"], run.seed)
    model.to(device)  # type: ignore[arg-type]  # transformers' decorator hides the signature
    model.train()
    model.set_attn_implementation("mixlab_causal" if device.type == "cpu" else "sdpa")
    optimiser = build_optimiser(model, run.hyperparameters)
    start = load_checkpoint(run.folder / "checkpoint", model, optimiser)
    data = run.folder / "data"
    session = Session(
        run=run,
        model=model,
        optimiser=optimiser,
        rows=np.load(data / "sequences.npy", mmap_mode="r", allow_pickle=False),
        source=np.load(data / "source.npy", allow_pickle=False),
        metrics=MetricsFile(run.folder / "metrics.jsonl", start.metrics_bytes),
        precision=pick_precision(device),
        start=start,
        step=start.step,
    )
    session.line = (session.step, session.elapsed, time.process_time())
    return session


def advance(session: Session, progress: Progress, checkpoint_seconds: float) -> None:
    """Take all remaining steps, with checkpoints; Cancelled if asked to stop."""
    run, total = session.run, session.run.tokens
    saved = reported = session.elapsed
    pause = checkpoint_seconds
    while session.step < run.steps:
        if progress.stopping:
            keep(session)
            raise Cancelled("Stopped on request.", next_step="train the same run to continue")
        take_step(session)
        message = f"loss {session.loss:.3f}, {session.speed:,.0f} tokens/s"
        progress.show(session.tokens, total, message)
        if session.elapsed - reported > STATUS_SECONDS:
            write_status(run.folder, session, "running")
            reported = session.elapsed
        if session.elapsed - saved > pause and session.step < run.steps:
            began = session.elapsed
            keep(session)
            saved = session.elapsed
            pause = max(checkpoint_seconds, (saved - began) / CHECKPOINT_SHARE)


def keep(session: Session) -> None:
    """Write a checkpoint, unless the session has done nothing yet."""
    if session.step > session.start.step:
        folder = session.run.folder / "checkpoint"
        save_checkpoint(folder, session.model, session.optimiser, session.position)


def take_step(session: Session) -> None:
    """One optimiser step, and its line in the metrics."""
    size, step = session.run.hyperparameters, session.step
    here = slice(step * size.batch, (step + 1) * size.batch)
    rows = torch.from_numpy(session.rows[here].astype(np.int64)).to(session.device)
    rate = learning_rate(size, step, session.run.steps)
    set_rate(session.optimiser, rate)
    mean, each = next_token_loss(session.model, rows, session.precision)
    mean.backward()
    norm = torch.nn.utils.clip_grad_norm_(session.model.parameters(), size.clip)
    session.loss = check_finite(session, float(mean.detach()), float(norm), rate)
    session.optimiser.step()
    session.optimiser.zero_grad(set_to_none=True)
    session.step += 1
    if is_logged(session.step, session.run.steps):
        session.metrics.append(metric_line(session, rate, float(norm), each, session.source[here]))


def check_finite(session: Session, loss: float, norm: float, rate: float) -> float:
    """`loss` if it and the gradient's norm are finite; else DataError, before any harm is done."""
    if math.isfinite(loss) and math.isfinite(norm):
        return loss
    batch = session.run.hyperparameters.batch
    first = session.step * batch
    raise DataError(
        "The loss or its gradient is no longer a number.",
        where=f"{session.run.folder}, step {session.step + 1} of {session.run.steps}, "
        f"learning rate {rate:.3g}",
        value=f"loss {loss}, gradient norm {norm}",
        next_step=f"look at rows {first} to {first + batch - 1} of data/sequences.npy; if the text "
        "is sound, train under another seed or at another size",
    )


def metric_line(
    session: Session, rate: float, norm: float, each: torch.Tensor, source: np.ndarray[Any, Any]
) -> dict[str, Any]:
    """The line of the step just taken."""
    step, wall, cpu = session.line
    now, spent = session.elapsed, time.process_time()
    session.line = (session.step, now, spent)
    tokens = (session.step - step) * session.run.hyperparameters.tokens_per_step
    losses = each.cpu().numpy()
    return {
        "step": session.step,
        "tokens": session.tokens,
        "loss": round(session.loss, 6),
        "losses": {
            session.run.sources[k]: round(float(losses[source == k].mean()), 6)
            for k in np.unique(source)
        },
        "lr": rate,
        "grad_norm": round(norm, 6),
        "tokens_per_second": round(tokens / max(now - wall, 1e-9), 1),
        "seconds": round(session.start.seconds + now, 3),
        "cpu_share": round((spent - cpu) / max(now - wall, 1e-9), 3),
    }


def write_status(folder: Path, session: Session | None, state: str, error: str = "") -> None:
    """status.json: where the run is, for whoever looks."""
    status: dict[str, Any] = {"state": state, "updated": time.time()}
    if session:
        left = session.run.tokens - session.tokens
        status |= {
            "step": session.step,
            "steps": session.run.steps,
            "tokens": session.tokens,
            "loss": session.loss,
            "tokens_per_second": round(session.speed, 1),
            "seconds": round(session.start.seconds + session.elapsed, 3),
            "eta": round(left / session.speed, 1) if session.speed else None,
            "device": str(session.device),
            "precision": str(session.precision).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "torch": version("torch"),
        }
    write_json(folder / "status.json", status | ({"error": error} if error else {}))


def write_model(session: Session) -> None:
    """The folder `model/`: config, weights and tokenizer, as `transformers` reads them."""
    folder = session.run.folder
    with new_folder(folder / "model") as temp:
        shutil.copytree(folder / "tokenizer", temp, dirs_exist_ok=True)
        session.model.config.save_pretrained(temp)
        write_tensors(temp / "model.safetensors", parameters(session.model))
