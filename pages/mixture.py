"""Mixture: weights, phases and budget against what the sources can give."""

from dataclasses import replace

import streamlit as st

from lab.mixture.recipe import Recipe
from lab.ui import mixture_panel as panel
from lab.ui import weights
from lab.ui.components import header, next_steps, pick_recipe, table
from lab.ui.job_panel import watch
from lab.ui.saving import history_popover
from lab.ui.state import workspace
from lab.ui.tables import ledger_of, supply_of
from lab.ui.text import guarded

ws = workspace()
header("mixture")
with st.container(horizontal=True, vertical_alignment="bottom"):
    recipe = pick_recipe(ws)
    if recipe is None:
        st.stop()
    history_popover(ws, recipe)
watch(ws, ["measure", "dedup", "decontaminate", "score"], "mixture")


@st.fragment
@guarded()
def live(recipe: Recipe) -> None:
    """Everything that follows a weight."""
    supply = supply_of(ws, recipe)
    controls, effect = st.columns([4, 7], gap="medium")
    with controls:
        panel.budget_controls(recipe)
        panel.preset_buttons(supply, recipe)
        panel.phase_controls(recipe)
        panel.discard_button(recipe)
    with effect, guarded():
        mixture = weights.drafted(recipe)
        found = ledger_of(ws, replace(recipe, mixture=mixture))
        panel.show_ledger(ws, found, mixture)
        panel.show_weights(ws, supply, recipe, mixture)
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
