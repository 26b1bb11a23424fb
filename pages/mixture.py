"""Mixture: weights, phases and budget against what the sources can give."""

from dataclasses import replace

import streamlit as st

from lab.mixture.recipe import Recipe
from lab.ui import mixture_extras as extras
from lab.ui import mixture_panel as panel
from lab.ui import weights
from lab.ui.components import header, link, next_steps, pick_recipe, table
from lab.ui.filters.drafts import kept_draft
from lab.ui.formats import plural
from lab.ui.job_panel import watch
from lab.ui.saving import history_popover
from lab.ui.state import workspace
from lab.ui.tables import ledger_of, supply_of
from lab.ui.text import guarded, show_plain

ws = workspace()
header("mixture")
with st.container(horizontal=True, vertical_alignment="bottom"):
    recipe = pick_recipe(ws)
    if recipe is None:
        st.stop()
    history_popover(ws, recipe)
if recipe.note:
    show_plain(recipe.note)
if cuts := kept_draft(recipe.name):
    st.caption(f"{plural(cuts, 'cut')} made on the Filters page not saved: not counted here.")
    link("filters", "Save or discard them", recipe=recipe.name)
watch(ws, ["measure", "dedup", "decontaminate", "score"], "mixture")


@st.fragment
@guarded()
def live(recipe: Recipe) -> None:
    """Everything that follows a weight."""
    weights.reread_if_saved()
    supply = supply_of(ws, recipe)
    controls, effect = st.columns([4, 7], gap="medium")
    with controls:
        panel.budget_controls(recipe)
        panel.preset_buttons(supply, recipe)
        panel.phase_controls(recipe)
        panel.discard_button(recipe)
        with st.popover("Templates", icon=":material/category:"):
            extras.template_controls(ws, supply, recipe)
    with effect, guarded():
        mixture = weights.drafted(recipe)
        found = ledger_of(ws, replace(recipe, mixture=mixture))
        panel.show_ledger(ws, found, mixture)
        panel.show_weights(ws, supply, recipe, mixture)
        extras.show_repetition(found, mixture)
        if len(mixture.phases) > 1:
            with st.expander("By phase"):
                table(found.phases, key="phases", alt="Weight, tokens and epochs by phase")
        panel.save_controls(ws, recipe, weights.changed(recipe, mixture))
    st.caption(
        "Unique tokens are those of distinct training documents that pass every rule, duplicate "
        "and benchmark check of the recipe: all documents were counted, none sampled. Moving a "
        "weight changes nothing on disk until you save."
    )


live(recipe)
next_steps(
    ("runs", "Train small models on it", {"recipe": recipe.name}),
    ("filters", "Loosen or tighten a rule", {"recipe": recipe.name}),
    ("export", "Export it", {"recipe": recipe.name}),
)
