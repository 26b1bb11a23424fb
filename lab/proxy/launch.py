"""Where the processes of a sweep run: on this machine, or on the nodes of a Ray cluster.

A launcher starts a command for one run, says later how it ended, and can ask it to stop. Both run
the same command, `python -m lab.proxy.worker`, whose output goes to `log.txt` in the run's
folder; with Ray the workspace must lie on a file system that all nodes share, and the code be
installed on them. A machine that goes away is a failed attempt, and the next one resumes from the
checkpoint.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from lab.core.engine import ENGINES
from lab.core.errors import ConfigError, DependencyMissing
from lab.proxy.environment import worker_environment

POLL = 0.2  # seconds between two looks at a worker on another node


class Launcher(Protocol):
    """Starts workers; a handle is whatever `start` returns."""

    def start(self, folder: Path, arguments: Sequence[str], threads: int) -> Any:
        """Begin work on a run; a handle."""

    def exit_status(self, handle: Any) -> int | None:
        """How it ended, or None while it works."""

    def stop(self, handle: Any) -> None:
        """Ask it to checkpoint and end."""

    def close(self) -> None:
        """Give back what the launcher holds."""


def open_launcher(engine: str, workers: int, address: str | None) -> Launcher:
    """The launcher for one of `lab.core.engine.ENGINES`; ConfigError for any other."""
    if engine not in ENGINES:
        raise ConfigError("Unknown engine.", value=engine, next_step=f"one of {ENGINES}")
    return RayLauncher(workers, address) if engine == "ray" else LocalLauncher()


def start_worker(folder: Path, arguments: Sequence[str], threads: int) -> subprocess.Popen[bytes]:
    """A worker process on this machine, child of this process, writing to the run's log."""
    command = [sys.executable, "-m", "lab.proxy.worker", str(folder), *arguments]
    command += ["--threads", str(threads), "--parent", str(os.getpid())]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            command,
            env=os.environ | worker_environment(threads),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


class LocalLauncher:
    """Processes on this machine."""

    def start(
        self, folder: Path, arguments: Sequence[str], threads: int
    ) -> subprocess.Popen[bytes]:
        """See `Launcher`."""
        return start_worker(folder, arguments, threads)

    def exit_status(self, handle: subprocess.Popen[bytes]) -> int | None:
        """See `Launcher`."""
        return handle.poll()

    def stop(self, handle: subprocess.Popen[bytes]) -> None:
        """See `Launcher`."""
        handle.terminate()

    def close(self) -> None:
        """Nothing is held."""


class RayLauncher:
    """Tasks on a Ray cluster, one worker process each; `address` None starts a local cluster."""

    def __init__(self, workers: int, address: str | None) -> None:
        """Connect; DependencyMissing if Ray is not installed."""
        try:
            import ray
        except ImportError as error:
            raise DependencyMissing(
                "The Ray engine needs the package `ray`.",
                next_step="pip install 'mixlab[ray]', or use --engine local",
            ) from error
        self.ray = ray
        ray.init(address=address, num_cpus=None if address else workers, ignore_reinit_error=True)

    def start(self, folder: Path, arguments: Sequence[str], threads: int) -> Any:
        """See `Launcher`."""
        task = self.ray.remote(max_retries=0)(work)
        return task.options(num_cpus=threads).remote(folder, list(arguments), threads)

    def exit_status(self, handle: Any) -> int | None:
        """See `Launcher`; a task that was lost with its node counts as failed."""
        if not self.ray.wait([handle], timeout=0)[0]:
            return None
        try:
            return int(self.ray.get(handle))
        except self.ray.exceptions.RayError:
            return 1

    def stop(self, handle: Any) -> None:
        """Interrupt the task, which passes it on to its worker."""
        self.ray.cancel(handle)

    def close(self) -> None:
        """Disconnect."""
        self.ray.shutdown()


def work(folder: Path, arguments: list[str], threads: int) -> int:
    """Train a run on the node where this is called, and wait for the end; on interruption, stop it.

    It polls, because Ray's interruption does not wake a thread that waits in the system.
    """
    process = start_worker(folder, arguments, threads)
    try:
        while process.poll() is None:
            time.sleep(POLL)
    finally:
        process.terminate()
        process.wait()
    return int(process.returncode)
