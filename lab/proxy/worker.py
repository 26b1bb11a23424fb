"""The process that trains one run: `python -m lab.proxy.worker FOLDER [--threads N] [--after M:F]`.

It is started with `lab.proxy.environment.worker_environment` and stops, with a checkpoint, on
SIGTERM or SIGINT, or when the process that started it is gone, so that nothing keeps computing
unseen.
`--after module:function` names what to call as `function(ws, folder, progress)` once the run is
trained: evaluation is a later stage, which this one may start but not know. Exit status: 0 done, 1
failed (message on standard error), 130 stopped.
"""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from lab.core.errors import Cancelled, LabError
from lab.core.files import write_json
from lab.core.progress import Progress
from lab.core.workspace import open_workspace
from lab.proxy.runs import read_status
from lab.proxy.train import train

DONE, FAILED, STOPPED = 0, 1, 130


class Stop:
    """Whether to stop: a signal came, or `parent` is no longer our parent (0: never mind)."""

    def __init__(self, parent: int) -> None:
        """Nobody has asked yet."""
        self.parent = parent
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Signal handler."""
        self.asked = True

    def __call__(self) -> bool:
        """Asked before every step."""
        return self.asked or bool(self.parent and os.getppid() != self.parent)


def run_after(name: str, folder: Path, progress: Progress) -> None:
    """Call `name` on a trained run, and note in its status that it was done."""
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
    options = parser.parse_args(arguments)
    stop = Stop(options.parent)
    signal.signal(signal.SIGTERM, stop.ask)
    signal.signal(signal.SIGINT, stop.ask)
    progress = Progress(should_stop=stop)
    try:
        train(options.folder, progress, device=options.device, threads=options.threads)
        if options.after:
            run_after(options.after, options.folder, progress)
    except Cancelled:
        return STOPPED
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
