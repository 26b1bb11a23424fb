"""Mixture: weights, phases and budget, and what they do to epochs and predicted scores."""

import streamlit as st

from lab.mixture.ledger import ledger
from lab.mixture.recipe import Recipe
from lab.ui import mixture_extras as extras
from lab.ui import mixture_panel as panel
from lab.ui import weights
from lab.ui.components import attempt, header, link, next_steps, pick_recipe, table
from lab.ui.filters.drafts import kept_draft
from lab.ui.formats import plural
from lab.ui.job_panel import watch
from lab.ui.live import history, view
from lab.ui.live.breadth import breadth_of, products_of, show_mixture_breadth
from lab.ui.live.evidence import doubts, evidence_of
from lab.ui.live.ground import ground_of
from lab.ui.saving import history_popover
from lab.ui.state import workspace
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
watch(ws, ["measure", "dedup", "decontaminate", "score", "advise", "diversity"], "mixture")
evidence = evidence_of(ws, recipe.name)
doubtful = doubts(ws, recipe, evidence) if evidence else []
ground = ground_of(ws, recipe)
breadth = breadth_of(ws, recipe)
products = products_of(breadth)


@st.fragment
@guarded()
def live(recipe: Recipe) -> None:
    """Everything that follows a weight: the panel first, then what it means in tokens."""
    weights.reread_if_saved()
    history.remember(recipe)
    panel.budget_controls(recipe)
    panel.preset_buttons(ground, recipe)
    number = panel.pick_phase(recipe)
    picture, boxes, below = (st.container() for _ in range(3))
    with picture, guarded():
        mixture = attempt(weights.drafted, recipe)
        if mixture is not None:
            scene = view.scene_of(ws, recipe, mixture, number, ground, evidence, products)
            view.show_live(scene, doubtful)
    with boxes, st.expander("Weights as numbers"):
        panel.number_boxes(recipe)
    if mixture is None:
        return
    with below, guarded():
        panel.save_controls(ws, recipe, weights.changed(recipe, mixture))
        found = ledger(ground.supply, mixture)
        panel.show_ledger(ws, found, mixture)
        if len(mixture.phases) > 1:
            with st.expander("By phase"):
                table(found.phases, key="phases", alt="Weight, tokens and epochs by phase")
        extras.show_repetition(found, mixture)
        with st.expander("Diversity of this mixture"):
            show_mixture_breadth(ws, recipe, mixture, breadth)
    with st.popover("Templates", icon=":material/category:"):
        extras.template_controls(ws, ground.supply, recipe)
    st.caption(
        "Unique tokens are those of distinct training documents that pass every rule, duplicate "
        "and benchmark check of the recipe: all documents were counted, none sampled. Moving a "
        "weight changes nothing on disk until you save."
    )


live(recipe)
next_steps(
    ("runs", "Train small models on it", {"recipe": recipe.name}),
    ("advice", "Ask the runs for a mixture", {"recipe": recipe.name}),
    ("filters", "Loosen or tighten a rule", {"recipe": recipe.name}),
    ("export", "Export it", {"recipe": recipe.name}),
)
