"""The process behind a job: `python -m lab.jobs.worker WORKSPACE JOB_FOLDER`.

It waits for its turn (older jobs first, then the workspace's write lock), runs the action, and
writes what came of it. SIGTERM asks the action to stop at its next report or checkpoint.
"""

import os
import signal
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from lab.core.errors import Cancelled, LabError, WorkspaceError
from lab.core.files import write_json
from lab.core.progress import Progress, Report
from lab.core.workspace import Workspace, open_workspace
from lab.jobs.actions import run_action
from lab.jobs.store import list_jobs, read, write_pid

POLL = 0.3  # seconds between two looks at the queue
NICE = 5  # the app and the user's other programs come first


class Stop:
    """Set by SIGTERM or SIGINT."""

    asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Signal handler."""
        self.asked = True


def main(root: Path, folder: Path) -> int:
    """Run the job; 0 if it is done."""
    stop = Stop()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    os.nice(NICE)
    write_pid(folder, os.getpid())
    started = time.monotonic()
    outcome = attempt(root, folder, stop)
    write_json(folder / "result.json", outcome | {"seconds": time.monotonic() - started})
    return 0 if outcome["state"] == "done" else 1


def attempt(root: Path, folder: Path, stop: Stop) -> dict[str, Any]:
    """Run the action and say what came of it; the worker is one of the three edges of errors."""
    spec = read(folder / "spec.json")
    try:
        ws = open_workspace(root)
        wait_for_turn(ws, folder, stop)
        with ExitStack() as held:
            wait_for_lock(ws, folder, f"job {folder.name} ({spec['action']})", stop, held)
            report = Progress(lambda r: write_progress(folder, r), lambda: stop.asked)
            result = run_action(ws, spec["action"], spec["params"], report)
    except Cancelled:
        return {"state": "cancelled"}
    except LabError as error:
        return {"state": "cancelled" if stop.asked else "failed", "error": str(error)}
    except Exception as error:  # noqa: BLE001 - the edge: a fault of ours becomes a visible failure
        traceback.print_exc()
        fault = f"{type(error).__name__}: {error}\n  next:  the log of this job has the traceback"
        return {"state": "cancelled" if stop.asked else "failed", "error": fault}
    return {"state": "done", "result": result}


def write_progress(folder: Path, report: Report) -> None:
    """One look at the running step, for whoever watches."""
    value = {
        "done": report.done,
        "total": report.total,
        "message": report.message,
        "seconds": report.seconds,
        "eta": report.eta,
    }
    write_json(folder / "progress.json", value)


def wait_for_turn(ws: Workspace, folder: Path, stop: Stop) -> None:
    """Return once no older job is active: one heavy job at a time, in order of their start."""
    while True:
        ahead = [j for j in list_jobs(ws) if j.id < folder.name and j.active]
        if stop.asked:
            raise Cancelled("Cancelled while waiting.")
        if not ahead:
            break
        say_waiting(folder, f"{ahead[-1].action} ({ahead[-1].id})")
        time.sleep(POLL)


def wait_for_lock(ws: Workspace, folder: Path, purpose: str, stop: Stop, held: ExitStack) -> None:
    """Enter the workspace's lock into `held`, however long another process, such as a command in a
    terminal, keeps it.
    """
    while True:
        if stop.asked:
            raise Cancelled("Cancelled while waiting.")
        try:
            held.enter_context(ws.lock(purpose, patience=POLL))
            break
        except WorkspaceError as error:
            say_waiting(folder, str(error.value))
    write_json(folder / "progress.json", {"message": "starting"})


def say_waiting(folder: Path, what: str) -> None:
    """Show the job as queued."""
    write_json(folder / "progress.json", {"queued": True, "message": f"waiting for {what}"})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
