"""Undo and redo over a journal: events of their own, so that nothing written is ever cut out.

Two stacks: events that stand and events taken back. An undo moves the top of the first to the
second, a redo moves it back, any other event empties the second. So undo reaches to the first event
and spans sessions and processes. What the standing events amount to is for each journal to say.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lab.core.errors import DataError
from lab.curation.journal import Record, append, writing


def standing(events: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """(events that stand, events taken back), the last one last. A loop: each rests on the last.

    IndexError for an undo or redo with nothing to move, KeyError for an event without "do".
    """
    done: list[Record] = []
    undone: list[Record] = []
    for event in events:
        if event["do"] == "undo":
            undone.append(done.pop())
        elif event["do"] == "redo":
            done.append(undone.pop())
        else:
            done.append(event)
            undone.clear()
    return done, undone


def unreadable(path: Path, error: Exception) -> DataError:
    """What to raise for events that cannot have been written here."""
    return DataError(
        "These events cannot be replayed.",
        where=str(path),
        value=f"{type(error).__name__}: {error}",
        next_step="restore the file from a copy; a line was changed by hand",
    )


def record(path: Path, event: Record) -> None:
    """Append one event, with its time (UTC)."""
    with writing(path, str(event["do"])):
        append(path, [event | {"at": now()}])


def step(path: Path, what: str, movable: Callable[[], str]) -> str:
    """Write an undo or redo and return what it moves, in words; "" if `movable` finds nothing.

    It is asked under the lock: another process may have moved the same event meanwhile.
    """
    with writing(path, what):
        moved = movable()
        if moved:
            append(path, [{"do": what, "at": now()}])
    return moved


def now() -> str:
    """The time of an event, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
