"""Filters: move a threshold, see what falls out, read it, save it to the recipe."""

import streamlit as st

from lab.mixture.recipe import Recipe
from lab.ui import filter_effect as effect
from lab.ui import filter_panel as panel
from lab.ui.components import header, next_steps, pick_recipe, table
from lab.ui.cuts import apply_cuts, drafts, read_cuts
from lab.ui.fallout import account_of, fallout, per_source
from lab.ui.histogram import bins_of
from lab.ui.job_panel import watch
from lab.ui.measuring import offer_measuring
from lab.ui.saving import draft_line, save_bar
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("filters")
with st.container(horizontal=True, vertical_alignment="bottom"):
    recipe = pick_recipe(ws)
    if recipe is None:
        st.stop()
    source = st.selectbox("Source", list(recipe.sources), key="source", bind="query-params")
    panel.preset_picker(recipe, source)
watch(ws, ["measure"], "filters")
if offer_measuring(ws, source):
    st.stop()


@st.fragment
def live(recipe: Recipe, source: str) -> None:
    """Everything that follows a threshold."""
    top = st.container()
    controls, picture = st.columns([2, 3], gap="medium")
    moves, draft = controls.container(), controls.container()
    with draft:
        draft_line(recipe, source)  # first: it brings the unsaved thresholds from the URL
    with guarded():
        rules = apply_cuts(recipe.sources[source], read_cuts(recipe.name, source))
        with top:
            signal = panel.choose_signal(ws, source, recipe.sources[source])
        found = fallout(ws, source, rules, [signal], recipe.tokenizer)
        saved = account_of(ws, source, recipe.sources[source], recipe.tokenizer)
        bins = bins_of(found, signal)
        with moves:
            panel.threshold_controls(recipe, source, signal, found, bins)
            effect.show_totals(found, saved)
        with picture:
            effect.show_histogram(ws, source, signal, found, bins)
        with draft:
            save_bar(ws, recipe)
        st.subheader("What each rule takes", anchor=False)
        effect.show_rules(found)
        st.subheader("Read what falls", anchor=False)
        effect.show_samples(ws, recipe, source, signal, found)
        st.subheader("Every source of the recipe", anchor=False)
        table(
            per_source(ws, recipe, drafts(recipe)),
            key="per_source",
            alt="Documents and tokens that each source keeps under its rules",
            column_config=effect.SOURCE_COLUMNS,
        )


live(recipe, source)
next_steps(("mixture", "Set the weights", {"recipe": recipe.name}))
