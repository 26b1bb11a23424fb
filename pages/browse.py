"""Browse: search and narrow, read, and see why one falls."""

import streamlit as st

from lab.corpus.sources import list_sources
from lab.ui.browse.controls import pick_scope
from lab.ui.browse.page import show_page
from lab.ui.browse.tagging import show_fault
from lab.ui.components import empty, header, link, next_steps, pick_recipe
from lab.ui.job_panel import watch
from lab.ui.measuring import offer_measuring
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("browse")
if not list_sources(ws):
    with empty("No sources yet."):
        link("sources", "Add a source")
    st.stop()
first, second = st.columns(2)
with first:
    sources = pick_scope(ws)
with second:
    recipe = pick_recipe(ws, words="Verdicts of recipe")
watch(ws, ["measure", "index", "embed"], "browse")
if len(sources) == 1:
    offer_measuring(ws, sources[0])
show_fault()
with guarded():
    show_page(ws, sources, recipe)
next_steps(
    ("filters", "Move a threshold", {"source": sources[0]}),
    ("quality", "Learn a score from tags", {}),
    ("mixture", "Set the weights", {}),
)
