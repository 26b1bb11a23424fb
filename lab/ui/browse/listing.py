"""The list: twenty documents with three lines each, drawn by the browser from pieces of text.

The component gets pieces and shows each as a text node (`hits_component/hits.js`), so an excerpt is
as inert as in a table, and can have marks. What comes back is an id or a step, checked here.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.mixture.selection import Verdicts
from lab.ui.browse.excerpts import LENGTH, READ, excerpt, marks_for
from lab.ui.browse.facets import Filters
from lab.ui.browse.pool import Pool, texts_at
from lab.ui.formats import count, number

SIZE = 20  # documents of a page
DOCUMENT = "doc"
LIST = "hits"
FACETS = "facets"


@cache
def component(name: str) -> Callable[..., object]:
    """The mounting command of a component beside this file; registered once a server."""
    folder = Path(__file__).with_name(f"{name}_component")
    html, css, script = (
        (folder / f"{name}.{end}").read_text("utf-8") for end in ("html", "css", "js")
    )
    return st.components.v2.component(f"mixlab_{name}", html=html, css=css, js=script)


def show_facets(bars: Sequence[object], unit: str, picked: Callable[[str, str], None]) -> None:
    """Draw the facets; `picked` gets facet and part of a bar that is clicked."""
    names = {
        (str(bar["name"]), str(row["part"]))
        for bar in bars
        if isinstance(bar, dict)
        for row in bar["rows"]
    }

    def changed() -> None:
        value = getattr(st.session_state[FACETS], "pick", None)
        asked = (value.get("facet"), value.get("part")) if isinstance(value, dict) else None
        if asked in names:
            picked(*asked)

    component("facets")(key=FACETS, data={"facets": bars, "unit": unit}, on_pick_change=changed)


def rows_of(
    pool: Pool,
    rows: Sequence[int],
    *,
    mode: str,
    asked: str,
    columns: Sequence[str],
    verdicts: dict[str, Verdicts],
    values: dict[int, str],
    opened: str,
) -> list[dict[str, object]]:
    """What the list shows of each document: id, facts, value of the sorting column, excerpt."""
    limit = READ if asked or columns else 2 * LENGTH
    shown = []
    for row, text in zip(rows, texts_at(pool, rows, limit), strict=True):
        source, document, tokens = pool.frame.select("source", "id", "tokens").row(row)
        size = f"{count(tokens)} tokens" if tokens is not None else "tokens not counted"
        facts = [[size, "tokens"], *verdict_facts(pool, verdicts, source, row)]
        pieces = excerpt(text, marks_for(text, mode, asked, columns))
        shown.append(
            {
                "id": document,
                "open": document == opened,
                "facts": facts,
                "value": values.get(row, ""),
                "pieces": [list(piece) for piece in pieces],
            }
        )
    return shown


def verdict_facts(
    pool: Pool, verdicts: dict[str, Verdicts], source: str, row: int
) -> list[list[str]]:
    """`kept`, `held out`, or the first reason and how many others there are."""
    if source not in verdicts:
        return []
    verdict = verdicts[source]
    found = verdict.frame.row(row - pool.starts[source], named=True)
    reasons = [words for i, words in enumerate(verdict.reasons) if found["mask"] >> i & 1]
    if found["heldout"]:
        return [["held out", "held"]]
    if not reasons:
        return [["kept", "kept"]]
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return [[f"fails: {reasons[0]}{more}", "falls"]]


def reason_columns(filters: Filters, verdicts: dict[str, Verdicts]) -> list[str]:
    """Columns of the rules that the page is filtered by: their places are what to show."""
    wanted = set(filters.get("reason", ()))
    rules = [rule for verdict in verdicts.values() for rule in verdict.rules]
    return list(
        dict.fromkeys(
            c for r in rules if r.words().replace("|", "/") in wanted for c in r.columns()
        )
    )


def show_list(shown: Sequence[dict[str, object]], step: Callable[[int], None]) -> None:
    """Draw the list; a click opens a document, an arrow key goes to its neighbour."""
    ids = [row["id"] for row in shown]

    def opened() -> None:
        value = getattr(st.session_state[LIST], "open", None)
        if value in ids:
            st.session_state[DOCUMENT] = value

    def stepped() -> None:
        value = getattr(st.session_state[LIST], "step", None)
        if value in (-1, 1):
            step(int(value))

    component("hits")(key=LIST, data={"rows": shown}, on_open_change=opened, on_step_change=stepped)


def values_shown(
    rows: Sequence[int], values: pl.Series | None, scores: NDArray[np.float32] | None
) -> dict[int, str]:
    """The value of the sorting column, or the score, of the documents of a page."""
    if values is not None:
        held = values.gather(list(rows)).to_list()
        return {row: value_words(value) for row, value in zip(rows, held, strict=True)}
    if scores is not None:
        return {row: f"{score:.2f}" for row, score in zip(rows, scores, strict=True)}
    return {}


def value_words(value: object) -> str:
    """A value in a few characters."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return "-" if value is None else str(value).lower()
    return number(float(value))  # type: ignore[arg-type]
