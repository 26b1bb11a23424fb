"""Where the processes of a sweep run: on this machine, on a Ray cluster, or as jobs of Slurm.

A launcher starts a command for one run, says later how it ended, and can ask it to stop. All run
the same command, `python -m lab.proxy.worker`, whose output goes to `log.txt` in the run's folder;
with Ray and Slurm the workspace must lie on a file system that all nodes share, locks included, and
the code be installed on them. A machine that goes away is a failed attempt, and the next one
resumes from the checkpoint.

How many runs at once (`slots`) is for the launcher to say. Here: one a core, and no more than fit
on the GPUs if each takes a share of one; the share is bookkeeping (`CUDA_VISIBLE_DEVICES`), no
limit on memory, and runs on one GPU take turns, so a share only pays while a run leaves it idle. On
a Ray cluster that was started elsewhere: all runs, so that an autoscaler sees what is wanted.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

from lab.core.engine import Engine, cores, import_ray, start_ray
from lab.core.errors import ConfigError
from lab.proxy.environment import worker_environment

DONE, FAILED, STOPPED = 0, 1, 130  # how a worker ends when it can choose
POLL = 0.2  # seconds between two looks at a worker on another node
COLOUR = re.compile(r"\x1b\[\d+m")  # Ray writes for terminals


class Launcher(Protocol):
    """Starts workers, at most `slots` at once; a handle is whatever `start` returns."""

    slots: int

    def start(self, folder: Path, arguments: Sequence[str], threads: int) -> Any:
        """Begin work on a run; a handle."""

    def exit_status(self, handle: Any) -> int | None:
        """How it ended, minus the number of a signal that ended it; None while it works."""

    def stop(self, handle: Any) -> None:
        """Ask it to checkpoint and end."""

    def close(self) -> None:
        """Give back what the launcher holds."""


def open_launcher(engine: Engine, root: Path, runs: int) -> Launcher:
    """The launcher of `engine` for that many runs of the workspace at `root`.

    Raises DependencyMissing if the engine's package is not installed, ConfigError if it cannot be
    reached or has no GPU to give.
    """
    if engine.name == "ray":
        return RayLauncher(engine, runs)
    if engine.name == "slurm":
        from lab.proxy.slurm import SlurmLauncher

        return SlurmLauncher(engine, root, runs)
    return LocalLauncher(engine)


def start_worker(
    folder: Path, arguments: Sequence[str], threads: int, gpu: str | None = None
) -> subprocess.Popen[bytes]:
    """A worker process on this machine, child of this process, writing to the run's log.

    `-P` keeps the working directory off its path: a `random.py` there is not Python's.
    """
    command = [sys.executable, "-P", "-m", "lab.proxy.worker", str(folder), *arguments]
    command += ["--threads", str(threads), "--parent", str(os.getpid())]
    own = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            command,
            env=os.environ | worker_environment(threads) | own,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


class LocalLauncher:
    """Processes on this machine; with a share of a GPU each, spread over the GPUs in turn."""

    def __init__(self, engine: Engine) -> None:
        """Count the places; ConfigError if GPUs are wanted and none is here."""
        self.slots = engine.workers or cores()
        self.free = gpu_places(engine.gpus) if engine.gpus else []
        self.taken: dict[int, str] = {}
        if engine.gpus:
            self.slots = min(self.slots, len(self.free))

    def start(
        self, folder: Path, arguments: Sequence[str], threads: int
    ) -> subprocess.Popen[bytes]:
        """See `Launcher`."""
        gpu = self.free.pop(0) if self.free else None
        process = start_worker(folder, arguments, threads, gpu)
        if gpu is not None:
            self.taken[process.pid] = gpu
        return process

    def exit_status(self, handle: subprocess.Popen[bytes]) -> int | None:
        """See `Launcher`."""
        status = handle.poll()
        if status is not None and handle.pid in self.taken:
            self.free.append(self.taken.pop(handle.pid))
        return status

    def stop(self, handle: subprocess.Popen[bytes]) -> None:
        """See `Launcher`."""
        handle.terminate()

    def close(self) -> None:
        """Nothing is held."""


def gpu_places(share: float) -> list[str]:
    """The GPU of each place, all GPUs in turn: for two GPUs and half a GPU a run 0, 1, 0, 1."""
    visible = visible_gpus()
    if not visible:
        raise ConfigError(
            "No GPU is visible here.",
            where="--gpus-per-run",
            value=share,
            next_step="leave it out to train on the CPU, or look at CUDA_VISIBLE_DEVICES",
        )
    return visible * int(1 / share + 1e-9)


def visible_gpus() -> list[str]:
    """Names that CUDA_VISIBLE_DEVICES takes for the GPUs of this process; -1 ends the list."""
    import torch

    listed = os.environ.get("CUDA_VISIBLE_DEVICES", "").replace(" ", "").split(",")
    named = list(takewhile(lambda name: name != "-1", filter(None, listed)))
    return named or [str(number) for number in range(torch.cuda.device_count())]


class RayLauncher:
    """Tasks on a Ray cluster, one worker process each; without an address, a cluster here."""

    def __init__(self, engine: Engine, runs: int) -> None:
        """Connect; DependencyMissing if Ray is not installed."""
        self.ray = import_ray()
        self.gpus = engine.gpus
        self.slots = engine.workers or (runs if engine.address else cores())
        self.most = None if engine.address else self.slots  # processors of a cluster started here
        self.logs: dict[Any, Path] = {}
        start_ray(self.ray, self.slots, engine.address)

    def start(self, folder: Path, arguments: Sequence[str], threads: int) -> Any:
        """See `Launcher`. A run that was begun with more threads than a cluster here has processors
        keeps them, but waits for no more places than there are.
        """
        task = self.ray.remote(max_retries=0)(work)
        placed = task.options(num_cpus=min(threads, self.most or threads), num_gpus=self.gpus)
        handle = placed.remote(folder, list(arguments), threads)
        self.logs[handle] = folder / "log.txt"
        return handle

    def exit_status(self, handle: Any) -> int | None:
        """See `Launcher`; a task without a result failed, and Ray's words go into the log."""
        if not self.ray.wait([handle], timeout=0)[0]:
            return None
        try:
            return int(self.ray.get(handle))
        except self.ray.exceptions.RayError as error:
            said = COLOUR.sub("", str(error))
            with self.logs[handle].open("a", encoding="utf-8") as log:
                log.write(f"The task of Ray was lost.\n{said}\n")
            return FAILED

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
