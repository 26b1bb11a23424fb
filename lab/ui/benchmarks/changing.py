"""Make a twin of a benchmark, or remove it; what was removed can be brought back."""

import streamlit as st

from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.registry import TWIN, BenchmarkSummary, list_benchmarks
from lab.evaluation.benchmarks.removal import remove_benchmark, restore_benchmark
from lab.evaluation.benchmarks.twins import make_twin
from lab.ui.components import attempt
from lab.ui.text import label

REMOVED = "removed_benchmark"
MADE = "made_twin"
WORDS = {
    "letters": "the other form: letters for cloze, cloze for letters",
    "template": "the same items in other words",
    "permuted": "the choices at other letters",
}


def show_news(ws: Workspace) -> None:
    """What the last click did, with its undoing."""
    if made := st.session_state.pop(MADE, ""):
        st.success(f"{label(made)} is registered.", icon=":material/check:")
    name = st.session_state.get(REMOVED, "")
    if not name or name in {bench.name for bench in list_benchmarks(ws)}:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"{label(name)} was removed.", width="stretch")
        if st.button("Undo", key="undo_remove", icon=":material/undo:"):
            attempt(bring_back, ws, name)


def offer_changes(ws: Workspace, bench: BenchmarkSummary) -> None:
    """Two buttons: a twin, and removal."""
    with st.popover(
        "Make a twin", icon=":material/content_copy:", disabled=bench.name.endswith(TWIN)
    ):
        st.caption(
            "The same items in another format. A gain that is ability carries over; a gain in "
            "format does not."
        )
        rules = [rule for rule in WORDS if fits(rule, bench)]
        by = st.radio("Rule", rules, key="twin_by", format_func=lambda rule: WORDS[rule])
        if st.button("Make it", key="make_twin", type="primary"):
            attempt(twin, ws, bench.name, by)
    with st.popover("Remove", icon=":material/delete:"):
        st.caption("Its scores stay with the runs, but are not compared while it is gone.")
        if st.button("Remove this benchmark", key="remove_benchmark"):
            attempt(remove, ws, bench.name)


def fits(rule: str, bench: BenchmarkSummary) -> bool:
    """True if the rule gives another format: the order of choices shows in letters only."""
    if rule == "permuted":
        return bench.form == "letters"
    return rule != "letters" or bench.chance is not None


def twin(ws: Workspace, name: str, by: str) -> None:
    """Register the twin and say so; replaces one made by rule, never one that was registered."""
    made_by_rule = {bench.name for bench in list_benchmarks(ws) if bench.twin_by}
    with ws.lock("making a twin"):
        made = make_twin(ws, name, by, over=name + TWIN in made_by_rule)
    st.session_state[MADE] = made.name
    st.rerun()


def remove(ws: Workspace, name: str) -> None:
    """Set the benchmark aside and offer to bring it back."""
    with ws.lock("removing a benchmark"):
        remove_benchmark(ws, name)
    st.session_state[REMOVED] = name
    st.rerun()


def bring_back(ws: Workspace, name: str) -> None:
    """Undo a removal."""
    with ws.lock("restoring a benchmark"):
        restore_benchmark(ws, name)
    st.session_state.pop(REMOVED, None)
    st.rerun()
