"""Jobs as real detached processes on a real workspace."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.core.errors import ConfigError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, create
from lab.corpus.sources import list_sources
from lab.jobs.actions import run_action
from lab.jobs.sample import is_unfinished
from lab.jobs.store import Job, cancel_job, get_job, list_jobs, read, resume_job, start_job
from tests.conftest import plain_texts, write_jsonl


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def wait(ws: Workspace, job: Job, states: tuple[str, ...], seconds: float = 60) -> Job:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = get_job(ws, job.id)
        if now.state in states:
            return now
        time.sleep(0.05)
    raise AssertionError(f"{now.state}, not {states}: {now.error}\n{now.log_tail()}")


def add_params(tmp_path: Path, name: str, documents: int = 50) -> dict[str, object]:
    path = write_jsonl(tmp_path / f"{name}.jsonl", plain_texts(documents, 40, len(name)))
    return {"name": name, "paths": [str(path)]}


def test_a_job_does_the_work_and_says_so(ws: Workspace, tmp_path: Path) -> None:
    job = wait(ws, start_job(ws, "add", add_params(tmp_path, "web")), ("done",))
    assert job.result is not None
    assert job.result["documents"] == 50
    assert [s.name for s in list_sources(ws)] == ["web"]
    assert [j.id for j in list_jobs(ws)] == [job.id]
    assert not (ws.root / "lock.json").exists()


def test_a_failure_is_told_in_the_words_of_the_error(ws: Workspace) -> None:
    job = start_job(ws, "add", {"name": "web", "paths": ["/nowhere/at/all.jsonl"]})
    failed = wait(ws, job, ("failed",))
    assert "/nowhere/at/all.jsonl" in failed.error
    assert "next:" in failed.error
    assert "Traceback" not in failed.error


def test_a_wrong_parameter_never_becomes_a_job(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="did you mean paths"):
        start_job(ws, "add", {"name": "web", "path": ["x"]})
    with pytest.raises(ConfigError, match="did you mean measure"):
        start_job(ws, "mesure", {})
    assert list_jobs(ws) == []


def test_jobs_wait_for_each_other_in_order(ws: Workspace, tmp_path: Path) -> None:
    with ws.lock("a test"):
        first = start_job(ws, "add", add_params(tmp_path, "one"))
        time.sleep(0.02)
        second = start_job(ws, "add", add_params(tmp_path, "other"))
        queued = wait(ws, second, ("queued",))
        assert first.id in queued.message
    done = [wait(ws, job, ("done",)) for job in (first, second)]
    finished = [(job.folder / "result.json").stat().st_mtime_ns for job in done]
    assert finished == sorted(finished)


def test_a_waiting_job_can_be_cancelled(ws: Workspace, tmp_path: Path) -> None:
    with ws.lock("a test"):
        first = start_job(ws, "add", add_params(tmp_path, "one"))
        time.sleep(0.02)
        second = wait(ws, start_job(ws, "add", add_params(tmp_path, "other")), ("queued",))
        assert cancel_job(ws, second.id, wait=True).state == "cancelled"
    wait(ws, first, ("done",))
    assert [s.name for s in list_sources(ws)] == ["one"]


def test_a_job_waits_for_another_process_and_can_be_cancelled_meanwhile(
    ws: Workspace, tmp_path: Path
) -> None:
    with ws.lock("a command in a terminal"):
        job = start_job(ws, "add", add_params(tmp_path, "web"))
        queued = wait(ws, job, ("queued",))
        assert "a command in a terminal" in queued.message
        started = time.monotonic()
        assert cancel_job(ws, job.id, wait=True).state == "cancelled"
        assert time.monotonic() - started < 20, "must not sit out the grace period"


def test_a_job_cancelled_before_it_could_listen_is_cancelled(ws: Workspace, tmp_path: Path) -> None:
    job = start_job(ws, "add", add_params(tmp_path, "web"))
    cancel_job(ws, job.id)
    seen = {get_job(ws, job.id).state}
    while get_job(ws, job.id).active:
        seen.add(get_job(ws, job.id).state)
    assert "lost" not in seen, "a worker that had no time to answer was still asked to stop"
    assert get_job(ws, job.id).state == "cancelled"


def test_a_resumed_job_reads_relative_paths_where_it_was_asked_for(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = add_params(tmp_path, "web") | {"paths": ["web.jsonl"]}
    monkeypatch.chdir(tmp_path)
    with ws.lock("a test"):
        job = wait(ws, start_job(ws, "add", params), ("queued",))
        cancel_job(ws, job.id, wait=True)
    monkeypatch.chdir("/")
    assert wait(ws, resume_job(ws, job.id), ("done",)).action == "add"


def test_what_lies_in_the_working_directory_is_not_imported(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("random", "polars", "lab"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')\n")
    monkeypatch.chdir(tmp_path)
    done = wait(ws, start_job(ws, "add", add_params(tmp_path, "web")), ("done",))
    assert done.state == "done", done


@pytest.mark.parametrize("action", ["resume", "evaluate"])
def test_the_name_of_a_run_cannot_leave_the_folder(ws: Workspace, action: str) -> None:
    with pytest.raises(ConfigError, match="outside its folder"):
        run_action(ws, action, {"runs": ["../../elsewhere"]}, SILENT)


def test_a_worker_says_who_it_is_if_its_starter_could_not(ws: Workspace, tmp_path: Path) -> None:
    with ws.lock("a test"):
        job = start_job(ws, "add", add_params(tmp_path, "web"))
        (job.folder / "pid.json").unlink()  # as if the starter had been killed
        wait(ws, job, ("queued",))
        assert "pid" in read(job.folder / "pid.json")
    wait(ws, job, ("done",))


def test_a_killed_worker_is_lost_and_can_be_resumed(ws: Workspace, tmp_path: Path) -> None:
    with ws.lock("a test"):  # holds the worker before its work
        job = start_job(ws, "add", add_params(tmp_path, "web"))
        time.sleep(1.0)
        os.kill(read(job.folder / "pid.json")["pid"], signal.SIGKILL)
        lost = wait(ws, job, ("lost",))
    assert lost.result is None
    again = resume_job(ws, job.id)
    assert again.id == job.id
    assert wait(ws, again, ("done",)).result["documents"] == 50  # type: ignore[index]


def test_a_job_survives_the_process_that_started_it(ws: Workspace, tmp_path: Path) -> None:
    program = (
        "import json, sys\nfrom pathlib import Path\n"
        "from lab.core.workspace import open_workspace\nfrom lab.jobs.store import start_job\n"
        "job = start_job(open_workspace(Path(sys.argv[1])), 'add', json.loads(sys.argv[2]))\n"
        "print(job.id, flush=True)\n"
    )
    params = json.dumps(add_params(tmp_path, "web"))
    argv = [sys.executable, "-c", program, str(ws.root), params]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    job = get_job(ws, done.stdout.strip())
    assert wait(ws, job, ("done",)).result is not None


def test_a_reused_process_id_is_not_mistaken_for_the_worker(ws: Workspace, tmp_path: Path) -> None:
    job = wait(ws, start_job(ws, "add", add_params(tmp_path, "web")), ("done",))
    (job.folder / "result.json").unlink()
    (job.folder / "pid.json").write_text(json.dumps({"pid": os.getpid(), "start": 1.0}))
    assert get_job(ws, job.id).state == "lost"


def test_an_interrupted_sample_is_recognised(ws: Workspace, sample_workspace: Workspace) -> None:
    assert not is_unfinished(ws), "an empty workspace is nobody's sample"
    ws.folder("world").mkdir()
    assert is_unfinished(ws)
    assert not is_unfinished(sample_workspace)


def test_a_job_id_cannot_leave_the_folder(ws: Workspace) -> None:
    with pytest.raises(ConfigError):
        get_job(ws, "../../etc")
