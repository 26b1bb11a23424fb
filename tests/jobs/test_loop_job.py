"""The loop as a job that really trains: killed in a round, resumed, and nothing trained twice."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from lab.advice.loop.of_recipe import latest_loop
from lab.advice.loop.record import read_record
from lab.advice.loop.stopping import verdict_of
from lab.advice.proposing.store import latest, latest_validation
from lab.advice.proposing.validation import validation_mixtures
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs.actions import run_action
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


def models(ws: Workspace) -> dict[str, int]:
    """When the model of every finished run was written."""
    paths = ws.runs.glob("*/model/model.safetensors")
    return {path.parts[-3]: path.stat().st_mtime_ns for path in paths}


def kill(ws: Workspace, name: str) -> None:
    """SIGKILL to the worker and all that it started."""
    job = get_job(ws, name)
    if job.active:
        with suppress(ProcessLookupError):
            os.killpg(read(job.folder / "pid.json")["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while get_job(ws, name).active and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.mark.slow
def test_a_killed_loop_is_resumed_and_stores_its_advice(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    """Killed once a run is done, then at a moment drawn by lot."""
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    params = {"recipe": "two", "budget": 0.4, "tokens": 4096, "start": 4, "batch": 1, "workers": 2}
    job = start_job(ws, "loop", params)
    wait(ws, job.id, lambda: bool(models(ws)))
    kept = models(ws)
    kill(ws, job.id)
    (folder,) = ws.folder("loops").iterdir()
    left = read_record(folder)
    assert left.rounds[-1].open
    resume_job(ws, job.id)
    time.sleep(random.Random(1).uniform(4, 15))
    kill(ws, job.id)
    assert kept.items() <= models(ws).items(), "a finished run was lost or trained again"
    kept = models(ws)
    if get_job(ws, job.id).state != "done":
        resume_job(ws, job.id)
    wait(ws, job.id, lambda: get_job(ws, job.id).state == "done")
    assert kept.items() <= models(ws).items()
    record = read_record(folder)
    assert record.ended in ("budget", "resolved", "exhausted")
    assert record.rounds[0].wanted == left.rounds[0].wanted
    runs = list_runs(ws)
    assert runs.height == record.runs and set(runs["state"]) == {"done"}
    found = latest(ws, "two")
    assert found is not None and len(found[0].runs) == record.runs
    assert found[1].verdict == verdict_of(record)
    assert sum(found[1].proposal.values()) == pytest.approx(1)
    assert found[1].path.height > 1


@pytest.mark.slow
def test_a_loop_confirms_its_decision_at_a_second_size(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    """One command: decided at nano by a first round that spends the budget, confirmed at micro."""
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    params = {"recipe": "two", "budget": 0.15, "tokens": 4096, "start": 4, "batch": 1, "workers": 2}
    said = run_action(ws, "loop", params | {"confirm": "micro", "confirm_tokens": 4096}, Progress())
    (folder,) = ws.folder("loops").iterdir()
    record, found = read_record(folder), latest(ws, "two")
    validated = latest_validation(ws, "two")
    assert said["verdict"] != "same", "else there is nothing to confirm"
    assert found is not None and validated is not None and record.confirmed is not None
    assert record.confirmed == said["confirmed"]
    assert record.confirmed["verdict"] == validated.verdict and validated.size == "micro"
    runs = list_runs(ws)
    assert set(found[1].next_runs["tokens"]) == {4096}, "what to train next can be trained"
    assert runs.filter(size="nano").height == record.runs
    assert runs.filter(size="micro").height == 2 * len(validation_mixtures(found[1]))
    assert latest_loop(ws, "two") == folder
