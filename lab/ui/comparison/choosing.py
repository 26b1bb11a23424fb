"""Which two recipes are compared, and what to do about runs that cannot be yet."""

from collections.abc import Sequence

import streamlit as st

from lab.core.workspace import Workspace
from lab.evaluation.comparing.choose import finished_runs
from lab.ui.components import empty, link
from lab.ui.formats import plural
from lab.ui.job_panel import start
from lab.ui.state import forget_unknown
from lab.ui.text import label, show_plain

METRICS = {
    "gold_bpb": "bits per byte of the right answer",
    "accuracy": "accuracy",
    "accuracy_norm": "accuracy by length",
    "margin": "margin of the right answer",
}
BASELINE = "natural"  # the usual baseline, where it has runs


def pick_two(ws: Workspace) -> tuple[str, str] | None:
    """Two different recipes with scored runs, A the baseline; None with a way on if there are none.

    Finished runs that nobody scored are named with a button that scores them.
    """
    runs = finished_runs(ws)
    offer_scoring(ws, runs.filter(~runs["scored"])["id"].to_list())
    names = sorted(runs.filter("scored")["recipe"].unique().to_list())
    if len(names) < 2:
        with empty("Two recipes with scored runs are needed."):
            st.caption("A comparison needs scored runs of two recipes at one size and budget.")
            if names:
                show_plain("Scored so far: " + ", ".join(names))
            link("runs", "Train proxy runs")
        return None
    first, second = st.columns(2)
    forget_unknown("a", names)
    place = names.index(BASELINE) if BASELINE in names else 0
    a = str(first.selectbox("Baseline (A)", names, index=place, key="a", bind="query-params"))
    others = [name for name in names if name != a]
    forget_unknown("b", others)
    b = str(second.selectbox("Compared with it (B)", others, key="b", bind="query-params"))
    return a, b


def offer_scoring(ws: Workspace, runs: Sequence[str]) -> None:
    """Say which finished runs are not scored, and offer to do it; nothing if there are none."""
    if not runs:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xsmall"):
            st.markdown(
                f"**{label(plural(len(runs), 'finished run'))} not scored yet**: left out here."
            )
            show_plain("mixlab evaluate " + " ".join(runs))
        if st.button("Score them", key="score_runs", icon=":material/grading:"):
            start(ws, "evaluate", {"runs": list(runs)})


def pick_metric() -> str:
    """What benchmarks are judged by."""
    return str(
        st.segmented_control(
            "Benchmarks by", list(METRICS), default="gold_bpb", key="metric",
            bind="query-params", required=True, format_func=lambda m: METRICS.get(m, "other"),
        )
    )  # fmt: skip
