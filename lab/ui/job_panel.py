"""Jobs on a page: start one, watch it, and be told when it is over.

The panel is a fragment that polls once a second while something runs and not at all otherwise. When
the last watched job ends, one full run of the page shows what it left, and polling is over. Nothing
here computes: a job is a process of its own with a folder, so the tab may be closed at any moment.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.jobs.store import Job, cancel_job, list_jobs, resume_job, start_job
from lab.ui.formats import duration, percent
from lab.ui.text import guarded, label, show_error, show_plain

NAMES = {
    "sample": "building the sample world",
    "add": "reading a source",
    "remove": "removing a source",
    "tokenizer": "making a tokenizer",
    "measure": "counting tokens and measuring signals",
    "index": "indexing the words",
    "edit": "editing texts",
    "dedup": "finding duplicates",
    "decontaminate": "looking for benchmark items in the text",
    "label": "asking a model for labels",
    "score": "learning a quality score",
    "embed": "embedding documents",
    "map": "drawing the map",
    "marks": "finding what distinguishes a selection",
    "select": "choosing documents for breadth",
    "diversity": "measuring how broad the texts are",
    "benchmark": "registering a benchmark",
    "train": "training proxy runs",
    "sweep": "training a sweep",
    "advise": "fitting the runs and advising",
    "loop": "training what the decision needs",
    "validate": "validating the proposal",
    "reuse": "restoring the decision",
    "phases": "weighing every phase",
    "thresholds": "choosing thresholds and weights",
    "first_answer": "asking a cheap predictor",
    "resume": "continuing proxy runs",
    "posttrain": "fine-tuning finished runs",
    "track": "sending runs to a tracker",
    "evaluate": "scoring runs",
    "export": "writing an export",
}


def start(ws: Workspace, action: str, params: dict[str, Any]) -> None:
    """Start a job and rerun the page, which then watches it; an error is shown in place."""
    try:
        start_job(ws, action, {k: v for k, v in params.items() if v is not None})
    except LabError as error:
        show_error(error)
        return
    st.toast("Started. It goes on when this tab is closed.", icon=":material/play_circle:")
    st.rerun()


def watch(ws: Workspace, actions: Sequence[str], key: str) -> bool:
    """Show active jobs of `actions`, and the last one if it failed; True while one is active."""
    polling = any(job.active for job in relevant(ws, actions))

    def panel() -> None:
        jobs = relevant(ws, actions)
        for job in jobs:
            with guarded():
                show_job(ws, job, key)
        if polling and not any(job.active for job in jobs):
            st.rerun()

    st.fragment(panel, run_every=1.0 if polling else None)()
    return polling


def relevant(ws: Workspace, actions: Sequence[str]) -> list[Job]:
    """Active jobs of `actions`, and the newest of each action if it ended badly."""
    shown, seen = [], set()
    for job in list_jobs(ws):
        if job.action in actions:
            newest = job.action not in seen
            if job.active or (newest and job.state in ("failed", "lost")):
                shown.append(job)
            seen.add(job.action)
    return shown


def show_job(ws: Workspace, job: Job, key: str) -> None:
    """One job: what it does, how far it is, and the button that fits its state."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xsmall"):
            if job.active:
                st.progress(share(job), text=f"{label(job_words(job))}, {label(job_state(job))}")
            else:
                st.markdown(f"**{label(job_words(job))}**: {label(job.state)}")
                show_plain(job.error or "The process ended without a result; resume to go on.")
        if job.active and st.button(
            "Cancel", key=f"cancel_{key}_{job.id}", icon=":material/stop_circle:"
        ):
            cancel_job(ws, job.id)
            st.rerun()
        if not job.active and st.button(
            "Resume", key=f"resume_{key}_{job.id}", icon=":material/restart_alt:"
        ):
            resume_job(ws, job.id)
            st.rerun()


def share(job: Job) -> float:
    """How much is done, between 0 and 1."""
    return min(max(job.done / max(job.total, 1e-12), 0.0), 1.0)


def job_words(job: Job) -> str:
    """What a job does, naming what it is about."""
    about = job.params.get("name") or job.params.get("source") or job.params.get("recipe")
    about = about or " and ".join(job.params.get("recipes", []))
    words = NAMES.get(job.action, job.action)
    return f"{words[:1].upper()}{words[1:]}" + (f" ({about})" if about else "")


def job_state(job: Job) -> str:
    """State, share, time left and message of an active job, in one line."""
    if job.state == "queued":
        return job.message or "waiting for its turn"
    left = f", about {duration(job.eta)} left" if job.eta is not None and share(job) > 0.02 else ""
    return f"{percent(share(job), 0)}{left}. {job.message}"
