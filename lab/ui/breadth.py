"""How broad sources are, what a recipe keeps of that, and how sources overlap: what is stored.

Nothing is measured here: a job does that (`mixlab diversity`), and this section shows what it left
for the present embeddings, map and rules. Words and labels of documents stand in tables only, which
read no markup.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.diversity.breadth.measures import BLIND, LABELS
from lab.jobs.breadth.between import stored_overlap
from lab.jobs.breadth.mixtures import panel_or_none, selection_of
from lab.jobs.breadth.panels import read_panel
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import list_recipes
from lab.ui.components import empty, table
from lab.ui.formats import number, percent
from lab.ui.job_panel import start, watch
from lab.ui.state import forget_unknown
from lab.ui.text import label, show_plain

Found = Mapping[str, Any]


def breadth_panel(ws: Workspace) -> None:
    """The whole section: sources, kept against pool, overlap, and the button that measures."""
    busy = watch(ws, ["diversity"], "breadth")
    names = [source.name for source in list_sources(ws)]
    panels = stored_panels(ws, names, None)
    if not panels:
        with empty("How broad the sources are has not been measured."):
            st.caption("Some seconds a source, once they are embedded and on the map.")
            measure_button(ws, busy, "")
        return
    show_sources(panels)
    recipes = {item.name: item.recipe for item in list_recipes(ws) if item.recipe}
    forget_unknown("breadth_recipe", ["", *recipes])
    chosen = str(
        st.selectbox(
            "What a recipe keeps of it", ["", *recipes], key="breadth_recipe",
            bind="query-params", format_func=lambda name: label(name) or "choose a recipe",
        )
    )  # fmt: skip
    if chosen:
        show_recipe(ws, recipes[chosen], busy)
    show_overlap(ws, list(panels))
    if len(panels) < len(names):
        measure_button(ws, busy, "")


def stored_panels(ws: Workspace, names: Sequence[str], recipe: Recipe | None) -> dict[str, Found]:
    """What is stored of each source now, or of what the recipe keeps of it."""
    from lab.diversity.breadth.measures import SIZE
    from lab.diversity.embedding.encoder import DEFAULT

    selection = selection_of(ws, recipe) if recipe else ""
    if recipe and not selection:
        return {}
    stored = {name: panel_or_none(ws, name, selection, DEFAULT, SIZE) for name in names}
    return {name: read_panel(artifact) for name, artifact in stored.items() if artifact}


def measure_button(ws: Workspace, busy: bool, recipe: str) -> None:
    """Start the job, for a recipe too if one is named."""
    words = "Measure what it keeps" if recipe else "Measure the sources"
    if st.button(label(words), key=f"measure_breadth_{bool(recipe)}", disabled=busy):
        start(ws, "diversity", {"recipe": recipe or None})


def show_sources(panels: Mapping[str, Found]) -> None:
    """Measures and what stands beside them, one row a source; then what each cannot see."""
    rows = [
        {
            "source": source,
            "n": panel["measures"]["vendi_1"]["n"],
            **{LABELS[k]: band(panel["measures"].get(k)) for k in LABELS},
            **{f"mean {k}": band(v) for k, v in panel["beside"].items()},
        }
        for source, panel in panels.items()
        if panel["measures"]
    ]
    frame = pl.from_dicts(rows, infer_schema_length=None)
    table(frame, key="breadth_sources", alt="Measures of breadth of each source, with intervals")
    st.caption(
        "With 95 % intervals, at equal n where the sources allow. More is not better by itself: "
        "random noise has the highest scores of all, so quality and perplexity stand beside them "
        "where they are stored."
    )
    with st.expander("What each measure cannot see"):
        show_plain("\n".join(f"{LABELS[k]}: {BLIND[k]}" for k in LABELS))


def band(estimate: Found | None) -> str:
    """A value with its interval."""
    if not estimate:
        return ""
    value, low, high = (number(estimate[k], 3) for k in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def change(found: Found) -> str:
    """A difference with its interval, and whether it is resolved."""
    resolved = found["low"] > 0 or found["high"] < 0
    return band(found) + ("" if resolved else " unresolved")


def show_recipe(ws: Workspace, recipe: Recipe, busy: bool) -> None:
    """Kept against pool for every source of a recipe: differences, lost topics, what marks it."""
    panels = stored_panels(ws, list(recipe.sources), recipe)
    if len(panels) < len(recipe.sources):
        with empty("What this recipe keeps has not been measured for every source."):
            measure_button(ws, busy, recipe.name)
    against = {s: panel["against"] for s, panel in panels.items() if "against" in panel}
    if not against:
        return
    rows = [
        {
            "source": source,
            "n": found["n"],
            **{LABELS[k]: change(v["difference"]) for k, v in found["measures"].items()},
            **{f"mean {k}": change(v["difference"]) for k, v in found["beside"].items()},
        }
        for source, found in against.items()
    ]
    st.caption("What is kept, less the pool, at equal n and equal bytes:")
    frame = pl.from_dicts(rows, infer_schema_length=None)
    table(frame, key="breadth_against", alt="Kept less pool, for each source and measure")
    show_lost(against)
    show_marks(against)


def show_lost(against: Mapping[str, Found]) -> None:
    """Topics of which little is left."""
    lost = [
        {
            "source": source, "topic": t["label"], "documents": t["documents"],
            "kept": t["kept_documents"], "tokens kept": percent(t["share"]),
            "documents kept at most": percent(t["high"]),
        }
        for source, found in against.items() for t in found["topics"] if t["lost"]
    ]  # fmt: skip
    if lost:
        st.warning("Topics are lost: less than a quarter of their tokens is left.")
        table(pl.DataFrame(lost), key="breadth_lost", alt="Lost topics by source")
    else:
        st.caption("No topic is lost: none fell below a quarter of its tokens.")


def show_marks(against: Mapping[str, Found]) -> None:
    """Words and signals that distinguish what is kept from what is dropped."""
    words = [{"source": s} | w for s, found in against.items() for w in found["words"]]
    signals = [{"source": s} | w for s, found in against.items() for w in found["signals"]]
    if not words and not signals:
        return
    with st.expander("What distinguishes what is kept from what is dropped"):
        if words:
            table(pl.DataFrame(words), key="breadth_words", alt="Words with log-odds and interval")
        if signals:
            table(
                pl.DataFrame(signals), key="breadth_signals",
                alt="Signals: probability that a kept document exceeds a dropped one",
            )  # fmt: skip
        st.caption(
            "Words by log-odds with an informative prior, documents counted once; positive marks "
            "what is kept. Superiority: how often a kept document exceeds a dropped one, 0.5 is no "
            "shift."
        )


def show_overlap(ws: Workspace, names: Sequence[str]) -> None:
    """Pairs of sources; nothing before it was measured."""
    try:
        found = stored_overlap(ws, names) if len(names) > 1 else None
    except ArtifactMissing:
        found = None
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
