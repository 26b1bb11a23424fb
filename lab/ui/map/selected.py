"""What is selected: how much of each source, what it can and cannot stand for, and some to read."""

import numpy as np
import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.selections.points import Points, counts_by
from lab.curation.selections.polygon import Mask
from lab.diversity.breadth.measures import wilson
from lab.ui.columns import whole
from lab.ui.components import link, table
from lab.ui.formats import compact, count, percent
from lab.ui.map.held import sizes_of, tokens_at
from lab.ui.tables import texts
from lab.ui.text import label, show_document

READ = 4  # documents shown
CHARACTERS = 500


def show_amount(ws: Workspace, points: Points, mask: Mask) -> None:
    """How many, and how much of every source."""
    chosen = int(mask.sum())
    tokens = tokens_at(ws, points)
    held = float(tokens[mask].sum()) if tokens is not None else float("nan")
    st.markdown(f"**{count(chosen)} of {count(mask.size)} documents on the map**")
    st.caption(f"{percent(chosen / max(mask.size, 1))} of them; {compact(held)} tokens")
    table(
        amounts(ws, points, mask), key="map_selected",
        alt="Selected documents per source, their share with interval, and how much is mapped",
        column_config={
            "source": st.column_config.TextColumn(width=105), "selected": whole(width=70),
            "on the map": whole(width=80), "documents": whole("in the source", width=95),
        },
    )  # fmt: skip
    if sampled(ws, points):
        st.caption(
            "The map holds a sample: the share stands for the whole source within its 95 % "
            "interval, but a tag reaches only documents on the map. `mixlab embed` with a larger "
            "`--sample`, then `mixlab map`, reaches the rest."
        )


def amounts(ws: Workspace, points: Points, mask: Mask) -> pl.DataFrame:
    """Per source: selected, share of those on the map with interval, on the map, documents."""
    selected, mapped = counts_by(
        points.source, len(points.sources), [mask, np.ones(mask.size, bool)]
    )
    sizes, rows = sizes_of(ws, points), []
    for k, name in enumerate(points.sources):
        found = wilson(int(selected[k]), int(mapped[k]))
        rows.append(
            {
                "source": name,
                "selected": int(selected[k]),
                "share": f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})",
                "on the map": int(mapped[k]),
                "documents": sizes[name],
            }
        )
    frame = pl.DataFrame(rows).sort("selected", descending=True)
    return frame if sampled(ws, points) else frame.drop("on the map")


def sampled(ws: Workspace, points: Points) -> bool:
    """True unless every document of every source is on the map."""
    return points.x.size < sum(sizes_of(ws, points).values())


def show_some(ws: Workspace, points: Points, mask: Mask) -> None:
    """A few documents of the selection, spread evenly over a random order; the same every time."""
    rows = np.flatnonzero(mask)
    picked = np.sort(np.random.default_rng(0).choice(rows, min(READ, rows.size), replace=False))
    for row in picked.tolist():
        show_point(ws, points, row)


def show_point(ws: Workspace, points: Points, row: int, height: int = 104) -> None:
    """One document: where it is, what it says."""
    document, source = str(points.ids[row]), points.sources[int(points.source[row])]
    link("browse", document, doc=document, source=source)
    body = texts(documents(ws, source), [document], CHARACTERS)
    show_document(body.get(document, "This document is no longer in its source."), height=height)


def show_under(ws: Workspace, points: Points, row: int) -> None:
    """The card of the point under the pointer."""
    cluster = int(points.cluster[row])
    st.caption(f"Under the pointer, cluster {cluster:d}: {label(points.labels[cluster])}")
    show_point(ws, points, row, height=120)
