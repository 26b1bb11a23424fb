"""Weights by phase: train runs whose phases differ, ask them, and read what order is worth."""

import streamlit as st

from lab.advice.order.answer import PhaseAnswer, phased_recipe
from lab.advice.order.store import latest_phases
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.ui.advice.intervals import gain_words, shares_table
from lab.ui.advice.keeping import keep
from lab.ui.components import link
from lab.ui.formats import compact, percent, plural
from lab.ui.job_panel import start
from lab.ui.text import label

VERDICTS = {
    "better": "Order is probably worth it: the phases beat one mixture for all of training.",
    "unresolved": "The runs do not tell whether order is worth anything.",
}


def phase_panel(ws: Workspace, recipe: Recipe) -> None:
    """Train what the decision needs, ask for it, and show the last answer."""
    phases = recipe.mixture.phases
    if len(phases) < 2:
        st.caption("This recipe has one phase, so there is no order to choose.")
        link("mixture", "Give it a second phase", recipe=recipe.name)
        return
    columns = len(phases) * len(recipe.sources)
    st.caption(
        "Runs whose phases share their weights say nothing about order, however many there are. "
        f"These are drawn apart: {plural(columns, 'weight')} to learn, 3(m + 1) runs are usual."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        runs = st.number_input(
            "Runs", min_value=columns + 2, max_value=512, value=3 * (columns + 1),
            key="phase_runs", width=140,
        )  # fmt: skip
        train = st.button("Train runs whose phases differ", key="phase_sweep")
        ask = st.button("Choose weights by phase", key="phases")
    found = latest_phases(ws, recipe)
    if found is not None:
        show_answer(ws, recipe, *found)
    if train:
        start(ws, "sweep", {"recipe": recipe.name, "by_phase": True, "runs": int(runs)})
    if ask:
        start(ws, "phases", {"recipe": recipe.name})


def show_answer(ws: Workspace, recipe: Recipe, told: PhaseAnswer, fresh: bool) -> None:
    """Weights of every phase with intervals, beside the best mixture that is the same in all."""
    advice = told.advice
    st.markdown(f"**{label(VERDICTS[advice.verdict])}**")
    if not fresh:
        st.caption("Drawn for data, rules or phases of before: ask again.")
    rows = [
        {"phase": f"{phase} ({percent(told.shares[phase], 0)})", "source": name,
         "natural": told.natural[name], "weight": weight.value, "low": weight.low,
         "high": weight.high, "same in all": advice.tied[name]}
        for phase, own in advice.weights.items()
        for name, weight in own.items()
    ]  # fmt: skip
    shares_table(
        rows, ("natural", "weight", "low", "high", "same in all"), "phase_weights",
        "Proposed weight of each source in each phase, with interval",
    )  # fmt: skip
    st.caption(
        f"From {plural(len(told.runs), 'run')} of {label(told.size)} on {compact(told.tokens)} "
        f"tokens. Odds that order helps {percent(advice.p_order, 0)}; it is worth "
        f"{label(gain_words(advice.order))}, the whole gain over natural "
        f"{label(gain_words(advice.gain))}."
    )
    for note in told.notes:
        st.caption(label(note))
    if all(phase in told.advice.weights for phase in (p.name for p in recipe.mixture.phases)):
        keep(ws, recipe, "phases", "ordered", lambda name: phased_recipe(recipe, told, name))
