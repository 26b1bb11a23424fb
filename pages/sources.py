"""Sources: which text is here, how much, under which licence, and what was refused."""

import streamlit as st

from lab.corpus.sources import list_sources
from lab.ui import source_table
from lab.ui.components import empty, header, next_steps
from lab.ui.formats import compact, count, plural
from lab.ui.job_panel import start, watch
from lab.ui.state import workspace
from lab.ui.text import label

ws = workspace()
header("sources")
watch(ws, ["add", "remove", "measure", "tokenizer", "sample"], "sources")
sources = list_sources(ws)
if not sources:
    with empty("No sources yet."):
        st.caption("Add your own text below, or build the sample world to look around first.")
        if st.button("Build the sample world", key="sample", icon=":material/public:"):
            start(ws, "sample", {})
    source_table.add_form(ws, expanded=True)
    st.stop()

frame = source_table.source_frame(ws, sources)
st.markdown(
    f"{plural(len(sources), 'source')}, {count(frame['documents'].sum())} documents, "
    f"{compact(frame['tokens'].sum())} tokens counted."
)
source_table.show_sources(ws, frame)
st.caption(
    f"Held-out documents ({ws.heldout_share:.0%} by content hash) are never trained on: they "
    "measure loss. Exact copies always fall on the same side of the split."
)

missing = source_table.missing_measurements(ws, frame)
if missing:
    with empty(f"{plural(len(missing), 'source')} not measured, or changed since."):
        st.caption("Measuring counts tokens and computes every signal once, in its own process.")
        if st.button("Measure them", key="measure", type="primary", icon=":material/straighten:"):
            start(ws, "measure", {"source": missing[0] if len(missing) == 1 else None})

source_table.add_form(ws, expanded=False)
st.subheader("One source", anchor=False)
by_name = {source.name: source for source in sources}
chosen = by_name[st.selectbox("Source", list(by_name), key="source", bind="query-params")]
if chosen.description:
    st.markdown(label(chosen.description))
st.caption("Read from")
st.code("\n".join(chosen.paths), language=None, wrap_lines=True)
source_table.show_quarantine(ws, chosen)
next_steps(
    ("browse", "Read its documents", {"source": chosen.name}),
    ("filters", "Move a threshold", {"source": chosen.name}),
)
