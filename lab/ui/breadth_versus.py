"""One recipe beside another on the Map page: what each keeps of the sources they share, how broad
their mixtures are, and which topics the first has lost; what is stored (`lab.jobs.breadth.apart`).

Weights are no part of what is stored, so the mixtures are computed here from stored summaries: 20
ms each, and their reading once.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.jobs.breadth.apart import common_sources, read_apart, stored_apart
from lab.jobs.breadth.common import Common, find_common
from lab.jobs.breadth.mixtures import Stored, breadth_of_stored, stored_breadth
from lab.mixture.recipe import Recipe
from lab.ui.breadth_recipe import Asked, changes, lost_table
from lab.ui.components import empty, table
from lab.ui.formats import count, percent
from lab.ui.memory import remembered
from lab.ui.state import forget_unknown
from lab.ui.text import label

Found = Mapping[str, Any]


def show_versus(ws: Workspace, recipe: Recipe, recipes: Mapping[str, Recipe], asked: Asked) -> None:
    """Choose the other recipe, and see the difference or the button that measures it."""
    others = [name for name in recipes if name != recipe.name]
    forget_unknown("breadth_against", ["", *others])
    chosen = str(
        st.selectbox(
            f"Compare {label(recipe.name)} with", ["", *others], key="breadth_against",
            bind="query-params", format_func=lambda name: label(name) or "choose another recipe",
        )
    )  # fmt: skip
    if not chosen:
        return
    other = recipes[chosen]
    common = find_common(ws, [*recipe.sources, *other.sources], asked.encoder)
    made = stored_apart(ws, recipe, other, common) if common else None
    possible = common_sources(recipe, other, common) if common else []
    if made is None or set(made.manifest["sources"]) < set(possible):
        with empty("These two have not been compared on all sources that both use."):
            asked.offer(ws, "Compare them", "measure_apart", recipe=recipe.name, against=other.name)
    if made is not None and common is not None:
        mixtures = [mixture(ws, each, common) for each in (recipe, other)]
        show_apart(read_apart(made, mixtures), recipe.name, other.name)


def mixture(ws: Workspace, recipe: Recipe, common: Common) -> dict[str, Any]:
    """Breadth of a recipe's mixture, kept while nothing of it changes."""
    stored = stored_breadth(ws, recipe, common)
    return remembered_mixture(stored, recipe, digest([stored.key, recipe.average_weights()]))


@remembered(8)
def remembered_mixture(stored: Stored, recipe: Recipe, key: str) -> dict[str, Any]:
    """The breadth for `key`."""
    return breadth_of_stored(stored, recipe)


def show_apart(found: Found, one: str, other: str) -> None:
    """Tables of what differs, and a line on what does not."""
    apart = {s: each for s, each in found["sources"].items() if not each["same"]}
    if apart or found["mixture"]["measures"]:
        table(
            apart_table(apart, found["mixture"]["measures"], one, other), key="breadth_apart",
            alt="First recipe less second, for each source and the mixture, with intervals",
        )  # fmt: skip
        st.caption(
            f"{label(one)} less {label(other)}, at equal n and equal bytes, at most "
            f"{count(found['size'])} documents a source, with 95 % intervals; unresolved: the "
            "interval holds zero. The mixture's row is of the present weights, and its intervals "
            f"are a little too wide. {label(known_words(found['mixture']['known'], one, other))}"
        )
    if same := [source for source, each in found["sources"].items() if each["same"]]:
        st.caption(f"Both keep the same documents of {label(', '.join(same))}.")
    lost = [(source, topic) for source, each in apart.items() for topic in each["lost"]]
    if lost:
        st.warning(f"Topics that {label(other)} keeps and {label(one)} has lost.")
        table(lost_table(lost), key="breadth_apart_lost", alt="Topics lost, by source")


def apart_table(apart: Mapping[str, Found], mixed: Found, one: str, other: str) -> pl.DataFrame:
    """One row a source that differs, and one for the mixture."""
    rows = [
        {
            "source": source,
            f"kept by {one}": count(found["documents"][0]),
            f"kept by {other}": count(found["documents"][1]),
        } | (changes(found) if "measures" in found else {})
        for source, found in apart.items()
    ]  # fmt: skip
    if mixed:
        rows.append({"source": "(the mixture)"} | changes({"measures": mixed, "beside": {}}))
    return pl.from_dicts(rows, infer_schema_length=None).with_columns(pl.all().fill_null(""))


def known_words(known: list[float], one: str, other: str) -> str:
    """How much of the weights the mixtures' numbers are of, where it is not all."""
    parts = [
        f"{percent(share)} of {name}"
        for name, share in zip((one, other), known, strict=True)
        if share < 1 - 1e-9
    ]
    if not parts:
        return ""
    return f"It is of {' and '.join(parts)} only: the rest has no text left or was not measured."
