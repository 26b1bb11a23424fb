"""Export: the files that a real trainer, a filter tool or a colleague uses."""

import streamlit as st

from lab.ui import exports
from lab.ui.components import header, next_steps, pick_recipe
from lab.ui.job_panel import watch
from lab.ui.state import workspace
from lab.ui.text import guarded, label

ws = workspace()
header("export")
left, right = st.columns([2, 3], gap="medium")
with left:
    recipe = pick_recipe(ws)
    if recipe is None:
        st.stop()
    target = exports.target_picker()
with right, guarded():
    st.markdown("**What the trainer will do**")
    exports.implied_epochs(ws, recipe)
    st.caption(
        "Weights are shares of tokens. Trainers count in bytes, documents, samples or tokens: each "
        "target converts, and says how in its README."
    )
    exports.write_form(ws, recipe, target)
watch(ws, ["export"], "export")

written = exports.written_exports(ws)
if written:
    st.subheader("Exports in this workspace", anchor=False)
    by_name = {export.name: export for export in written}
    chosen = by_name[
        str(st.selectbox("Export", list(by_name), key="exported", bind="query-params"))
    ]
    made = f"{chosen.manifest['recipe']} for {chosen.manifest['target']}"
    st.caption(f"Recipe {label(made)}, written {label(chosen.manifest['created'])}")
    with guarded():
        exports.show_export(chosen)
next_steps(("overview", "Back to the overview", {}), ("compare", "Compare it with another", {}))
