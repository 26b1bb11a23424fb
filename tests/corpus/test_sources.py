"""Adding, listing and removing sources: nothing is lost, nothing is done twice, errors help."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import unicodedata
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.core import schema
from lab.core.artifacts import build, write_part
from lab.core.errors import ArtifactMissing, Cancelled, ConfigError, DataError
from lab.core.progress import Progress, Report
from lab.core.workspace import Workspace, create, open_workspace
from lab.corpus import documents as documents_module
from lab.corpus.readers.rows import (
    EMPTY_TEXT,
    NO_COLUMN,
    NOT_JSON,
    NOT_STRING,
    NOT_UNICODE,
    NOT_UTF8,
    NULL_TEXT,
)
from lab.corpus.sources import (
    add_source,
    documents,
    get_source,
    list_sources,
    remove_source,
    scan_documents,
)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def jsonl(path: Path, rows: list[Any]) -> str:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join(lines))
    return str(path)


def quarantine(ws: Workspace, name: str) -> pl.DataFrame:
    return pl.read_parquet(documents(ws, name).path / "quarantine.parquet")


def test_a_document_has_the_columns_that_stages_agree_on(ws: Workspace, tmp_path: Path) -> None:
    text = "Cafe\u0301\r\nbar\0"
    path = jsonl(tmp_path / "x.jsonl", [{"text": text, "id": "k", "url": "u", "n": [1, None]}])
    summary = add_source(ws, "web", [path], id_column="id", kind="organic", licence="CC0")
    frame = scan_documents(ws, "web").collect()
    assert dict(frame.schema) == schema.DOCUMENTS
    row = frame.row(0, named=True)
    assert row["text"] == "Café\nbar"
    assert (row["id"], row["source"], row["bytes"]) == ("web/k", "web", 9)
    assert json.loads(row["meta"]) == {"url": "u", "n": [1, None]}
    assert row["content_hash"] == schema.content_hash("Café\nbar")
    assert row["heldout"] == schema.is_heldout(row["content_hash"], ws.heldout_share)
    assert (summary.documents, summary.bytes, summary.quarantined) == (1, 9, 0)
    source = get_source(ws, "web")
    assert (source.licence, source.paths, source.documents) == ("CC0", (path,), frame_id(ws))


def frame_id(ws: Workspace) -> str:
    return documents(ws, "web").id


def test_every_bad_row_is_set_aside_with_file_line_and_reason(
    ws: Workspace, tmp_path: Path
) -> None:
    rows = [
        {"text": "good"},
        b"\xff\xfe",
        b"{",
        {"body": "no text"},
        {"text": None},
        {"text": 5},
        {"text": " \r\n\0 "},
        b'{"text": "\\ud800"}',
        {"text": "good too"},
    ]
    summary = add_source(ws, "web", [jsonl(tmp_path / "x.jsonl", rows)])
    frame = quarantine(ws, "web")
    assert dict(frame.schema) == schema.QUARANTINE
    assert list(zip(frame["line"], frame["reason"], strict=True)) == [
        (2, NOT_UTF8),
        (3, NOT_JSON),
        (4, NO_COLUMN),
        (5, NULL_TEXT),
        (6, NOT_STRING),
        (7, EMPTY_TEXT),
        (8, NOT_UNICODE),
    ]
    assert set(frame["file"]) == {"x.jsonl"}
    assert frame["excerpt"][2] == "body: no text"
    assert frame["excerpt"].str.len_chars().max() <= 200
    assert (summary.documents, summary.quarantined) == (2, 7)
    assert sum(summary.by_reason.values()) == 7


texts = st.text(max_size=30) | st.none() | st.integers()
lines = st.lists(
    st.builds(
        lambda text, key: json.dumps({"text": text, "id": key}).encode(),
        texts,
        st.none() | st.text(max_size=2),
    )
    | st.just(b'{"other": 1}')
    | st.binary(min_size=1, max_size=8).filter(lambda b: b.strip() and b"\n" not in b),
    max_size=25,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines)
def test_documents_and_quarantine_are_the_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    ws = create(folder / "w", heldout_share=0.5)
    good = json.dumps({"text": "certainly a document", "id": "a"}).encode()
    path = jsonl(folder / "x.jsonl", [good, *rows, good])
    expected = sum(1 for line in [good, *rows, good] if not line.isspace())
    summary = add_source(ws, "s", [path], id_column="id")
    frame = scan_documents(ws, "s").collect()
    assert summary.documents + summary.quarantined == expected
    assert frame.height == summary.documents
    assert quarantine(ws, "s").height == summary.quarantined == sum(summary.by_reason.values())
    assert frame["id"].n_unique() == frame.height
    assert summary.renamed_ids >= 1
    assert frame["bytes"].sum() == summary.bytes == sum(len(t.encode()) for t in frame["text"])
    assert frame["heldout"].sum() == summary.heldout
    sides = frame.group_by("content_hash").agg(
        pl.col("heldout").n_unique(), pl.col("text").n_unique()
    )
    assert sides["heldout"].max() == 1
    assert sides["text"].max() == 1
    assert all(unicodedata.is_normalized("NFC", text) for text in frame["text"])


def test_copies_in_two_sources_and_formats_fall_on_one_side(ws: Workspace, tmp_path: Path) -> None:
    rows = [{"text": f"document number {n}"} for n in range(3000)]
    add_source(ws, "one", [jsonl(tmp_path / "x.jsonl", rows)])
    crlf = [f'"{row["text"]}\r\n"' for row in rows]
    (tmp_path / "y.csv").write_text("text\n" + "\n".join(crlf), newline="")
    pl.DataFrame(rows[::-1]).write_parquet(tmp_path / "z.parquet")
    add_source(ws, "two", [str(tmp_path / "z.parquet")])
    both = pl.concat([scan_documents(ws, "one"), scan_documents(ws, "two")]).collect()
    sides = both.group_by("content_hash").agg(pl.len(), pl.col("heldout").n_unique().alias("sides"))
    assert sides["sides"].max() == 1
    assert set(sides["len"]) == {2}
    assert 30 <= get_source(ws, "one").counts["heldout"] <= 90  # 2 % of 3,000 is 60


def parts_of(ws: Workspace, name: str) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in sorted(documents(ws, name).path.glob("*.parquet"))
    }


def test_large_sources_are_cut_into_parts_in_order(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents_module, "PART_DOCUMENTS", 10)
    monkeypatch.setattr(documents_module, "PART_BYTES", 1000)
    rows = [{"text": f"{n} " + "x" * (400 if n > 30 else 1)} for n in range(40)]
    add_source(ws, "web", [jsonl(tmp_path / "x.jsonl", rows)])
    frames = [pl.read_parquet(part) for part in documents(ws, "web").parts]
    assert [frame.height for frame in frames] == [10, 10, 10, 4, 3, 3]
    assert pl.concat(frames)["id"].to_list() == [f"web/{n}" for n in range(40)]


def test_the_same_content_is_added_once_and_changed_content_anew(
    ws: Workspace, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": "one"}, {"text": "two"}, {}])
    first = add_source(ws, "web", [path])
    before = documents(ws, "web")
    (tmp_path / "moved").mkdir()
    moved = (tmp_path / "x.jsonl").rename(tmp_path / "moved/x.jsonl")
    assert add_source(ws, "web", [str(moved)], licence="MIT") == first
    assert documents(ws, "web").path == before.path
    assert get_source(ws, "web").licence == "MIT"
    jsonl(moved, [{"text": "one"}, {"text": "three"}])
    assert add_source(ws, "web", [str(moved)]).documents == 2
    after = documents(ws, "web")
    assert after.id != before.id
    assert before.path.is_dir()  # what runs were trained on stays until the source is removed
    assert scan_documents(ws, "web").collect()["text"].to_list() == ["one", "three"]


def test_settings_and_names_are_part_of_the_identity(ws: Workspace, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": "one", "id": "a", "body": "b"}])
    ids = set()
    for name, options in [
        ("a", {}),
        ("b", {}),
        ("a", {"id_column": "id"}),
        ("a", {"text_column": "body"}),
    ]:
        add_source(ws, name, [path], **options)
        ids.add(documents(ws, name).id)
    assert len(ids) == 4


def test_two_workspaces_give_the_same_bytes(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": f"t{n}", "id": n % 7} for n in range(50)] + [{}])
    found = []
    for name in ("a", "b"):
        ws = create(tmp_path / name)
        add_source(ws, "web", [path], id_column="id")
        found.append((documents(ws, "web").id, parts_of(ws, "web")))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "name", ["", "../up", "a/b", "Web", ".hidden", "a b", "x" * 64, "naïve", "-x"]
)
def test_impossible_names_are_refused(ws: Workspace, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name of a source"):
        add_source(ws, name, [jsonl(tmp_path / "x.jsonl", [{"text": "a"}])])


def test_a_column_that_no_row_has_names_those_seen_and_the_nearest(
    ws: Workspace, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"content": "a", "url": "u"}] * 3)
    with pytest.raises(ConfigError, match="text column 'contents'") as caught:
        add_source(ws, "web", [path], text_column="contents")
    assert caught.value.value == ["content", "url"]
    assert "did you mean content" in caught.value.next_step
    with pytest.raises(ConfigError, match="id column 'uri'") as caught:
        add_source(ws, "web", [path], text_column="content", id_column="uri")
    assert "did you mean url" in caught.value.next_step
    nothing_left(ws)


def nothing_left(ws: Workspace) -> None:
    """Neither a source nor half an artifact."""
    assert list_sources(ws) == []
    assert not [p for p in ws.artifacts.rglob("*") if p.is_file()]
    assert not list(ws.sources.iterdir())


@pytest.mark.parametrize(
    ("rows", "told"),
    [([], "no rows at all"), ([{"text": ""}, {"text": None}], EMPTY_TEXT), ([b"text,n"], NOT_JSON)],
)
def test_a_source_that_yields_nothing_is_an_error(
    ws: Workspace, tmp_path: Path, rows: list[Any], told: str
) -> None:
    with pytest.raises(DataError, match="Not one document") as caught:
        add_source(ws, "web", [jsonl(tmp_path / "x.jsonl", rows)])
    assert told in str(caught.value)
    nothing_left(ws)


def test_an_error_leaves_the_source_that_was_there(ws: Workspace, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": "a"}])
    add_source(ws, "web", [path])
    before = get_source(ws, "web")
    jsonl(tmp_path / "x.jsonl", [{"body": "a"}])
    with pytest.raises(ConfigError):
        add_source(ws, "web", [path])
    assert get_source(ws, "web") == before
    assert scan_documents(ws, "web").collect()["text"].to_list() == ["a"]


def test_a_file_that_changes_while_it_is_read_is_an_error(ws: Workspace, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": f"{n}"} for n in range(5)])

    def write_more(report: Report) -> None:
        with (tmp_path / "x.jsonl").open("a") as handle:
            handle.write('\n{"text": "late"}')

    with pytest.raises(DataError, match="changed while"):
        add_source(ws, "web", [path], progress=Progress(write_more))
    nothing_left(ws)


def test_stopping_leaves_nothing_half_done(ws: Workspace, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": f"{n}"} for n in range(5)])
    with pytest.raises(Cancelled):
        add_source(ws, "web", [path], progress=Progress(should_stop=lambda: True))
    nothing_left(ws)


def test_progress_ends_at_the_whole(ws: Workspace, tmp_path: Path) -> None:
    reports: list[Report] = []
    path = jsonl(tmp_path / "x.jsonl", [{"text": f"{n}"} for n in range(5)])
    add_source(ws, "web", [path], progress=Progress(reports.append))
    assert reports[-1].done == reports[-1].total > 0
    assert reports[-1].message == "5 documents"


@pytest.mark.parametrize(
    ("key", "value"),
    [("colour", "red"), ("paths", "x.jsonl"), ("kind", "orgnic"), ("name", "other"), ("counts", 3)],
)
def test_a_description_edited_wrongly_is_refused(
    ws: Workspace, tmp_path: Path, key: str, value: object
) -> None:
    add_source(ws, "web", [jsonl(tmp_path / "x.jsonl", [{"text": "a"}])])
    path = ws.sources / "web/source.yaml"
    described = yaml.safe_load(path.read_text()) | {key: value}
    path.write_text(yaml.safe_dump(described))
    with pytest.raises(ConfigError, match=r"orgnic|Unknown|does not fit"):
        get_source(ws, "web")


def test_unknown_sources_and_kinds_name_the_nearest(ws: Workspace, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": "a"}])
    add_source(ws, "textbook", [path])
    with pytest.raises(ConfigError, match="did you mean textbook"):
        get_source(ws, "textbok")
    with pytest.raises(ConfigError, match="did you mean synthetic"):
        add_source(ws, "web", [path], kind="synthtic")


def test_sources_are_listed_by_name_and_half_removed_ones_are_not(
    ws: Workspace, tmp_path: Path
) -> None:
    for name in ("b", "a", "c"):
        add_source(ws, name, [jsonl(tmp_path / "x.jsonl", [{"text": name}])])
    (ws.sources / "c").rename(ws.sources / ".c.1234.removed")
    assert [source.name for source in list_sources(ws)] == ["a", "b"]


def test_removing_forgets_documents_and_what_was_derived_and_nothing_else(
    ws: Workspace, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        add_source(ws, name, [jsonl(tmp_path / "x.jsonl", [{"text": name}])])
    old = documents(ws, "a")
    add_source(ws, "a", [jsonl(tmp_path / "x.jsonl", [{"text": "changed"}])])

    def make(folder: Path) -> dict[str, Any]:
        write_part(pl.DataFrame({"id": ["x"]}), folder / "part-00000.parquet")
        return {}

    one = build(ws, "signals", 1, {}, [documents(ws, "a").id], make)
    two = build(ws, "quality", 1, {}, [one.id], make)
    other = build(ws, "signals", 1, {}, [documents(ws, "b").id], make)
    remove_source(ws, "a")
    assert [source.name for source in list_sources(ws)] == ["b"]
    assert [a.path.exists() for a in (old, one, two, other)] == [False, False, False, True]
    assert scan_documents(ws, "b").collect().height == 1
    with pytest.raises(ConfigError):
        remove_source(ws, "a")


def test_documents_that_are_gone_say_how_to_get_them_back(ws: Workspace, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"text": "a"}])
    add_source(ws, "web", [path])
    documents(ws, "web").path.rename(tmp_path / "gone")
    with pytest.raises(ArtifactMissing, match="mixlab add web"):
        scan_documents(ws, "web")
    add_source(ws, "web", [path])
    assert scan_documents(ws, "web").collect().height == 1


def test_what_a_folder_hides_is_counted(ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/a.md").write_text("# Title\n")
    (folder / "b.txt").write_bytes(b"caf\xe9")
    (folder / "out.txt").symlink_to("/etc/hostname")
    summary = add_source(ws, "notes", [str(folder)], id_column="path")
    assert summary.by_reason == {"link that leaves the folder": 1, "not UTF-8": 1}
    assert scan_documents(ws, "notes").collect()["id"].to_list() == ["notes/deep/a.md"]


ADD = textwrap.dedent("""
    import os, resource, signal, sys
    from pathlib import Path
    from lab.core.workspace import open_workspace
    from lab.corpus import documents
    from lab.corpus.sources import add_source

    documents.PART_DOCUMENTS = 60
    root, path, fatal, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    steps = 0
    EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}

    def count(event, details):
        # every file that is opened, renamed or removed in the workspace is one moment to die at
        global steps
        if event in EVENTS and str(root) in str(details):
            steps += 1
            if steps == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    add_source(open_workspace(root), "web", [path], id_column="id")
    print(steps)
""")


def add_in_process(
    ws: Workspace, path: str, fatal: int = 0, limit: int = 0
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", ADD, str(ws.root), path, str(fatal), str(limit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_killed_at_any_moment_and_added_again_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"text": f"text {n} {n * 7919}", "id": n % 290} for n in range(300)] + [b"bad"]
    path = jsonl(tmp_path / "x.jsonl", rows)
    whole = create(tmp_path / "whole")
    steps = int(add_in_process(whole, path).stdout)
    expected = (get_source(whole, "web"), parts_of(whole, "web"))
    assert len(expected[1]) == 6
    monkeypatch.setattr(documents_module, "PART_DOCUMENTS", 60)
    for moment in sorted({1 + k * (steps - 1) // 6 for k in range(7)}):
        ws = create(tmp_path / f"killed-{moment}")
        killed = add_in_process(ws, path, fatal=moment)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        for source in list_sources(open_workspace(ws.root)):  # the old state or the new, never half
            assert source == expected[0]
            assert parts_of(ws, "web") == expected[1]
        add_source(ws, "web", [path], id_column="id")
        assert (get_source(ws, "web"), parts_of(ws, "web")) == expected
        assert [p.name for p in ws.artifacts.rglob(".*")] == []


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file size stands in for the disk: the write fails in the same place."""
    rng = iter(os.urandom(90_000).hex()[i : i + 300] for i in range(0, 180_000, 300))
    path = jsonl(tmp_path / "x.jsonl", [{"text": text, "id": n} for n, text in enumerate(rng)])
    ws = create(tmp_path / "w")
    failed = add_in_process(ws, path, limit=6_000)
    assert "Writing failed" in failed.stderr
    assert "free some space" in failed.stderr
    nothing_left(ws)
