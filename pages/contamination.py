"""Contamination: which documents quote a benchmark, what removing them costs, and who decides."""

import streamlit as st

from lab.corpus.sources import list_sources
from lab.curation.contamination.search import registered
from lab.mixture.recipe import Recipe
from lab.ui.components import empty, header, link, next_steps, pick_recipe
from lab.ui.contamination import evidence, match_panel, report_panel, search_panel
from lab.ui.contamination.draft import (
    drop_benchmarks,
    follow_recipe,
    protect_key,
    saved_benchmarks,
    show_protected,
    with_benchmarks,
)
from lab.ui.job_panel import start, watch
from lab.ui.measuring import tokens_counted
from lab.ui.recipe_saving import save_controls
from lab.ui.state import workspace
from lab.ui.text import guarded

ws = workspace()
header("contamination")
sources = [source.name for source in list_sources(ws)]
if not sources:
    with empty("No sources yet."):
        link("sources", "Add a source")
    st.stop()
watch(ws, ["decontaminate", "benchmark", "measure"], "contamination")
names = registered(ws)
if not names:
    search_panel.offer_benchmark(ws)
    next_steps(("browse", "Read documents meanwhile", {}))
    st.stop()
if not all(tokens_counted(ws, source) for source in sources):
    with empty("Tokens have not been counted for every source."):
        if st.button("Measure the sources", key="measure_sources", type="primary"):
            start(ws, "measure", {})
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    recipe = pick_recipe(ws)
    saved = recipe.decontaminate.ngram if recipe and recipe.decontaminate else 13
    ngram = int(
        st.number_input("Run, words", 1, 50, saved, key="n", bind="query-params", width=140)
    )
stored = evidence.searched(ws, ngram)
search_panel.offer_search(ws, stored, ngram)
found = {source: artifact for source, artifact in stored.items() if artifact}
if not found:
    next_steps(("browse", "Read documents meanwhile", {}))
    st.stop()


@st.fragment
@guarded()
def live(recipe: Recipe | None) -> None:
    """Everything that follows the limits and the benchmarks."""
    figures = st.container()
    follow_recipe(recipe)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        protect = search_panel.pick_protected(
            names, saved_benchmarks(recipe, names), protect_key(recipe)
        )
        if recipe is not None:
            show_protected(recipe)
            changed = with_benchmarks(recipe, protect, ngram)
            touched = protect != saved_benchmarks(recipe, names)
            save_controls(ws, recipe, changed, "cont", drop_benchmarks, touched=touched)
    with right:
        limits = search_panel.pick_limits()
    known = evidence.load_evidence(ws, found, recipe.tokenizer if recipe else "")
    report = evidence.findings(ws, known, limits, ngram, protect)
    with figures:
        report_panel.show_figures(report, ngram)
        search_panel.show_blindness(report.benchmarks, ngram)
    report_panel.show_benchmarks(report, ngram)
    st.subheader("What each source loses", anchor=False)
    report_panel.show_sources(report, ngram)
    st.subheader("Read the matches and decide", anchor=False)
    with guarded():
        match_panel.show_matches(ws, report, ngram)
    st.subheader("Items that leaked most", anchor=False)
    report_panel.show_items(ws, report)
    st.subheader("If the limit on 7-word runs moved", anchor=False)
    report_panel.show_curve(known.curves[limits.count], limits)
    with st.expander("How this was searched"):
        search_panel.show_header(evidence.header_of(ws, known, ngram, limits))


live(recipe)
next_steps(
    ("duplicates", "Look for copies", {}),
    ("mixture", "Weigh what is left", {"recipe": recipe.name if recipe else ""}),
)
