"""The table of all jobs and the details of one."""

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.jobs.store import Job, cancel_job, list_jobs, resume_job
from lab.ui.components import attempt, table
from lab.ui.formats import ago, duration
from lab.ui.job_panel import job_state, job_words, share
from lab.ui.text import guarded, label, show_plain

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "job": pl.String,
    "what": pl.String,
    "state": pl.String,
    "progress": pl.Float64,
    "message": pl.String,
    "took": pl.String,
    "started": pl.Datetime("us", "UTC"),
}


def job_frame(jobs: list[Job]) -> pl.DataFrame:
    """One row per job, newest first."""
    rows = [
        {
            "job": job.id,
            "what": job_words(job),
            "state": job.state,
            "progress": 1.0 if job.state == "done" else share(job),
            "message": job.message,
            "took": duration(job.seconds),
            "started": job.created,
        }
        for job in jobs
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def job_overview(ws: Workspace) -> None:
    """All jobs; polls while one is active, then reruns the page once."""
    polling = any(job.active for job in list_jobs(ws))

    @guarded()
    def panel() -> None:
        jobs = list_jobs(ws)
        table(
            job_frame(jobs),
            key="jobs_table",
            alt="Jobs with state, progress and duration, newest first",
            column_config={
                "progress": st.column_config.ProgressColumn(format="percent"),
                "started": st.column_config.DatetimeColumn(format="distance"),
            },
        )
        if polling and not any(job.active for job in jobs):
            st.rerun()

    st.fragment(panel, run_every=1.0 if polling else None)()


def job_details(ws: Workspace, job: Job) -> None:
    """One job: what it was asked, its state, its log, and cancel or resume."""
    st.caption(f"{label(job_words(job))}, started {ago(job.created)}")
    st.markdown(f"State: **{label(job.state)}**. {label(job_state(job)) if job.active else ''}")
    if job.error:
        show_plain(job.error)
    with st.container(horizontal=True):
        if job.active and st.button("Cancel", key="jobs_cancel", icon=":material/stop_circle:"):
            attempt(cancel_job, ws, job.id)
            st.rerun()
        unfinished = not job.active and job.state != "done"
        if unfinished and st.button("Resume", key="jobs_resume", icon=":material/restart_alt:"):
            attempt(resume_job, ws, job.id)
            st.rerun()
    asked, result, log = st.columns([1, 1, 2])
    asked.markdown("**Asked for**")
    asked.json(job.params)
    result.markdown("**Result**")
    result.json(job.result or {})
    with log:
        st.markdown("**End of the log**")
        show_plain(job.log_tail() or "The log is empty.")
