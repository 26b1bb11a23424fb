"""Many runs side by side: a queue, as many worker processes as cores, one thread in each.

Two one-thread runs beside each other train 15 to 25 % more tokens a second than one after the other
with two threads, and their bits do not depend on the number of cores. A run that is asked for alone
gets all cores instead; one that was begun keeps the number of threads it began with, so that its
bits do not depend on who else was there. The longest runs go first: a long one that starts last
would work alone while the other cores are idle (Graham 1969: then at most 4/3 of the best time).

A failed attempt is repeated once, from its checkpoint; if it fails again it is reported and the
others go on. A worker that was told to stop by somebody else, such as a cluster that wants its node
back, is no failure as long as it gets further each time. Runs that another process works on are
left to it and looked at again. Asked to stop, or when this process dies, the workers checkpoint and
end; the same call continues.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.core.engine import ENGINE, cores
from lab.core.errors import Cancelled
from lab.core.lock import held
from lab.core.progress import SILENT, Progress
from lab.proxy.failure import last_words, memory_kills
from lab.proxy.launch import DONE, STOPPED, Launcher, open_launcher
from lab.proxy.record import Record, end_record, new_record, write_record
from lab.proxy.runs import Run, load_run, read_status, run_state

ATTEMPTS = 2
POLL = 0.2  # seconds between two looks at the workers
GRACE = 120.0  # seconds that workers get to write their checkpoints
FOLLOW_UP = 0.1  # of a run's training: what the work after it counts for in the progress bar


@dataclass(frozen=True, slots=True)
class Sweep:
    """What came of the runs: folders done, and id -> message of those that failed twice."""

    done: tuple[Path, ...]
    failed: dict[str, str]


@dataclass(slots=True)
class Attempt:
    """One try at one run; what was there when it began: bytes of log, tokens, memory kills."""

    run: Run
    number: int = 1
    handle: Any = None
    log_start: int = 0
    tokens: int = 0
    kills: int = 0


@dataclass(slots=True)
class Pool:
    """The state of a sweep."""

    root: Path
    launcher: Launcher
    record: Record
    threads: int
    arguments: list[str]
    queue: deque[Attempt]
    working: list[Attempt] = field(default_factory=list)
    done: dict[str, Path] = field(default_factory=dict)  # by id


def run_many(
    folders: Sequence[Path],
    *,
    device: str = "auto",
    after: str = "",
    checkpoint_seconds: float | None = None,
    progress: Progress = SILENT,
) -> Sweep:
    """Train prepared runs of one workspace on the engine in force; done ones are not repeated.

    `after` is a "module:function" that the worker calls as (ws, folder, progress) on a trained run;
    `checkpoint_seconds` the training that a kill may cost, if not what training itself chooses.
    Raises Cancelled once all workers have ended after a wish to stop, and what `open_launcher`
    raises.
    """
    runs = [load_run(folder) for folder in dict.fromkeys(folders)]
    todo = [run for run in runs if not is_complete(run, after)]
    done = {run.id: run.folder for run in runs if run not in todo}
    if not todo:
        return Sweep(tuple(done.values()), {})
    todo.sort(key=work_left, reverse=True)
    engine, root = ENGINE.get(), todo[0].folder.parent.parent
    launcher = open_launcher(engine, root, len(todo))
    workers = min(launcher.slots, len(todo))
    alone = len(runs) == 1 and engine.name == "local"
    record = new_record(engine, workers, after, [run.id for run in runs])
    queue = deque(Attempt(run) for run in todo)
    arguments = ["--device", device, *(["--after", after] if after else [])]
    if checkpoint_seconds is not None:
        arguments += ["--checkpoint-seconds", str(checkpoint_seconds)]
    pool = Pool(root, launcher, record, cores() if alone else 1, arguments, queue, done=done)
    try:
        write_record(root, record)
        drive(pool, todo, progress)
    finally:
        end_workers(pool)
        launcher.close()
        end_record(root, record)
    return Sweep(tuple(pool.done.values()), {name: record.errors[name] for name in record.failed})


def is_complete(run: Run, after: str) -> bool:
    """Whether nothing is left to do on a run."""
    return run_state(run.folder) == "done" and read_status(run.folder).get("after", "") == after


def work_left(run: Run) -> float:
    """Floating-point operations still to do, up to a factor: parameters times tokens."""
    size, words = run.hyperparameters, int(run.tokenizer["vocab_size"])
    return size.parameters(words) * (run.tokens - trained(run))


def drive(pool: Pool, todo: Sequence[Run], progress: Progress) -> None:
    """Start, watch and collect workers until all is done.

    Only runs that are worked on are looked at again: a sweep may have hundreds.
    """
    before = {run.id: trained(run) for run in todo}
    now = dict(before)
    total = sum(run.tokens - before[run.id] + follow_up(run, pool) for run in todo)
    while pool.queue or pool.working:
        fill(pool)
        time.sleep(POLL)
        statuses = {a.run.id: read_status(a.run.folder) for a in pool.working}
        now |= {a.run.id: trained(a.run, statuses[a.run.id]) for a in pool.working}
        for attempt in list(pool.working):
            status = pool.launcher.exit_status(attempt.handle)
            if status is not None:
                pool.working.remove(attempt)
                collect(pool, attempt, status)
        now |= {run.id: run.tokens for run in todo if run.id in pool.done}
        filed = sum(follow_up(run, pool) for run in todo if is_filed(run, pool))
        credit = sum(now.values()) - sum(before.values()) + filed
        progress.show(credit, max(total, 1), describe(pool, statuses))
        if progress.stopping:
            raise Cancelled("Stopped on request.", next_step="run the same command to continue")


def trained(run: Run, status: dict[str, Any] | None = None) -> int:
    """Tokens trained on so far, as `status` says, or the run's status now."""
    known = read_status(run.folder) if status is None else status
    return run.tokens * int(known.get("step", 0)) // run.steps


def saved(run: Run) -> int:
    """Tokens that an attempt begins with: all if trained, else those of the newest checkpoint."""
    if run_state(run.folder) == "done":
        return run.tokens
    steps = [int(p.name.removeprefix("step-")) for p in (run.folder / "checkpoint").glob("step-*")]
    return run.tokens * max(steps, default=0) // run.steps


def follow_up(run: Run, pool: Pool) -> int:
    """What the work after training counts for in the bar, in tokens."""
    return round(FOLLOW_UP * run.tokens) if pool.record.after else 0


def is_filed(run: Run, pool: Pool) -> bool:
    """Whether nothing more will be done for a run."""
    return run.id in pool.done or run.id in pool.record.failed


def describe(pool: Pool, statuses: dict[str, dict[str, Any]]) -> str:
    """How the sweep goes, in words: runs done, speed of those that train, what else is going on."""
    finished = len(pool.done) + len(pool.record.failed)
    everything = finished + len(pool.queue) + len(pool.working)
    known = [statuses[attempt.run.id] for attempt in pool.working]
    speeds = [s["tokens_per_second"] for s in known if s.get("state") == "running"]
    scoring = sum(s.get("state") == "done" for s in known)
    elsewhere = len(pool.queue) if len(pool.working) < pool.record.workers else 0
    words = [f"{finished} of {everything} runs done"]
    words += [f"{sum(speeds):,.0f} tokens/s"] if speeds else []
    words += [f"scoring {scoring}"] if scoring else []
    words += [f"waiting for {elsewhere} that another process works on"] if elsewhere else []
    return ", ".join(words)


def fill(pool: Pool) -> None:
    """Start work on the next runs that are free, and file those that others have finished."""
    for attempt in list(pool.queue):
        if len(pool.working) >= pool.record.workers:
            break
        if is_taken(attempt.run):
            continue
        pool.queue.remove(attempt)
        if is_complete(attempt.run, pool.record.after):
            pool.done[attempt.run.id] = attempt.run.folder
        else:
            start(pool, attempt)


def is_taken(run: Run) -> bool:
    """Whether a process works on a run: trains it, or does what comes after."""
    return held(run.folder / "training.json") or held(run.folder / "after.json")


def start(pool: Pool, attempt: Attempt) -> None:
    """Hand one run to a worker."""
    run, log = attempt.run, attempt.run.folder / "log.txt"
    attempt.log_start = log.stat().st_size if log.exists() else 0
    attempt.tokens, attempt.kills = saved(run), memory_kills()
    attempt.handle = pool.launcher.start(run.folder, pool.arguments, threads_of(run, pool))
    pool.working.append(attempt)
    pool.record.attempts[run.id] = pool.record.attempts.get(run.id, 0) + 1
    write_record(pool.root, pool.record)


def threads_of(run: Run, pool: Pool) -> int:
    """Threads for a run: those it began with, if it was begun, else the sweep's number."""
    begun = any((run.folder / "checkpoint").glob("step-*"))
    return int(read_status(run.folder).get("threads", pool.threads)) if begun else pool.threads


def collect(pool: Pool, attempt: Attempt, status: int) -> None:
    """File an ended attempt: done, to be tried again, or failed."""
    run, record = attempt.run, pool.record
    stopped = status == STOPPED and trained(run) > attempt.tokens
    if status == DONE or is_complete(run, record.after):
        pool.done[run.id] = run.folder
    elif stopped or is_taken(run):
        pool.queue.append(Attempt(run, attempt.number))
    else:
        log = run.folder / "log.txt"
        record.errors[run.id] = last_words(log, attempt.log_start, status, attempt.kills)
        if attempt.number < ATTEMPTS:
            pool.queue.append(Attempt(run, attempt.number + 1))
        else:
            record.failed.append(run.id)
    write_record(pool.root, record)


def end_workers(pool: Pool) -> None:
    """Ask what still works to stop, and wait until it has."""
    for attempt in pool.working:
        pool.launcher.stop(attempt.handle)
    deadline = time.monotonic() + GRACE
    while pool.working and time.monotonic() < deadline:
        pool.working = [a for a in pool.working if pool.launcher.exit_status(a.handle) is None]
        time.sleep(POLL / 4)
