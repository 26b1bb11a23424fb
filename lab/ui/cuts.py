"""Unsaved thresholds: the difference between a recipe's rules and what the Filters page shows.

A draft is one line of text per recipe and source, `gopher.word_count@ws1=60..;x@1=off`, so it fits
the URL, can be read and edited as text, and survives a refresh. Moving a slider rewrites the line;
saving turns it into a recipe. Rules of the recipe that the line does not mention stay as they are.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from lab.core.errors import ConfigError, LabError
from lab.core.workspace import Workspace
from lab.curation.filters import Rule
from lab.mixture.parsing import parse_name
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import save_recipe

Bounds = tuple[float | None, float | None]
Cuts = dict[str, Bounds | None]  # None: the rule is switched off
MESSAGE = "cuts_message"


def parse_cuts(text: str) -> Cuts:
    """The draft written in `text`; ConfigError names the piece that cannot be read."""
    cuts: Cuts = {}
    for piece in filter(None, (p.strip() for p in text.split(";"))):
        signal, _, bounds = piece.partition("=")
        if bounds.strip() == "off":
            cuts[signal.strip()] = None
            continue
        low, dots, high = bounds.partition("..")
        if not signal or not dots:
            raise unreadable(piece)
        cuts[signal.strip()] = (bound(low, piece), bound(high, piece))
    return cuts


def bound(text: str, piece: str) -> float | None:
    """A finite number, or None for an empty text."""
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise unreadable(piece) from error
    if not math.isfinite(value):
        raise unreadable(piece)
    return value


def unreadable(piece: str) -> ConfigError:
    """The error for a piece of a draft that is no threshold."""
    return ConfigError(
        "This unsaved change cannot be read.",
        where="unsaved changes",
        value=piece,
        next_step="write SIGNAL=MIN..MAX, leave out either number, or SIGNAL=off",
    )


def write_cuts(cuts: Cuts) -> str:
    """The draft as text that `parse_cuts` reads back."""
    return ";".join(f"{signal}={write_bounds(bounds)}" for signal, bounds in cuts.items())


def write_bounds(bounds: Bounds | None) -> str:
    """`60..100`, `60..`, `..100` or `off`."""
    if bounds is None:
        return "off"
    low, high = ("" if b is None else f"{b:.10g}" for b in bounds)
    return f"{low}..{high}"


def apply_cuts(rules: Sequence[Rule], cuts: Cuts) -> tuple[Rule, ...]:
    """`rules` with the draft's changes; a signal of the draft has one rule, at its old place."""
    changed: list[Rule] = []
    done: set[str] = set()
    for rule in rules:
        if rule.signal not in cuts:
            changed.append(rule)
        elif rule.signal not in done:
            done.add(rule.signal)
            changed += drafted(rule.signal, cuts[rule.signal])
    for signal, bounds in cuts.items():
        if signal not in done:
            changed += drafted(signal, bounds)
    return tuple(changed)


def drafted(signal: str, bounds: Bounds | None) -> list[Rule]:
    """The rule of a draft entry: none if it is off or has no bound."""
    if bounds is None or bounds == (None, None):
        return []
    return [Rule(signal, bounds[0], bounds[1])]


def bounds_of(rules: Sequence[Rule], signal: str) -> Bounds:
    """The tightest bounds that `rules` put on `signal`."""
    lows = [r.min for r in rules if r.signal == signal and r.min is not None]
    highs = [r.max for r in rules if r.signal == signal and r.max is not None]
    return (max(lows) if lows else None, min(highs) if highs else None)


def cuts_between(old: Sequence[Rule], new: Sequence[Rule]) -> Cuts:
    """The draft that turns `old` into `new`."""
    signals = dict.fromkeys(rule.signal for rule in (*old, *new))
    kept = {rule.signal for rule in new}
    return {
        s: bounds_of(new, s) if s in kept else None
        for s in signals
        if s not in kept or bounds_of(old, s) != bounds_of(new, s)
    }


def cuts_key(recipe: str, source: str) -> str:
    """Where the draft for one source of one recipe lives, in the session and in the URL."""
    return f"cuts.{recipe}.{source}"


def read_cuts(recipe: str, source: str) -> Cuts:
    """The draft for a source; ConfigError if its text was edited into nonsense."""
    return parse_cuts(st.session_state.get(cuts_key(recipe, source)) or "")


def set_bounds(recipe: Recipe, source: str, signal: str, bounds: Bounds | None) -> None:
    """Change one threshold in the draft; what equals the recipe again leaves it."""
    cuts = read_cuts(recipe.name, source)
    wanted = None if bounds == (None, None) else bounds
    saved = bounds_of(recipe.sources[source], signal)
    if wanted == (None if saved == (None, None) else saved):
        cuts.pop(signal, None)
    else:
        cuts[signal] = wanted
    st.session_state[cuts_key(recipe.name, source)] = write_cuts(cuts)


def drafts(recipe: Recipe) -> dict[str, Cuts]:
    """Sources of the recipe that have unsaved changes, with them."""
    found = {source: read_cuts(recipe.name, source) for source in recipe.sources}
    return {source: cuts for source, cuts in found.items() if cuts}


def drafted_recipe(recipe: Recipe, changes: Mapping[str, Cuts]) -> Recipe:
    """The recipe with all unsaved thresholds in place."""
    return replace(
        recipe,
        sources={s: apply_cuts(rules, changes.get(s, {})) for s, rules in recipe.sources.items()},
    )


def save_drafts(ws: Workspace, recipe: Recipe, name_key: str) -> None:
    """Callback of the save button: write the recipe, drop the drafts, keep a message to show."""
    try:
        name = parse_name(str(st.session_state[name_key]).strip(), "the name")
        path = save_recipe(ws, replace(drafted_recipe(recipe, drafts(recipe)), name=name))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    drop_drafts(recipe)
    st.session_state["recipe"] = name
    st.session_state[MESSAGE] = f"Saved {path.name}. The version before is kept in its history."


def drop_drafts(recipe: Recipe) -> None:
    """Callback: forget all unsaved thresholds of the recipe."""
    for source in recipe.sources:
        st.session_state[cuts_key(recipe.name, source)] = ""
