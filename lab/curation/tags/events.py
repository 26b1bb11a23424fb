"""The state that a log of tag events leaves: replay, with undo and redo as events of their own.

What stands (`lab.curation.undo`) is folded into three tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from lab.curation.journal import Record, read
from lab.curation.undo import standing, unreadable

TAGS = {"id": pl.String, "tag": pl.String}
NOTES = {"id": pl.String, "note": pl.String}
VOTES = {"id": pl.String, "question": pl.String, "by": pl.String, "keep": pl.Boolean}


@dataclass(frozen=True, slots=True)
class State:
    """What stands: tags (id, tag), notes (id, note), votes (id, question, by, keep), each sorted;
    `known` are all tags in use; `undone` and `done` the number of events that could be restored or
    taken back; `last` and `next` those two events in words, "" if there is none.
    """

    tags: pl.DataFrame
    notes: pl.DataFrame
    votes: pl.DataFrame
    known: tuple[str, ...]
    done: int
    undone: int
    last: str
    next: str


@lru_cache(maxsize=4)
def replay_file(path: Path, size: int, changed: int, inode: int) -> State:
    """`replay` of a file; the other arguments only say when to forget.

    Raises DataError for a damaged line, or for events that cannot have been written here.
    """
    events = read(path)
    try:
        return replay(events)
    except (KeyError, IndexError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        raise unreadable(path, error) from error


def replay(events: Sequence[Record]) -> State:
    """The state after `events`, undo and redo applied. A loop over events: see above."""
    done, undone = standing(events)
    words = [in_words(stack[-1]) if stack else "" for stack in (done, undone)]
    known = {event["tag"] for event in done if event["do"] == "tag"}
    return State(
        standing_tags(done),
        standing_notes(done),
        standing_votes(done),
        tuple(sorted(known)),
        len(done),
        len(undone),
        words[0],
        words[1],
    )


def standing_tags(events: Sequence[Record]) -> pl.DataFrame:
    """Columns id, tag of the documents that bear each tag."""
    bearers: dict[str, dict[str, None]] = {}
    for event in events:
        if event["do"] == "tag":
            own = bearers.setdefault(event["tag"], {})
            if event["on"]:
                own.update(dict.fromkeys(event["ids"]))
            else:
                for name in event["ids"]:
                    own.pop(name, None)
    frames = [
        pl.DataFrame({"id": list(ids), "tag": [name] * len(ids)}, schema=TAGS)
        for name, ids in bearers.items()
    ]
    return pl.concat([pl.DataFrame(schema=TAGS), *frames]).sort("id", "tag")


def standing_notes(events: Sequence[Record]) -> pl.DataFrame:
    """Columns id, note."""
    notes = {event["id"]: event["text"] for event in events if event["do"] == "note"}
    rows = [(name, text) for name, text in notes.items() if text]
    return pl.DataFrame(rows, schema=NOTES, orient="row").sort("id")


def standing_votes(events: Sequence[Record]) -> pl.DataFrame:
    """Columns id, question, by, keep: the last vote of each person on each question."""
    votes = {
        (event["id"], event["question"], event.get("by", "")): event["keep"]
        for event in events
        if event["do"] == "vote"
    }
    rows = [(*key, keep) for key, keep in votes.items()]
    return pl.DataFrame(rows, schema=VOTES, orient="row").sort("id", "question", "by")


def in_words(event: Record) -> str:
    """What an event did, for the button that takes it back."""
    if event["do"] == "tag":
        count = f"{len(event['ids'])} document" + ("s" if len(event["ids"]) != 1 else "")
        return f"{'tag' if event['on'] else 'untag'} {count}: {event['tag']}"
    if event["do"] == "note":
        return f"note on {event['id']}"
    return f"vote {'keep' if event['keep'] else 'drop'} on {event['id']}"
