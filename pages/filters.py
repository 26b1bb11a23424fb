"""Filters: move a threshold, see at once what falls in every source, read it, save it."""

import streamlit as st

from lab.mixture.recipe import Recipe
from lab.ui.components import header, next_steps, pick_recipe
from lab.ui.cuts import drafted_recipe
from lab.ui.filters import controls, effect, views
from lab.ui.filters.drafts import draft_box
from lab.ui.filters.saving import save_bar
from lab.ui.filters.scene import Scene
from lab.ui.job_panel import watch
from lab.ui.measuring import offer_measuring
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("filters")
with st.container(horizontal=True, vertical_alignment="bottom"):
    recipe = pick_recipe(ws)
    if recipe is None:
        st.stop()
    scope = controls.pick_scope(recipe)
    controls.preset_popover(recipe, scope)
    controls.expression_popover(ws, recipe, scope)
watch(ws, ["measure"], "filters")
for source in controls.sources_of(recipe, scope):
    if offer_measuring(ws, source):
        st.stop()


@st.fragment
def live(recipe: Recipe, scope: str) -> None:
    """Everything that follows a threshold."""
    held, picture, totals, line = (st.container() for _ in range(4))
    with guarded():
        with line:
            draft = draft_box(recipe)
            save_bar(ws, recipe, draft)
        new = drafted_recipe(recipe, draft)
        with held:
            key = controls.pick_rule(ws, recipe, new, scope)
        scene = Scene(ws, recipe, new, draft, scope, key)
        with picture:
            controls.show_rule(scene)
        with totals:
            effect.show_totals(scene)
        views.show(scene)


live(recipe, scope)
next_steps(("mixture", "Set the weights", {"recipe": recipe.name}))
