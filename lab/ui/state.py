"""Where the app keeps what it knows: the URL, the session, the disk.

The URL says what is looked at (widgets with `bind="query-params"`), the session holds edits that
are not saved yet, the disk holds everything of value. Session values are plain dicts, strings and
numbers: hot reload drops modules, and a kept dataclass would no longer be an instance of its class.
"""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAPIException

from lab.core.workspace import Workspace, create, open_workspace
from lab.mixture.recipe import NAME

CARRIED = ("recipe", "source")  # what stays in view from page to page
WORKSPACE_VARIABLE = "MIXLAB_WORKSPACE"
DEFAULT_WORKSPACE = "workspace"


def workspace() -> Workspace:
    """The workspace this server shows; an absent or empty folder becomes an empty workspace."""
    root = Path(os.environ.get(WORKSPACE_VARIABLE) or DEFAULT_WORKSPACE)
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return create(root)
    return open_workspace(root)


def carry(page: str) -> None:
    """Keep the recipe and the source in view when `page` follows another one.

    Streamlit 1.67 forgets the value of a widget whose page is left, and drops the link's value for
    a key that this page had bound; a value that is assigned anew stays.
    """
    if st.session_state.get("page_in_view") != page:
        for key in CARRIED:
            if key in st.session_state:
                value = st.session_state[key] = st.session_state[key]
                if NAME.fullmatch(str(value)):  # a copied address then opens the same page
                    with suppress(StreamlitAPIException):  # a widget that stays holds the key
                        st.query_params[key] = value
    st.session_state["page_in_view"] = page


def forget_unknown(key: str, options: Collection[object]) -> None:
    """Drop a carried value that this page does not offer, so that its own default shows."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
