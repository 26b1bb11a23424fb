import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.core.workspace import create
from lab.proxy.runs import read_status
from lab.proxy.worker import Stop, run_after

MakeRun = Callable[..., Path]


def test_a_worker_stops_when_its_parent_is_gone_or_it_is_told_to() -> None:
    assert not Stop(0)()
    assert not Stop(os.getppid())()
    assert Stop(os.getpid())()  # a parent that is not ours any more
    told = Stop(0)
    told.ask(15, None)
    assert told()


def test_what_comes_after_gets_the_workspace_and_is_noted(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab.core.progress import SILENT

    monkeypatch.syspath_prepend(Path(__file__).parent)
    create(tmp_path / "w")
    folder = make_run(steps=1)
    run_after("after_training:note", folder, SILENT)
    assert Path((folder / "noted.txt").read_text()) == (tmp_path / "w").resolve()
    assert read_status(folder)["after"] == "after_training:note"
