"""Map: what the text is about, and where the sources overlap."""

import polars as pl
import streamlit as st

from lab.corpus.sources import list_sources
from lab.ui import map_view
from lab.ui.components import empty, header, link, next_steps
from lab.ui.formats import count, plural
from lab.ui.job_panel import start, watch
from lab.ui.state import workspace
from lab.ui.text import guarded, label

ws = workspace()
header("map")
busy = watch(ws, ["embed", "map"], "map")
sources = list_sources(ws)
if not sources:
    with empty("No sources yet."):
        link("sources", "Add a source")
    st.stop()
ready = map_view.embedded(ws)
artifact, stale = map_view.newest_map(ws)
if len(ready) < len(sources) and not busy:
    with empty(f"{plural(len(sources) - len(ready), 'source')} not embedded yet."):
        st.caption(
            "A sample of 2,000 documents each; a few minutes for 10,000 documents on two cores."
        )
        if st.button("Embed the sources", key="embed", type="primary"):
            start(ws, "embed", {})
elif (artifact is None or stale) and not busy:
    with empty("The documents are embedded, the map is not drawn yet or is out of date."):
        if st.button("Draw the map", key="draw_map", type="primary"):
            start(ws, "map", {})
if artifact is None:
    next_steps(("browse", "Read documents meanwhile", {}))
    st.stop()

frame = map_view.places(artifact, artifact.id)


@st.fragment
@guarded()
def live(frame: pl.DataFrame) -> None:
    """Map, clusters and what is selected."""
    by = st.segmented_control(
        "Colour by", ["source", "cluster"], default="source", key="by", bind="query-params",
        required=True,
    )  # fmt: skip
    left, right = st.columns([3, 2], gap="medium")
    with left:
        polygon = map_view.show_map(ws, frame, str(by))
        drawn = min(frame.height, map_view.DRAWN)
        st.caption(
            f"{count(drawn)} of {count(frame.height)} embedded documents are drawn, a sample of "
            "each source. Near means alike; distances between groups, areas and densities mean "
            f"nothing. {label(map_view.trust_words(artifact))}"
        )
    with right:
        labels = ["", *frame["label"].unique().sort().to_list()]
        cluster = st.selectbox(
            "Cluster", labels, key="cluster", bind="query-params",
            format_func=lambda words: words or "none; draw a lasso on the map",
        )  # fmt: skip
        if polygon:
            map_view.show_selection(ws, frame.filter(pl.Series(map_view.inside(frame, polygon))))
        elif cluster:
            map_view.show_selection(ws, frame.filter(pl.col("label") == cluster))
        else:
            st.caption("Draw a lasso around points, or choose a cluster, to read what is in it.")
    st.subheader("Clusters", anchor=False)
    map_view.show_clusters(frame)


live(frame)
st.subheader("How varied each source is", anchor=False)
map_view.show_breadth(ws)
next_steps(("filters", "Cut what does not belong", {}), ("mixture", "Weigh the sources", {}))
