import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.core.errors import WorkspaceError
from lab.core.files import read_json, write_json
from lab.core.workspace import create, open_workspace

HOLD = """
import sys, time
from pathlib import Path
from lab.core.workspace import open_workspace
with open_workspace(Path(sys.argv[1])).lock("a long job"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_create_is_idempotent_and_open_finds_it(tmp_path: Path) -> None:
    root = tmp_path / "w"
    assert create(root, heldout_share=0.1) == open_workspace(root) == create(root)
    assert open_workspace(root).heldout_share == 0.1


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(WorkspaceError, match="not empty"):
        create(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_place_for_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(WorkspaceError, match="no workspace"):
        create(tmp_path / "thesis.tex")


def test_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="mixlab init --sample"):
        open_workspace(tmp_path)


def test_a_newer_workspace_is_refused(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    write_json(ws.root / "workspace.json", {"version": 99})
    with pytest.raises(WorkspaceError, match="newer Mixture Lab") as error:
        open_workspace(ws.root)
    assert "99" in str(error.value)
    assert "upgrade" in str(error.value)


def test_two_processes_on_one_workspace(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(ws.root)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceError) as error, ws.lock("mine"):
            pass
        assert f"process {holder.pid}: a long job" in str(error.value)
        assert "mixlab jobs" in str(error.value)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with ws.lock("mine", patience=5):  # the dead process's lock is taken over
        assert read_json(ws.root / "lock.json")["pid"] == os.getpid()
    assert not (ws.root / "lock.json").exists()


def test_the_lock_waits_for_a_short_holder(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD.replace("60", "1.0"), str(ws.root)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    started = time.monotonic()
    with ws.lock("mine", patience=20):
        assert time.monotonic() - started > 0.3
    holder.wait()
    holder.stdout.close()
