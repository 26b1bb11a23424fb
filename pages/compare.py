"""Compare: which of two mixtures is better, whether that is real, and whether it can be trusted."""

import streamlit as st

from lab.evaluation.gate.criteria import DEFAULT
from lab.ui.comparison import (
    choosing,
    real_panel,
    results,
    scale_panel,
    scores_panel,
    trust_panel,
    verdict_panel,
)
from lab.ui.components import header, next_steps
from lab.ui.job_panel import watch
from lab.ui.state import workspace
from lab.ui.text import guarded, label

VIEWS = (
    "Benchmarks",
    "Is it real?",
    "Held-out text",
    "Other sizes",
    "Can these metrics be trusted?",
)

ws = workspace()
header("compare")
watch(ws, ["train", "sweep", "evaluate"], "compare")
with guarded():
    chosen = choosing.pick_two(ws)
    if chosen is None:
        st.stop()
    a, b = chosen
    metric = choosing.pick_metric()
    gained = results.gain_of(ws, a, b, metric)
    verdict_panel.show_verdict(gained)
    verdict_panel.show_guardrails(gained, a, b)
    st.space("small")
    view = st.segmented_control(
        "Look at", VIEWS, default=VIEWS[0], key="compare_view", bind="query-params", required=True
    )
    compared = results.comparison_of(ws, a, b)
    if view == "Is it real?":
        real_panel.show_checks(gained, a, b)
    elif view == "Other sizes":
        scale_panel.show_scale(results.scale_of(ws, [a, b]))
    elif view == VIEWS[-1]:
        trust_panel.show_trust(results.gate_of(ws, a, b, trust_panel.pick_limits()))
    else:
        judged = results.gate_of(ws, a, b, DEFAULT)
        scopes = ("heldout",) if view == "Held-out text" else ("benchmark", "twin")
        for scope in scopes:
            measure = "bpb" if scope == "heldout" else metric
            scores_panel.show_scope(compared, judged, scope, measure, a, b)
        for note in compared.notes:
            st.caption(label(note))
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
