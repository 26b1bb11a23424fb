"""Runs as tasks of a Ray cluster of one processor: what must not wait for ever, what must be said.

In the group of the other Ray tests, so that one test process owns the cluster.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.core.engine import Engine
from lab.proxy.launch import DONE, FAILED, RayLauncher
from lab.proxy.runs import read_status

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.slow]
MakeRun = Callable[..., Path]


@pytest.fixture
def launcher() -> Iterator[RayLauncher]:
    ray.shutdown()  # a cluster of another test would have other places
    made = RayLauncher(Engine("ray", workers=1), 1)
    yield made
    made.close()


def ended(launcher: RayLauncher, handle: Any, seconds: float = 120) -> int | None:
    """How a task ended; None if it still waits or works after `seconds`."""
    deadline = time.monotonic() + seconds
    while (status := launcher.exit_status(handle)) is None and time.monotonic() < deadline:
        time.sleep(0.2)
    return status


def test_a_task_that_asks_for_more_than_there_is_runs_and_one_that_is_lost_says_why(
    make_run: MakeRun, launcher: RayLauncher
) -> None:
    folder = make_run("many-threads", steps=2)  # as one that was begun alone, on more processors
    assert ended(launcher, launcher.start(folder, ["--device", "cpu"], 2)) == DONE
    assert read_status(folder)["threads"] == 2
    lost = make_run("lost", steps=2)
    assert ended(launcher, launcher.start(lost, ["no argument of a process: \0"], 1)) == FAILED
    said = (lost / "log.txt").read_text()
    assert "embedded null byte" in said and "\x1b" not in said
