"""Jobs: everything that runs outside the server, now and before."""

import streamlit as st

from lab.jobs.store import get_job, list_jobs
from lab.ui.components import empty, header, link, next_steps
from lab.ui.job_table import job_details, job_overview
from lab.ui.state import workspace

ws = workspace()
header("jobs")
jobs = list_jobs(ws)
if not jobs:
    with empty("No job has run in this workspace yet."):
        link("sources", "Add or measure a source")
        link("runs", "Train a proxy run")
    next_steps(("overview", "Back to the overview", {}))
    st.stop()

job_overview(ws)
st.caption("A job is a process of its own: it goes on when this tab or the server is closed.")
st.subheader("Details", anchor=False)
chosen = st.selectbox("Job", [job.id for job in jobs], key="job", bind="query-params")
job_details(ws, get_job(ws, chosen))
next_steps(("overview", "Back to the overview", {}), ("runs", "See the proxy runs", {}))
