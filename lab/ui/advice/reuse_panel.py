"""Sources changed under the advice: what is stale, the few runs that mend it, and what they said.

Shown only when the last advice for the recipe rests on stale runs. Comparing a hundred runs and
planning took 1.1 s on a busy core (2026-11); it is kept until a run, a source, an advice or the
recipe changes. Training is a job.
"""

import polars as pl
import streamlit as st

from lab.advice.proposing.store import latest
from lab.advice.reuse.damage import UNUSED, damage_of
from lab.advice.reuse.restore import Plan, plan_restoring
from lab.advice.reuse.restored import Restored, latest_restored, restored_recipe
from lab.advice.stored import require_sources
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import scored_runs, usual_budget
from lab.mixture.recipe import Recipe, recipe_id
from lab.mixture.supply import supply_key
from lab.proxy.speed import estimate_seconds
from lab.ui.advice.intervals import shares_table
from lab.ui.advice.keeping import keep
from lab.ui.advice.verdict import VERDICTS
from lab.ui.comparison.results import stamp
from lab.ui.components import table
from lab.ui.formats import compact, duration, number, percent, plural
from lab.ui.job_panel import start
from lab.ui.tables import supply_of
from lab.ui.text import guarded, label


def reuse_panel(ws: Workspace, recipe: Recipe) -> None:
    """What changed, which runs would restore the decision, and the last weights that did."""
    with guarded():
        found = planned(ws, recipe)
        if found is None:
            return
        plan, coupling = found
        with st.container(border=True):
            show_damage(plan)
            pressed = show_plan(ws, plan, coupling)
            if (last := latest_restored(ws, recipe)) is not None:
                show_restored(ws, recipe, *last)
        if pressed:
            params = {"recipe": recipe.name, "size": plan.size, "tokens": plan.tokens}
            start(ws, "reuse", params)


def planned(ws: Workspace, recipe: Recipe) -> tuple[Plan, float | None] | None:
    """The runs that restore the decision, and their coupling; None while no advice is stale."""
    stored = sorted(str(path) for path in (ws.artifacts / "advice").glob("[!.]*/manifest.json"))
    if not stored:
        return None
    key = digest([recipe.name, recipe_id(recipe), supply_key(ws, recipe), stamp(ws), stored])
    return cached_plan(ws, recipe, key)


@st.cache_resource(max_entries=16, show_spinner="Comparing the runs with the data as it is now")
def cached_plan(_ws: Workspace, _recipe: Recipe, key: str) -> tuple[Plan, float | None] | None:
    """The plan for `key`, at the size and budget of the runs that the advice rests on."""
    found = latest(_ws, _recipe.name)
    if found is None:
        return None
    sources = supply_of(_ws, _recipe).sources
    supply = {name: float(n) for name, n in sources.select("source", "unique_tokens").iter_rows()}
    changed = damage_of(_ws, _recipe, found[0].runs).sources
    runs = [run for run in scored_runs(_ws) if run.spec["id"] in found[0].runs]
    if not runs or not any(supply.get(source, 0.0) > 0 for source in changed):
        return None
    size, tokens, _ = usual_budget(runs, None, None)
    plan = plan_restoring(_ws, _recipe, size=size, tokens=tokens, supply=supply)
    return plan, plan.coupling()


def show_damage(plan: Plan) -> None:
    """Which sources changed, how, and what that does to the evidence."""
    st.markdown("**The data has changed since this advice was drawn.**")
    for source, what in plan.damage.sources.items():
        st.markdown(f"- {label(source)}: {label(what if what == UNUSED else f'other {what} now')}")
    st.caption(
        f"{plural(plan.damage.stale, 'run')} of the {plural(plan.damage.runs, 'run')} that it "
        "rests on used what is no longer there: what they say of these sources is not certain."
    )


def show_plan(ws: Workspace, plan: Plan, coupling: float | None) -> bool:
    """The runs that restore the decision, their cost, and the button; True if it was pressed."""
    count = len(plan.mixtures)
    learned = ", ".join(plan.frozen.changed)
    st.markdown(
        f"{plural(plan.needed, 'run')} restore the decision, of which {plural(plan.reused, 'run')} "
        f"can be had from what was trained since. They learn {label(learned)} anew and keep all "
        "other sources in the ratios of the proposal."
    )
    seconds, basis = estimate_seconds(ws, plan.size, plan.tokens, count) if count else (0.0, "")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Train them and restore" if count else "Restore from these runs",
            key="reuse", icon=":material/healing:",
        )  # fmt: skip
        if count:
            st.caption(
                f"{plural(count, 'run')} of {label(plan.size)} on {compact(plan.tokens)} tokens, "
                f"about {duration(seconds)} of training ({label(basis)})."
            )
    if coupling is not None:
        st.caption(
            f"Without the changed sources the others would be mixed {number(coupling, 2)} (total "
            "variation) differently: that much may be lost by keeping their ratios."
        )
    if count:
        with st.expander("The runs"):
            rows = [{"name": name, **weights} for name, weights in plan.mixtures.items()]
            table(pl.DataFrame(rows), key="reuse_runs", alt="Mixtures that restore the decision")
    return pressed


def show_restored(ws: Workspace, recipe: Recipe, told: Restored, fresh: bool) -> None:
    """The weights that were restored last, and saving them."""
    st.markdown(f"**Restored: {label(VERDICTS.get(told.verdict, told.verdict))}**")
    if not fresh:
        st.caption("Restored for data or rules of before; they have changed again since.")
    rows = [
        {"source": name, "natural": told.natural[name], "restored": weight.value,
         "low": weight.low, "high": weight.high, "cap": told.caps[name]}
        for name, weight in told.weights.items()
    ]  # fmt: skip
    shares_table(
        rows, ("natural", "restored", "low", "high", "cap"), "reuse_weights",
        "Natural and restored weight of each source, with interval and cap",
    )  # fmt: skip
    st.caption(
        f"From {plural(len(told.runs), 'run')}; odds that it beats natural "
        f"{percent(told.p_better, 0)}. The interval of a source that kept its ratio is that of all "
        "of these together."
    )
    for note in told.notes:
        st.caption(label(note))

    def make(name: str) -> Recipe:
        return restored_recipe(require_sources(recipe, told.weights), told, name)

    keep(ws, recipe, "reuse", "restored", make)
