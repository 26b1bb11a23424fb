"""One process at a time: a lock that the system releases when its holder dies.

The lock itself is the operating system's (`filelock`: flock on Unix), so a killed process leaves
nothing to clean up. Beside it a small JSON file says who holds it: readers compare pid *and* start
time with the living process, because pids are reused. A holder on another machine cannot be looked
at; there the lock itself is tried, which needs a file system whose locks reach across machines.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from lab.core.errors import WorkspaceError
from lab.core.files import disk_error, read_json, write_json

POLL = 0.1  # seconds between two attempts


@contextmanager
def hold(path: Path, purpose: str, patience: float, busy: str) -> Iterator[None]:
    """Hold the lock whose description is `path`, waiting up to `patience` seconds for it.

    Raises WorkspaceError with the text `busy` and the holder's pid and purpose, LabError where the
    folder cannot be written.
    """
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=patience, poll_interval=POLL)
    except Timeout as error:
        holder = read_holder(path) or {}
        raise WorkspaceError(
            busy,
            where=str(path.parent),
            value=f"process {holder.get('pid')}: {holder.get('purpose')}",
            next_step="wait for it, or see `mixlab jobs` to cancel it; reading is always possible",
        ) from error
    except OSError as error:
        raise disk_error(error, path) from error
    try:
        own = {
            "pid": os.getpid(),
            "start": process_start(os.getpid()),
            "host": socket.gethostname(),
            "purpose": purpose,
        }
        write_json(path, own)
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def process_start(pid: int) -> float | None:
    """When a live process started; None if it is dead or a zombie.

    Seconds since the machine did on Linux, since the epoch elsewhere: on Linux the time since the
    epoch is made from the clock, and would change when that is set.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        moved = psutil.boot_time() if psutil.LINUX else 0.0
        return round(process.create_time() - moved, 2)
    except psutil.Error:
        return None


def read_holder(path: Path) -> dict[str, Any] | None:
    """Who holds or last held the lock: pid, start, purpose; None if nobody does."""
    try:
        holder: dict[str, Any] = read_json(path)
    except FileNotFoundError:
        return None
    return holder


def held(path: Path) -> bool:
    """True while the process named in `path` lives, here or on another machine."""
    holder = read_holder(path)
    if holder is None:
        return False
    if holder.get("host", socket.gethostname()) != socket.gethostname():
        return locked(path)
    return process_start(int(holder["pid"])) == holder["start"]


def locked(path: Path) -> bool:
    """True if the lock described by `path` cannot be had now."""
    try:
        with FileLock(path.with_suffix(".lock")).acquire(timeout=0):
            return False
    except Timeout:
        return True
