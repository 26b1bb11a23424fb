"""Why a worker ended, in words: what it said, or what the signal that ended it usually means.

A worker that is killed says nothing. The kernel counts the processes it has killed for want of
memory (`oom_kill` in /proc/vmstat and in the control group's memory.events); if the count rose
while the worker ran, that is the likely cause, else only a guess.
"""

import signal
from pathlib import Path

LOG_TAIL = 2000  # characters of a failed worker's log in its report
COUNTERS = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))
MEMORY = "run it again with fewer --workers, or at a smaller size; the checkpoint is kept"
CAUSES = {
    signal.SIGBUS: "Most likely the disk, or /dev/shm, is full, or a file was cut while it was "
    "read.",
    signal.SIGILL: "Most likely torch was built for another processor.",
    signal.SIGSEGV: "A fault in native code: torch, or what it calls.",
    signal.SIGXCPU: "A limit on processor time.",
}


def memory_kills() -> int:
    """Processes that the kernel has killed for want of memory, as far as it says; else 0."""
    found = 0
    for path in COUNTERS:
        if path.is_file():
            lines = (line.split() for line in path.read_text().splitlines())
            found += sum(int(value) for name, value in lines if name == "oom_kill")
    return found


def last_words(log: Path, start: int, status: int, kills_before: int) -> str:
    """What the worker wrote to `log` from byte `start` on, and what its status says.

    `status` is minus the signal's number, or an exit status; `kills_before` was `memory_kills()`
    when it began.
    """
    said = log.read_bytes()[start:].decode("utf-8", "replace") if log.is_file() else ""
    said = said.strip()[-LOG_TAIL:]
    if status >= 0:
        return said or f"The worker ended with status {status} and said nothing."
    number = -status
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    words = f"The worker was ended by signal {number} ({name}). {cause(number, kills_before)}"
    return f"{words}\n{said}" if said else words


def cause(number: int, kills_before: int) -> str:
    """The likely cause of a signal, and what to do."""
    if number == signal.SIGKILL and memory_kills() > kills_before:
        return f"The kernel killed a process for want of memory meanwhile: {MEMORY}."
    if number == signal.SIGKILL:
        return f"Most likely memory ran out, unless somebody killed it: {MEMORY}."
    known = {signal.Signals(key): words for key, words in CAUSES.items()}
    return known.get(signal.Signals(number), "") if number in set(signal.Signals) else ""
