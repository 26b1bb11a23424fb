"""What to ask of the runs: targets, distance from natural, guards, groups, and what to beat.

Every answer is a parameter of the job `advise`, the same that `mixlab advise RECIPE` takes. What is
left alone is left out, so that its default applies.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import KL
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import list_recipes
from lab.proxy.sizes import SIZES
from lab.ui.advice.evidence import Choice, choices_of, default_groups, unforeseen_of
from lab.ui.comparison.scores_panel import grey_table
from lab.ui.job_panel import start
from lab.ui.state import forget_unknown
from lab.ui.text import guarded, label

EPSILON = 0.01


def scored_runs(ws: Workspace) -> int:
    """How many scored runs there are."""
    return len(list(ws.runs.glob("*/scores/summary.json")))


def ask(ws: Workspace, recipe: Recipe, fit: Fit | None) -> None:
    """The button that fits the runs, and the form of what is asked, collapsed."""
    pressed = st.button("Fit the runs and advise", key="advise", icon=":material/lightbulb:")
    params: dict[str, Any] = {}
    if scored_runs(ws):
        with st.expander("What to ask for", icon=":material/tune:"), guarded():
            params = form(ws, recipe, choices_of(ws, recipe), fit)
    if pressed:
        start(ws, "advise", {"recipe": recipe.name} | params)


def form(
    ws: Workspace, recipe: Recipe, choices: Sequence[Choice], fit: Fit | None
) -> dict[str, Any]:
    """The parameters that were chosen."""
    open_ones = [choice.name for choice in choices if not choice.reason]
    units = {choice.name: choice.unit for choice in choices}
    first, second, third = st.columns([2, 1, 1])
    with first:
        targets = several(
            "Optimise for", "ask_targets", open_ones, "all in bits per byte",
            "Their mean is to improve; by default all that can be predicted.",
        )  # fmt: skip
    kl = second.number_input(
        "Pull towards natural (KL)", min_value=0.0, value=KL, step=0.01, format="%.3f",
        key="ask_kl", bind="query-params",
        help="In the unit of the metric. Olmix uses 0.05; .005 to .1 were found best. The whole "
        "path is shown under *Distance*.",
    )  # fmt: skip
    with third:
        current = against(ws, recipe)
    guards = guard_inputs(open_ones, units)
    groups = group_inputs(default_groups(ws, choices), open_ones)
    sizes = several(
        "Further sizes for next runs", "ask_sizes", list(SIZES), "the next larger",
        "A larger size costs more and agrees better with the real run: Olmix found rank "
        "correlations with 1B of .73 at 1M parameters and .89 from 15M up.",
    )  # fmt: skip
    show_closed(choices, unforeseen_of(fit) if fit else {})
    asked: dict[str, Any] = {"targets": targets, "kl": kl if kl != KL else None}
    asked |= {"guards": guards, "current": current, "groups": groups, "sizes": sizes}
    return {key: value for key, value in asked.items() if value not in (None, [], {})}


def several(
    words: str, key: str, options: list[str], empty: str, help_text: str | None = None
) -> list[str]:
    """Choose any number of metrics or sizes."""
    return st.multiselect(
        label(words), options, key=key, bind="query-params", placeholder=empty,
        help=label(help_text) if help_text else None,
    )  # fmt: skip


def against(ws: Workspace, recipe: Recipe) -> dict[str, float] | None:
    """The mixture to beat: another recipe's weights; None for the recipe's own."""
    recipes = {item.name: item.recipe for item in list_recipes(ws) if item.recipe}
    fits = {
        name: {source: weight for source, weight in other.average_weights().items() if weight > 0}
        for name, other in recipes.items()
    }
    names = [
        name
        for name, own in fits.items()
        if name == recipe.name or own.keys() <= set(recipe.sources)
    ]
    forget_unknown("ask_against", names)
    name = st.selectbox(
        "Compare with recipe", names, index=names.index(recipe.name), key="ask_against",
        bind="query-params", help="The odds that the proposal beats its weights.",
    )  # fmt: skip
    return None if name == recipe.name else fits[name]


def guard_inputs(options: list[str], units: Mapping[str, str]) -> dict[str, float]:
    """Metrics that may not get worse than natural by more than an epsilon in their own unit."""
    names = several("Guard", "ask_guards", options, "no guard",
                    "No worse than under the natural mixture by more than an epsilon.")  # fmt: skip
    grid = st.grid(3, min_column_width=190, gap="small")
    return {
        name: float(
            grid.number_input(
                label(f"{name}: epsilon, {units[name] or 'its unit'}"), value=EPSILON, step=0.01,
                format="%.4f", key=f"ask_epsilon.{name}",
            )
        )
        for name in names
    }  # fmt: skip


def group_inputs(defaults: Mapping[str, list[str]], options: list[str]) -> dict[str, list[str]]:
    """Two groups whose trade is to be drawn, if it is asked for."""
    if not st.toggle(
        "Draw what two groups of metrics cost each other", key="ask_front", bind="query-params",
        help="The Pareto front between their means. Nine proposals more: it takes longer.",
    ):  # fmt: skip
        return {}
    chosen = {}
    for column, (name, members) in zip(st.columns(2), defaults.items(), strict=True):
        with column:
            chosen[name] = st.multiselect(
                label(name.capitalize()), options, default=members, key=f"ask_group.{name}"
            )
    if not all(chosen.values()):
        st.caption("Both groups need a metric; until then no front is drawn.")
        return {}
    return chosen


def show_closed(choices: Sequence[Choice], unforeseen: Mapping[str, str]) -> None:
    """What cannot be asked for, or had better not be, with the reason."""
    closed = [(c.name, c.reason) for c in choices if c.reason]
    closed += [(c.name, f"{unforeseen[c.name]}, in the last fit: no target unless it is named")
               for c in choices if not c.reason and c.name in unforeseen]  # fmt: skip
    if not closed:
        return
    st.caption("Not offered, or left out unless named:")
    names, reasons = zip(*closed, strict=True)
    grey_table(
        pl.DataFrame({"metric": names, "reason": reasons}), [True] * len(closed),
        key="ask_closed", alt="Metrics that cannot be optimised for, with the reason",
    )  # fmt: skip
