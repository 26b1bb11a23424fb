"""Overview: where the workspace stands and what comes next."""

import streamlit as st

from lab.jobs.store import list_jobs
from lab.proxy.runs import list_runs
from lab.ui import flow
from lab.ui.components import attempt, empty, header, link, next_steps, show_broken
from lab.ui.formats import ago, count
from lab.ui.job_panel import NAMES, job_words, start, watch
from lab.ui.starting import start_recipe
from lab.ui.state import workspace
from lab.ui.text import label

BADGES = {
    flow.DONE: (":material/check_circle:", "green"),
    flow.STALE: (":material/update:", "orange"),
    flow.MISSING: (":material/radio_button_unchecked:", "blue"),
    flow.OPTIONAL: (":material/radio_button_unchecked:", "gray"),
}

ws = workspace()
header("overview")
running = watch(ws, list(NAMES), "overview")
found = flow.stations(ws)

if len(found) == 1 and not running:
    with empty("This workspace is empty."):
        st.markdown(
            "The sample world is a small invented corpus with planted duplicates, spam and "
            "benchmarks. It takes about a minute and shows everything the lab does."
        )
        if st.button("Build the sample world", key="sample", type="primary"):
            start(ws, "sample", {})
        st.markdown("Or start with text of your own: files, folders or a Hugging Face dataset.")
        link("sources", "Add a source")
    st.stop()

for place, station in enumerate(found, start=1):
    icon, colour = BADGES[station.state]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.badge(label(station.state), icon=icon, color=colour, width=110)
        st.markdown(f"**{count(place)}. {label(station.name)}**", width=210)
        st.caption(label(station.words), width="stretch")
        wanted = station.state != flow.DONE and station.action and not running
        if wanted and st.button(label(station.step), key=f"do_{station.action}"):
            start(ws, station.action, {})
        none_yet = station.name == "Recipes" and station.state == flow.MISSING
        if none_yet and st.button("Start one by size", key="start_recipe"):
            attempt(start_recipe, ws)
            st.rerun()
        link(station.page, "Open")
show_broken(ws)

recent_jobs, recent_runs = list_jobs(ws)[:5], list_runs(ws).reverse().head(5)
left, right = st.columns(2)
if recent_jobs:
    with left:
        st.subheader("Recent jobs", anchor=False)
        for job in recent_jobs:
            st.caption(f"{label(job_words(job))}: **{label(job.state)}**, {ago(job.created)}")
        link("jobs", "All jobs")
if recent_runs.height:
    with right:
        st.subheader("Recent runs", anchor=False)
        for run in recent_runs.iter_rows(named=True):
            link("runs", f"{run['id']}: {run['state']}", run=run["id"])
upcoming = flow.next_station(found)
next_steps(
    (upcoming.page, upcoming.step, {}) if upcoming else ("compare", "Compare two mixtures", {}),
    ("browse", "Read documents", {}),
)
