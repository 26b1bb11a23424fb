"""Trackers: a run's lines sent to TensorBoard, trackio, W&B or MLflow, where somebody asks for it.

Nothing is sent unless asked (`--track NAME`, or `mixlab track RUN --to NAME` afterwards), and then
only numbers that are in metrics.jsonl and scores/summary.json, and what the run is: recipe, its
weights, size, seed, hyper-parameters. No texts, no paths, no name of the machine, no secrets. The
files of a run are the truth; a tracker is a copy of them, and can be made again.

    WORKSPACE/trackers/NAME/RUN/      sent.json, and what the tracker keeps of the run

Two promises. *A tracker never stops training*: the first fault of one (no server, full disk) is
noted once in the run's log and nothing more is sent; `mixlab track` sends the rest later. *No step
is sent twice*: `sent.json` holds the last step that was handed over. A run that goes on from its
checkpoint takes some steps again, with the same numbers, and these are not sent again. The mark is
written before the line is sent, so a kill can leave one line out, never in twice.

Cost: 0.2 ms a line with TensorBoard, at most 2,000 lines a run (`lab.proxy.metrics`). Where it
fails: trackers with a queue of their own (W&B, trackio) can lose the last second when killed.
"""

import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.core.errors import ConfigError, DependencyMissing, LabError, nearest
from lab.core.files import read_json, write_json
from lab.proxy.metrics import whole_lines
from lab.proxy.runs import Run, load_run
from lab.proxy.tracker_kinds import KINDS, Tracker

TRACKERS = ("none", *KINDS)
SENT = ("loss", "lr", "grad_norm", "tokens_per_second", "reward_accuracy", "reward_margin")


def require_tracker(name: str) -> None:
    """ConfigError for a name that is none of TRACKERS, DependencyMissing without its package."""
    if name in ("", "none"):
        return
    if name not in TRACKERS:
        raise ConfigError("Unknown tracker.", value=name, next_step=nearest(name, TRACKERS))
    if importlib.util.find_spec(name) is None:
        raise DependencyMissing(
            f"The tracker {name!r} needs the package `{name}`.",
            where="--track",
            next_step=f"pip install 'mixlab[{name}]'; the run's own metrics.jsonl has every number",
        )


def open_tracker(name: str, run: Run) -> "Sender":
    """What the training of `run` calls with each line; takes nothing where `name` is empty."""
    return Sender("" if name == "none" else name, run)


class Sender:
    """Hands lines to a tracker: no step twice, and faults noted once (`strict`: raised)."""

    def __init__(self, name: str, run: Run, strict: bool = False) -> None:
        """Open the tracker, unless `name` is empty."""
        self.name, self.run, self.strict = name, run, strict
        self.folder = run.folder.parent.parent / "trackers" / name / run.id
        self.mark: dict[str, Any] = {"step": 0, "scores": {}}
        self.tracker: Tracker | None = None
        if name:
            self.attempt(self.open)

    def open(self) -> None:
        """Read the mark, open the tracker."""
        require_tracker(self.name)
        if (self.folder / "sent.json").is_file():
            self.mark |= read_json(self.folder / "sent.json")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tracker = KINDS[self.name](self.folder, self.run.id, description(self.run))

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Send the numbers of `step` (counted from 1), unless that step was sent before."""
        if self.tracker and step > self.mark["step"]:
            mark = self.mark | {"step": step}
            self.attempt(lambda: self.send(step, metrics, mark))

    def log_scores(self) -> int:
        """Send the scores that evaluation wrote, where they are new; how many were."""
        path = self.run.folder / "scores" / "summary.json"
        if not (self.tracker and path.is_file()):
            return 0
        named = {
            f"scores/{row['scope']}/{row['on']}/{row['metric']}": float(row["value"])
            for row in read_json(path)["metrics"]
        }
        fresh = {key: v for key, v in named.items() if self.mark["scores"].get(key) != v}
        if fresh:
            mark = self.mark | {"scores": self.mark["scores"] | fresh}
            self.attempt(lambda: self.send(self.run.steps, fresh, mark))
        return len(fresh)

    def send(self, step: int, metrics: Mapping[str, float], mark: dict[str, Any]) -> None:
        """Move the mark, then hand over; the mark goes back if that was refused."""
        before, self.mark = self.mark, mark
        replace_quickly(self.folder / "sent.json", mark)
        try:
            if self.tracker:
                self.tracker.log(step, metrics)
        except Exception:
            self.mark = before
            replace_quickly(self.folder / "sent.json", before)
            raise

    def close(self) -> None:
        """Close the tracker."""
        if self.tracker:
            self.attempt(self.tracker.close)

    def attempt(self, work: Callable[[], None]) -> None:
        """Do `work`; at its first fault note it in the run's log and leave the tracker alone."""
        try:
            work()
        except Exception as error:  # the errors of four packages and of their servers
            self.tracker = None
            if self.strict:
                raise fault(self.name, self.run, error) from error
            note = f"tracker {self.name}: {type(error).__name__}: {error}; nothing more is sent\n"
            with (self.run.folder / "log.txt").open("a", encoding="utf-8") as log:
                log.write(note)


def fault(name: str, run: Run, error: Exception) -> LabError:
    """The fault of a tracker in words; one that is in words already stays."""
    if isinstance(error, LabError):
        return error
    return LabError(
        f"The tracker {name!r} failed.",
        where=run.id,
        value=f"{type(error).__name__}: {error}",
        next_step="mend that and send again; what was sent is not sent twice",
    )


def numbers(line: Mapping[str, Any]) -> dict[str, float]:
    """What is sent of a line of metrics.jsonl: SENT, and `loss/SOURCE` for each source."""
    parts = {f"loss/{source}": float(loss) for source, loss in line.get("losses", {}).items()}
    return {key: float(line[key]) for key in SENT if key in line} | parts


def description(run: Run) -> dict[str, str | int | float]:
    """What a run is, as flat plain values: no texts of rules, no paths."""
    spec = read_json(run.folder / "run.json")
    weights = {
        f"weight/{phase['name']}/{source}": float(weight)
        for phase in spec.get("mapping", {}).get("mixture", {}).get("phases", [])
        for source, weight in phase["weights"].items()
    }
    keys = ("id", "recipe", "recipe_id", "size", "tokens", "seed", "steps", "stage", "parent")
    return {
        **{key: getattr(run, key) for key in keys},
        "tokenizer": str(run.tokenizer["name"]),
        "vocab_size": int(run.tokenizer["vocab_size"]),
        **{f"size/{key}": value for key, value in spec["hyperparameters"].items()},
        **{f"posttraining/{k}": v for k, v in spec.get("posttraining", {}).items()},
        **weights,
    }


def replace_quickly(path: Path, value: object) -> None:
    """Replace a small file without waiting for the disk: after a power cut it may be old."""
    temp = path.with_suffix(".tmp")
    temp.write_text(json.dumps(value), "utf-8")
    temp.replace(path)


def track_run(folder: Path, name: str) -> None:
    """From now on, send the run in `folder` to tracker `name`; nothing changes for an empty one."""
    if name and load_run(folder).track != name:
        write_json(folder / "run.json", read_json(folder / "run.json") | {"track": name})


def send_scores(folder: Path) -> None:
    """Send a run's scores to the tracker that it is sent to, if it is; never fails."""
    run = load_run(folder)
    sender = open_tracker(run.track, run)
    sender.log_scores()
    sender.close()


def send_run(folder: Path, name: str) -> dict[str, int]:
    """Send what tracker `name` lacks of the run in `folder`; the number of lines and scores sent.

    Raises DependencyMissing without the package, LabError where the tracker fails, ConfigError for
    the tracker "none".
    """
    if name in ("", "none"):
        raise ConfigError("Name a tracker.", value=name, next_step=f"one of {TRACKERS[1:]}")
    require_tracker(name)
    sender = Sender(name, load_run(folder), strict=True)
    before = sender.mark["step"]
    path = folder / "metrics.jsonl"
    sent = 0
    for text in whole_lines(path).splitlines():  # at most 2,000
        line = json.loads(text)
        sent += line["step"] > before
        sender.log(line["step"], numbers(line))
    scores = sender.log_scores()
    sender.close()
    return {"lines": sent, "scores": scores}
