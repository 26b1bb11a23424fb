import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lab.core.artifacts import artifact_id, build, find, write_part
from lab.core.errors import LabError
from lab.core.workspace import Workspace, create

SLOW = """
import sys, time
from pathlib import Path
import polars as pl
from lab.core.artifacts import build, write_part
from lab.core.workspace import open_workspace

def make(folder):
    for k in range(20):
        path = folder / f"part-{k:05d}.parquet"
        if not path.exists():
            write_part(pl.DataFrame({"k": [k]}), path)
            print(k, flush=True)
            time.sleep(0.05)
    return {"documents": 20}

build(open_workspace(Path(sys.argv[1])), "slow", 1, {}, [], make)
"""


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def test_the_same_inputs_are_built_once(ws: Workspace) -> None:
    calls = []

    def make(folder: Path) -> dict[str, Any]:
        calls.append(folder)
        write_part(pl.DataFrame({"a": [1]}), folder / "part-00000.parquet")
        return {"documents": 1}

    first = build(ws, "step", 1, {"n": 5}, ["x"], make)
    again = build(ws, "step", 1, {"n": 5}, ["x"], make)
    assert first.id == again.id
    assert len(calls) == 1
    assert again.manifest["documents"] == 1
    assert again.scan().collect()["a"].to_list() == [1]
    assert find(ws, "step", 1, {"n": 5}, ["y"]) is None, "another input must not find it"


def test_everything_that_changes_output_changes_the_id() -> None:
    base = artifact_id("s", 1, {"a": 1}, ["x", "y"])
    others = [
        artifact_id("t", 1, {"a": 1}, ["x", "y"]),
        artifact_id("s", 2, {"a": 1}, ["x", "y"]),
        artifact_id("s", 1, {"a": 2}, ["x", "y"]),
        artifact_id("s", 1, {"a": 1}, ["y", "x"]),
    ]
    assert len({base, *others}) == 5


def test_a_failed_build_leaves_no_artifact(ws: Workspace) -> None:
    def make(folder: Path) -> dict[str, Any]:
        write_part(pl.DataFrame({"a": [1]}), folder / "part-00000.parquet")
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        build(ws, "step", 1, {}, [], make)
    assert find(ws, "step", 1, {}, []) is None


def test_a_folder_whose_manifest_was_deleted_is_made_again(ws: Workspace) -> None:
    def make(folder: Path) -> dict[str, Any]:
        write_part(pl.DataFrame({"a": [1]}), folder / "part-00000.parquet")
        return {}

    damaged = build(ws, "step", 1, {}, [], make)
    (damaged.path / "manifest.json").unlink()
    (damaged.path / "part-00000.parquet").write_bytes(b"rubbish")
    build(ws, "step", 1, {}, [], make)
    found = find(ws, "step", 1, {}, [])
    assert found is not None
    assert found.scan().collect()["a"].to_list() == [1]


def test_a_killed_build_continues_where_it_was(ws: Workspace) -> None:
    command = [sys.executable, "-c", SLOW, str(ws.root)]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    for _ in range(7):
        killed.stdout.readline()
    killed.kill()
    killed.wait()
    killed.stdout.close()
    assert find(ws, "slow", 1, {}, []) is None
    resumed = subprocess.run(command, capture_output=True, text=True, check=True)
    redone = [int(line) for line in resumed.stdout.split()]
    assert min(redone) >= 6, "finished parts must not be made again"
    artifact = find(ws, "slow", 1, {}, [])
    assert artifact is not None
    assert artifact.scan().collect()["k"].to_list() == list(range(20))
    assert not list(ws.artifacts.glob("slow/.partial-*"))


def test_two_processes_may_build_the_same_artifact_at_once(ws: Workspace) -> None:
    command = [sys.executable, "-c", SLOW, str(ws.root)]
    with subprocess.Popen(command) as one, subprocess.Popen(command) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    found = find(ws, "slow", 1, {}, [])
    assert found is not None
    assert found.scan().collect()["k"].to_list() == list(range(20))
    assert not list((ws.artifacts / "slow").glob(".partial-*"))


def test_a_build_that_another_process_finished_meanwhile_is_that_one(ws: Workspace) -> None:
    def make(folder: Path) -> dict[str, Any]:
        write_part(pl.DataFrame({"a": [1]}), folder / "part-00000.parquet")
        return {}

    def slower(folder: Path) -> dict[str, Any]:
        build(ws, "step", 1, {}, [], make)
        return make(folder)  # the folder is gone: it was renamed

    assert build(ws, "step", 1, {}, [], slower).scan().collect()["a"].to_list() == [1]


def test_a_folder_that_vanishes_with_nothing_finished_is_an_error(ws: Workspace) -> None:
    def make(folder: Path) -> dict[str, Any]:
        folder.rmdir()
        write_part(pl.DataFrame({"a": [1]}), folder / "part-00000.parquet")
        return {}

    with pytest.raises(LabError, match="No such file"):
        build(ws, "step", 1, {}, [], make)
