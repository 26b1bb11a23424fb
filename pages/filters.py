"""Filters: move a threshold, see at once what falls in every source, read it, save it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lab.mixture.recipe import Recipe
from lab.ui.components import header, next_steps, pick_recipe
from lab.ui.cuts import drafted_recipe
from lab.ui.filters import controls, effect, views
from lab.ui.filters.drafts import SAVED, draft_box, recipe_in_draft
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
def hand(recipe: Recipe, scope: str) -> None:
    """The rule in the hand and how it is looked at."""
    with guarded():
        new = recipe_in_draft(recipe)
        key = controls.pick_rule(ws, recipe, new, scope)
        look = controls.look_bar(ws, recipe, new, scope, key)
        numbers = st.container()
        view, below = views.choose(), st.container()
        live(recipe, scope, key, look, view, numbers, below)


@st.fragment
def live(
    recipe: Recipe, scope: str, key: str, look: controls.Look, view: str,
    numbers: DeltaGenerator, below: DeltaGenerator,
) -> None:  # fmt: skip
    """What follows a threshold and nothing else: numbers first, then what is read beside them."""
    if st.session_state.pop(SAVED, False):
        st.rerun()
    with numbers:
        picture, totals, line = (st.container() for _ in range(3))
    with guarded():
        with line:
            draft = draft_box(recipe)
        scene = Scene(ws, recipe, drafted_recipe(recipe, draft), draft, scope, key)
        with picture:
            controls.show_rule(scene, look)
        with totals:
            effect.show_totals(scene)
        with line:
            save_bar(ws, recipe, draft)
        with below:
            views.show(scene, view)


hand(recipe, scope)
next_steps(("mixture", "Set the weights", {"recipe": recipe.name}))
