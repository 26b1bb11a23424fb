"""Saving a draft to a recipe, undoing, and going back to an earlier version."""

import streamlit as st

from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.ui.cuts import Draft
from lab.ui.filters.drafts import MESSAGE, can_step, drop_draft, redo, save_draft, undo
from lab.ui.formats import plural
from lab.ui.saving import history_popover
from lab.ui.text import show_plain

NAME_KEY = "save_as"


def save_bar(ws: Workspace, recipe: Recipe, draft: Draft) -> None:
    """Save the draft under a name, undo a step, discard it, or restore an earlier version."""
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)
    key, (back, forth) = f"{NAME_KEY}.{recipe.name}", can_step(recipe)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state.setdefault(key, recipe.name)
        st.text_input("Save as", key=key, width=220)
        st.button(
            f"Save {plural(len(draft), 'change')}",
            key="save_cuts",
            type="primary",
            icon=":material/save:",
            disabled=not len(draft),
            on_click=save_draft,
            args=(ws, recipe, key),
        )
        st.button(
            "Undo", key="undo_cuts", icon=":material/undo:", disabled=not back,
            on_click=undo, args=(recipe,),
        )  # fmt: skip
        st.button(
            "Redo", key="redo_cuts", icon=":material/redo:", disabled=not forth,
            on_click=redo, args=(recipe,),
        )  # fmt: skip
        st.button(
            "Discard", key="drop_cuts", icon=":material/delete:", disabled=not len(draft),
            on_click=drop_draft, args=(recipe,),
        )  # fmt: skip
        history_popover(ws, recipe)
