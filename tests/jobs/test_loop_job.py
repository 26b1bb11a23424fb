"""The loop as a job that really trains: killed in a round, resumed, and nothing trained twice."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from lab.advice.loop.record import read_record
from lab.advice.proposing.store import latest
from lab.core.workspace import Workspace
from lab.jobs.store import get_job, read, resume_job, start_job
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe
from lab.proxy.runs import list_runs

PHASES = (Phase("all", 1.0, {"short": 0.5, "long": 0.5}),)
RECIPE = Recipe("two", "plain", {"short": (), "long": ()}, Mixture(60_000, PHASES))


def wait(ws: Workspace, name: str, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 600
    while not until():
        job = get_job(ws, name)
        assert job.active or until(), f"{job.state}: {job.error}\n{job.log_tail()}"
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
def test_a_killed_loop_is_resumed_and_stores_its_advice(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    params = {"recipe": "two", "budget": 0.4, "tokens": 4096, "start": 4, "batch": 1, "workers": 2}
    job = start_job(ws, "loop", params)
    wait(ws, job.id, lambda: any(list_runs(ws)["state"] == "done"))
    os.killpg(read(job.folder / "pid.json")["pid"], signal.SIGKILL)
    wait_dead = time.monotonic() + 60
    while get_job(ws, job.id).active and time.monotonic() < wait_dead:
        time.sleep(0.1)
    (folder,) = ws.folder("loops").iterdir()
    left = read_record(folder)
    assert left.rounds[-1].open
    before = set(list_runs(ws).filter(state="done")["id"])
    resume_job(ws, job.id)
    wait(ws, job.id, lambda: get_job(ws, job.id).state == "done")
    record = read_record(folder)
    assert record.ended in ("budget", "resolved", "exhausted")
    assert record.rounds[0].wanted == left.rounds[0].wanted
    runs = list_runs(ws)
    assert runs.height == record.runs and set(runs["state"]) == {"done"}
    assert before <= set(runs["id"])
    found = latest(ws, "two")
    assert found is not None and len(found[0].runs) == record.runs
    assert sum(found[1].proposal.values()) == pytest.approx(1)
    assert found[1].path.height > 1
