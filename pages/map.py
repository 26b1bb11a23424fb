"""Map: what the text is about, and where the sources overlap."""

import streamlit as st

from lab.corpus.sources import list_sources
from lab.jobs.breadth.common import encoder_of
from lab.ui.breadth import breadth_panel
from lab.ui.components import empty, header, link, next_steps
from lab.ui.job_panel import watch
from lab.ui.map.page import map_of_line, show_map
from lab.ui.map.ready import newest_map, offer_steps
from lab.ui.state import workspace

ws = workspace()
header("map")
busy = watch(ws, ["embed", "map"], "map")
if not list_sources(ws):
    with empty("No sources yet."):
        link("sources", "Add a source")
    st.stop()
artifact, stale = newest_map(ws)
if not busy:
    offer_steps(ws, artifact, stale)
if artifact is None:
    next_steps(("browse", "Read documents meanwhile", {}))
    st.stop()
show_map(ws, artifact)
st.subheader("How varied each source is", anchor=False)
breadth_panel(ws, encoder_of(map_of_line(ws, artifact)))
next_steps(("filters", "Cut what does not belong", {}), ("mixture", "Weigh the sources", {}))
