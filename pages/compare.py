"""Compare: two mixtures on held-out text and benchmarks, with intervals."""

import streamlit as st

from lab.ui import comparison
from lab.ui.components import empty, header, link, next_steps
from lab.ui.job_panel import watch
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("compare")
watch(ws, ["train", "evaluate"], "compare")
names = comparison.compared_names(ws)
if len(names) < 2:
    with empty("Two recipes with scored runs are needed."):
        comparison.show_nothing_scored(names)
        link("runs", "Train proxy runs")
    st.stop()

first, second = st.columns(2)
a = str(first.selectbox("Baseline (A)", names, key="a", bind="query-params"))
b = str(second.selectbox("Compared with it (B)", names, index=1, key="b", bind="query-params"))
if a == b:
    st.caption("Choose two different recipes.")
    st.stop()
with guarded():
    found = comparison.comparison_of(ws, a, b)
    comparison.show_summary(found, a, b)
    for scope in comparison.SCOPES:
        comparison.show_scope(found, scope, a, b)
    comparison.show_advice(found)
    st.caption(
        "Intervals are 95 %, over seeds and items together. Unresolved means that the interval "
        "holds zero: the runs do not tell which is better. Proxy runs rank mixtures; a large model "
        "may rank close ones otherwise."
    )
next_steps(
    ("runs", "Train more seeds", {}),
    ("export", "Export the better one", {}),
    ("advice", "Ask what to try next", {}),
)
