import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.core.errors import Cancelled, ConfigError
from lab.core.progress import Progress, Report
from lab.core.workspace import create
from lab.proxy.runs import read_metrics, read_status, run_state
from lab.proxy.sweep import run_many

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
    swept = run_many(
        folders,
        workers=2,
        device="cpu",
        after="after_training:refuse",
        progress=Progress(reports.append),
    )
    assert swept.done == (folders[0],)
    assert list(swept.failed) == ["bad"]
    assert "This run is not liked." in swept.failed["bad"]
    log = (folders[1] / "log.txt").read_text()
    assert log.count("This run is not liked.") == 2  # tried twice
    assert [run_state(f) for f in folders] == ["done", "done"]  # trained, but not followed up
    assert read_status(folders[0])["after"] == "after_training:refuse"
    assert reports[-1].done == reports[-1].total
    again = run_many(folders[:1], device="cpu", after="after_training:refuse")
    assert again.done == (folders[0],)
    assert (folders[0] / "log.txt").read_text() == ""


@pytest.mark.slow
def test_a_wish_to_stop_leaves_checkpoints_and_the_same_call_continues(
    make_run: MakeRun, tmp_path: Path
) -> None:
    folder = make_run("long", steps=100_000)
    stop = threading.Event()
    progress = Progress(should_stop=stop.is_set)

    def ask_once_it_trains() -> None:
        while not (folder / "metrics.jsonl").is_file() or read_metrics(folder).height < 20:
            time.sleep(0.05)
        stop.set()

    watcher = threading.Thread(target=ask_once_it_trains)
    watcher.start()
    with pytest.raises(Cancelled):
        run_many([folder], device="cpu", progress=progress)
    watcher.join()
    assert run_state(folder) == "interrupted"
    step = read_status(folder)["step"]
    assert step >= 20
    assert len(list((folder / "checkpoint").glob("step-*"))) == 1


def test_an_unknown_engine_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(ConfigError, match="Unknown engine"):
        run_many([make_run(steps=2)], engine="slurm")
