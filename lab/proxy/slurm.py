"""Runs as jobs of a Slurm cluster, one each, handed over by submitit.

submitit writes the call to make as a pickle, sends it off with sbatch, and reads the result from a
second pickle. These are its files, not ours: they lie under `cache/submitit/JOB/` in the workspace,
which both machines must share, hold a path and a few strings, and are deleted when the job is over.
Whoever can write there can run code as you; the same holds for the workspace's parent folder.

    --engine slurm --address "partition=cpu,time=60,mem=4"     60 minutes and 4 GB a job
    --engine slurm --address local                             submitit's own processes, on trial

`time` (minutes) and `mem` (GB) are submitit's, every other key is an option of sbatch with `_` for
`-`: account, qos, constraint, gres, ... Slurm gives out whole GPUs; a site that shares them has a
`gres` for it.

What can happen to a job:

    time limit, preemption   Slurm warns `WARNING` seconds before; the worker writes a checkpoint,
                             and the same job is queued again, at most `REQUEUES` times
    node lost, memory out    a failed attempt, its state in the run's log; the sweep tries once
                             more, from the checkpoint
    the sweep itself dies    jobs here end with it; those on other nodes are Slurm's and go on to
                             their end (`squeue -n mixlab`); the next sweep waits for them
"""

import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from lab.core.engine import Engine
from lab.core.errors import ConfigError, DependencyMissing
from lab.core.lock import process_start
from lab.proxy.launch import FAILED, POLL, start_worker

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

HOUR = 60  # minutes a job may take unless `time` says otherwise; it is queued again at the limit
REQUEUES = 20  # a run may take so many times the limit
WARNING = 60  # seconds between the signal and the limit, to write a checkpoint in
LOG_TAIL = 1000  # characters of Slurm's own words that go into the run's log

Owner = tuple[str, int, float | None]  # host, process and its start: the sweep


class Work:
    """The call that a job makes: train a run in a process of its own, stop it when told to."""

    process: subprocess.Popen[bytes]

    def __call__(self, folder: Path, arguments: list[str], threads: int, owner: Owner) -> int:
        """Exit status of the worker. SIGTERM ends it with a checkpoint, as does the sweep's end."""
        self.process = start_worker(folder, arguments, threads)
        signal.signal(signal.SIGTERM, self.pass_on)
        while self.process.poll() is None:
            if is_gone(owner):
                break
            time.sleep(POLL)
        return self.end()

    def pass_on(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the loop above sees the end."""
        self.process.terminate()

    def end(self) -> int:
        """Have the worker checkpoint and end; its status."""
        self.process.terminate()
        return self.process.wait()

    def checkpoint(self, *arguments: Any) -> "DelayedSubmission":
        """What submitit asks for before the limit: the call to make when the job has its turn."""
        from submitit.helpers import DelayedSubmission

        self.end()
        return DelayedSubmission(Work(), *arguments)


def is_gone(owner: Owner) -> bool:
    """Whether the sweep ran on this machine and is no more."""
    host, pid, start = owner
    return host == socket.gethostname() and process_start(pid) != start


class SlurmLauncher:
    """Jobs of Slurm; all at once unless a number of workers was asked for."""

    def __init__(self, engine: Engine, root: Path, runs: int) -> None:
        """Read the options; DependencyMissing without submitit, ConfigError for what Slurm or this
        machine does not have.
        """
        self.local, options = read_options(engine)
        self.slots = engine.workers or runs
        self.folder = root.resolve() / "cache" / "submitit"
        self.owner: Owner = (socket.gethostname(), os.getpid(), process_start(os.getpid()))
        self.logs: dict[str, Path] = {}
        self.executor = open_executor(self.folder, self.local, options)

    def start(self, folder: Path, arguments: Sequence[str], threads: int) -> Any:
        """See `Launcher`; ConfigError if sbatch refuses the job."""
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        self.executor.update_parameters(cpus_per_task=threads)
        try:
            job = self.executor.submit(Work(), folder, list(arguments), threads, self.owner)
        except (FailedJobError, FailedSubmissionError) as error:
            raise unusable(error) from error
        self.logs[job.job_id] = folder / "log.txt"
        return job

    def exit_status(self, handle: Any) -> int | None:
        """See `Launcher`; a job without a result was lost, and its last words go into the log."""
        from submitit.core.utils import FailedJobError, UncompletedJobError

        if not handle.done():
            return None
        try:
            if self.local and not handle.paths.result_pickle.exists():
                raise UncompletedJobError  # on this disk there is no result to come late
            status = int(handle.result())
        except (UncompletedJobError, FailedJobError):
            status = FAILED
            said = (handle.stderr() or "").strip()[-LOG_TAIL:]
            with self.logs[handle.job_id].open("a") as log:
                log.write(f"{said}\nThe job {handle.job_id} was lost ({handle.state}).\n")
        shutil.rmtree(handle.paths.folder, ignore_errors=True)
        return status

    def stop(self, handle: Any) -> None:
        """See `Launcher`. A process of submitit's is told as Slurm would tell it."""
        if not self.local:
            handle.cancel(check=False)
        elif handle.state == "RUNNING":
            os.kill(int(handle.job_id), signal.SIGTERM)

    def close(self) -> None:
        """Nothing is held."""


def read_options(engine: Engine) -> tuple[bool, dict[str, Any]]:
    """Whether to stay on this machine, and what `AutoExecutor.update_parameters` takes."""
    first, _, rest = (engine.address or "").partition(",")
    local = first == "local"
    pairs = rest if local else engine.address or ""
    options: dict[str, Any] = {"timeout_min": HOUR}
    for pair in filter(None, pairs.split(",")):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not (key and equals and value):
            raise ConfigError(
                "An option of Slurm is written key=value.",
                where="--address",
                value=pair,
                next_step='for example --address "partition=cpu,time=60,mem=4"',
            )
        name = {"time": "timeout_min", "mem": "mem_gb"}.get(key, f"slurm_{key}")
        options[name] = int(value) if value.isdecimal() else value
    if engine.gpus:
        options["gpus_per_node"] = whole_gpu(engine.gpus, local)
    return local, options


def whole_gpu(share: float, local: bool) -> int:
    """1; ConfigError for less, or where Slurm is not there to choose it."""
    if share < 1 or local:
        raise ConfigError(
            "Slurm gives a job whole GPUs, and submitit's own processes get none.",
            where="--gpus-per-run",
            value=share,
            next_step="--gpus-per-run 1; on a site that shares GPUs leave it out and add the "
            "site's gres to --address; on this machine use --engine local",
        )
    return 1


def open_executor(folder: Path, local: bool, options: dict[str, Any]) -> Any:
    """submitit's executor with these options; its own complaints become errors of ours."""
    try:
        import submitit
    except ImportError as error:
        raise DependencyMissing(
            "The Slurm engine needs the package `submitit`.",
            next_step="pip install 'mixlab[slurm]', or use --engine local",
        ) from error
    logging.getLogger("submitit").setLevel(logging.ERROR)
    try:
        executor = submitit.AutoExecutor(
            folder / "%j", cluster="local" if local else "slurm", slurm_max_num_timeout=REQUEUES
        )
        fixed = {"name": "mixlab", "nodes": 1, "tasks_per_node": 1, "slurm_signal_delay_s": WARNING}
        executor.update_parameters(**fixed, **options)
    except (RuntimeError, NameError, AssertionError, TypeError, ValueError) as error:
        raise unusable(error) from error
    return executor


def unusable(error: Exception) -> ConfigError:
    """What submitit or sbatch complains of, as an error of ours."""
    return ConfigError(
        "Slurm cannot be used this way.",
        where="--address",
        value=str(error).strip(),
        next_step="run it on a machine that has sbatch and srun, with options that sbatch has; "
        "or try `--address local`",
    )
