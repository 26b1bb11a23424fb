"""Launcher: `python app.py`, `streamlit run app.py`; a wheel has `mixlab app`.

The call `app = st.App(...)` must stand literally in this file: `streamlit run` finds it by reading
the syntax tree. The main script is the router, beside which no folder `pages` may stand; otherwise
a fresh server would run `pages/x.py` alone on the first deep link.
"""

import streamlit as st

from lab.ui.headers import MIDDLEWARE
from lab.ui.launch import launch_config

app = st.App("lab/ui/router.py", middleware=MIDDLEWARE)

if __name__ == "__main__":
    app.run(config=launch_config())
