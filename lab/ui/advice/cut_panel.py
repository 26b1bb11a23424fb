"""Threshold and weight together: train runs over nested pools, ask them, read the choice."""

from collections.abc import Sequence

import streamlit as st

from lab.advice.cuts.answer import CutAnswer, cut_recipe
from lab.advice.cuts.cut import NONE
from lab.advice.cuts.store import latest_cuts
from lab.advice.optimising.thresholds import baseline_words
from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.curation.filters.rule import label as rule_words
from lab.curation.measure import stored_signals
from lab.curation.quality import quality_columns
from lab.mixture.recipe import Recipe
from lab.ui.advice.intervals import gain_words, shares_table
from lab.ui.advice.keeping import keep
from lab.ui.components import link, table
from lab.ui.formats import compact, number, percent, plural
from lab.ui.job_panel import start
from lab.ui.memory import remembered
from lab.ui.tables import attribute_table
from lab.ui.text import label

QUANTILES = (0.3, 0.6)  # offered thresholds: what drops so much of a source's documents
FIRST = "gopher.word_count@ws1"
VERDICTS = {
    "better": "The cut and its weights are probably better than",
    "unresolved": "The runs do not tell whether the cut and its weights are better than",
}


def cut_panel(ws: Workspace, recipe: Recipe) -> None:
    """Train what the decision needs, ask for it, and show the last answer."""
    measured = [source for source in recipe.sources if signals_of(ws, source)]
    if not measured:
        st.caption("No signal of these sources is measured, so there is nothing to cut by.")
        link("filters", "Measure them", recipe=recipe.name)
        return
    st.caption(
        "A tighter filter leaves better text and less of it, so the best threshold depends on the "
        "weight. Every threshold of a source is a pool of its own: each run trains on one of them."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = str(st.selectbox("Source", measured, key="cut_source", width=200))
        signal = str(st.selectbox("Signal", signals_of(ws, source), key=f"cut_signal.{source}",
                                  format_func=rule_words, width=260))  # fmt: skip
        key = f"cut_thresholds.{source}.{signal}"
        if key not in st.session_state:
            st.session_state[key] = offered(ws, source, signal)
        listed = st.text_input("Lowest values, loose to tight", key=key, width=220)
        pools = len(recipe.sources) - 1 + len(listed.split(","))
        runs = st.number_input(
            "Runs", min_value=pools + 2, max_value=512, value=3 * (pools + 1),
            key=f"cut_runs.{pools}", width=140,
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        train = st.button("Train runs at these thresholds", key="cut_sweep")
        ask = st.button("Choose threshold and weight", key="thresholds")
    found = latest_cuts(ws, recipe)
    if found is not None:
        show_answer(ws, recipe, *found)
    if train:
        cut = f"{signal}@{source}={listed}"
        start(ws, "sweep", {"recipe": recipe.name, "thresholds": [cut], "runs": int(runs)})
    if ask:
        start(ws, "thresholds", {"recipe": recipe.name})


def signals_of(ws: Workspace, source: str) -> list[str]:
    """Signals with numbers that are measured for a source, learned scores first."""
    artifacts = {artifact.id: artifact for artifact in stored_signals(ws, source).values()}
    measured = [name for key, artifact in artifacts.items() for name in numbers_in(artifact, key)]
    first = [name for name in measured if name == FIRST]
    return [*quality_columns(ws, source), *first, *(name for name in measured if name != FIRST)]


@remembered(64)
def numbers_in(artifact: Artifact, key: str) -> list[str]:
    """The columns of signals that hold numbers."""
    schema = artifact.scan().collect_schema()
    return [name for name in artifact.manifest["columns"] if schema[name].is_numeric()]


def offered(ws: Workspace, source: str, signal: str) -> str:
    """Thresholds to begin with: none, and what drops a third and two thirds of the documents."""
    values = attribute_table(ws, source, [signal])[signal].drop_nulls()
    marks = [values.quantile(share) for share in QUANTILES] if len(values) else []
    return listed_marks([mark for mark in marks if mark is not None])


def listed_marks(marks: Sequence[float]) -> str:
    """None and these thresholds as they are typed; what reads the same is one threshold."""
    return ", ".join(dict.fromkeys([NONE, *(f"{mark:.3g}" for mark in marks)]))


def show_answer(ws: Workspace, recipe: Recipe, told: CutAnswer, fresh: bool) -> None:
    """The chosen threshold, every weight with its interval, and how sure the cut is."""
    choice = told.choice
    against = baseline_words(choice.compared, choice.today)
    st.markdown(f"**{label(f'{VERDICTS[choice.verdict]} {against}.')}**")
    if not fresh:
        st.caption("Drawn for data or rules of before: ask again.")
    for source, value in told.thresholds.items():
        words = "no threshold" if value is None else f"at least {value:g}"
        st.markdown(f"- {label(source)}: {label(rule_words(told.signals[source]))} {label(words)}")
    rows = [
        {"source": name, "pool": choice.cuts[name], "natural": told.natural[name],
         "proposed": weight.value, "low": weight.low, "high": weight.high}
        for name, weight in choice.weights.items()
    ]  # fmt: skip
    shares_table(
        rows, ("natural", "proposed", "low", "high"), "cut_weights",
        "Chosen pool and proposed weight of each source, with interval",
    )  # fmt: skip
    st.caption(
        f"From {plural(len(told.runs), 'run')} of {label(told.size)} on {compact(told.tokens)} "
        f"tokens. Odds that it beats that {percent(choice.p_better, 0)}: a gain of "
        f"{label(gain_words(choice.gain))}. Of that the thresholds are worth "
        f"{label(gain_words(choice.worth))}, odds {percent(choice.p_worth, 0)}; "
        f"{percent(choice.p_same, 0)} of the replicates cut alike. Nothing cheaper than "
        f"{number(choice.bound, 4)} can be had by any cut; this one costs {number(choice.cost, 4)}."
    )
    for note in told.notes:
        st.caption(label(note))
    with st.expander("Pools and combinations"):
        table(told.pools, key="cut_pools", alt="Pools that were trained: tokens, runs, share")
        table(choice.table, key="cut_table", alt="Combinations of thresholds with their cost")
    keep(ws, recipe, "cuts", "cut", lambda name: cut_recipe(recipe, told, name))
