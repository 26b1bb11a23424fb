"""What `trl`'s trainers call after each step: lines, status, trackers, and the wish to stop.

A line is one of metrics.jsonl as in pretraining (`lab.proxy.metrics`), without losses by source;
`tokens` are those of the examples read so far, padding left out.
"""

import math
import time
from typing import Any

import torch
from transformers import TrainerCallback

from lab.core.errors import DataError
from lab.core.files import write_json
from lab.core.progress import Progress
from lab.proxy.metrics import MetricsFile
from lab.proxy.runs import Run
from lab.proxy.trackers import numbers, open_tracker

STATUS_SECONDS = 1.0
REWARDS = {"reward_accuracy": "rewards/accuracies", "reward_margin": "rewards/margins"}


class Follower(TrainerCallback):  # the one way in which the library lets itself be watched
    """Writes lines and status, and stops the trainer when asked to."""

    def __init__(self, run: Run, progress: Progress, device: str) -> None:
        """Begin with an empty metrics file: an interrupted run begins again."""
        self.run, self.progress, self.device = run, progress, device
        self.metrics = MetricsFile(run.folder / "metrics.jsonl", 0)
        self.tracker = open_tracker(run.track, run)
        self.began = self.written = time.perf_counter()
        self.cpu = time.process_time()
        self.step = self.tokens = self.left_out = 0
        self.loss: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> Any:
        """After every step: report, and stop if asked."""
        self.step = int(state.global_step)
        self.progress.show(self.step, self.run.steps, f"{self.run.stage}, step {self.step}")
        if time.perf_counter() - self.written > STATUS_SECONDS:
            self.write("running")
            self.written = time.perf_counter()
        control.should_training_stop = control.should_training_stop or self.progress.stopping
        return control

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **rest: Any
    ) -> None:
        """A line of the metrics; DataError if the loss is not finite."""
        if not logs or "loss" not in logs:
            return  # the trainer's closing summary
        loss, norm = float(logs["loss"]), float(logs["grad_norm"])
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise DataError(
                "The loss or its gradient is no longer a number.",
                where=f"{self.run.folder}, step {state.global_step} of {self.run.steps}",
                value=f"loss {loss}, gradient norm {norm}",
                next_step="look at the material; if it is sound, start from another parent",
            )
        fresh = int(logs.get("num_tokens", 0)) - self.tokens
        self.loss, self.tokens = loss, self.tokens + fresh
        line: dict[str, Any] = {
            "step": int(state.global_step),
            "tokens": self.tokens,
            "loss": round(loss, 6),
            "losses": {},
            "lr": float(logs["learning_rate"]),
            "grad_norm": round(norm, 6),
            "tokens_per_second": round(self.tokens / max(self.seconds, 1e-9), 1),
            "seconds": round(self.seconds, 3),
            "cpu_share": round((time.process_time() - self.cpu) / max(self.seconds, 1e-9), 3),
        }
        line |= {key: float(logs[name]) for key, name in REWARDS.items() if name in logs}
        self.metrics.append(line)
        self.tracker.log(line["step"], numbers(line))

    def write(self, state: str, error: str = "") -> None:
        """status.json; `tokens` are those of the examples read."""
        speed = self.step / max(self.seconds, 1e-9)
        status = {
            "state": state,
            "updated": time.time(),
            "step": self.step,
            "steps": self.run.steps,
            "tokens": self.tokens,
            "loss": self.loss,
            "tokens_per_second": round(self.tokens / max(self.seconds, 1e-9), 1),
            "seconds": round(self.seconds, 3),
            "eta": round((self.run.steps - self.step) / speed, 1) if speed else None,
            "device": self.device,
            "threads": torch.get_num_threads(),
            "too_long": self.left_out,
            "error": error,
        }
        write_json(self.run.folder / "status.json", status)

    def close(self) -> None:
        """Bring the lines to the disk."""
        self.metrics.sync()
        self.metrics.close()
        self.tracker.close()
