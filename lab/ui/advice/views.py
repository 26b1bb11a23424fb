"""What an advice rests on, one view at a time; the view is in the address."""

import streamlit as st

from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice
from lab.advice.proposing.validation import Validation
from lab.core.workspace import Workspace
from lab.ui.advice.outcomes_panel import show_outcomes
from lab.ui.advice.path_panel import show_path
from lab.ui.advice.scores import show_fit, show_next, show_scores
from lab.ui.advice.supply_panel import show_supply
from lab.ui.advice.trade_panel import show_front, show_guards

VIEWS = (
    *("Scores", "Predicted and measured", "Distance", "Supply", "Guards", "Groups"),
    *("Next runs", "Laws"),
)


def show_view(
    ws: Workspace, recipe: str, fit: Fit, advice: Advice, validation: Validation | None
) -> None:
    """The view that is chosen."""
    view = st.segmented_control(
        "Look at", VIEWS, default=VIEWS[0], key="advice_view", bind="query-params", required=True
    )
    if view == "Predicted and measured":
        show_outcomes(ws, fit, advice, validation)
    elif view == "Distance":
        show_path(ws, advice)
    elif view == "Supply":
        show_supply(ws, advice)
    elif view == "Guards":
        show_guards(advice)
    elif view == "Groups":
        show_front(advice)
    elif view == "Next runs":
        show_next(ws, recipe, advice)
    elif view == "Laws":
        show_fit(fit)
    else:
        show_scores(fit, advice)
