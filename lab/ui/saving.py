"""Earlier versions of a recipe, and going back to one."""

from pathlib import Path

import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import history, read_recipe, save_recipe
from lab.ui.filters.drafts import MESSAGE, SAVED, drop_draft
from lab.ui.text import show_plain


def history_popover(ws: Workspace, recipe: Recipe) -> None:
    """Earlier versions of the recipe, each with a button that brings it back."""
    versions = history(ws, recipe.name)
    with st.popover("History", icon=":material/history:", disabled=not versions):
        for version in versions[:10]:
            show_plain(version.name)
            st.button(
                "Restore this version",
                key=f"restore.{version.name}",
                on_click=restore,
                args=(ws, recipe, version),
            )


def restore(ws: Workspace, recipe: Recipe, version: Path) -> None:
    """Callback: make an earlier version the current one; the current one joins the history."""
    try:
        save_recipe(ws, read_recipe(version))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    drop_draft(recipe)
    st.session_state[SAVED] = True
    st.session_state[MESSAGE] = f"Restored {version.name}."
