"""What the recipe protects, before it is saved: the benchmarks and the length of the run."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lab.mixture.recipe import Decontaminate, Recipe
from lab.ui.text import label


def protect_key(recipe: Recipe | None) -> str:
    """Where the choice of benchmarks lives, in the session and in the URL."""
    return f"protect.{recipe.name if recipe else '-'}"


def saved_benchmarks(recipe: Recipe | None, names: Sequence[str]) -> list[str]:
    """Benchmarks that the recipe protects; all of them while it protects none."""
    if recipe is None or recipe.decontaminate is None:
        return list(names)
    return [name for name in recipe.decontaminate.benchmarks if name in names]


def show_protected(recipe: Recipe) -> None:
    """What the saved recipe does, since the choice above may differ."""
    saved = recipe.decontaminate
    if saved is None:
        st.caption("The recipe removes nothing for quoting a benchmark.")
        return
    st.caption(
        f"The recipe drops documents that share {saved.ngram:d} words with an item of "
        f"{label(', '.join(saved.benchmarks))}, less what reviewers keep."
    )


def with_benchmarks(recipe: Recipe, protect: Sequence[str], ngram: int) -> Recipe:
    """The recipe with these benchmarks protected; none removes the check."""
    chosen = Decontaminate(tuple(protect), ngram) if protect else None
    return replace(recipe, decontaminate=chosen)


def follow_recipe(recipe: Recipe | None) -> None:
    """Before the widgets: a recipe that was changed elsewhere takes its draft along."""
    now, seen = repr(recipe.decontaminate if recipe else None), f"{protect_key(recipe)}.seen"
    if st.session_state.get(seen, now) != now:
        st.session_state.pop(protect_key(recipe), None)
    st.session_state[seen] = now


def drop_benchmarks(recipe: Recipe) -> None:
    """Callback: back to what the recipe says."""
    st.session_state.pop(protect_key(recipe), None)
