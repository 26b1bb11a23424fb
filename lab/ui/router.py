"""Main script of the app: page settings, navigation, then the page, whose errors end here.

No folder named `pages` may stand beside this file: Streamlit would take it for its old layout and
run a page alone when a fresh server is first asked for its URL. Icon and logo are files of ours,
because Streamlit would fetch a Material symbol for the browser tab from another host.
"""

from pathlib import Path

import streamlit as st

from lab.ui.navigation import menu
from lab.ui.state import carry, workspace
from lab.ui.text import guarded, label

ASSETS = Path(__file__).with_name("assets")

page = st.navigation(menu(), expanded=True)
st.set_page_config(
    page_title=f"{page.title} - Mixture Lab", page_icon=str(ASSETS / "icon.svg"), layout="wide"
)
st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
with guarded():
    with st.sidebar:
        st.caption(
            f"Workspace **{label(workspace().root.name)}**",
            help="`mixlab app -w FOLDER` opens another one.",
        )
    carry(page.url_path)
    page.run()
