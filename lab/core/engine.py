"""Run a pure function over shards: here in processes, on a cluster with Ray, same function.

A step is `function(task) -> result` with picklable task and result, importable by name; it reads
and writes files itself and knows nothing of the engine. The local engine starts fresh processes
(`spawn`: forking a process that holds threads can hang), so each worker pays its imports once,
about a second for Polars and numba, six for sentence-transformers. They end with this process, even
if it is killed, and leave Ctrl-C to it. One worker, or one task, runs in this process. Ray is an
extra (`pip install mixlab[ray]`).
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from lab.core.errors import Cancelled, ConfigError, DependencyMissing, JobLost
from lab.core.progress import SILENT, Progress

Task = TypeVar("Task")
Result = TypeVar("Result")

ENGINES = ("local", "ray")


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_shards(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    progress: Progress = SILENT,
    message: str = "",
) -> list[Result]:
    """`[function(t) for t in tasks]`, in order, with progress by finished task.

    An exception in a task stops the rest and is raised here. `engine` is one of `ENGINES`;
    `address` is Ray's (None starts a local cluster).
    """
    if engine not in ENGINES:
        raise ConfigError("Unknown engine.", value=engine, next_step=f"one of {ENGINES}")
    results: list[Any] = [None] * len(tasks)
    count = min(workers or cores(), len(tasks))
    if engine == "ray":
        stream = on_ray(function, tasks, workers or cores(), address)
    elif count <= 1:
        stream = ((i, function(task)) for i, task in enumerate(tasks))
    else:
        stream = in_processes(function, tasks, count, progress)
    progress(0, max(len(tasks), 1), message)
    for done, (index, result) in enumerate(stream, start=1):
        results[index] = result
        progress(done, len(tasks), message)
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
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, address: str | None
) -> Iterator[tuple[int, Result]]:
    """Yield (index, result) from a Ray cluster whose nodes share the file system."""
    try:
        import ray
    except ImportError as error:
        raise DependencyMissing(
            "The Ray engine needs the package `ray`.",
            next_step="pip install 'mixlab[ray]', or use --engine local",
        ) from error
    ray.init(address=address, num_cpus=None if address else workers, ignore_reinit_error=True)
    remote = ray.remote(function)
    pending = {remote.remote(task): i for i, task in enumerate(tasks)}
    while pending:
        ready, _ = ray.wait(list(pending), num_returns=1)
        for reference in ready:
            yield pending.pop(reference), ray.get(reference)
