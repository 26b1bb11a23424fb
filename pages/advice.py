"""Advice: what the runs suggest trying next, and how sure that is."""

import streamlit as st

from lab.advice.proposing.store import latest, latest_validation
from lab.ui.advice import proposal, verdict
from lab.ui.advice.asking import ask, scored_runs
from lab.ui.advice.finer import finer_panel
from lab.ui.advice.reuse_panel import reuse_panel
from lab.ui.advice.views import show_view
from lab.ui.components import empty, header, next_steps, pick_recipe
from lab.ui.first_answer import first_answer_panel
from lab.ui.formats import plural
from lab.ui.job_panel import watch
from lab.ui.loop_form import loop_form
from lab.ui.state import workspace
from lab.ui.swarm_form import show_validation, sweep_form
from lab.ui.text import guarded

ws = workspace()
header("advice")
recipe = pick_recipe(ws)
if recipe is None:
    st.stop()
watch(ws, ["sweep", "advise", "loop", "validate", "reuse", "first_answer"], "advice")
found = latest(ws, recipe.name)
ask(ws, recipe, found[0] if found else None)
reuse_panel(ws, recipe)
if found is None:
    with empty("No advice has been drawn from the runs for this recipe yet."):
        st.caption(
            "It needs scored runs of at least two more mixtures than there are sources, at one "
            f"size and budget; {plural(scored_runs(ws), 'run')} of all recipes are scored so far. "
            "Train a sweep below, then fit it."
        )
else:
    with guarded():
        fit, advice = found
        verdict.show_verdict(fit, advice)
        proposal.show_proposal(ws, advice)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            proposal.save_proposal(ws, recipe, advice)
        show_validation(ws, recipe)
        verdict.show_notes(advice)
        show_view(ws, recipe.name, fit, advice, latest_validation(ws, recipe.name))
with st.expander("A first answer, before a sweep", expanded=found is None), guarded():
    first_answer_panel(ws, recipe)
with st.expander("Train a sweep, or what the decision needs", expanded=found is None), guarded():
    st.caption("A designed set of mixtures around the recipe: same documents, other weights.")
    sweep_form(ws, recipe)
    loop_form(ws, recipe)
finer_panel(ws, recipe)
next_steps(
    ("runs", "See the runs", {}),
    ("mixture", "Set the weights", {"recipe": recipe.name}),
    ("compare", "Compare two recipes", {}),
)
