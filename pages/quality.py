"""Quality: which documents a teacher would keep, and how far the score can be trusted."""

import streamlit as st

from lab.corpus.sources import list_sources
from lab.curation.labels import label_names
from lab.curation.quality import find_head
from lab.ui.components import empty, header, link, next_steps
from lab.ui.job_panel import watch
from lab.ui.measuring import tokens_counted
from lab.ui.quality import (
    asking,
    evaluation_panel,
    grading,
    labels_panel,
    learning_panel,
    use_panel,
)
from lab.ui.quality.found import label_sets
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("quality")
sources = [source.name for source in list_sources(ws)]
if not sources:
    with empty("No sources yet."):
        link("sources", "Add a source")
    st.stop()
known = [name for name in label_names(ws) if find_head(ws, name)]
name = ""
if known:
    name = st.selectbox("Score", known, key="score", bind="query-params", width=260)
watch(ws, ["label", "score", "embed"], "quality")
LABELS, GRADE, ASK, LEARN = "Labels", "Grade by hand", "Ask a model", "Learn a score"
TRUST, USE = "How far to trust it", "Use it"


@st.fragment
@guarded()
def live(name: str) -> None:
    """One question at a time; only its own work is done."""
    head = find_head(ws, name) if name else None
    if head is not None:
        evaluation_panel.show_error(ws, name, head)
    views = ([TRUST, USE] if head else []) + [LABELS, GRADE, ASK, LEARN]
    view = st.segmented_control(
        "Look at", views, default=views[0], key="quality_view", bind="query-params", required=True,
        format_func=str,
    )  # fmt: skip
    with guarded():
        if view == TRUST and head is not None:
            evaluation_panel.show_evaluation(ws, name, head)
        elif view == USE and head is not None:
            if not all(tokens_counted(ws, source) for source in sources):
                st.caption("Tokens have not been counted for every source; measure them first.")
                link("sources", "Measure the sources")
                return
            use_panel.show_use(ws, name, head, sources)
        elif view == LABELS:
            labels_panel.show_labels(ws, label_sets(ws))
        elif view == GRADE:
            grading.show_grading(ws, sources)
        elif view == ASK:
            asking.show_asking(ws, sources)
        elif view == LEARN:
            learning_panel.show_learning(ws, label_sets(ws), sources)


live(name)
next_steps(
    ("filters", "Cut by the score", {"signal": f"quality.{name}"})
    if name
    else ("browse", "Read documents meanwhile", {}),
    ("mixture", "Weigh what is left", {}),
)
