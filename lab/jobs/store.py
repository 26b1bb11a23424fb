"""Jobs: anything over 200 ms runs in a process of its own, described by a folder.

    jobs/<utc>-<id>/
      spec.json      action, parameters, time of creation, folder that relative paths start from
      pid.json       process id and its start time (ids are reused; the pair is not)
      progress.json  done, total, message, seconds; at most five writes a second
      log.txt        everything the worker printed
      cancel.json    that somebody asked it to stop
      result.json    state done | failed | cancelled, with the result or the error

The state is derived, never stored twice: `result.json` decides; without it a live process is queued
or running; a dead one is `cancelled` if it was asked to stop (it may not have lived long enough to
say so), else `lost`, and can be resumed because steps keep what they finished. The worker is its
own session, so it survives the server and the terminal that started it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.core.errors import ConfigError
from lab.core.files import confined, write_json
from lab.core.lock import process_start
from lab.core.workspace import Workspace

STARTING_SECONDS = 15.0  # a folder without pid.json this young is starting, not lost
GRACE_SECONDS = 30.0  # between the polite request to stop and the kill: time for a checkpoint
ACTIVE = ("queued", "running")
DEATH_SECONDS = 5.0  # a killed process is gone in milliseconds, unless a disk holds it
CANCEL = "cancel.json"


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands now."""

    id: str
    folder: Path
    action: str
    params: dict[str, Any]
    state: str  # queued, running, done, failed, cancelled, lost
    done: float
    total: float
    message: str
    eta: float | None  # seconds
    created: datetime
    seconds: float
    error: str
    result: dict[str, Any] | None

    @property
    def active(self) -> bool:
        """True while a process works on it or waits to."""
        return self.state in ACTIVE

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of the worker's log; at most 20 kB are read."""
        try:
            with (self.folder / "log.txt").open("rb") as handle:
                size = handle.seek(0, os.SEEK_END)
                handle.seek(max(0, size - 20_000))
                text = handle.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def start_job(ws: Workspace, action: str, params: dict[str, Any]) -> Job:
    """Write the spec and start a detached worker; parameters are checked before anything runs."""
    from lab.jobs.actions import check_params

    check_params(action, params)
    created = datetime.now(UTC)
    job_id = f"{created:%Y%m%d-%H%M%S}-{created.microsecond // 1000:03d}{uuid.uuid4().hex[:4]}"
    folder = ws.jobs / job_id
    folder.mkdir(parents=True)
    spec = {"action": action, "params": params, "created": created.isoformat()}
    write_json(folder / "spec.json", spec | {"cwd": str(Path.cwd())})
    launch(ws, folder)
    return read_job(folder)


def launch(ws: Workspace, folder: Path) -> None:
    """Start the worker of a job folder in its own session, where its relative paths mean something;
    a resumed job may have been asked for elsewhere. `-P`: what lies there is not imported.
    """
    cwd = Path(read(folder / "spec.json").get("cwd", ""))
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-u", "-P", "-m", "lab.jobs.worker", str(ws.root), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd if cwd.is_dir() else None,
        )
    # A child that ends stays a zombie until it is waited for; the thread costs nothing.
    threading.Thread(target=process.wait, daemon=True).start()
    write_pid(folder, process.pid)


def write_pid(folder: Path, pid: int) -> None:
    """Say which process works on the job. Both sides do: the starter, so that the job can be
    cancelled at once, and the worker, in case the starter was killed before it could.
    """
    write_json(folder / "pid.json", {"pid": pid, "start": process_start(pid)})


def list_jobs(ws: Workspace) -> list[Job]:
    """All jobs, newest first."""
    folders = [p.parent for p in ws.jobs.glob("*/spec.json")]
    return [read_job(folder) for folder in sorted(folders, reverse=True)]


def get_job(ws: Workspace, job_id: str) -> Job:
    """One job; ConfigError if there is none of that id."""
    folder = confined(ws.jobs, job_id)
    if not (folder / "spec.json").is_file():
        raise ConfigError("Unknown job.", value=job_id, next_step="`mixlab jobs` lists them")
    return read_job(folder)


def read_job(folder: Path) -> Job:
    """The job in `folder`."""
    spec = read(folder / "spec.json")
    living = alive(folder, spec)  # asked first: a result written just before the end is still seen
    ended = "cancelled" if (folder / CANCEL).exists() else "lost"
    result = read(folder / "result.json")
    progress = read(folder / "progress.json")
    created = datetime.fromisoformat(spec["created"])
    running = "queued" if progress.get("queued") else "running"
    return Job(
        id=folder.name,
        folder=folder,
        action=spec["action"],
        params=spec["params"],
        state=result.get("state") or (running if living else ended),
        done=progress.get("done", 0.0),
        total=progress.get("total", 1.0),
        message=progress.get("message", ""),
        eta=progress.get("eta") if living else None,
        created=created,
        seconds=result.get("seconds") or progress.get("seconds", 0.0),
        error=result.get("error", ""),
        result=result.get("result"),
    )


def read(path: Path) -> dict[str, Any]:
    """A JSON object, or an empty one if the file is not there (yet)."""
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return value


def alive(folder: Path, spec: dict[str, Any]) -> bool:
    """True if the very process that was started is running."""
    own = read(folder / "pid.json")
    if not own:
        created = datetime.fromisoformat(spec["created"])
        return (datetime.now(UTC) - created).total_seconds() < STARTING_SECONDS
    return own["start"] is not None and process_start(own["pid"]) == own["start"]


def cancel_job(ws: Workspace, job_id: str, *, wait: bool = False) -> Job:
    """Ask the worker to checkpoint and stop; after a grace period its whole session is killed."""
    job = get_job(ws, job_id)
    own = read(job.folder / "pid.json")
    if job.active and own:
        write_json(job.folder / CANCEL, {"asked": datetime.now(UTC).isoformat()})
        signal_process(own["pid"], signal.SIGTERM)
        reaper = threading.Thread(target=kill_later, args=(job.folder, own["pid"]), daemon=not wait)
        reaper.start()
        if wait:
            reaper.join()
    return read_job(job.folder)


def kill_later(folder: Path, pid: int) -> None:
    """Kill the worker's process group if it is still alive after the grace period."""
    until_still(folder, pid, GRACE_SECONDS)
    if still_active(folder, pid):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        until_still(folder, pid, DEATH_SECONDS)


def until_still(folder: Path, pid: int, seconds: float) -> None:
    """Return once this worker has ended, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while still_active(folder, pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def still_active(folder: Path, pid: int) -> bool:
    """True while this very worker runs; a resumed job has another one."""
    return read_job(folder).active and read(folder / "pid.json").get("pid") == pid


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone needs none."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def resume_job(ws: Workspace, job_id: str) -> Job:
    """Start the same spec again in the same folder; steps skip what they had finished."""
    job = get_job(ws, job_id)
    if job.active:
        raise ConfigError("This job is still running.", value=job_id, next_step="cancel it first")
    for name in ("result.json", "pid.json", "progress.json", CANCEL):
        (job.folder / name).unlink(missing_ok=True)
    spec = read(job.folder / "spec.json") | {"created": datetime.now(UTC).isoformat()}
    write_json(job.folder / "spec.json", spec)
    launch(ws, job.folder)
    return read_job(job.folder)
