"""Select: keep the most breadth within a budget of tokens, or fill a window for a prompt."""

import streamlit as st

from lab.ui.components import header, next_steps, pick_recipe, pick_source
from lab.ui.job_panel import watch
from lab.ui.measuring import offer_measuring
from lab.ui.selecting.asking import embeddings_of, show_form
from lab.ui.selecting.chosen import show_chosen
from lab.ui.selecting.window import show_window
from lab.ui.state import workspace
from lab.ui.text import guarded

VIEWS = ("A set for training", "A window for a prompt")

ws = workspace()
header("selecting")
view = st.segmented_control(
    "Choose", VIEWS, default=VIEWS[0], key="view", bind="query-params", required=True
)
busy = watch(ws, ["embed", "measure", "select"], "selecting")
if view == VIEWS[1]:
    with guarded():
        show_window(ws)
    next_steps(("browse", "Search by meaning", {}))
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    source = pick_source(ws)
    if source is None:
        st.stop()
    recipe = pick_recipe(ws)
with guarded():
    embeddings = None if offer_measuring(ws, source.name) else embeddings_of(ws, source)
    if embeddings is not None:
        show_form(ws, source, recipe, embeddings, busy)
with guarded():
    show_chosen(ws, source.name, recipe, busy)
chosen = {"recipe": recipe.name if recipe else "", "source": source.name}
next_steps(
    ("filters", "See what the rule takes", chosen), ("mixture", "Weigh what is left", chosen)
)
