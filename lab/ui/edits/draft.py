"""The edits chosen on the page before they are saved: a list per source, in the address."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lab.curation.edits import EDITS
from lab.mixture.recipe import Recipe

EVERYWHERE = "edits_everywhere"


def draft_key(recipe: Recipe | None, source: str) -> str:
    """Where the list lives, in the session and in the URL."""
    return f"edits.{recipe.name if recipe else '-'}.{source}"


def saved_edits(recipe: Recipe | None, source: str) -> tuple[str, ...]:
    """What the recipe edits out of a source now."""
    return tuple(recipe.edits.get(source, ())) if recipe else ()


def follow_recipe(recipe: Recipe | None, source: str) -> None:
    """Before the widget: a recipe that was changed elsewhere takes its draft along."""
    key = draft_key(recipe, source)
    now, seen = repr(saved_edits(recipe, source)), f"{key}.seen"
    if st.session_state.get(seen, now) != now:
        st.session_state[key] = list(saved_edits(recipe, source))
    st.session_state[seen] = now


def pick_edits(recipe: Recipe | None, source: str) -> list[str]:
    """The edits to look at and to save, in the order in which they are made."""
    follow_recipe(recipe, source)
    return st.multiselect(
        "Edits of this source, in this order",
        list(EDITS),
        default=list(saved_edits(recipe, source)),
        key=draft_key(recipe, source),
        bind="query-params",
        placeholder="none; choose one to see what it changes",
        help="They are made one after the other. The choice is the recipe's own until you change "
        "it, and nothing is written before you save.",
    )


def toggle_edit(key: str, name: str) -> None:
    """Callback: put an edit at the end of the list, or take it out."""
    chosen = list(st.session_state.get(key) or [])
    st.session_state[key] = [e for e in chosen if e != name] if name in chosen else [*chosen, name]


def with_edits(recipe: Recipe, sources: Sequence[str], edits: Sequence[str]) -> Recipe:
    """The recipe with these edits of `sources`; none takes them away. Sources in recipe order."""
    changed = dict(recipe.edits) | {source: tuple(edits) for source in sources}
    ordered = {source: changed[source] for source in recipe.sources if changed.get(source)}
    return replace(recipe, edits=ordered)


def drop_edits(recipe: Recipe) -> None:
    """Callback: back to what the recipe says, for every source."""
    prefix = draft_key(recipe, "")
    for key in [k for k in st.session_state if str(k).startswith(prefix)]:
        if not str(key).endswith(".seen"):
            st.session_state[key] = list(saved_edits(recipe, str(key).removeprefix(prefix)))
