"""Saving a draft of thresholds to a recipe, looking at it as text, and going back."""

from pathlib import Path

import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import history, read_recipe, save_recipe
from lab.ui.cuts import MESSAGE, cuts_key, drafts, drop_drafts, save_drafts
from lab.ui.formats import plural
from lab.ui.text import show_plain

NAME_KEY = "save_as"


def draft_line(recipe: Recipe, source: str) -> None:
    """The unsaved thresholds of a source as editable text, part of the URL."""
    st.text_input(
        "Unsaved changes of this source",
        key=cuts_key(recipe.name, source),
        bind="query-params",
        placeholder="none; move a threshold, or write SIGNAL=MIN..MAX;SIGNAL=off",
        help="This line is part of the page's address: the link reopens the view with it.",
    )


def save_bar(ws: Workspace, recipe: Recipe) -> None:
    """Save the drafts of all sources under a name, discard them, or restore an earlier version."""
    show_message()
    try:
        changed = sum(len(cuts) for cuts in drafts(recipe).values())
    except LabError:
        changed = (
            0  # the draft cannot be read: its error is shown above, and there is nothing to save
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state.setdefault(f"{NAME_KEY}.{recipe.name}", recipe.name)
        st.text_input("Save as", key=f"{NAME_KEY}.{recipe.name}", width=260)
        st.button(
            f"Save {plural(changed, 'change')}",
            key="save_cuts",
            type="primary",
            icon=":material/save:",
            disabled=not changed,
            on_click=save_drafts,
            args=(ws, recipe, f"{NAME_KEY}.{recipe.name}"),
        )
        st.button(
            "Discard",
            key="drop_cuts",
            icon=":material/undo:",
            disabled=not changed,
            on_click=drop_drafts,
            args=(recipe,),
        )
        history_popover(ws, recipe)


def show_message() -> None:
    """What the last save or restore said, once."""
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)


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
    drop_drafts(recipe)
    st.session_state[MESSAGE] = f"Restored {version.name}."
