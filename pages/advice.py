"""Advice: what the runs suggest trying next, and how sure that is."""

import streamlit as st

from lab.advice.proposing.store import latest
from lab.ui import advice_view as view
from lab.ui.components import empty, header, next_steps, pick_recipe
from lab.ui.first_answer import first_answer_panel
from lab.ui.job_panel import start, watch
from lab.ui.state import workspace
from lab.ui.swarm_form import loop_form, show_validation, sweep_form
from lab.ui.text import guarded, label

ws = workspace()
header("advice")
recipe = pick_recipe(ws)
if recipe is None:
    st.stop()
watch(ws, ["sweep", "advise", "loop", "validate", "reuse", "first_answer"], "advice")
if st.button("Fit the runs and advise", key="advise", icon=":material/lightbulb:"):
    start(ws, "advise", {"recipe": recipe.name})
found = latest(ws)
if found is None:
    with empty("No advice has been drawn from the runs yet."):
        st.caption(
            "It needs scored runs of at least two more mixtures than there are sources, at one "
            f"size and budget; {label(view.evidence_words(ws))} runs are scored so far. Train a "
            "sweep below, then fit it."
        )
else:
    with guarded():
        fit, advice = found
        view.show_verdict(fit, advice)
        view.show_proposal(ws, advice)
        show_validation(ws, recipe)
        view.save_proposal(ws, recipe, advice)
        view.show_details(fit, advice)
st.subheader("A first answer, before a sweep", anchor=False)
with guarded():
    first_answer_panel(ws, recipe)
st.subheader("Train a sweep", anchor=False)
st.caption("A designed set of mixtures around the recipe: same documents, other weights.")
with guarded():
    sweep_form(ws, recipe)
    loop_form(ws, recipe)
next_steps(
    ("runs", "See the runs", {}),
    ("mixture", "Set the weights", {"recipe": recipe.name}),
    ("compare", "Compare two recipes", {}),
)
