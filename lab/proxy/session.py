"""One process's work on a run: model, optimiser, data and place, and what it tells about itself.

The speed in status.json is the mean of the session, that of a line in metrics.jsonl the one since
the line before. Both come from clocks that only go forward (`perf_counter`, `process_time`): a wall
clock that is set back changes `updated` in the status, which is there for people, and nothing else.
"""

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LlamaForCausalLM

from lab.core.files import clear_halves, new_folder, write_json
from lab.proxy.checkpoint import Position, load_checkpoint, write_tensors
from lab.proxy.environment import pick_precision
from lab.proxy.metrics import MetricsFile
from lab.proxy.model import build_model, parameters
from lab.proxy.optimiser import Optimiser, build_optimiser
from lab.proxy.runs import Run, read_status
from lab.proxy.shards import Batch, batches

if TYPE_CHECKING:
    from lab.proxy.trackers import Sender

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """One process's work on a run: model, data, place, and the clocks behind the reported speed."""

    run: Run
    model: LlamaForCausalLM
    optimiser: Optimiser
    data: Iterator[tuple[Batch, int]]
    metrics: MetricsFile
    precision: torch.dtype
    start: Position
    step: int
    notes: list[str]
    tracker: "Sender | None" = None
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


def open_session(run: Run, device: torch.device) -> Session:
    """Model, optimiser and data of a run, at the place where it was left."""
    end = run.tokenizer
    model = build_model(run.hyperparameters, end["vocab_size"], end["eot_id"], run.seed)
    model.to(device)  # type: ignore[arg-type]  # transformers' decorator hides the signature
    model.train()
    model.set_attn_implementation("mixlab_causal" if device.type == "cpu" else "sdpa")
    optimiser = build_optimiser(model, run.hyperparameters)
    start, notes = load_checkpoint(run.folder / "checkpoint", model, optimiser)
    for note in notes:
        LOG.warning("%s; going on from step %d", note, start.step)
    for place in (run.folder, run.folder / "checkpoint", run.folder / "snapshots"):
        clear_halves(place)
    batch = run.hyperparameters.batch
    session = Session(
        run=run,
        model=model,
        optimiser=optimiser,
        data=batches(run.folder / "data", batch, start.step * batch),
        metrics=MetricsFile(run.folder / "metrics.jsonl", start.metrics_bytes),
        precision=pick_precision(device),
        start=start,
        step=start.step,
        notes=[f"{note}; went on from step {start.step}" for note in notes],
    )
    if run.track:
        from lab.proxy.trackers import open_tracker

        session.tracker = open_tracker(run.track, run)
    session.line = (session.step, session.elapsed, time.process_time())
    return session


def close(session: Session | None) -> None:
    """Close what the session has open."""
    if session:
        session.metrics.close()
        if session.tracker:
            session.tracker.close()


def track(session: Session, line: dict[str, Any]) -> None:
    """Hand a line of the metrics to the run's tracker, if it has one."""
    if session.tracker:
        from lab.proxy.trackers import numbers

        session.tracker.log(session.step, numbers(line))


def metric_line(
    session: Session, rate: float, norm: float, losses: NDArray[Any], source: NDArray[Any]
) -> dict[str, Any]:
    """The line of the step just taken; `losses` and `source` are those of its rows [B]."""
    step, wall, cpu = session.line
    now, spent = session.elapsed, time.process_time()
    session.line = (session.step, now, spent)
    tokens = (session.step - step) * session.run.hyperparameters.tokens_per_step
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
    """status.json: where the run is, for whoever looks; without a session, where it was before."""
    status: dict[str, Any] = {} if session else read_status(folder)
    status |= {"state": state, "updated": time.time(), "error": error}
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
            "notes": session.notes,
            "device": str(session.device),
            "precision": str(session.precision).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "torch": version("torch"),
        }
    write_json(folder / "status.json", status)


def write_model(session: Session) -> None:
    """The folder `model/`: config, weights and tokenizer, as `transformers` reads them."""
    folder = session.run.folder
    with new_folder(folder / "model") as temp:
        shutil.copytree(folder / "tokenizer", temp, dirs_exist_ok=True)
        session.model.config.save_pretrained(temp)
        write_tensors(temp / "model.safetensors", parameters(session.model))
