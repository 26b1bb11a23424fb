"""What is done with a selection: read it, tag it, exclude it, boost it, name it; each taken back.

Browse gets the predicate itself. Everything that a recipe is to know goes through a tag, because a
recipe's rules read stored columns of single documents, and `tags.NAME` is one: a place on a map is
not, since most documents are on no map and a new map moves them all. The tag is given now, to the
documents that are selected now, as one event; one undo takes it back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from lab.core.errors import LabError
from lab.core.files import write_text
from lab.core.workspace import Workspace
from lab.curation.selections import names
from lab.curation.selections.points import Points
from lab.curation.selections.polygon import Mask
from lab.curation.selections.predicate import Predicate
from lab.curation.tags.store import state_of, tag
from lab.mixture.boosting import boost_epochs, boosted, most_share
from lab.mixture.parsing import parse_name
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import save_recipe
from lab.ui.browse.controls import ALL
from lab.ui.browse.tagging import show_bulk, show_fault, tried, undo_buttons
from lab.ui.components import link
from lab.ui.filters.drafts import draft_key
from lab.ui.formats import count, number, percent
from lab.ui.map import line
from lab.ui.map.colouring import verdict_codes
from lab.ui.map.facet import FACET
from lab.ui.map.held import tokens_at
from lab.ui.text import label, show_error, show_plain

MESSAGE, UNDONE = "map.message", "map.boost_before"
BOOST = 10.0  # per cent of the tokens, to begin with


def show_actions(
    ws: Workspace, points: Points, mask: Mask, written: str, recipe: Recipe | None
) -> None:
    """One row of buttons; `written` is the line of the selection."""
    show_fault()
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)
    size = int(mask.sum())

    def ids() -> list[str]:
        return points.ids.gather(np.flatnonzero(mask)).to_list()

    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="map_do"):
        link("browse", "Browse them", f=f"{FACET}={written}", source=ALL)
        show_bulk(ws, ids, size)
        with st.popover("Exclude", icon=":material/block:", disabled=not size or recipe is None):
            if recipe is not None:
                exclude(ws, ids, recipe)
        with st.popover("Boost", icon=":material/trending_up:", disabled=not size or not recipe):
            if recipe is not None:
                boost(ws, points, mask, recipe)
        undo_buttons(ws)
    undo_boost(ws)


def tag_box(key: str, suggested: str) -> str:
    """The name of the tag that the documents get."""
    st.session_state.setdefault(key, suggested)
    return str(st.text_input("By the tag", key=key, help="a-z, 0-9, - and _") or "").strip()


def exclude(ws: Workspace, ids: Callable[[], Sequence[str]], recipe: Recipe) -> None:
    """Tag the selection; then the Filters page has a rule against the tag, unsaved."""
    st.caption(
        "First the documents get a tag. Then the link opens the Filters page of "
        f"{label(recipe.name)} with a rule against the tag as an unsaved change: it shows what the "
        "rule takes; nothing is saved before you do."
    )
    name = tag_box("map.exclude", "left-out")

    def give() -> None:
        tried(tag, ws, ids(), name)

    st.button("Tag them", key="map.exclude.go", disabled=not name, on_click=give)
    if name in state_of(ws).known:
        key = draft_key(recipe.name)
        held = str(st.session_state.get(f"kept.{key}") or "")
        rule = f"* tags.{name}=not_in [true]"
        draft = held if rule in held else "; ".join(filter(None, [held, rule]))
        link("filters", f"Open the rule against {name}", recipe=recipe.name, **{key: draft})


def boost(ws: Workspace, points: Points, mask: Mask, recipe: Recipe) -> None:
    """Tag the selection and save a recipe with a last phase that draws only from it."""
    try:
        tokens = kept_tokens(ws, points, mask, recipe)
    except LabError as error:
        show_error(error)
        return
    held = sum(tokens.values())
    st.caption(
        "A recipe weighs whole sources, so a part of them is boosted by a last phase that draws "
        f"only from documents with the tag. {label(recipe.name)} keeps {count(held)} tokens of "
        "this selection; the other phases shrink in proportion."
    )
    name = tag_box("map.boost", "boosted")
    share = st.number_input(
        "Share of all training tokens, percent", 0.1, 90.0, BOOST, key="map.share", format="%g"
    )
    share = float(share or BOOST) / 100
    cap = recipe.mixture.repeat_cap
    st.caption(
        f"The phase shows each of them {number(boost_epochs(recipe, tokens, share), 3)} times, on "
        f"top of the other phases; up to {percent(most_share(recipe, tokens))} of the tokens it "
        f"stays within the cap of {number(cap)} epochs."
    )
    key = f"map.boosted.{recipe.name}"
    st.session_state.setdefault(key, f"{recipe.name}-boosted"[:64])
    st.text_input("Save as recipe", key=key)
    st.button(
        "Tag them and save the recipe", key="map.boost.go", disabled=not name or not held,
        on_click=save_boost, args=(ws, points, mask, recipe, name, tokens, share, key),
    )  # fmt: skip


def kept_tokens(ws: Workspace, points: Points, mask: Mask, recipe: Recipe) -> dict[str, float]:
    """Tokens of the selected documents that a recipe keeps, by source."""
    tokens = tokens_at(ws, points)
    if tokens is None:
        return {}
    wanted = mask & (verdict_codes(ws, points, recipe) == 1)
    sums = np.bincount(points.source[wanted], tokens[wanted], len(points.sources))
    return {name: float(sums[k]) for k, name in enumerate(points.sources) if sums[k] > 0}


def save_boost(
    ws: Workspace,
    points: Points,
    mask: Mask,
    recipe: Recipe,
    name: str,
    tokens: Mapping[str, float],
    share: float,
    key: str,
) -> None:
    """Callback: tag, write the recipe, remember what was there before."""
    try:
        target = parse_name(str(st.session_state[key]).strip(), "the name")
        made = boosted(recipe, name, tokens, share)
        file = ws.recipes / f"{target}.yaml"
        before = file.read_text("utf-8") if file.is_file() else ""
        tag(ws, points.ids.gather(np.flatnonzero(mask)).to_list(), name)
        save_recipe(ws, replace(made, name=target))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    st.session_state[UNDONE] = {"name": target, "before": before, "after": file.read_text("utf-8")}
    st.session_state[MESSAGE] = f"Saved {file.name} with phase boost-{name}."


def undo_boost(ws: Workspace) -> None:
    """A link to the recipe that was saved, and a button that takes the saving back."""
    saved = st.session_state.get(UNDONE)
    if not saved:
        return

    def back() -> None:
        file = ws.recipes / f"{saved['name']}.yaml"
        del st.session_state[UNDONE]
        if not file.is_file() or file.read_text("utf-8") != saved["after"]:
            st.session_state[MESSAGE] = f"{file.name} was changed since: it is left as it is."
        elif saved["before"]:
            write_text(file, saved["before"])
        else:
            file.unlink()

    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        link("mixture", f"Open {saved['name']}", recipe=saved["name"])
        st.button("Undo the recipe", key="map.boost.undo", type="tertiary", on_click=back)


def show_names(ws: Workspace, predicate: Predicate) -> None:
    """Give the selection a name, open one that has a name, forget one, take it back."""
    known = names.named(ws)
    with st.popover("Names", icon=":material/bookmark:"):
        st.text_input("Name of this selection", key="map.name", placeholder="a-z, 0-9, - and _")

        def give() -> None:
            wanted = str(st.session_state.get("map.name") or "").strip()
            tried(names.name_selection, ws, wanted, predicate)

        st.button("Name it", key="map.name.go", on_click=give, disabled=not predicate.demands)
        for name, written in known.lines.items():
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                st.button(label(name), key=f"map.open.{name}", on_click=line.put, args=(written,))
                st.button(
                    "Forget", key=f"map.forget.{name}", type="tertiary",
                    on_click=tried, args=(names.forget_selection, ws, name),
                )  # fmt: skip
        with st.container(horizontal=True, gap="xsmall"):
            for words, function, event in (
                ("Undo the name", names.undo, known.last), ("Redo the name", names.redo, known.next)
            ):  # fmt: skip
                st.button(
                    label(words), key=words, type="tertiary", disabled=not event,
                    help=label(event) or None, on_click=tried, args=(function, ws),
                )  # fmt: skip
