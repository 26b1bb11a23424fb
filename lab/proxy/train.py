"""The training loop: one prepared run folder in, a model folder out, stoppable at any step.

Each step reads the next `batch` rows, predicts every token from those before it, clips the
gradient's norm, and takes one step of the optimiser at the scheduled rate. Weights, gradients of
weights and moments are float32; matrices are multiplied in bfloat16 where the device can
(`lab.proxy.environment`). Nothing is drawn at random, so the loop is a function of the folder.

What can happen to a run, and what is left of it:

    stopped on request    a checkpoint at the very step; state interrupted
    killed, power cut     the last checkpoint, `CHECKPOINT_SECONDS` old, or 50 times what one takes
    loss not finite       an error that names step, rate and rows; the checkpoint is from before
    out of memory         an error that says what to lower (`lab.proxy.faults`)
    checkpoint damaged    the one before it is used, and the status has a note
    done                  model/, and the checkpoints are deleted; snapshots/ stays
"""

import math
import shutil
from pathlib import Path

import torch

from lab.core.errors import Cancelled
from lab.core.lock import hold
from lab.core.progress import SILENT, Progress
from lab.proxy.checkpoint import save_checkpoint, save_snapshot, snapshot_steps
from lab.proxy.environment import pick_device
from lab.proxy.faults import explain_memory, not_finite
from lab.proxy.metrics import is_logged
from lab.proxy.model import next_token_loss, parameters
from lab.proxy.optimiser import schedule, set_rates
from lab.proxy.runs import load_run, read_status
from lab.proxy.session import (
    Session,
    close,
    metric_line,
    open_session,
    track,
    write_model,
    write_status,
)

CHECKPOINT_SECONDS = 30.0
CHECKPOINT_SHARE = 0.02  # of the time may go into checkpoints: large models write fewer
STATUS_SECONDS = 1.0
PATIENCE = 60.0  # seconds to wait for a process that is just ending its work on the same run
BUSY = "Another process is training this run."


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
    WorkspaceError if another process trains it, DataError if the loss is not finite, LabError if
    memory or disk are exhausted.
    """
    run = load_run(folder)
    with hold(folder / "training.json", "training", PATIENCE, BUSY):
        if read_status(folder).get("state") == "done":
            shutil.rmtree(folder / "checkpoint", ignore_errors=True)  # a kill may have kept it
            return
        torch.set_num_threads(threads)
        session = None
        try:
            with explain_memory(run, run.hyperparameters.batch):
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
            close(session)
        write_status(folder, session, "done")
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)


def advance(session: Session, progress: Progress, checkpoint_seconds: float) -> None:
    """Take all remaining steps, with checkpoints; Cancelled if asked to stop."""
    run, total = session.run, session.run.tokens
    saved = reported = session.elapsed
    pause = checkpoint_seconds
    kept = snapshot_steps(run.steps) if run.snapshots else []
    while session.step < run.steps:
        if progress.stopping:
            keep(session)
            raise Cancelled("Stopped on request.", next_step="train the same run to continue")
        take_step(session)
        if session.step in kept:
            save_snapshot(run.folder / "snapshots", session.model, session.step)
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
    """Write a checkpoint, unless the session has done nothing yet, or nothing but harm."""
    weights = parameters(session.model).values()
    if session.step > session.start.step and all(bool(w.isfinite().all()) for w in weights):
        folder = session.run.folder / "checkpoint"
        save_checkpoint(folder, session.model, session.optimiser, session.position)


def take_step(session: Session) -> None:
    """One optimiser step, and its line in the metrics."""
    size, step = session.run.hyperparameters, session.step
    batch, _ = next(session.data)
    share = schedule(size, step, session.run.steps)
    rate = share * size.learning_rate
    set_rates(session.optimiser, size, share)
    rows = torch.from_numpy(batch.rows).to(session.device)
    mean, each = next_token_loss(session.model, rows, session.precision)
    mean.backward()
    norm = float(torch.nn.utils.clip_grad_norm_(session.model.parameters(), size.clip))
    loss = float(mean.detach())
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise not_finite(session.run, step, batch, each.cpu().numpy(), norm, rate)
    session.loss = loss
    session.optimiser.step()
    session.step += 1
    if is_logged(session.step, session.run.steps):
        line = metric_line(session, rate, norm, each.cpu().numpy(), batch.source)
        session.metrics.append(line)
        track(session, line)
