import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lab.core.engine import Engine, running_on
from lab.core.errors import Cancelled
from lab.core.lock import hold
from lab.core.progress import Progress, Report
from lab.core.workspace import create, open_workspace
from lab.proxy.record import last_record
from lab.proxy.runs import load_run, read_metrics, read_status, run_state
from lab.proxy.sweep import run_many, work_left

MakeRun = Callable[..., Path]


@pytest.fixture(autouse=True)
def workers_find_the_hook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    create(tmp_path / "w")


@pytest.mark.slow
def test_runs_are_trained_and_followed_up_and_one_failure_stops_no_other(
    make_run: MakeRun, tmp_path: Path
) -> None:
    folders = [make_run(name, steps=20, seed=k) for k, name in enumerate(("good", "bad"))]
    reports: list[Report] = []
    with running_on(Engine(workers=2)):
        swept = run_many(
            folders, device="cpu", after="after_training:refuse", progress=Progress(reports.append)
        )
    assert swept.done == (folders[0],)
    assert list(swept.failed) == ["bad"]
    assert "This run is not liked." in swept.failed["bad"]
    log = (folders[1] / "log.txt").read_text()
    assert log.count("This run is not liked.") == 2  # tried twice
    assert [run_state(f) for f in folders] == ["done", "done"]  # trained, but not followed up
    assert read_status(folders[0])["after"] == "after_training:refuse"
    assert reports[-1].done == reports[-1].total
    record = last_record(open_workspace(tmp_path / "w"))
    assert record is not None
    assert (record.attempts, record.failed) == ({"good": 1, "bad": 2}, ["bad"])
    assert not record.live
    again = run_many(folders[:1], device="cpu", after="after_training:refuse")
    assert again.done == (folders[0],)
    assert (folders[0] / "log.txt").read_text() == ""


@pytest.mark.slow
def test_what_lies_in_the_working_directory_is_not_imported(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("random", "torch", "lab"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')\n")
    monkeypatch.chdir(tmp_path)
    folder = make_run("one", steps=3)
    assert run_many([folder], device="cpu", after="after_training:note").done == (folder,)


def once(condition: Callable[[], bool], then: Callable[[], None]) -> threading.Thread:
    """A thread that does `then` when `condition` holds."""

    def watch() -> None:
        while not condition():
            time.sleep(0.05)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def trains(folder: Path) -> bool:
    return (folder / "metrics.jsonl").is_file() and read_metrics(folder).height >= 20


@pytest.mark.slow
def test_a_wish_to_stop_leaves_checkpoints_and_the_same_call_continues(
    make_run: MakeRun, tmp_path: Path
) -> None:
    folder = make_run("long", steps=100_000)
    stop = threading.Event()
    watcher = once(lambda: trains(folder), stop.set)
    with pytest.raises(Cancelled):
        run_many([folder], device="cpu", progress=Progress(should_stop=stop.is_set))
    watcher.join()
    assert run_state(folder) == "interrupted"
    step = read_status(folder)["step"]
    assert step >= 20
    assert list((folder / "checkpoint").glob("step-*"))


@pytest.mark.slow
def test_a_worker_that_is_killed_twice_is_named_so(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("long", steps=100_000)

    killed: list[int] = []

    def kill_what_trains() -> None:
        holder = load_holder(folder)
        if holder and holder not in killed and trains(folder):
            os.kill(holder, signal.SIGKILL)
            killed.append(holder)

    swept = run_many([folder], device="cpu", progress=Progress(lambda _: kill_what_trains()))
    assert len(killed) == 2
    assert "signal 9 (SIGKILL)" in swept.failed["long"]
    assert "memory" in swept.failed["long"]


def load_holder(folder: Path) -> int | None:
    try:
        return int(json.loads((folder / "training.json").read_text())["pid"])
    except FileNotFoundError:
        return None


@pytest.mark.slow
def test_a_run_that_another_process_trains_is_waited_for(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("shared", steps=5)
    said: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with hold(folder / "training.json", "training", 0, "busy"):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(60)

    def look(report: Report) -> None:
        said.append(report.message)
        if len(said) > 3:
            leave.set()

    with running_on(Engine(workers=1)):
        swept = run_many([folder], device="cpu", progress=Progress(look))
    thread.join()
    assert "waiting for 1 that another process works on" in said[0]
    assert swept.done == (folder,)
    record = last_record(open_workspace(tmp_path / "w"))
    assert record is not None
    assert record.attempts == {"shared": 1}  # it was not tried while the other worked


def test_the_longest_run_is_the_one_with_most_left_to_compute(make_run: MakeRun) -> None:
    short, long = (load_run(make_run(f"r{n}", steps=n)) for n in (2, 5))
    wide = replace(
        short, hyperparameters=replace(short.hyperparameters, hidden=256, feed_forward=512)
    )
    order = sorted([short, long, wide], key=work_left, reverse=True)
    assert order == [wide, long, short]
