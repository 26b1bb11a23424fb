"""How broad sources are, what a recipe keeps of that, and how sources overlap: what is stored.

Nothing is measured here: a job does that (`mixlab diversity`), and this section shows the newest
that it left for the present embeddings, map and rules, of whatever size, and says of how many
documents. Words and labels of documents stand in tables only, which read no markup.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.diversity.breadth.measures import BLIND, LABELS, SIZE
from lab.jobs.breadth.between import stored_overlap
from lab.jobs.breadth.common import Common, find_common
from lab.jobs.breadth.panels import covers_present, newest_panels, read_panel, stored_panels
from lab.jobs.breadth.words import SAMPLED, reference_words, taken
from lab.mixture.recipe_files import list_recipes
from lab.ui.breadth_recipe import Asked, band, show_recipe
from lab.ui.breadth_versus import show_versus
from lab.ui.components import empty, table
from lab.ui.formats import count
from lab.ui.job_panel import watch
from lab.ui.state import forget_unknown
from lab.ui.text import guarded, label, show_plain

Found = Mapping[str, Any]
ALL = "all sources"  # no source has a blank in its name


def breadth_panel(ws: Workspace, encoder: str) -> None:
    """The whole section under one encoder: sources, a recipe against pool and against another,
    overlap.
    """
    busy = watch(ws, ["diversity"], "breadth")
    names = [source.name for source in list_sources(ws)]
    common = find_common(ws, names, encoder)
    stored = stored_panels(ws, common) if common else []
    if common is None or not stored:
        with empty("How broad the sources are has not been measured."):
            st.caption("Some seconds a source, once they are embedded and on the map.")
            placed = common.sources if common else None
            asked = Asked(encoder, "", SIZE, busy)
            asked.offer(ws, "Measure the sources", "measure_breadth", sources=placed)
        return
    asked = pick_reference(common, stored, busy)
    shown = show_sources(ws, common, stored, asked)
    recipes = {item.name: item.recipe for item in list_recipes(ws) if item.recipe}
    forget_unknown("breadth_recipe", ["", *recipes])
    chosen = str(
        st.selectbox(
            "What a recipe keeps of it", ["", *recipes], key="breadth_recipe",
            bind="query-params", format_func=lambda name: label(name) or "choose a recipe",
        )
    )  # fmt: skip
    if chosen:
        with guarded():  # a recipe may name what is not there
            show_recipe(ws, recipes[chosen], asked)
            show_versus(ws, recipes[chosen], recipes, asked)
    show_overlap(ws, shown, common)


def pick_reference(common: Common, stored: Sequence[Artifact], busy: bool) -> Asked:
    """What coverage is of: any source, or all of them. Opens on what was measured of most sources,
    of equal ones last, and takes the size of that.
    """
    groups: dict[tuple[str, int], set[str]] = {}
    for made in stored:
        config = made.manifest["config"]
        groups.setdefault((config["reference"], config["size"]), set()).add(made.manifest["source"])
    most = max(groups, key=lambda group: len(groups[group]))
    options = [ALL, *common.sources]
    forget_unknown("breadth_reference", options)
    chosen = st.selectbox(
        "Coverage of", options, index=options.index(most[0]) if most[0] in options else 0,
        key="breadth_reference", bind="query-params", format_func=label,
    )  # fmt: skip
    reference = "" if chosen == ALL else str(chosen)
    own = [group for group in groups if group[0] == reference]
    size = max(own, key=lambda group: len(groups[group]))[1] if own else most[1]
    return Asked(common.encoder, reference, size, busy)


def fitting(stored: Sequence[Artifact], reference: str) -> list[Artifact]:
    """Panels with coverage of `reference`."""
    return [made for made in stored if made.manifest["config"]["reference"] == reference]


def show_sources(
    ws: Workspace, common: Common, stored: Sequence[Artifact], asked: Asked
) -> list[str]:
    """Measures of the newest panels, one row a source, with what they are of, what they cannot see
    and what is missing; the sources shown.
    """
    same = [
        a for a in fitting(stored, asked.reference) if a.manifest["config"]["size"] == asked.size
    ]
    newest = newest_panels(same)
    panels = {name: read_panel(newest[name]) for name in sorted(newest)}
    measured = {name: panel for name, panel in panels.items() if panel["measures"]}
    if measured:
        table(source_table(measured), key="breadth_sources",
              alt="Measures of breadth of each source, with intervals")  # fmt: skip
        st.caption(
            f"{label(SAMPLED)} At most {count(asked.size)} of each. "
            f"{label(reference_words(asked.reference))} With 95 % intervals, at equal n where the "
            "sources allow. More is not better by itself: random noise has the highest scores of "
            "all, so quality and perplexity stand beside them where they are stored."
        )
        with st.expander("What each measure cannot see"):
            show_plain("\n".join(f"{LABELS[k]}: {BLIND[k]}" for k in LABELS))
    show_missing(ws, common, newest, asked)
    return list(measured)


def source_table(panels: Mapping[str, Found]) -> pl.DataFrame:
    """One row a source."""
    rows = [
        {"source": source, "documents": taken(panel["sample"])}
        | {LABELS[k]: band(panel["measures"].get(k)) for k in LABELS}
        | {f"mean {k}": band(v) for k, v in panel["beside"].items()}
        for source, panel in panels.items()
    ]
    return pl.from_dicts(rows, infer_schema_length=None)


def show_missing(
    ws: Workspace, common: Common, newest: Mapping[str, Artifact], asked: Asked
) -> None:
    """Sources that are not measured like this, too small ones, and coverage of what has changed."""
    few = [name for name, a in newest.items() if a.manifest["sample"]["embedded"] < 2]
    if few:
        words = f"Left out: {', '.join(few)}, of which fewer than two documents are embedded."
        st.caption(label(words))
    missing = [name for name in common.sources if name not in newest]
    old = [name for name, made in newest.items() if not covers_present(made, common)]
    if not missing and not old:
        return
    words = f"Not measured like this: {', '.join(missing)}." if missing else (
        f"What coverage is of has changed since {', '.join(old)} was measured."
    )  # fmt: skip
    with empty(words):
        asked.offer(ws, "Measure the sources", "measure_breadth", sources=common.sources)


def show_overlap(ws: Workspace, names: Sequence[str], common: Common) -> None:
    """Pairs of sources; nothing before it was measured."""
    found = stored_overlap(ws, names, common) if len(names) > 1 else None
    if found is None:
        return
    st.subheader("How sources overlap", anchor=False)
    share = st.column_config.NumberColumn(format="percent")
    shares = ("near", "near_low", "near_high", "clusters", "clusters_low", "clusters_high")
    table(
        found, key="breadth_overlap", alt="Overlap of each source with each other one",
        column_config=dict.fromkeys(shares, share),
    )  # fmt: skip
    st.caption(
        "near: texts of the source with a text of the other at a cosine above 0.90, at equal n. "
        "clusters: topics in common, 1 for the same shares. auc: how well a linear classifier "
        "tells them apart on texts it has not seen, 0.5 not at all; with enough texts any two "
        "sources differ, so read its size and not p."
    )
