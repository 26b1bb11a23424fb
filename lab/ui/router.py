"""Main script of the app: page settings, navigation, then the page, whose errors end here.

No folder named `pages` may stand beside this file: Streamlit would take it for its old layout and run
a page alone when a fresh server is first asked for its URL.
"""

import streamlit as st

from lab.ui.navigation import menu
from lab.ui.state import workspace
from lab.ui.text import guarded, label

st.set_page_config(page_title="Mixture Lab", page_icon=":material/balance:", layout="wide")
page = st.navigation(menu())
with guarded():
    with st.sidebar:
        st.caption(f"Workspace **{label(workspace().root.name)}**", help="mixlab app -w FOLDER")
    page.run()
