"""Run a pure function over shards: here in processes, on a cluster with Ray, same function.

A step is `function(task) -> result` with picklable task and result, importable by name; it reads
and writes files itself and knows nothing of the engine. The local engine starts fresh processes
(`spawn`: forking a process that holds threads can hang), so each worker pays its imports once,
about a second for Polars and numba, six for sentence-transformers. They end with this process, even
if it is killed, and leave Ctrl-C to it. One worker, or one task, runs in this process. Ray is an
extra (`pip install mixlab[ray]`).

Which engine is not a step's business, so it is no parameter of the steps: `running_on` sets it for
all that is called inside. A *share* is for job arrays: process k of n does the tasks whose part
number is k modulo n and then stops with `ShareDone`; the same command without a share finds their
parts and finishes.

`slurm` is for proxy runs, each of which becomes a job (`lab.proxy.slurm`). Shards stay in this
process's machine then: a step of many shards goes to Slurm as a job array of shares.
"""

import math
import multiprocessing
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from lab.core.errors import Cancelled, ConfigError, DependencyMissing, JobLost, ShareDone
from lab.core.progress import SILENT, Progress
from lab.core.quota import processor_quota

Task = TypeVar("Task")
Result = TypeVar("Result")

ENGINES = ("local", "ray", "slurm")
PART = re.compile(r"part-(\d+)\.parquet")  # a workspace or source may itself be called part-3


@dataclass(frozen=True, slots=True)
class Engine:
    """Where shards and runs are worked on: `name` is one of ENGINES, `workers` the processes (None:
    one a core), `address` that of a Ray cluster (None starts one here) or the options of Slurm,
    `share` (k, n) of a job array, `gpus` what a run takes of a GPU (0: nothing is reserved).
    """

    name: str = "local"
    workers: int | None = None
    address: str | None = None
    share: tuple[int, int] | None = None
    gpus: float = 0.0


LOCAL = Engine()
ENGINE: ContextVar[Engine] = ContextVar("engine", default=LOCAL)


@contextmanager
def running_on(engine: Engine) -> Iterator[None]:
    """Run the shards of everything called inside on `engine`. ConfigError for an unknown one."""
    if engine.name not in ENGINES:
        raise ConfigError("Unknown engine.", value=engine.name, next_step=f"one of {ENGINES}")
    if not 0 <= engine.gpus <= 1:
        raise ConfigError(
            "A run trains on one GPU at most.",
            where="--gpus-per-run",
            value=engine.gpus,
            next_step="a share between 0 and 1: 0.25 puts four runs on each GPU",
        )
    token = ENGINE.set(engine)
    try:
        yield
    finally:
        ENGINE.reset(token)


def sharing() -> bool:
    """True in a process of a job array, which must not do what all of them would do."""
    return ENGINE.get().share is not None


def cores() -> int:
    """Processors this process may use: by its affinity, and by its quota, rounded up."""
    here = hasattr(os, "sched_getaffinity")
    allowed = len(os.sched_getaffinity(0)) if here else os.cpu_count() or 1
    return math.ceil(min(allowed, processor_quota()))


def run_shards(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    processes_from: int = 2,
    progress: Progress = SILENT,
    message: str = "",
) -> list[Result]:
    """`[function(t) for t in tasks]`, in order, with progress by finished task.

    An exception in a task stops the rest and is raised here. Fewer tasks than `processes_from` run
    in this process unless a number of workers was asked for: starting processes costs seconds.
    Raises ShareDone once the own share of a job array is done: finishing is for one process.
    """
    engine = ENGINE.get()
    mine = own_tasks(tasks, engine.share)
    results: list[Any] = [None] * len(mine)
    count = min(engine.workers or cores(), len(mine))
    if engine.workers is None and len(mine) < processes_from:
        count = 1
    if engine.name == "ray":
        stream = on_ray(function, mine, engine, progress)
    elif count <= 1:
        stream = ((i, function(task)) for i, task in enumerate(mine))
    else:
        stream = in_processes(function, mine, count, progress)
    progress(0, max(len(mine), 1), message)
    for done, (index, result) in enumerate(stream, start=1):
        results[index] = result
        progress(done, len(mine), message)
    if engine.share:
        raise ShareDone(
            f"Share {engine.share[0]} of {engine.share[1]} is done: {message}.",
            value=f"{len(mine)} of {len(tasks)} shards",
            next_step="when all shares are done, run the same command without --shard",
        )
    return results


def own_tasks(tasks: Sequence[Task], share: tuple[int, int] | None) -> list[Task]:
    """The tasks of a share: those whose part number is k modulo n, whatever else is done by now.

    The number is that of the first `part-N.parquet` in the task, which every shard task names.
    """
    if share is None:
        return list(tasks)
    own, of = share
    return [task for task in tasks if int(PART.search(repr(task))[1]) % of == own]  # type: ignore[index]


def each_share(steps: Iterable[Callable[[], Result]]) -> list[Result]:
    """The results of all `steps`; ShareDone after the last of them if it was raised in any.

    So one process of a job array does its share of every source before it stops.
    """
    results, stopped = [], None
    for step in steps:
        try:
            results.append(step())
        except ShareDone as done:
            stopped = done
    if stopped:
        raise stopped
    return results


def in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, progress: Progress
) -> Iterator[tuple[int, Result]]:
    """Yield (index, result) as processes finish; a wish to stop is noticed in half a second."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=follow_parent)
    try:
        pending = {pool.submit(function, task): i for i, task in enumerate(tasks)}
        while pending:
            done, _ = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                yield pending.pop(future), future.result()
            if progress.stopping:
                raise Cancelled("Stopped on request.", next_step="run the same command to continue")
    except BrokenProcessPool as error:
        raise JobLost(
            "A worker process died, most likely for want of memory.",
            value=f"{workers} workers",
            next_step="run the same command with fewer --workers; finished shards are kept",
        ) from error
    finally:
        for process in list((pool._processes or {}).values()) if progress.stopping else []:
            process.terminate()  # a stop must not wait for a shard that takes minutes
        pool.shutdown(wait=True, cancel_futures=True)


def follow_parent() -> None:
    """Make this worker end with its parent, and ignore Ctrl-C, which the parent answers.

    A worker of a killed parent would wait for ever, or write beside the process that resumes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Wait for the end of the parent process, then end this one at once."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def on_ray(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    engine: Engine,
    progress: Progress,
) -> Iterator[tuple[int, Result]]:
    """Yield (index, result) from a Ray cluster whose nodes share the file system.

    An error raised in a task arrives as itself, not as Ray's wrapper of it.
    """
    ray = import_ray()
    start_ray(ray, engine.workers or cores(), engine.address)
    remote = ray.remote(function)
    pending = {remote.remote(task): i for i, task in enumerate(tasks)}
    try:
        while pending:
            ready, _ = ray.wait(list(pending), num_returns=1, timeout=0.5)
            for reference in ready:
                yield pending.pop(reference), ray.get(reference)
            if progress.stopping:
                raise Cancelled("Stopped on request.", next_step="run the same command to continue")
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
        raise JobLost(
            "A Ray worker died, most likely for want of memory.",
            value=str(error).splitlines()[0],
            next_step="run the same command again; finished shards are kept",
        ) from error
    finally:
        for reference in pending:
            ray.cancel(reference, force=progress.stopping)


def import_ray() -> Any:
    """The package, or DependencyMissing."""
    try:
        import ray
    except ImportError as error:
        raise DependencyMissing(
            "The Ray engine needs the package `ray`.",
            next_step="pip install 'mixlab[ray]', or use --engine local",
        ) from error
    return ray


def start_ray(ray: Any, workers: int, address: str | None) -> None:
    """Join the cluster at `address`, or start one here whose workers import what we can import."""
    if ray.is_initialized():
        return
    options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if address is None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        options |= {
            "num_cpus": workers,
            "include_dashboard": False,
            "runtime_env": {"env_vars": {"PYTHONPATH": path}},
        }
    require_cluster(address)
    ray.init(address=address, **options)


def require_cluster(address: str | None) -> None:
    """ConfigError where nobody listens at host:port: Ray itself would ask for minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon:
        return  # none, or `auto`
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise ConfigError(
            "No Ray cluster answers.",
            where="--address",
            value=address,
            next_step="start one with `ray start --head`, or leave --address out",
        ) from error
