"""The lower half of the page: one view at a time, each an answer to a question about the draft."""

from collections.abc import Callable

import streamlit as st

from lab.ui.filters import bench, borderline, effect, reading, suggest_view, versus
from lab.ui.filters.scene import Scene

VIEWS: dict[str, Callable[[Scene], None]] = {
    "Read what falls": reading.show_samples,
    "Rules": effect.show_rules,
    "Sources": effect.show_sources,
    "Suggest": suggest_view.show_suggestions,
    "Label the borderline": borderline.show_borderline,
    "Paste a document": bench.show_bench,
    "Compare recipes": versus.show_versus,
}
NAMES = tuple(VIEWS)


def choose() -> str:
    """Which view is looked at."""
    return str(
        st.segmented_control(
            "Look at", NAMES, default=NAMES[0], key="view", bind="query-params", required=True
        )
    )


def show(scene: Scene, view: str) -> None:
    """The view that is chosen; only its own work is done."""
    VIEWS[view](scene)
