"""Save a recipe that a page has changed: under its name or another, with the version before kept.

For pages whose unsaved changes are widgets of their own (the policy on duplicates, the benchmarks
to protect). The Filters page saves its thresholds itself.
"""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.mixture.parsing import parse_name
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import save_recipe
from lab.ui.saving import history_popover
from lab.ui.text import show_plain

MESSAGE = "recipe_saving_message"


def save_controls(
    ws: Workspace,
    recipe: Recipe,
    changed: Recipe,
    page: str,
    drop: Callable[[Recipe], None],
    ready: bool = True,
    touched: bool = True,
) -> None:
    """Name, save, discard and history. `drop` puts the page's widgets back to what a recipe says;
    nothing can be saved until `ready`, nothing discarded until something was `touched`.
    """
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)
    same = changed == recipe
    key = f"{page}_save_as.{recipe.name}"
    st.session_state.setdefault(key, recipe.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Save as", key=key, width=200)
        st.button(
            "Save to the recipe",
            key=f"{page}_save",
            type="primary",
            icon=":material/save:",
            disabled=same or not ready,
            on_click=save,
            args=(ws, recipe, changed, key, drop),
        )
        st.button(
            "Discard",
            key=f"{page}_drop",
            icon=":material/undo:",
            disabled=same or not touched,
            on_click=drop,
            args=(recipe,),
        )
        history_popover(ws, recipe)


def save(
    ws: Workspace, recipe: Recipe, changed: Recipe, name_key: str, drop: Callable[[Recipe], None]
) -> None:
    """Callback of the save button: write the recipe and keep a message to show."""
    try:
        name = parse_name(str(st.session_state[name_key]).strip(), "the name")
        path = save_recipe(ws, replace(changed, name=name))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    if name != recipe.name:
        drop(recipe)
        st.session_state["recipe"] = name
    st.session_state[MESSAGE] = f"Saved {path.name}. The version before is kept in its history."
