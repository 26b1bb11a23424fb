"""The board on the page of proxy runs: a sweep's rows, totals, what can be done, 64 runs."""

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from visiting import Open, words_of

from lab.core.engine import Engine
from lab.core.files import read_json, write_json
from lab.core.workspace import Workspace
from lab.jobs.store import list_jobs
from lab.proxy.record import Record, end_record, new_record, write_record
from lab.proxy.runs import run_folders

Copy = Callable[[Workspace], Workspace]
AFTER = "lab.evaluation.runs.evaluate:evaluate_run"


def board_of(app: Any) -> Any:
    return next(d.value for d in app.dataframe if "cost" in d.value)


def sweep_of(ws: Workspace, **more: Any) -> Record:
    ids = [folder.name for folder in run_folders(ws)]
    record = new_record(Engine(workers=2), 2, AFTER, ids)
    for key, value in more.items():
        setattr(record, key, value)
    write_record(ws.root, record)
    return record


def unfinish(ws: Workspace, name: str) -> None:
    """Make a run look as it did half-way, its worker killed."""
    folder = ws.runs / name
    status = read_json(folder / "status.json")
    half = {"state": "running", "step": status["steps"] // 2, "tokens": status["tokens"] // 2}
    write_json(folder / "status.json", status | half)
    (folder / "checkpoint" / "step-00000002").mkdir(parents=True)


@pytest.fixture
def ws(trained_workspace: Workspace, copy_of: Copy) -> Workspace:
    return copy_of(trained_workspace)


def test_a_sweep_that_runs_shows_who_waits_and_who_failed(ws: Workspace, open_page: Open) -> None:
    ids = [folder.name for folder in run_folders(ws)]
    for name in ids[:2]:
        unfinish(ws, name)
    error = "The worker was ended by signal 9. ![x](http://e)"
    sweep_of(ws, attempts={ids[0]: 2, ids[1]: 1}, errors={ids[0]: error}, failed=[ids[0]])
    app = open_page(ws, "runs")
    assert not app.exception
    frame = board_of(app)
    assert frame["state"].tolist() == ["failed", "waiting", "done", "done"]
    assert frame["tries"].tolist()[:2] == [2, 1]
    assert "signal 9" in frame["error"].tolist()[0]
    assert [len(curve) for curve in frame["curve"]] == frame["steps"].tolist()
    values = {m.label: m.value for m in app.metric}
    assert values["Runs done"] == "2 of 4"
    assert values["Failed"] == "1"
    assert "where Ctrl-C stops it" in words_of(app).replace("\\", "")
    assert not [b for b in app.button if b.key in ("stop_sweep", "resume_sweep")]


def test_a_sweep_that_died_can_be_resumed_from_the_page(ws: Workspace, open_page: Open) -> None:
    ids = [folder.name for folder in run_folders(ws)]
    unfinish(ws, ids[0])
    sweep_of(ws, process={"pid": os.getpid(), "start": -1.0, "host": os.uname().nodename})
    app = open_page(ws, "runs")
    assert "Its process died" in words_of(app)
    button = app.button(key="resume_sweep")
    assert button.label == "Resume 1 run"
    button.click().run()
    job = list_jobs(ws)[0]
    assert (job.action, job.params["runs"], job.params["engine"]) == ("resume", ids, "local")


def test_sixty_four_runs_fit_and_all_runs_can_be_chosen(ws: Workspace, open_page: Open) -> None:
    first = run_folders(ws)[0]
    for k in range(60):
        copy = ws.runs / f"copy-{k:02d}"
        shutil.copytree(first, copy)
        write_json(copy / "run.json", read_json(copy / "run.json") | {"id": copy.name})
    record = sweep_of(ws)
    end_record(ws.root, record)
    for name in ("later-a", "later-b"):  # not of the sweep
        shutil.copytree(first, ws.runs / name)
        write_json(ws.runs / name / "run.json", read_json(first / "run.json") | {"id": name})
    app = open_page(ws, "runs")
    assert not app.exception
    assert len(board_of(app)) == 64
    assert {m.label: m.value for m in app.metric}["Runs done"] == "64 of 64"
    app = open_page(ws, "runs", shown="all runs", run="later-a")
    assert len(board_of(app)) == 66
    assert app.selectbox(key="run").value == "later-a"


def test_the_empty_page_says_what_to_do(recipe_workspace: Workspace, open_page: Open) -> None:
    said = words_of(open_page(recipe_workspace, "runs"))
    assert "No proxy run yet" in said
    assert "press Train" in said


def test_repetition_is_told_where_it_is_known(ws: Workspace, open_page: Open) -> None:
    name = run_folders(ws)[0].name
    app = open_page(ws, "runs", run=name)
    frame = next(d.value for d in app.dataframe if "epochs_target" in d.value)
    used = read_json(ws.runs / name / "run.json")["repetition"]["sources"]
    assert frame["source"].tolist() == list(used)
