"""Browse: find documents, read them, and see why one falls."""

import streamlit as st

from lab.ui.browse import find_documents
from lab.ui.components import header, next_steps, pick_recipe, pick_source
from lab.ui.document_list import show_found, show_list, turn, wanted_controls
from lab.ui.job_panel import watch
from lab.ui.measuring import offer_measuring
from lab.ui.reader import show_reader
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("browse")
left, right = st.columns([5, 6], gap="medium")
with left:
    first, second = st.columns(2)
    with first:
        source = pick_source(ws)
    if source is None:
        st.stop()
    with second:
        recipe = pick_recipe(ws, words="Verdicts of recipe")
    watch(ws, ["measure"], "browse")
    if offer_measuring(ws, source.name):
        st.stop()
    ids: list[str] = []
    with guarded():
        wanted = wanted_controls(ws, source, recipe)
        found = find_documents(ws, source.name, recipe, wanted)
        show_found(found)
        ids = show_list(ws, source.name, found)
with right:
    document = turn(ids)
    if document:
        with guarded():
            show_reader(ws, document, recipe)
next_steps(
    ("filters", "Move a threshold for this source", {"source": source.name}),
    ("mixture", "Set the weights", {}),
)
