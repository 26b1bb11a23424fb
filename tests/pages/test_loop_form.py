"""The loop on the advice page: its options, its rounds while it runs and after, and going on."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.advice.loop.record import Record, Round, Wanted, keep_confirmed, write_record
from lab.core.files import write_json
from lab.core.workspace import Workspace
from lab.jobs.store import cancel_job, list_jobs, write_pid

WEIGHTS = {"short": 0.5, "long": 0.5}
SETTINGS = {"budget": 30.0, "size": "nano", "tokens": 8192, "metric": None, "seed": 0}
SETTINGS |= {"start": 4, "batch": 2, "repeats": 0, "confirm": "", "confirm_tokens": None}


def rounds(*odds: float, still: bool = False) -> tuple[Round, ...]:
    """Closed rounds with these odds, and an open one."""
    wanted = (Wanted("next-001", WEIGHTS, 0, "nano"), Wanted("next-002", WEIGHTS, 1, "nano"))
    closed = [
        Round(wanted, 1.5, "better", p, 0.94, (0.02, 0.01, 0.03), 0.0, 0.07, WEIGHTS, 4 + 2 * k)
        for k, p in enumerate(odds)
    ]
    return tuple(closed + ([Round(wanted)] if still else []))


def said(app: AppTest) -> str:
    """The page's words without the marks that keep names from being read as markup."""
    return words_of(app).replace("\\", "")


def started(ws: Workspace) -> dict[str, Any]:
    """Parameters of the one job that the page started, which is stopped."""
    (job,) = [job for job in list_jobs(ws) if job.action == "loop"]
    cancel_job(ws, job.id, wait=True)
    return job.params


def with_record(ws: Workspace, record: Record, recipe: str = "both") -> Workspace:
    about = {"recipe": recipe, "settings": SETTINGS}
    write_record(ws.folder("loops", f"{recipe}-1"), record, about)
    return ws


def with_job(ws: Workspace, recipe: str = "both") -> None:
    """A job that this process is taken to be working on."""
    folder = ws.jobs / "20260101-000000-loop"
    params = {"recipe": recipe, "budget": 30.0, "workers": 1}
    spec: dict[str, Any] = {"action": "loop", "params": params}
    write_json(folder / "spec.json", spec | {"created": "2026-01-01T00:00:00+00:00"})
    write_pid(folder, os.getpid())


@pytest.fixture
def ws(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> Iterator[Workspace]:
    """A copy whose jobs are forgotten first: what ends jobs after a test would end this process."""
    own = copy_of(recipe_workspace)
    yield own
    shutil.rmtree(own.jobs, ignore_errors=True)


def test_before_any_loop_there_is_a_form_with_its_options(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "advice", recipe="both")
    assert not app.exception
    assert app.button(key="loop")
    assert app.number_input(key="loop_start").value == 2 + 1 + 3
    assert "The first round takes about" in said(app)
    assert not [frame for frame in app.dataframe if "odds needed" in str(frame)]
    assert "nano" not in app.selectbox(key="loop_confirm").options
    app.selectbox(key="loop_size").set_value("micro").run()
    assert not app.exception and "nano" in app.selectbox(key="loop_confirm").options


def test_the_options_become_the_jobs_parameters(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "advice", recipe="both")
    app.number_input(key="loop_minutes").set_value(12.0)
    app.number_input(key="loop_batch").set_value(3)
    app.selectbox(key="loop_confirm").set_value("micro").run()
    app.button(key="loop").click().run()
    assert not app.exception
    params = started(ws)
    wanted = {"recipe": "both", "budget": 12.0, "batch": 3, "start": 6, "confirm": "micro"}
    assert wanted.items() <= params.items() and params["size"] == "nano"


def test_a_finished_loop_shows_its_rounds_and_goes_on(ws: Workspace, open_page: Open) -> None:
    with_record(ws, Record(rounds(0.8, 0.93, 0.92), "budget"))
    app = open_page(ws, "advice", recipe="both")
    assert not app.exception
    assert "The minutes are spent: unresolved, after 6 runs, 4.5 minutes." in said(app)
    (shown,) = [f.value for f in app.dataframe if "needed" in f.value.columns]
    assert shown["runs"].to_list() == [2, 4, 6] and shown["evidence"].to_list() == [4, 6, 8]
    assert shown["minutes"].to_list() == [1.5, 3.0, 4.5]
    assert set(shown["distance"]) == {0.07}
    app.number_input(key="loop_more").set_value(15.0).run()
    app.button(key="loop_on").click().run()
    assert not app.exception
    params = started(ws)
    assert params["budget"] == 45.0 and params["tokens"] == 8192
    assert "metric" not in params, "what nobody chose is not a parameter"


def test_a_running_loop_says_its_round_and_can_be_stopped(ws: Workspace, open_page: Open) -> None:
    with_record(ws, Record(rounds(0.8, still=True)))
    with_job(ws)
    app = open_page(ws, "advice", recipe="both")
    assert not app.exception
    assert "Round 2 is training 2 runs; 4 runs, 1.5 minutes." in said(app)
    assert app.button(key="loop_stop")
    assert not [b for b in app.button if b.key == "loop_on"]


def test_a_stopped_loop_says_where_and_what_a_second_size_said(
    ws: Workspace, open_page: Open
) -> None:
    with_record(ws, Record(rounds(0.8, still=True)))
    app = open_page(ws, "advice", recipe="both")
    assert "Stopped in round 2: 4 runs, 1.5 minutes." in said(app)
    with_record(ws, Record(rounds(0.97, 0.98), "resolved"))
    gain = {"value": 0.012, "low": 0.004, "high": 0.02}
    keep_confirmed(
        ws.folder("loops", "both-1"), {"size": "micro", "verdict": "holds", "gain": gain}
    )
    app = open_page(ws, "advice", recipe="both")
    assert not app.exception
    assert "The decision is resolved: better, after 4 runs" in said(app)
    assert "At size **micro** it **holds**" in said(app)
    other = open_page(ws, "advice", recipe="long-only")
    assert "The decision is resolved" not in said(other)
