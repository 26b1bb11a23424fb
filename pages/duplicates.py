"""Duplicates: what is said twice, whose copy stays, and what that leaves of each source."""

import polars as pl
import streamlit as st

from lab.corpus.sources import list_sources
from lab.curation.duplicates import MinHash
from lab.mixture.recipe import Recipe
from lab.ui.components import empty, header, link, next_steps, pick_recipe
from lab.ui.duplicates import (
    effect,
    overlap_panel,
    pairs_panel,
    policy_panel,
    repeated_panel,
    search_panel,
    semantic_panel,
)
from lab.ui.duplicates.draft import NEAR, drop_policy, follow_recipe, saved_policy, with_policy
from lab.ui.duplicates.pool import holdings_at, pool_of
from lab.ui.duplicates.stored import find_pairs, load_stored
from lab.ui.job_panel import start, watch
from lab.ui.measuring import tokens_counted
from lab.ui.recipe_saving import save_controls
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("duplicates")
sources = [source.name for source in list_sources(ws)]
if not sources:
    with empty("No sources yet."):
        link("sources", "Add a source")
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    recipe = pick_recipe(ws)
    minhash = search_panel.pick_setting(ws, recipe)
watch(ws, ["dedup", "measure"], "duplicates")
if not all(tokens_counted(ws, source) for source in sources):
    with empty("Tokens have not been counted for every source."):
        if st.button("Measure the sources", key="measure_sources", type="primary"):
            start(ws, "measure", {})
    st.stop()

pairs = find_pairs(ws, minhash)
search_panel.show_warnings(minhash, saved_policy(recipe).threshold)
if pairs is None:
    search_panel.offer_search(ws, minhash, saved_policy(recipe).threshold)
else:
    search_panel.show_search(pairs)


@st.fragment
@guarded()
def live(recipe: Recipe | None, minhash: MinHash, near: bool) -> None:
    """Everything that follows the threshold and the order of sources."""
    stored = load_stored(ws, minhash, recipe.tokenizer if recipe else "")
    figures = st.container()
    controls, picture = st.columns([2, 3], gap="medium")
    with controls:
        follow_recipe(recipe)
        scope = policy_panel.pick_scope(recipe)
        policy = policy_panel.policy_controls(recipe, stored, near)
        order = effect.full_order(policy.keep, stored.sources())
        used = recipe.sources if recipe else order
        policy_panel.order_buttons(recipe, [source for source in order if source in used])
        if recipe is not None:
            changed = with_policy(recipe, policy, minhash)
            ready = near or policy.falls != NEAR
            save_controls(ws, recipe, changed, "dup", drop_policy, ready)
    pool = pool_of(ws, stored, recipe if scope else None)
    held = holdings_at(pool, policy.cut() if near else None)
    frame = policy_panel.effect_table(pool, held, policy, saved_policy(recipe))
    with figures:
        policy_panel.show_metrics(frame, pool, held)
    with picture:
        if near:
            policy_panel.show_curve(ws, pool, policy, order)
        else:
            st.caption(
                "Near copies are not known with this setting: all numbers here are of exact "
                "copies, and the curve over thresholds needs the search."
            )
    policy_panel.show_effect(frame)
    st.subheader("Which sources hold the same text", anchor=False)
    overlap_panel.show_overlap(held, pool.sums.filter(pl.col("documents") > 0))
    st.subheader("Read what is called a copy", anchor=False)
    with guarded():
        pairs_panel.show_pairs(ws, pool, policy)


live(recipe, minhash, pairs is not None)


@st.fragment
@guarded()
def more(minhash: MinHash) -> None:
    """Copies of parts and of meanings, which are signals and no policy."""
    st.subheader("Repeated lines and paragraphs", anchor=False)
    repeated_panel.show_repeated(ws, minhash)
    st.subheader("The same in other words", anchor=False)
    semantic_panel.show_semantic(ws, minhash)


more(minhash)
with st.expander("What this search setting sees and misses"):
    search_panel.show_odds(minhash, saved_policy(recipe).threshold)
next_steps(
    ("contamination", "Look for benchmark items in the text", {}),
    ("mixture", "Weigh what is left", {"recipe": recipe.name if recipe else ""}),
)
