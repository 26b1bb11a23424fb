"""Small pieces that every page uses, so that the pages look and speak alike."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.corpus.sources import Source, list_sources
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import list_recipes
from lab.ui.navigation import path, view_of
from lab.ui.state import forget_unknown
from lab.ui.text import label, show_error, show_plain

ROWS = 12  # of a table before it scrolls


def header(name: str) -> None:
    """Title of a page and the question it answers."""
    view = view_of(name)
    st.title(label(view.title), anchor=False)
    st.caption(label(view.question))


def link(page: str, words: str, **query: str) -> None:
    """A link to a page of the app that opens it on what `query` names."""
    target = {key: value for key, value in query.items() if value}
    st.page_link(
        path(page), label=label(words), icon=view_of(page).icon, query_params=target, help=""
    )


def next_steps(*links: tuple[str, str, Mapping[str, str]]) -> None:
    """The end of a page: (page, words, query) of what to do now."""
    st.space("small")
    with st.container(horizontal=True, vertical_alignment="center", key="next_steps"):
        st.caption("Next", width="content")
        for page, words, query in links:
            link(page, words, **query)


def table(frame: pl.DataFrame, *, key: str, alt: str, **options: Any) -> Any:
    """A data frame without row numbers, as high as its rows up to twelve."""
    options.setdefault("height", "content" if frame.height <= ROWS else 36 * ROWS)
    return st.dataframe(frame, key=key, alt=alt, hide_index=True, **options)


def metrics(values: Sequence[tuple[str, str, str]]) -> None:
    """A row of figures: (name, value, explanation or limit)."""
    grid = st.grid(min_column_width=170, gap="small")
    for name, value, help_text in values:
        grid.metric(label(name), label(value), help=label(help_text) or None, border=True)


def empty(words: str) -> DeltaGenerator:
    """A box that says why nothing is here; what is written into it says what to do."""
    box = st.container(border=True)
    box.markdown(f"**{label(words)}**")
    return box


def pick_source(ws: Workspace, used: Collection[str] = ()) -> Source | None:
    """Choose a source; the choice is in the URL and follows the reader from page to page. A page
    about a recipe opens on the first source that the recipe has `used`.
    """
    found = {source.name: source for source in list_sources(ws)}
    if not found:
        with empty("No sources yet."):
            link("sources", "Add a source")
        return None
    forget_unknown("source", found)
    if "source" not in st.session_state and "source" not in st.query_params:
        wanted = [name for name in used if name in found]
        st.session_state["source"] = next(iter([*wanted, *found]))
    chosen = st.selectbox("Source", list(found), key="source", bind="query-params")
    return found[chosen]


def pick_recipe(ws: Workspace, key: str = "recipe", words: str = "Recipe") -> Recipe | None:
    """Choose a recipe that can be read; files that cannot are shown with their problem."""
    listed = list_recipes(ws)
    readable = {item.name: item.recipe for item in listed if item.recipe}
    if not readable:
        show_broken(ws)
        with empty("No recipe yet."):
            link("overview", "Start one from the sources")
        return None
    forget_unknown(key, readable)
    chosen = st.selectbox(label(words), list(readable), key=key, bind="query-params")
    return readable[chosen]


def show_broken(ws: Workspace) -> None:
    """Recipe files that cannot be read, with the reason; nothing if there are none."""
    broken = [item for item in list_recipes(ws) if item.recipe is None]
    if broken:
        with st.expander("Recipe files that cannot be read", icon=":material/warning:"):
            for item in broken:
                show_plain(f"{item.path}\n{item.problem}")


def attempt(action: Any, *arguments: Any) -> Any:
    """Run an action of a button; an error is shown where the button is, the page goes on."""
    try:
        return action(*arguments)
    except LabError as error:
        show_error(error)
        return None
