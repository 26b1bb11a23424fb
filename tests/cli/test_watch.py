"""`mixlab runs --watch`: what it says, and that it ends with the sweep."""

import json
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from lab.cli.main import main
from lab.core.engine import Engine
from lab.core.files import write_json
from lab.core.workspace import Workspace, create
from lab.proxy.record import end_record, new_record, write_record
from lab.proxy.sizes import SIZES


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def plant(ws: Workspace, name: str, state: str) -> None:
    size = SIZES["nano"]
    spec = {"id": name, "recipe": "r", "recipe_id": "0", "size": "nano", "tokens": 12800}
    spec |= {"seed": 0, "steps": 10, "hyperparameters": asdict(size), "sources": ["web"]}
    spec |= {"tokenizer": {"vocab_size": 512}, "created": "2026-01-01T00:00:00+00:00"}
    write_json(ws.runs / name / "run.json", spec)
    status = {"state": state, "step": 10, "tokens": 12800, "seconds": 60.0, "loss": 2.5}
    write_json(ws.runs / name / "status.json", status | {"tokens_per_second": 213.0, "threads": 1})


def test_without_a_sweep_it_says_how_to_start_one(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "--watch", "-w", str(ws.root)]) == 0
    assert "mixlab sweep" in capsys.readouterr().out


def test_it_ends_when_the_sweep_does(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    plant(ws, "one", "done")
    plant(ws, "two", "prepared")
    record = new_record(Engine(), 2, "", ["one", "two"])
    write_record(ws.root, record)

    def finish() -> None:
        time.sleep(1.5)
        plant(ws, "two", "done")
        end_record(ws.root, record)

    thread = threading.Thread(target=finish)
    thread.start()
    assert main(["runs", "--watch", "--every", "1", "-w", str(ws.root)]) == 0
    thread.join()
    said = capsys.readouterr()
    assert "one: done, step 10 of 10, loss 2.500" in said.err
    assert said.err.count("one: done") == 1  # only what changed
    assert "two: waiting" in said.err and "two: done" in said.err
    assert "2 of 2 done, 0 at work, 0 failed" in said.err


def test_failed_runs_and_a_dead_sweep_are_told_by_the_status(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(ws, "one", "done")
    plant(ws, "two", "prepared")
    record = new_record(Engine(), 2, "", ["one", "two"])
    record.failed, record.errors = ["two"], {"two": "It went wrong."}
    record.process["start"] -= 1000.0
    write_record(ws.root, record)
    assert main(["runs", "--watch", "--json", "-w", str(ws.root)]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["failed"] == ["two"]
    assert [row["state"] for row in data["runs"]] == ["done", "failed"]
    assert main(["runs", "--watch", "-w", str(ws.root)]) == 1
    out = capsys.readouterr().out
    assert "two: It went wrong." in out and "--resume" in out
