"""What is done with a selection: read it, put it into the recipe and take it back, hand it on."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from lab.core.errors import ConfigError, LabError
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.diversity.selecting.choose import KEPT
from lab.diversity.selecting.handing import about, chosen_documents
from lab.diversity.selecting.stored import NOT_EMBEDDED
from lab.jobs.selections import Listed
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe, save_recipe
from lab.mixture.selections import selections_in
from lab.ui.browse.finding import SQL
from lab.ui.browse.taking import DOCUMENTS
from lab.ui.components import link
from lab.ui.formats import count, plural
from lab.ui.text import label, show_plain

MESSAGE, UNDONE = "selecting.message", "selecting.before"


def show_use(ws: Workspace, one: Listed, recipe: Recipe | None) -> None:
    """One row of actions, and what the last of them did."""
    if message := st.session_state.pop(MESSAGE, ""):
        show_plain(message)
    rest = not_embedded(one)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="select_do"):
        add_button(ws, one, recipe, rest)
        undo_button(ws)
        if one.usable:
            where = f"\"{one.column}\" = '{KEPT}'"
            link("browse", "Read the chosen", source=one.source, mode=SQL, q=where)
        downloads(ws, one)
    if rest and recipe is not None and one.source in recipe.sources:
        st.toggle(
            f"In the recipe also keep the {plural(rest, 'document')} that were not embedded, "
            "unlooked at",
            key="keep_rest",
        )


def not_embedded(one: Listed) -> int:
    """Training documents that no method has seen."""
    reasons = one.artifact.manifest["reasons"]
    return sum(row["documents"] for row in reasons if row["reason"] == NOT_EMBEDDED)


def add_button(ws: Workspace, one: Listed, recipe: Recipe | None, rest: int) -> None:
    """Put the selection into the recipe as a rule of its source."""
    if recipe is None or one.source not in recipe.sources:
        st.caption("The recipe does not use this source.", width="content")
        return
    used = one.column in selections_in(recipe.sources[one.source])
    st.button(
        f"In {label(recipe.name)}" if used else f"Add to {label(recipe.name)}",
        key="select_add", type="primary", icon=":material/check:" if used else ":material/add:",
        disabled=used or not one.usable, on_click=add, args=(ws, one, recipe.name, rest),
        help="A rule of this source; it takes the place of another selection's.",
    )  # fmt: skip


def add(ws: Workspace, one: Listed, name: str, rest: int) -> None:
    """Callback: save the recipe as it is now with the rule, and remember those it replaces."""
    words = (KEPT, NOT_EMBEDDED) if rest and st.session_state.get("keep_rest") else (KEPT,)
    try:
        recipe, rule = load_recipe(ws, name), Rule(one.column, values=words)
        before = selection_rules(recipe, one.source)
        save_recipe(ws, with_selection(recipe, one.source, [rule]))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    added = {"name": name, "source": one.source, "rule": rule, "before": before}
    st.session_state[UNDONE] = added
    st.session_state[MESSAGE] = (
        f"{name} now keeps of {one.source} only what {one.column} calls {' or '.join(words)}."
    )


def selection_rules(recipe: Recipe, source: str) -> list[Rule]:
    """The rules on selections of a source; ConfigError if the recipe does not use it."""
    if source not in recipe.sources:
        raise ConfigError(
            "The recipe does not use this source any more.", where=recipe.name, value=source
        )
    return [rule for rule in recipe.sources[source] if selections_in([rule])]


def with_selection(recipe: Recipe, source: str, rules: Sequence[Rule]) -> Recipe:
    """The recipe with these rules as those on selections of a source, where the first of them
    stood.
    """
    own = recipe.sources[source]
    place = next((k for k, rule in enumerate(own) if selections_in([rule])), len(own))
    others = [rule for rule in own[place:] if not selections_in([rule])]
    return replace(recipe, sources={**recipe.sources, source: (*own[:place], *rules, *others)})


def undo_button(ws: Workspace) -> None:
    """Take the last addition back."""
    if saved := st.session_state.get(UNDONE):
        st.button(
            f"Undo in {label(saved['name'])}", key="select_undo", icon=":material/undo:",
            on_click=take_back, args=(ws, dict(saved)),
        )  # fmt: skip


def take_back(ws: Workspace, saved: dict[str, Any]) -> None:
    """Callback: the rules on selections as they were, in the recipe as it is now."""
    name, source, rule = saved["name"], saved["source"], saved["rule"]
    del st.session_state[UNDONE]
    if not (ws.recipes / f"{name}.yaml").is_file():
        st.session_state[MESSAGE] = f"{name} was deleted meanwhile: there is nothing to take back."
        return
    try:
        recipe = load_recipe(ws, name)
        if selection_rules(recipe, source) != [rule]:
            st.session_state[MESSAGE] = (
                f"The rule on {rule.signal} was changed in {name} meanwhile: it is left as it is."
            )
            return
        save_recipe(ws, with_selection(recipe, source, saved["before"]))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    st.session_state[MESSAGE] = (
        f"{name} chooses of {source} as it did before; what else was saved since stays."
    )


def downloads(ws: Workspace, one: Listed) -> None:
    """The set with its texts, its ids, and what made it; made when the button is pressed."""
    name = one.column.replace("@", "-")
    none = not one.documents or not one.usable
    with st.popover("Take away", icon=":material/download:", disabled=none):
        st.download_button(
            "Documents as JSON lines", lambda: chosen_documents(ws, one.artifact).write_ndjson(),
            f"{name}.jsonl", key="selected.documents", on_click="ignore",
            icon=":material/description:", disabled=one.documents > DOCUMENTS,
            help=f"With texts and their metadata, in the order chosen. At most {count(DOCUMENTS)} "
            "documents; `mixlab select ... -o FILE` has no limit.",
        )  # fmt: skip
        st.download_button(
            "Ids as Parquet", lambda: ids_parquet(ws, one), f"{name}.parquet", key="selected.ids",
            on_click="ignore", icon=":material/table:",
        )  # fmt: skip
        st.download_button(
            "What made it, as JSON", lambda: json.dumps(about(ws, one.artifact), indent=1),
            f"{name}.about.json", key="selected.about", on_click="ignore",
            icon=":material/data_object:",
            help="Source and licence, settings, breadth before and after, lost topics, inputs.",
        )  # fmt: skip


def ids_parquet(ws: Workspace, one: Listed) -> bytes:
    """Columns order, id, source, tokens and perhaps quality."""
    buffer = io.BytesIO()
    chosen_documents(ws, one.artifact, texts=False).write_parquet(buffer)
    return buffer.getvalue()
