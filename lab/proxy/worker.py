"""The process that trains one run: `python -m lab.proxy.worker FOLDER [--threads N] [--after M:F]`.

It is started with `lab.proxy.environment.worker_environment` and stops, with a checkpoint, on
SIGTERM, SIGINT or SIGUSR2 (Slurm's warning before a limit), or when the process that started it is
gone, so that nothing keeps computing unseen: what has not stopped `GRACE` seconds after its parent
ends without a checkpoint.
`--after module:function` names what to call as `function(ws, folder, progress)` once the run is
trained: evaluation is a later stage, which this one may start but not know. Exit status: 0 done, 1
failed (message on standard error), 130 stopped.
"""

import argparse
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from lab.core.errors import Cancelled, LabError
from lab.core.files import write_json
from lab.core.lock import hold
from lab.core.progress import Progress
from lab.core.workspace import open_workspace
from lab.proxy.launch import DONE, FAILED, STOPPED
from lab.proxy.runs import load_run, read_status
from lab.proxy.trackers import send_scores

POLL = 1.0  # seconds between two looks for the parent
PATIENCE = 60.0  # seconds to wait for a process that ends its work on the same run
GRACE = 60.0  # seconds to write a checkpoint once the parent is gone
BUSY = "Another process does what comes after the training of this run."


class Stop:
    """Whether to stop: a signal came, or `parent` is no longer our parent (0: never mind)."""

    def __init__(self, parent: int) -> None:
        """Nobody has asked yet."""
        self.parent = parent
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Signal handler."""
        self.asked = True

    @property
    def orphaned(self) -> bool:
        """True if the process that started this one is gone."""
        return bool(self.parent and os.getppid() != self.parent)

    def __call__(self) -> bool:
        """Asked before every step."""
        return self.asked or self.orphaned


def end_with_parent(stop: Stop) -> None:
    """Wait until the parent is gone, and then until it is time to end without a checkpoint."""
    while not stop.orphaned:
        time.sleep(POLL)
    time.sleep(GRACE)
    os._exit(STOPPED)


def run_after(name: str, folder: Path, progress: Progress) -> None:
    """Call `name` on a trained run, in one process at a time, and note that it was done."""
    with hold(folder / "after.json", name, PATIENCE, BUSY):
        if read_status(folder).get("after") == name:
            return
        module, function = name.split(":")
        work = getattr(importlib.import_module(module), function)
        work(open_workspace(folder.parent.parent), folder, progress)
        write_json(folder / "status.json", read_status(folder) | {"after": name})


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, then do what comes after; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m lab.proxy.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--parent", type=int, default=0)
    parser.add_argument("--after", default="")
    parser.add_argument("--checkpoint-seconds", type=float)
    options = parser.parse_args(arguments)
    stop = Stop(options.parent)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
        signal.signal(number, stop.ask)
    threading.Thread(target=end_with_parent, args=(stop,), daemon=True).start()
    progress = Progress(should_stop=stop)
    try:
        return work(options, progress)
    except Cancelled:
        return STOPPED
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED


def work(options: argparse.Namespace, progress: Progress) -> int:
    """What the options ask for. Torch is imported here: signals are answered from the first moment
    on, though only heeded once it is there.
    """
    if load_run(options.folder).stage == "pretrain":
        from lab.proxy.train import CHECKPOINT_SECONDS, train

        train(
            options.folder,
            progress,
            device=options.device,
            threads=options.threads,
            checkpoint_seconds=options.checkpoint_seconds or CHECKPOINT_SECONDS,
        )
    else:
        from lab.proxy.posttraining.train import posttrain

        posttrain(options.folder, progress, device=options.device, threads=options.threads)
    if options.after:
        run_after(options.after, options.folder, progress)
        send_scores(options.folder)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
