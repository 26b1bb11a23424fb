"""A first answer before a sweep: what MixMin or merged weights propose, and what that was worth."""

import streamlit as st

from lab.advice.cheap.answers import FirstAnswer, latest_answer
from lab.advice.cheap.source_runs import SHARED
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.ui.advice.proposal import weights_table
from lab.ui.components import table
from lab.ui.formats import count, percent
from lab.ui.job_panel import start
from lab.ui.text import label

KINDS = {"mixmin": "MixMin", "merged": "Merged weights"}
NEEDS = {
    "mixmin": "Mixes the predictions of a model per source: one run each, solved exactly.",
    "merged": "Averages the weights of a model per source that all began alike: one run each.",
}


def first_answer_panel(ws: Workspace, recipe: Recipe) -> None:
    """Train the runs that a cheap predictor needs, ask it, and show its last answer."""
    with st.container(border=True):
        method = st.segmented_control(
            "Predictor", list(KINDS), default="mixmin", format_func=KINDS.__getitem__,
            key="first_method", bind="query-params",
        ) or "mixmin"  # fmt: skip
        st.caption(label(NEEDS[method]))
        with st.container(horizontal=True, vertical_alignment="center"):
            train = st.button("Train a run per source", key="source_runs")
            ask = st.button("Answer from these runs", key="first_answer")
        told = latest_answer(ws, recipe.name, method)
        if told:
            show_answer(told)
    if train:
        shared = SHARED if method == "merged" else 0.0
        start(ws, "sweep", {"recipe": recipe.name, "single_source": True, "shared": shared})
    if ask:
        start(ws, "first_answer", {"recipe": recipe.name, "method": method})


def show_answer(told: FirstAnswer) -> None:
    """Weights, agreement with real runs, and where the method fails."""
    weights_table(told, "first_weights")
    st.caption(
        f"From {count(len(told.runs))} runs of {label(told.size)} on {count(told.tokens)} tokens"
        + (f", {percent(told.shared, 0)} of them shared." if told.shared else ".")
    )
    table(
        told.agreement,
        key="first_agreement",
        alt="Rank agreement of the predictor with trained mixtures, per metric, with intervals",
    )
    for note in told.notes:
        st.caption(label(note))
