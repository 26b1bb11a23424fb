"""Decisions finer than one weight a source, on the Advice page: order of phases, and thresholds."""

import streamlit as st

from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.ui.advice.cut_panel import cut_panel
from lab.ui.advice.phase_panel import phase_panel
from lab.ui.job_panel import watch
from lab.ui.text import guarded


def finer_panel(ws: Workspace, recipe: Recipe) -> None:
    """Weights by phase, and threshold and weight together; each shows its last answer."""
    watch(ws, ["phases", "thresholds"], "finer")
    with st.expander("Weights by phase"), guarded():
        phase_panel(ws, recipe)
    with st.expander("Threshold and weight together"), guarded():
        cut_panel(ws, recipe)
