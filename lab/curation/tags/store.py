"""Tags, notes and votes that people give to documents, with undo to any depth.

`tags/events.jsonl` holds one event a line and is only ever appended to (`lab.curation.journal`).
The state is what remains when the events are replayed in order: `undo` takes back the last event
that stands, `redo` restores the last one taken back, and a new event forgets what could be
redone. Tagging any number of documents is one event, so one undo takes it back. Undo spans
sessions and processes, because it is written down as well.

    {"do": "tag", "tag": "spam", "on": true, "ids": ["web/17", "web/18"], "at": "..."}
    {"do": "note", "id": "web/17", "text": "cites its sources", "at": "..."}
    {"do": "vote", "id": "web/17", "question": "educational", "keep": true, "by": "ann", "at": ...}
    {"do": "undo", "at": "..."}

A tag is a Boolean column `tags.NAME` of every source, usable in rules like a signal; it is stored
on demand, under the documents that bear it, so other tags do not make it stale. Replaying costs
3 us an event and 0.3 us an id, and is remembered until the file grows.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, build, find, write_part
from lab.core.errors import ArtifactMissing, DataError, nearest
from lab.core.files import digest, write_text
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.journal import writing
from lab.curation.tags.checks import check_id, check_tag, checked
from lab.curation.tags.events import State, replay, replay_file
from lab.curation.undo import record, step

STEP, VERSION = "tags", 1
NOTE_LIMIT = 10_000  # characters
QUESTION_LIMIT = 200


def tag(ws: Workspace, ids: Sequence[str], tag: str, on: bool = True) -> None:
    """Give `tag` to the documents, or take it from them; one event, nothing for no documents.

    Raises ConfigError for an impossible name of a tag, DataError for an id that is not SOURCE/ID.
    """
    check_tag(tag)
    unique = list(dict.fromkeys(ids))
    for name in unique:
        check_id(name)
    if unique:
        record(events_file(ws), {"do": "tag", "tag": tag, "on": bool(on), "ids": unique})


def note(ws: Workspace, id: str, text: str) -> None:
    """Write `text` beside a document in place of what was there; "" takes the note away.

    Raises DataError for more than `NOTE_LIMIT` characters or text that UTF-8 cannot hold.
    """
    check_id(id)
    record(
        events_file(ws), {"do": "note", "id": id, "text": checked(text.strip(), NOTE_LIMIT, "note")}
    )


def vote(ws: Workspace, id: str, question: str, keep: bool, by: str = "") -> None:
    """Answer `question` for a document; a later answer of the same person replaces it.

    Raises DataError for a question that is empty, of several lines, or too long.
    """
    check_id(id)
    if not question.strip() or len(question.splitlines()) > 1:
        raise DataError("A question is one line of text.", value=question)
    checked(question, QUESTION_LIMIT, "question")
    checked(by, QUESTION_LIMIT, "name")
    record(
        events_file(ws),
        {"do": "vote", "id": id, "question": question, "keep": bool(keep), "by": by},
    )


def undo(ws: Workspace) -> str:
    """Take back the last event that stands; it in words, "" if there was none."""
    return step(events_file(ws), "undo", lambda: state_of(ws).last)


def redo(ws: Workspace) -> str:
    """Restore the last event taken back; it in words, "" if there was none."""
    return step(events_file(ws), "redo", lambda: state_of(ws).next)


def events_file(ws: Workspace) -> Path:
    """Where the events are."""
    return ws.folder("tags", "events.jsonl")


def state_of(ws: Workspace) -> State:
    """What stands now. Raises DataError for a damaged line of the events."""
    path = events_file(ws)
    if not path.is_file():
        return replay([])
    stat = path.stat()
    return replay_file(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


def tags_of(ws: Workspace) -> pl.DataFrame:
    """Columns id, tag of all tagged documents, sorted."""
    return state_of(ws).tags


def notes_of(ws: Workspace) -> pl.DataFrame:
    """Columns id, note, sorted."""
    return state_of(ws).notes


def votes_of(ws: Workspace, question: str | None = None) -> pl.DataFrame:
    """Columns id, question, by, keep, of one question or all; one row a document and person."""
    votes = state_of(ws).votes
    return votes if question is None else votes.filter(pl.col("question") == question)


def require_tags(ws: Workspace, source: str, column: str) -> Artifact:
    """The artifact with Boolean `column` (`tags.NAME`) of `source`, stored now if need be.

    Raises ArtifactMissing for a tag that nobody uses: a rule on it would be a mistake in its name.
    Cost: one pass over the ids, 50 ms for a million documents.
    """
    name, state = column.removeprefix("tags."), state_of(ws)
    if name not in state.known:
        raise ArtifactMissing(
            f"No document has been given the tag {name!r}.",
            where=f"source {source}",
            value=column,
            next_step=f"`mixlab tag add {name} ID`; {nearest(name, state.known)}",
        )
    ids = state.tags.filter((pl.col("tag") == name) & pl.col("id").str.starts_with(f"{source}/"))[
        "id"
    ]
    found = documents(ws, source)
    settings = {"column": column, "ids": digest(ids.to_list())}

    def make(folder: Path) -> dict[str, Any]:
        for part in found.parts:
            own = pl.read_parquet(part, columns=["id"])["id"].is_in(ids.implode())
            write_part(own.alias(column).to_frame(), folder / part.name)
        return {"source": source, "tagged": len(ids)}

    stored = find(ws, STEP, VERSION, settings, [found.id])
    if stored is not None:
        return stored
    with writing(ws.artifacts / STEP / "building.jsonl", column):  # pages may ask at the same time
        return build(ws, STEP, VERSION, settings, [found.id], make)


def tag_columns(ws: Workspace, source: str) -> list[str]:
    """The column of every tag in use; a source without bearers has it too, all False."""
    return [f"tags.{name}" for name in state_of(ws).known]


def export_labels(ws: Workspace, name: str, path: Path) -> int:
    """Write the labels that people gave under `name` as JSON lines {id, label, by}; their number.

    Votes on the question `name` become 1 (keep) and 0 (drop), the tag `name` 1 and its opposite
    `not-NAME` 0, and tags `NAME-0`, `NAME-1`, ... the grade they end in. Raises DataError if there
    is none of these, or both grades and yes-or-no labels, which do not lie on one scale.
    """
    yes_no = pl.concat([vote_labels(votes_of(ws, name)), tag_labels(tags_of(ws), name)])
    graded = grades(tags_of(ws), name)
    if yes_no.is_empty() == graded.is_empty():
        raise DataError(
            "Nobody has labelled documents under this name."
            if graded.is_empty()
            else "Grades and yes-or-no labels are not on one scale.",
            where=str(events_file(ws)),
            value=name,
            next_step=f"vote on {name!r}, or tag documents {name} and not-{name}, "
            f"or {name}-0 to {name}-5, not both",
        )
    labels = pl.concat([yes_no, graded]).sort("id", "by", "label")
    write_text(path, labels.write_ndjson())
    return labels.height


def vote_labels(votes: pl.DataFrame) -> pl.DataFrame:
    """Columns id, label, by of votes: keep is 1."""
    return votes.select("id", pl.col("keep").cast(pl.Float64).alias("label"), "by")


def tag_labels(tags: pl.DataFrame, name: str) -> pl.DataFrame:
    """Columns id, label, by: 1 for the tag, 0 for its opposite."""
    label = (pl.col("tag") == name).cast(pl.Float64).alias("label")
    own = tags.filter(pl.col("tag").is_in([name, f"not-{name}"]))
    return own.select("id", label, pl.lit("tags").alias("by"))


def grades(tags: pl.DataFrame, name: str) -> pl.DataFrame:
    """Columns id, label, by of tags that end in a number."""
    own = tags.filter(pl.col("tag").str.contains(rf"^{re.escape(name)}-\d{{1,3}}$"))
    label = pl.col("tag").str.extract(r"(\d+)$").cast(pl.Float64).alias("label")
    return own.select("id", label, pl.lit("tags").alias("by"))
