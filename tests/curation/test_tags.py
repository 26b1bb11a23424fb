"""Tags, notes and votes: nothing acknowledged is lost, anything can be taken back."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.attributes import attribute_names, locate
from lab.curation.labels import read_labels
from lab.curation.tags.events import replay
from lab.curation.tags.store import (
    events_file,
    export_labels,
    note,
    notes_of,
    redo,
    require_tags,
    state_of,
    tag,
    tags_of,
    undo,
    vote,
    votes_of,
)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Sources `web` and `books` of 5 texts each."""
    ws = create(tmp_path / "workspace")
    for name in ("web", "books"):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(f'{{"key": "{k}", "text": "{name} {k}"}}\n' for k in range(5)))
        add_source(ws, name, [str(path)], id_column="key")
    return ws


def test_tags_notes_and_votes_are_read_back(ws: Workspace) -> None:
    tag(ws, ["web/2", "web/1", "web/2"], "spam")
    tag(ws, ["books/0"], "spam")
    tag(ws, ["web/1"], "spam", on=False)
    tag(ws, ["web/1"], "good")
    note(ws, "web/1", "  cites\nits sources ☂ ")
    note(ws, "web/2", "wrong")
    note(ws, "web/2", "")
    vote(ws, "web/1", "clear?", True, by="ann")
    vote(ws, "web/1", "clear?", False, by="ann")
    vote(ws, "web/1", "clear?", True, by="bob")
    vote(ws, "web/1", "other", True)
    assert tags_of(ws).rows() == [("books/0", "spam"), ("web/1", "good"), ("web/2", "spam")]
    assert notes_of(ws).rows() == [("web/1", "cites\nits sources ☂")]
    assert votes_of(ws, "clear?").rows() == [
        ("web/1", "clear?", "ann", False),
        ("web/1", "clear?", "bob", True),
    ]
    assert votes_of(ws).height == 3


def test_undo_goes_back_to_the_beginning_and_redo_to_the_end(ws: Workspace) -> None:
    tag(ws, [f"web/{k}" for k in range(5)], "spam")
    note(ws, "web/1", "text")
    vote(ws, "web/1", "clear?", False)
    states = [state_of(ws)]
    assert [undo(ws) for _ in range(4)] == [
        "vote drop on web/1", "note on web/1", "tag 5 documents: spam", "",
    ]  # fmt: skip
    assert state_of(ws).tags.is_empty()
    assert state_of(ws).known == ()
    assert [redo(ws) for _ in range(4)] == [
        "tag 5 documents: spam", "note on web/1", "vote drop on web/1", "",
    ]  # fmt: skip
    assert state_of(ws).tags.equals(states[0].tags)
    undo(ws)
    tag(ws, ["web/3"], "good")  # a new event forgets what could be redone
    assert redo(ws) == ""
    assert votes_of(ws).is_empty()


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("tag"), st.integers(0, 3), st.booleans()),
        st.tuples(st.sampled_from(["undo", "redo"])),
    ),
    max_size=30,
)


@given(EVENTS)
def test_undo_equals_never_having_done_it(steps: list[tuple[object, ...]]) -> None:
    """Against a list with a cursor, the plain model of an undo history."""
    history: list[tuple[object, ...]] = []
    cursor, events = 0, []
    for step in steps:
        if step[0] == "tag":
            history[cursor:] = [step]
            cursor += 1
            ids = [f"web/{step[1]}"]
            events.append({"do": "tag", "tag": "spam", "on": step[2], "ids": ids})
        elif step[0] == "undo" and cursor:
            cursor -= 1
            events.append({"do": "undo"})
        elif step[0] == "redo" and cursor < len(history):
            cursor += 1
            events.append({"do": "redo"})
    bearing: set[str] = set()
    for _, number, on in history[:cursor]:
        bearing = bearing | {f"web/{number}"} if on else bearing - {f"web/{number}"}
    assert replay(events).tags["id"].to_list() == sorted(bearing)


def test_a_torn_line_is_ignored_and_cut_off(ws: Workspace) -> None:
    tag(ws, ["web/1"], "spam")
    with events_file(ws).open("ab") as handle:
        handle.write(b'{"do":"tag","tag":"spam","on":true,"ids":["web/2"')
    assert tags_of(ws)["id"].to_list() == ["web/1"]
    tag(ws, ["web/3"], "spam")
    assert tags_of(ws)["id"].to_list() == ["web/1", "web/3"]
    assert len(events_file(ws).read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    "line",
    ["nonsense", "[1]", '{"do": "undo"}\n{"do": "undo"}', '{"do": "tag"}', '{"do": "dance"}', "{}"],
)
def test_a_damaged_file_is_named(ws: Workspace, line: str) -> None:
    tag(ws, ["web/1"], "spam")
    with events_file(ws).open("a") as handle:
        handle.write(line + "\n")
    with pytest.raises(DataError) as caught:
        tags_of(ws)
    assert "events.jsonl" in caught.value.where


def test_a_killed_writer_loses_nothing_it_acknowledged(ws: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from lab.core.workspace import open_workspace;"
        "from lab.curation.tags.store import tag\n"
        "ws = open_workspace(Path(sys.argv[1]))\n"
        "for k in range(10**6):\n"
        "    tag(ws, [f'web/{k}'], 'spam'); print(k, flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(ws.root)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(20)]
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    said += process.stdout.read().splitlines()
    process.stdout.close()
    process.wait()
    acknowledged = {f"web/{int(k)}" for k in said}
    tag(ws, ["books/1"], "spam")  # the lock of the dead is free
    found = set(tags_of(ws)["id"])
    assert acknowledged < found
    assert len(found - acknowledged) <= 2


def test_impossible_names_ids_and_texts_are_refused(ws: Workspace) -> None:
    for name in ("", "../x", "Spam", "a b", "-x", "x" * 64, "spam\n"):
        with pytest.raises(ConfigError, match="name of a tag"):
            tag(ws, ["web/1"], name)
    for wrong in ("web", "/1", "web/", "", "web/\ud800"):
        with pytest.raises(DataError):
            tag(ws, ["web/2", wrong], "spam")
    with pytest.raises(DataError, match="at most"):
        note(ws, "web/1", "x" * 10_001)
    with pytest.raises(DataError, match="Unicode"):
        note(ws, "web/1", "\ud800")
    for question in ("", " ", "a\nb", "x" * 201):
        with pytest.raises(DataError):
            vote(ws, "web/1", question, True)
    assert not events_file(ws).exists()


def test_a_tag_is_a_column_of_every_source(ws: Workspace) -> None:
    with pytest.raises(ArtifactMissing, match="tag 'spam'"):
        require_tags(ws, "web", "tags.spam")
    tag(ws, ["web/1", "web/4", "gone/1"], "spam")
    assert "tags.spam" in attribute_names(ws, "books")
    (column,) = locate(ws, "web", ["tags.spam"])
    values = column.artifact.scan().collect()
    assert values.schema == {"tags.spam": pl.Boolean}
    assert values["tags.spam"].to_list() == [False, True, False, False, True]
    books = require_tags(ws, "books", "tags.spam")
    assert books.scan().collect()["tags.spam"].to_list() == [False] * 5
    first = column.artifact.id
    tag(ws, ["web/1"], "other")
    tag(ws, ["books/2"], "spam")
    assert require_tags(ws, "web", "tags.spam").id == first  # untouched by other tags
    tag(ws, ["web/1"], "spam", on=False)
    assert require_tags(ws, "web", "tags.spam").id != first
    undo(ws)
    assert require_tags(ws, "web", "tags.spam").id == first


def test_labels_of_people_become_training_labels(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    with pytest.raises(DataError, match="Nobody"):
        export_labels(ws, "edu", path)
    tag(ws, ["web/1"], "edu")
    tag(ws, ["web/2", "web/3"], "not-edu")
    vote(ws, "web/3", "edu", True, by="ann")
    assert export_labels(ws, "edu", path) == 4
    assert read_labels(path).rows() == [("web/1", 1.0), ("web/2", 0.0), ("web/3", 0.5)]
    assert json.loads(path.read_text().splitlines()[0]) == {"id": "web/1", "label": 1, "by": "tags"}
    for grade in (0, 5):
        tag(ws, [f"web/{grade - 1 if grade else 0}"], f"level-{grade}")
    export_labels(ws, "level", path)
    assert read_labels(path).rows() == [("web/0", 0.0), ("web/4", 5.0)]
    vote(ws, "web/1", "Is it (really good?", True, by="ann")
    assert export_labels(ws, "Is it (really good?", path) == 1
    tag(ws, ["web/1"], "level")
    with pytest.raises(DataError, match="one scale"):
        export_labels(ws, "level", path)
