"""Names for selections, kept as a journal with undo to any depth.

`selections/events.jsonl` holds one event a line and is only ever appended to
(`lab.curation.journal`); undo and redo are events of their own, as for tags.

    {"do": "name", "name": "recipes", "line": "map=3f09a1c2 cluster=3", "at": "..."}
    {"do": "forget", "name": "recipes", "at": "..."}
    {"do": "undo", "at": "..."}

A name stands for a predicate, so it costs a line whatever it holds, and follows the documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import ConfigError, nearest
from lab.core.workspace import Workspace
from lab.curation.journal import Record, read
from lab.curation.selections.predicate import Predicate, parse_predicate, write_predicate
from lab.curation.tags.checks import NAME
from lab.curation.undo import record, standing, step, unreadable


@dataclass(frozen=True, slots=True)
class Named:
    """`lines` by name; the events that could be taken back or restored, in words, "" if none."""

    lines: dict[str, str]
    last: str
    next: str


def events_file(ws: Workspace) -> Path:
    """Where the events are."""
    return ws.folder("selections", "events.jsonl")


def named(ws: Workspace) -> Named:
    """What stands now. Raises DataError for events that cannot have been written here."""
    try:
        return replay(read(events_file(ws)))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise unreadable(events_file(ws), error) from error


def replay(events: Sequence[Record]) -> Named:
    """The names after `events`, undo and redo applied."""
    done, undone = standing(events)
    lines: dict[str, str] = {}
    for event in done:
        if event["do"] == "name":
            lines[event["name"]] = event["line"]
        else:
            lines.pop(event["name"], None)
    words = [f"{s[-1]['do']} {s[-1]['name']}" if s else "" for s in (done, undone)]
    return Named(dict(sorted(lines.items())), *words)


def name_selection(ws: Workspace, name: str, predicate: Predicate) -> None:
    """Give a selection a name, in place of what had it; ConfigError for an impossible name or a
    predicate that asks for nothing.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            "This cannot be the name of a selection.",
            value=name,
            next_step="use a-z, 0-9, '-' and '_', beginning with a letter or digit, at most 63",
        )
    if not predicate.demands:
        raise ConfigError(
            "There is nothing to name: everything is selected.",
            next_step="draw an area, or choose clusters, sources or a range",
        )
    record(events_file(ws), {"do": "name", "name": name, "line": write_predicate(predicate)})


def forget_selection(ws: Workspace, name: str) -> None:
    """Take a name away; ConfigError for one that is not there."""
    line_of(ws, name)
    record(events_file(ws), {"do": "forget", "name": name})


def selection_of(ws: Workspace, name: str) -> Predicate:
    """The predicate of a name; ConfigError for one that is not there."""
    return parse_predicate(line_of(ws, name))


def line_of(ws: Workspace, name: str) -> str:
    """The line of a name."""
    lines = named(ws).lines
    if name not in lines:
        raise ConfigError("Unknown selection.", value=name, next_step=nearest(name, list(lines)))
    return lines[name]


def undo(ws: Workspace) -> str:
    """Take back the last event that stands; it in words, "" if there was none."""
    return step(events_file(ws), "undo", lambda: named(ws).last)


def redo(ws: Workspace) -> str:
    """Restore the last event taken back; it in words, "" if there was none."""
    return step(events_file(ws), "redo", lambda: named(ws).next)
