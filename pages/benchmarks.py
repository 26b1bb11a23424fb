"""Benchmarks: what is registered, and every prompt exactly as a model sees it."""

import streamlit as st

from lab.evaluation.benchmarks.registry import list_benchmarks
from lab.ui.benchmarks.changing import offer_changes, show_news
from lab.ui.benchmarks.listing import quoted_items, show_benchmarks
from lab.ui.benchmarks.reader import pick_benchmark, show_facts, show_reader
from lab.ui.benchmarks.registering import offer_register
from lab.ui.components import header, next_steps
from lab.ui.job_panel import watch
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("benchmarks")
watch(ws, ["benchmark"], "benchmarks")
show_news(ws)
found = list_benchmarks(ws)
offer_register(ws, len(found))
if found:
    quoted = quoted_items(ws)
    show_benchmarks(found, quoted)
    st.subheader("Read the items", anchor=False)
    with guarded():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            bench = pick_benchmark(found)
            offer_changes(ws, bench)
        show_facts(bench)
        show_reader(ws, bench, quoted)
    st.caption(
        "One prompt for every model: fixed shots in a fixed order, temperature 0, nothing tuned "
        "per model (the protocol of phi-3)."
    )
next_steps(
    ("contamination", "Which documents quote them", {}),
    ("runs", "Train and score proxy runs", {}),
)
