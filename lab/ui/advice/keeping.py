"""Saving what a panel proposes: a name, a button, and word of what came of it."""

from collections.abc import Callable

import streamlit as st

from lab.advice.stored import save_proposed
from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.mixture.parsing import parse_name
from lab.mixture.recipe import Recipe
from lab.ui.text import label, show_plain


def keep(
    ws: Workspace, recipe: Recipe, panel: str, ending: str, make: Callable[[str], Recipe]
) -> None:
    """Save `make(name)` as a new recipe; the name offered is that of `recipe` and `ending`."""
    key, told = f"{panel}_name.{recipe.name}", f"{panel}_message"
    if message := st.session_state.pop(told, ""):
        show_plain(message)
    st.session_state.setdefault(key, f"{recipe.name}-{ending}")

    def save() -> None:
        try:
            name = parse_name(str(st.session_state[key]).strip(), "the name")
            path = save_proposed(ws, make(name))
        except LabError as error:
            st.session_state[told] = str(error)
            return
        st.session_state[told] = f"Saved {path.name}."

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(label("Save as recipe"), key=key, width=280)
        st.button(
            "Save", key=f"{panel}_save", type="primary", icon=":material/save:", on_click=save
        )
