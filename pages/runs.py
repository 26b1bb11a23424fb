"""Proxy runs: train small models on recipes and watch what they learn."""

import streamlit as st

from lab.proxy.runs import run_folders
from lab.ui.components import header, next_steps
from lab.ui.job_panel import watch
from lab.ui.posttraining import posttrain_form
from lab.ui.state import workspace
from lab.ui.text import guarded
from lab.ui.training import live_runs, run_details, train_form

ws = workspace()
header("runs")
with guarded():
    train_form(ws)
busy = watch(ws, ["train", "sweep", "resume", "evaluate"], "runs")
st.subheader("The board", anchor=False)
with guarded():
    live_runs(ws, busy)
ids = sorted((folder.name for folder in run_folders(ws)), reverse=True)
if ids:
    st.subheader("One run", anchor=False)
    with guarded():
        run_details(ws, ids)
if st.toggle("Fine-tune finished runs: does the gap close?", key="after", bind="query-params"):
    with guarded():
        posttrain_form(ws)
st.caption(
    "Proxy runs rank mixtures; they say little about absolute scores of a large model. Training "
    "loss is measured on each recipe's own text, so it must not be compared between recipes: "
    "held-out loss on the next page can be."
)
next_steps(("compare", "Compare two recipes", {}), ("mixture", "Change the weights", {}))
