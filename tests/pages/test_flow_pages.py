"""Overview, sources, runs, compare, export, jobs, map, advice: what each must say and do."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from visiting import Open, words_of

from lab.core.files import write_json
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.jobs.store import list_jobs

Copy = Callable[[Workspace], Workspace]


def test_overview_names_what_is_missing_and_offers_it(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "overview")
    said = words_of(app).replace("\\", "")
    assert "3 sources" in said and "3 recipes, 1 cannot be read" in said
    assert "Unknown key 'sorces'" in said
    assert app.button(key="do_decontaminate")


def test_a_changed_source_is_stale_not_silently_reused(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy, tmp_path: Path
) -> None:
    from lab.corpus.sources import add_source

    ws = copy_of(recipe_workspace)
    path = tmp_path / "short.jsonl"
    path.write_text(json.dumps({"text": "quite another text"}))
    add_source(ws, "short", [str(path)])
    assert "stale" in words_of(open_page(ws, "overview"))
    assert "changed after they were measured" in words_of(open_page(ws, "browse", source="short"))


def test_a_first_recipe_from_the_sources(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    from lab.mixture.recipe_files import load_recipe

    ws = copy_of(recipe_workspace)
    for path in ws.recipes.glob("*.yaml"):
        path.unlink()
    app = open_page(ws, "overview")
    app.button(key="start_recipe").click().run()
    weights = load_recipe(ws, "natural").mixture.phases[0].weights
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["copies"] > weights["short"]


def test_sources_are_counted_and_add_starts_a_job(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy, tmp_path: Path
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "sources")
    frame = app.dataframe[0].value
    assert dict(zip(frame["source"], frame["documents"], strict=True))["short"] == 600
    assert frame["signals"].unique().tolist() == ["measured"]
    (tmp_path / "new.jsonl").write_text('{"text": "one"}\n{"text": null}\nnot json\n')
    app.text_input(key="add_path").set_value(str(tmp_path / "new.jsonl"))
    app.text_input(key="add_name").set_value("new")
    next(b for b in app.button if b.label == "Add").click().run()
    assert not app.exception
    deadline = time.monotonic() + 60
    while list_jobs(ws)[0].active and time.monotonic() < deadline:
        time.sleep(0.2)
    assert list_jobs(ws)[0].state == "done", list_jobs(ws)[0].log_tail()
    assert "new" in [source.name for source in list_sources(ws)]
    app = open_page(ws, "sources", source="new")
    reasons = next(d.value for d in app.dataframe if list(d.value.columns) == ["reason", "rows"])
    assert reasons["rows"].sum() == 2
    assert app.button(key="measure")


def test_an_impossible_source_fails_in_words(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    folder = ws.jobs / "20260101-000000-000abcd"
    folder.mkdir(parents=True)
    spec = {"action": "add", "params": {"name": "x", "paths": ["/none"]}}
    write_json(folder / "spec.json", spec | {"created": "2026-01-01T00:00:00+00:00"})
    write_json(folder / "result.json", {"state": "failed", "error": "![x](http://e) is no path"})
    app = open_page(ws, "sources")
    assert any("![x](http://e) is no path" in c.value for c in app.code)
    assert app.button(key=f"resume_sources_{folder.name}")


def test_runs_show_state_loss_and_scores(trained_workspace: Workspace, open_page: Open) -> None:
    app = open_page(trained_workspace, "runs", recipe="both")
    assert app.multiselect(key="train").value == ["both"]
    frame = next(d.value for d in app.dataframe if "loss" in d.value.columns)
    assert frame["state"].tolist() == ["done"] * 4
    assert frame["scored"].all()
    scores = next(d.value for d in app.dataframe if "metric" in d.value.columns)
    assert {"heldout", "benchmark", "twin"} <= set(scores["scope"])
    assert "measured on 4 runs here" in words_of(app)


def test_one_run_by_its_address(trained_workspace: Workspace, open_page: Open) -> None:
    name = sorted(p.parent.name for p in trained_workspace.runs.glob("*/run.json"))[0]
    app = open_page(trained_workspace, "runs", run=name)
    assert app.selectbox(key="run").value == name


def test_export_shows_epochs_and_reads_files(trained_workspace: Workspace, open_page: Open) -> None:
    app = open_page(trained_workspace, "export", recipe="long-only", file="recipe.yaml")
    implied = app.dataframe[0].value
    assert implied["source"].tolist() == ["long"]
    assert any("name: long-only" in c.value for c in app.code)


def test_an_export_cannot_leave_its_folder(
    trained_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(trained_workspace)
    app = open_page(ws, "export", recipe="long-only")
    box = next(t for t in app.text_input if t.label.startswith("Folder"))
    box.set_value("../../outside").run()
    app.button(key="write").click().run()
    assert "leads outside" in words_of(app)
    assert not list_jobs(ws)


def test_a_lost_job_is_shown_with_its_log_and_a_way_on(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    folder = ws.jobs / "20260101-000000-000abcd"
    folder.mkdir(parents=True)
    spec: dict[str, Any] = {"action": "measure", "params": {"source": "short"}}
    write_json(folder / "spec.json", spec | {"created": "2026-01-01T00:00:00+00:00"})
    (folder / "log.txt").write_text("measuring\nKilled\n")
    app = open_page(ws, "jobs", job=folder.name)
    assert app.dataframe[0].value["state"].tolist() == ["lost"]
    assert any("Killed" in c.value for c in app.code)
    assert app.button(key="jobs_resume")


def test_advice_says_what_it_needs(trained_workspace: Workspace, open_page: Open) -> None:
    app = open_page(trained_workspace, "advice", recipe="both")
    assert "at least two more mixtures than there are sources" in words_of(app)
    assert app.button(key="sweep")
    assert app.button(key="advise")


@pytest.mark.slow
def test_training_can_be_cancelled_from_the_page(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    from lab.jobs.store import get_job, start_job

    ws = copy_of(recipe_workspace)
    params = {"recipes": ["long-only"], "size": "nano", "tokens": 20_000_000, "seeds": [0]}
    job = start_job(ws, "train", params)
    app = open_page(ws, "runs")
    assert "Train" in " ".join(b.label for b in app.button)
    app.button(key=f"cancel_runs_{job.id}").click().run()
    assert not app.exception
    deadline = time.monotonic() + 90
    while get_job(ws, job.id).active and time.monotonic() < deadline:
        time.sleep(0.2)
    assert get_job(ws, job.id).state == "cancelled"
    app = open_page(ws, "jobs", job=job.id)
    assert app.button(key="jobs_resume")
