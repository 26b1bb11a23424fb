"""The columns of the page: facets, list, reader; and what one rerun computes, in order."""

from dataclasses import dataclass

import streamlit as st

from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.ui.browse import controls
from lab.ui.browse.answer import Answer, answer, facet_bars, offer_embedding, show_summary
from lab.ui.browse.facets import Facets, load_facets
from lab.ui.browse.finding import LIKE, MEANING, MODES
from lab.ui.browse.listing import (
    DOCUMENT,
    SIZE,
    reason_columns,
    rows_of,
    show_facets,
    show_list,
    values_shown,
)
from lab.ui.browse.ordering import JUMPS, STORED, place_of
from lab.ui.browse.pool import Pool, load_pool
from lab.ui.browse.reader import document_id, show_reader, stepper, turn
from lab.ui.browse.tagging import show_bulk
from lab.ui.browse.taking import show_taking
from lab.ui.text import guarded, show_plain


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One rerun: what is in scope, and what is asked."""

    ws: Workspace
    pool: Pool
    recipe: Recipe | None
    facets: Facets
    asked: controls.Asked


def show_page(ws: Workspace, sources: list[str], recipe: Recipe | None) -> None:
    """Everything below the choice of sources and recipe."""
    mode, text = controls.ask_for()
    pool = load_pool(ws, sources)
    facets = load_facets(ws, pool, recipe)
    if mode == MODES[-1]:
        controls.column_list(ws, pool)
    left, middle, right = st.columns([5, 9, 12], gap="medium")
    with middle:
        filters = controls.filters_box()
        sort, falling, seed = controls.order_controls(ws, pool)
    seconds = controls.seconds_allowed()
    asked = controls.Asked(mode, text, seconds, filters, sort, falling, seed)
    scene = Scene(ws, pool, recipe, facets, asked)
    ids: list[str] = []
    got = None
    with middle, guarded():
        got = answer(ws, pool, facets, asked)
        show_summary(ws, pool, facets, asked, got)
        ids = show_found(scene, got)
    with middle:
        offer_embedding(ws, pool, asked)
    with left, guarded():
        show_left(scene, got)
    with right:
        document = turn(ids, lambda step: turn_page(got, step))
        if document:
            with guarded():
                show_reader(ws, document, recipe, facets.verdicts, mode, text)
                st.button("More like this", key="like", on_click=more_like, args=(document,))
    st.caption(
        "Keys: **J** next, **K** previous, also the arrows left and right; **Y** keep, **N** drop, "
        "**1** to **9** tags; **S** search, **Esc** clear."
    )


def show_left(scene: Scene, got: Answer | None) -> None:
    """Facets with their bars."""
    unit = st.segmented_control(
        "Count in", ("docs", "tokens"), default="docs", key="unit", required=True,
        bind="query-params", disabled=not scene.pool.counted, label_visibility="collapsed",
    )  # fmt: skip
    in_tokens = unit == "tokens" and scene.pool.counted
    found = got.found if got else None
    bars = facet_bars(scene.pool, scene.facets, scene.asked, found, in_tokens)
    show_facets(bars, "tokens" if in_tokens else "documents", controls.toggle_filter)
    st.caption("Grey: all in scope. Coloured: what matches. Lengths are square roots.")
    if scene.facets.problem:
        with st.expander("Why there are no verdicts"):
            show_plain(scene.facets.problem)


def show_found(scene: Scene, got: Answer) -> list[str]:
    """The list with its pages; the ids shown."""
    ws, pool, asked = scene.ws, scene.pool, scene.asked
    with st.container(horizontal=True, gap="xsmall"):
        show_bulk(ws, lambda: pool.frame["id"].gather(got.rows).to_list(), len(got.rows))
        show_taking(pool, got.rows)
    values = got.values
    if values is not None and values.dtype.is_numeric() and len(got.rows):
        column = values
        controls.jump_buttons(
            lambda percent: place_of(column, got.rows, percent, asked.falling), JUMPS, SIZE
        )
    if not len(got.rows):
        return []
    page = page_number(len(got.rows))
    rows = got.rows[(page - 1) * SIZE : page * SIZE].tolist()
    ids: list[str] = pool.frame["id"].gather(rows).to_list()
    scores = None if got.scores is None else got.scores[(page - 1) * SIZE : page * SIZE]
    verdicts = scene.facets.verdicts
    shown = rows_of(
        pool,
        rows,
        mode=asked.mode,
        asked=asked.text,
        columns=reason_columns(asked.filters, verdicts),
        verdicts=verdicts,
        values=values_shown(rows, got.values, scores),
        opened=document_id(addressed()) or ids[0],
    )
    show_list(shown, stepper(ids, lambda step: turn_page(got, step)))
    return ids


def addressed() -> str:
    """The document box, which is drawn after the list: in the first run its value is in the URL."""
    held = st.session_state if DOCUMENT in st.session_state else st.query_params
    return str(held.get(DOCUMENT) or "")


def page_number(found: int) -> int:
    """The page of the list that is open."""
    pages = max(1, -(-found // SIZE))
    page = st.pagination(pages, key=controls.PAGE, bind="query-params", max_visible_pages=5)
    return min(int(page), pages)


def turn_page(got: Answer | None, step: int) -> None:
    """Callback: the next or previous page of the list."""
    pages = max(1, -(-len(got.rows) // SIZE)) if got else 1
    now = int(st.session_state.get(controls.PAGE) or 1)
    st.session_state[controls.PAGE] = min(max(now + step, 1), pages)


def more_like(document: str) -> None:
    """Callback: a search by meaning for documents like this one."""
    st.session_state[controls.MODE] = MEANING
    st.session_state[controls.QUERY] = f"{LIKE}{document}"
    st.session_state["sort"] = STORED
    controls.first_page()
