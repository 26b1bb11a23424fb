"""The form that registers a benchmark from a file or folder as it was published."""

import streamlit as st

from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.formats import BY_NAME, GROUPS
from lab.evaluation.benchmarks.templates import FORMS
from lab.ui.components import empty
from lab.ui.formats import plural
from lab.ui.job_panel import start

TOLD = "told from the fields"
USUAL = "by format or name"
FORM_CHOICES = list(FORMS)


def offer_register(ws: Workspace, registered: int) -> None:
    """The form: open while nothing is registered, folded away afterwards."""
    if not registered:
        with empty("No benchmark is registered yet."):
            st.caption(
                "Proxy runs are then scored on held-out text only. A benchmark is a file or a "
                "folder as its authors published it, or your own items as JSONL."
            )
            register_form(ws)
        return
    with st.expander("Register another benchmark", icon=":material/add:"):
        register_form(ws)


def register_form(ws: Workspace) -> None:
    """Name, place, and how its items are put; the same as `mixlab benchmark add`."""
    with st.form("add_benchmark", border=False):
        first = st.container(horizontal=True, vertical_alignment="bottom")
        name = first.text_input("Name", key="new_name", placeholder="arc_easy", width=220)
        path = first.text_input("File or folder on this machine", key="new_path")
        second = st.container(horizontal=True, vertical_alignment="bottom")
        form = second.segmented_control(
            "Form", FORM_CHOICES, default="cloze", key="new_form", required=True,
            format_func=lambda f: f.capitalize(),
            help="Cloze scores the text of each choice. Letters list the choices and score A, B, "
            "C: models below about 1B parameters sit on the chance line there.",
        )  # fmt: skip
        shots = second.number_input(
            "Shots", 0, 100, 0, key="new_shots", width=110,
            help="Solved items before every item: the first of the training or dev split, the "
            "same for every model, never from the split that is scored.",
        )  # fmt: skip
        known = second.selectbox(
            "Format", [TOLD, *sorted(BY_NAME)], key="new_format", width=230,
            format_func=lambda f: f.replace("_", " "),
        )  # fmt: skip
        group = second.selectbox("Asks for", [USUAL, *GROUPS], key="new_group", width=190)
        skip = second.checkbox(
            "Set invalid items aside", key="new_skip",
            help="Without this, the first invalid item stops the reading and is named.",
        )  # fmt: skip
        st.caption(f"{plural(len(BY_NAME), 'format')} are known, plain and compressed.")
        if st.form_submit_button("Register", type="primary"):
            start(
                ws,
                "benchmark",
                {
                    "name": name.strip(),
                    "path": path.strip(),
                    "form": form,
                    "shots": int(shots),
                    "format": None if known == TOLD else known,
                    "group": None if group == USUAL else group,
                    "skip_invalid": bool(skip),
                },
            )
