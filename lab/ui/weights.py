"""Unsaved weights: the mixture that the Mixture page shows.

Every number of the mixture is a widget bound to the URL under `weight.RECIPE.PHASE.SOURCE`, with
the recipe's own value as its default, so the address holds exactly what differs from the saved
recipe and a link reopens the draft. Weights are percentages of a phase as a person writes them;
they are divided by their sum, and the page says so whenever the sum is not 100.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from lab.core.errors import ConfigError, LabError
from lab.core.workspace import Workspace
from lab.mixture.parsing import parse_name
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe

MESSAGE = "weights_message"
SAVED = "recipe_saved"  # set by a callback; the page then reads the recipe again
MILLION = 1_000_000


def weight_key(recipe: str, phase: str, source: str) -> str:
    """Where the percentage of a source in a phase lives."""
    return f"weight.{recipe}.{phase}.{source}"


def share_key(recipe: str, phase: str) -> str:
    """Where the percentage of a phase lives."""
    return f"share.{recipe}.{phase}"


def budget_key(recipe: str) -> str:
    """Where the token budget lives, in millions."""
    return f"budget.{recipe}"


def cap_key(recipe: str) -> str:
    """Where the repeat cap lives, in epochs."""
    return f"cap.{recipe}"


def rounded(share: float) -> float:
    """A share as a percentage with two decimals, as the widgets show it."""
    return round(100 * share, 2)


def drafted(recipe: Recipe) -> Mixture:
    """The mixture as the widgets say; a value nobody touched is the recipe's own, unrounded.

    Raises ConfigError for weights or shares that are negative or sum to zero.
    """
    phases = []
    shares = {
        p.name: touched(share_key(recipe.name, p.name), p.share) for p in recipe.mixture.phases
    }
    total = positive_sum(shares, "the shares of the phases")
    for phase in recipe.mixture.phases:
        weights = {
            source: touched(
                weight_key(recipe.name, phase.name, source), phase.weights.get(source, 0.0)
            )
            for source in recipe.sources
        }
        whole = positive_sum(weights, f"the weights of phase {phase.name!r}")
        phases.append(
            replace(
                phase,
                share=shares[phase.name] / total,
                weights={source: weight / whole for source, weight in weights.items()},
            )
        )
    saved = saved_values(recipe)
    tokens = shown(budget_key(recipe.name), saved[budget_key(recipe.name)]) * MILLION
    cap = shown(cap_key(recipe.name), saved[cap_key(recipe.name)])
    if tokens < 1 or cap <= 0:
        raise ConfigError(
            "Budget and repeat cap must be above zero.",
            value={"tokens": tokens, "repeat_cap": cap},
            next_step="raise the one that is zero",
        )
    return Mixture(round(tokens), tuple(phases), float(cap))


def shown(key: str, saved: float) -> float:
    """What a widget shows or, before it is drawn, will show: the address's value or `saved`."""
    if key in st.session_state:
        return float(st.session_state[key])
    try:
        value = float(st.query_params.get(key, saved))
    except ValueError:
        return saved
    return value if math.isfinite(value) else saved


def touched(key: str, saved: float) -> float:
    """A percentage from a widget as a share; the saved share if the widget still shows it."""
    percentage = shown(key, rounded(saved))
    return saved if percentage == rounded(saved) else percentage / 100


def positive_sum(values: Mapping[str, float], what: str) -> float:
    """The sum of shares; ConfigError if one is negative or all are zero."""
    total = math.fsum(values.values())
    if any(value < 0 for value in values.values()) or total <= 0:
        raise ConfigError(
            f"One of {what} must be above zero, and none below it.",
            value=dict(values),
            next_step="raise one",
        )
    return total


def changed(recipe: Recipe, mixture: Mixture) -> bool:
    """True if the draft says something else than the saved recipe."""
    saved = recipe.mixture
    same = (saved.tokens, saved.repeat_cap) == (mixture.tokens, mixture.repeat_cap)
    return not same or any(
        not math.isclose(old.share, new.share, abs_tol=1e-9)
        or any(
            not math.isclose(old.weights.get(s, 0.0), w, abs_tol=1e-9)
            for s, w in new.weights.items()
        )
        for old, new in zip(saved.phases, mixture.phases, strict=True)
    )


def saved_values(recipe: Recipe) -> dict[str, float]:
    """What every widget of a recipe shows while nothing is changed."""
    values = {
        budget_key(recipe.name): recipe.mixture.tokens / MILLION,
        cap_key(recipe.name): float(recipe.mixture.repeat_cap),
    }
    for phase in recipe.mixture.phases:
        values[share_key(recipe.name, phase.name)] = rounded(phase.share)
        for source in recipe.sources:
            key = weight_key(recipe.name, phase.name, source)
            values[key] = rounded(phase.weights.get(source, 0.0))
    return values


def forget(recipe: Recipe) -> None:
    """Callback: every widget back to the saved recipe."""
    for key, value in saved_values(recipe).items():
        st.session_state[key] = value


def save_weights(ws: Workspace, recipe: Recipe, name_key: str) -> None:
    """Callback of the save button: write the recipe with the draft's mixture."""
    try:
        name = parse_name(str(st.session_state[name_key]).strip(), "the name")
        path = save_recipe(ws, replace(recipe, name=name, mixture=drafted(recipe)))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    if name != recipe.name:
        forget(recipe)
        st.session_state["recipe"] = name
    note_saved(f"Saved {path.name}. The version before is kept in its history.")


def note_saved(words: str) -> None:
    """Keep a message for the next run, and have the whole page run, not only the fragment."""
    st.session_state[MESSAGE] = words
    st.session_state[SAVED] = True


def reread_if_saved() -> None:
    """Run the whole page if a callback of its fragment has saved the recipe that it shows."""
    if st.session_state.pop(SAVED, False):
        st.rerun()


def add_phase(ws: Workspace, recipe: Recipe) -> None:
    """Callback: split the last phase into two halves, saved, so that their weights can differ."""
    *rest, last = recipe.mixture.phases
    names = {phase.name for phase in recipe.mixture.phases}
    name = next(f"phase-{k}" for k in range(2, 100) if f"phase-{k}" not in names)
    halves = (replace(last, share=last.share / 2), Phase(name, last.share / 2, last.weights))
    mixture = replace(recipe.mixture, phases=(*rest, *halves))
    try:
        save_recipe(ws, replace(recipe, mixture=mixture))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    note_saved(f"The second half of phase {last.name!r} is now phase {name!r}.")


def remove_phase(ws: Workspace, recipe: Recipe) -> None:
    """Callback: drop the last phase; the others keep their proportions."""
    kept = recipe.mixture.phases[:-1]
    total = math.fsum(phase.share for phase in kept)
    phases = tuple(replace(phase, share=phase.share / total) for phase in kept)
    try:
        save_recipe(ws, replace(recipe, mixture=replace(recipe.mixture, phases=phases)))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    note_saved("The last phase is removed; the version before is kept in the history.")
