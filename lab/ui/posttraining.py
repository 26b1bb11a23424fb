"""After pretraining: fine-tune finished runs on questions and answers, see how the gap moved."""

from importlib.util import find_spec

import polars as pl
import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.evaluation.comparing.after_training import gap_after
from lab.evaluation.comparing.choose import finished_runs
from lab.proxy.posttraining.settings import STAGES
from lab.ui.components import empty, link, table
from lab.ui.formats import count, plural
from lab.ui.job_panel import start
from lab.ui.text import label, show_plain

NONE = "none"
PIP = "pip install 'mixlab[posttrain]'"


def posttrain_form(ws: Workspace) -> None:
    """Choose recipes and the source of questions; start; under it, how the gap moved."""
    if find_spec("trl") is None:
        with empty("Fine-tuning needs the package trl."):
            st.code(PIP, language="bash")
        return
    runs = finished_runs(ws).filter("scored")
    first = runs.filter(~pl.col("recipe").str.contains("+", literal=True))
    names = first["recipe"].unique().sort().to_list()
    if not names:
        with empty("No scored run to start from yet."):
            link("runs", "Train and score some")
        return
    with st.container(border=True):
        choose_stages(ws, first, names)
    show_gaps(ws, runs["recipe"].unique().to_list(), names)


def choose_stages(ws: Workspace, runs: pl.DataFrame, names: list[str]) -> None:
    """What to fine-tune, on what, and the button."""
    sources = [source.name for source in list_sources(ws)]
    left, middle, right = st.columns([4, 2, 2], vertical_alignment="bottom")
    recipes = left.multiselect("Recipes to fine-tune", names, default=names[:2], key="pt_recipes")
    usual = sources.index("exercises") if "exercises" in sources else 0
    sft = middle.selectbox(
        "Questions and answers from", sources, index=usual, key="pt_sft",
        help="Paragraphs with `Question:` and `Answer:` become chats; held-out text is left out. "
        "A JSONL file of your own: `mixlab posttrain RECIPE --sft FILE`.",
    )  # fmt: skip
    dpo = right.selectbox(
        "Then preference pairs from", [NONE, *sources], key="pt_dpo",
        help="The right answer against one of another question of the same form.",
    )  # fmt: skip
    chosen = runs.filter(pl.col("recipe").is_in(recipes)).height
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            f"Fine-tune {plural(chosen, 'run')}", key="pt_button", type="primary",
            icon=":material/school:", disabled=not chosen or not sources,
        )  # fmt: skip
        steps = STAGES["sft"].steps
        st.caption(f"{count(steps)} steps on the same chats in the same order, then scoring.")
    if pressed:
        pairs = None if dpo == NONE else dpo
        start(ws, "posttrain", {"runs": recipes, "sft": sft, "dpo": pairs})


def show_gaps(ws: Workspace, have: list[str], names: list[str]) -> None:
    """For two recipes that were fine-tuned: the gap before and after, in one line and a table."""
    tuned = [name for name in names if f"{name}+sft" in have]
    if len(tuned) < 2:
        return
    left, right = st.columns(2)
    a = left.selectbox("Gap between", tuned, key="pt_gap_a")
    b = right.selectbox("and", [name for name in tuned if name != a], key="pt_gap_b")
    try:
        found = gap_after(ws, str(a), str(b))
    except LabError as error:
        show_plain(str(error))
        return
    st.markdown(label(found.summary))
    table(
        found.table(),
        key="pt_gaps",
        alt=f"Every metric of {b} minus {a}, before and after fine-tuning, and how the gap moved",
    )
