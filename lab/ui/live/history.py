"""Undo, redo and locks of the weights on the Mixture page.

Every state that the draft has had is one dict of widget values, whoever changed it: the panel, a
box, a preset or a link. Locks are kept by the session; they say how to move, not what was decided,
so they are no part of the address and no step of undo.
"""

from collections.abc import Mapping

import streamlit as st

from lab.mixture.recipe import Recipe
from lab.ui import weights

DEPTH = 100  # states that can be undone


def past_key(recipe: str) -> str:
    """Where the states of a recipe's draft are kept."""
    return f"weights.past.{recipe}"


def future_key(recipe: str) -> str:
    """Where the states that were undone are kept."""
    return f"weights.future.{recipe}"


def lock_key(recipe: str, phase: str) -> str:
    """Where the locked sources of a phase are kept."""
    return f"locks.{recipe}.{phase}"


def snapshot(recipe: Recipe) -> dict[str, float]:
    """Every number of the draft as its widget shows it."""
    saved = weights.saved_values(recipe)
    return {key: weights.shown(key, value) for key, value in saved.items()}


def remember(recipe: Recipe) -> None:
    """Keep the draft among those that can be undone, if it changed. A recipe whose phases changed
    starts anew: its numbers have other names.
    """
    now = snapshot(recipe)
    past = st.session_state.setdefault(past_key(recipe.name), [now])
    if set(past[-1]) != set(now):
        past[:] = [now]
        st.session_state[future_key(recipe.name)] = []
    elif past[-1] != now:
        past.append(now)
        del past[:-DEPTH]
        st.session_state[future_key(recipe.name)] = []


def undo(recipe: Recipe) -> None:
    """Callback: the draft before this one."""
    past = st.session_state.get(past_key(recipe.name), [])
    if len(past) > 1:
        st.session_state.setdefault(future_key(recipe.name), []).append(past.pop())
        put(past[-1])


def redo(recipe: Recipe) -> None:
    """Callback: the draft that was undone last."""
    future = st.session_state.get(future_key(recipe.name), [])
    if future:
        values = future.pop()
        st.session_state[past_key(recipe.name)].append(values)
        put(values)


def put(values: Mapping[str, float]) -> None:
    """Set the widgets."""
    for key, value in values.items():
        st.session_state[key] = value


def can_step(recipe: Recipe) -> tuple[bool, bool]:
    """Whether there is something to undo, and to redo."""
    past = st.session_state.get(past_key(recipe.name), [])
    return len(past) > 1, bool(st.session_state.get(future_key(recipe.name)))


def locks(recipe: Recipe, phase: str) -> frozenset[str]:
    """The locked sources of a phase."""
    return frozenset(st.session_state.get(lock_key(recipe.name, phase), []))


def set_locks(recipe: Recipe, phase: str, names: list[str]) -> None:
    """Callback: which sources of a phase keep their share while others move."""
    st.session_state[lock_key(recipe.name, phase)] = list(names)


def set_weights(recipe: Recipe, phase: str, percentages: Mapping[str, float]) -> None:
    """Callback: all weights of a phase."""
    for source, value in percentages.items():
        st.session_state[weights.weight_key(recipe.name, phase, source)] = value
