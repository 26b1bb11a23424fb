"""The draft of the page: where it lives, how it changes, how it is undone and saved.

The text of a draft (`lab.ui.cuts`) is the value of one text box that is part of the URL. A widget's
value dies with its page, so a copy stays in the session and comes back with the page. Undo and redo
walk over the texts the draft has had, whoever changed it: a line, a box, a preset, or a hand.
"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.parsing import parse_name
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import save_recipe
from lab.ui.cuts import (
    Bounds,
    Draft,
    changes_between,
    drafted_recipe,
    scope_rules,
)
from lab.ui.draft_text import parse_draft, write_draft

MESSAGE = "cuts_message"
SAVED = "cuts_saved"  # a callback of the fragment has changed the recipe that it shows
DEPTH = 100  # texts that can be undone


def draft_key(recipe: str) -> str:
    """The text box of a recipe's draft, in the session and in the URL."""
    return f"cuts.{recipe}"


def recipe_in_draft(recipe: Recipe) -> Recipe:
    """The recipe with its draft, before the text box is drawn; as saved if the text is nonsense."""
    key = draft_key(recipe.name)
    kept = st.session_state.get(f"kept.{key}", "")
    text = st.session_state.get(key, st.query_params.get(key, kept))
    try:
        return drafted_recipe(recipe, parse_draft(text or ""))
    except LabError:
        return recipe  # the box, which is drawn later, says what is wrong


def draft_box(recipe: Recipe) -> Draft:
    """The draft as editable text, remembered; ConfigError if it was edited into nonsense."""
    key = draft_key(recipe.name)
    if key not in st.session_state and key not in st.query_params:
        st.session_state[key] = st.session_state.get(f"kept.{key}", "")
    text = st.text_input(
        "Unsaved changes",
        key=key,
        bind="query-params",
        placeholder="none; move a line, or write SOURCE SIGNAL=MIN..MAX",
        help="This line is part of the page's address: the link reopens the view with it. Pieces "
        "are separated by semicolons: SOURCE SIGNAL=MIN..MAX, SIGNAL=off, SIGNAL=p10.. for a "
        'percentile, SIGNAL=in ["en"], where EXPRESSION; a star in place of SOURCE means all.',
    )
    remember(recipe.name, text or "")
    return parse_draft(text or "")


def remember(name: str, text: str) -> None:
    """Keep the text for when the page comes back, and among those that can be undone."""
    key = draft_key(name)
    st.session_state[f"kept.{key}"] = text
    past = st.session_state.setdefault(f"past.{key}", [text])
    if past[-1] != text:
        past.append(text)
        del past[:-DEPTH]
        st.session_state[f"future.{key}"] = []


def kept_draft(name: str) -> int:
    """How many changes wait unsaved in this session for a recipe; 0 for text that is nonsense."""
    try:
        return len(parse_draft(st.session_state.get(f"kept.{draft_key(name)}") or ""))
    except LabError:
        return 0


def current_draft(recipe: Recipe) -> Draft:
    """The draft as a callback sees it; ConfigError for nonsense."""
    return parse_draft(st.session_state.get(draft_key(recipe.name)) or "")


def set_draft(recipe: Recipe, draft: Draft) -> None:
    """Callback: replace the draft."""
    st.session_state[draft_key(recipe.name)] = write_draft(draft)


def change_rule(recipe: Recipe, scope: str, key: str, rule: Rule | None) -> None:
    """Callback: one rule of a scope becomes `rule`; what changes nothing leaves the draft."""
    draft = current_draft(recipe)
    changed, plain = draft.with_change(scope, key, rule), draft.without(scope, key)
    idle = drafted_recipe(recipe, changed) == drafted_recipe(recipe, plain)
    set_draft(recipe, plain if idle else changed)


def change_bounds(recipe: Recipe, scope: str, signal: str, bounds: Bounds) -> None:
    """Callback: the numbers of one rule; none on either side is no rule."""
    low, high = bounds
    rule = None if low is None and high is None else Rule(signal, low, high)
    change_rule(recipe, scope, signal, rule)


def change_order(recipe: Recipe, scope: str, order: Sequence[int]) -> None:
    """Callback: the rules of a scope in another order."""
    set_draft(recipe, current_draft(recipe).with_order(scope, order))


def replace_rules(recipe: Recipe, scope: str, rules: Sequence[Rule]) -> None:
    """Callback: a scope's rules become `rules`, as a draft."""
    draft = current_draft(recipe)
    for key in list(draft.changes.get(scope, {})):
        draft = draft.without(scope, key)
    for key, rule in changes_between(scope_rules(recipe, scope), rules).items():
        draft = draft.with_change(scope, key, rule)
    set_draft(recipe, draft.with_order(scope, ()))


def undo(recipe: Recipe) -> None:
    """Callback: the text before this one."""
    key = draft_key(recipe.name)
    past = st.session_state.get(f"past.{key}", [])
    if len(past) > 1:
        st.session_state.setdefault(f"future.{key}", []).append(past.pop())
        st.session_state[key] = past[-1]


def redo(recipe: Recipe) -> None:
    """Callback: the text that was undone last."""
    key = draft_key(recipe.name)
    future = st.session_state.get(f"future.{key}", [])
    if future:
        text = future.pop()
        st.session_state[f"past.{key}"].append(text)
        st.session_state[key] = text


def can_step(recipe: Recipe) -> tuple[bool, bool]:
    """Whether there is something to undo, and to redo."""
    key = draft_key(recipe.name)
    past = st.session_state.get(f"past.{key}", [])
    return len(past) > 1, bool(st.session_state.get(f"future.{key}"))


def save_draft(ws: Workspace, recipe: Recipe, name_key: str) -> None:
    """Callback: write the recipe with the draft, drop the draft, keep a message to show."""
    try:
        name = parse_name(str(st.session_state[name_key]).strip(), "the name")
        saved = drafted_recipe(recipe, current_draft(recipe))
        path = save_recipe(ws, replace(saved, name=name))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    drop_draft(recipe)
    st.session_state[SAVED] = True
    st.session_state["recipe"] = name
    st.session_state[MESSAGE] = f"Saved {path.name}. The version before is kept in its history."


def drop_draft(recipe: Recipe) -> None:
    """Callback: forget all unsaved changes of the recipe."""
    st.session_state[draft_key(recipe.name)] = ""
