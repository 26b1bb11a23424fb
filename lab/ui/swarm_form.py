"""The swarm designer: which mixtures a sweep would train, what they can tell, and what they cost.

Drawing a design takes milliseconds once the supply is known, so its figures follow the inputs.
"""

import streamlit as st

from lab.advice.design.design import METHODS
from lab.advice.design.swarm import (
    Swarm,
    SwarmSettings,
    known,
    swarm_design,
    swarm_of,
)
from lab.advice.proposing.store import latest_validation
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.proxy.sizes import SIZES
from lab.ui.components import table
from lab.ui.formats import count, duration, number, percent
from lab.ui.job_panel import start
from lab.ui.tables import supply_of
from lab.ui.text import label


def sweep_form(ws: Workspace, recipe: Recipe) -> None:
    """Start a designed set of runs around a recipe."""
    sources = len(recipe.sources)
    with st.container(border=True):
        first, second, third, fourth = st.columns(4)
        runs = first.number_input(
            "Mixtures", min_value=sources + 2, max_value=512, value=max(12, 3 * (sources + 1)),
            key="sweep_runs", bind="query-params",
            help="At least two more than there are sources; about three times as many before the "
            "error of the fit comes near its floor (Olmix, arXiv:2602.12237).",
        )  # fmt: skip
        repeats = second.number_input(
            "Repeats", min_value=0, max_value=20, value=3, key="sweep_repeats",
            bind="query-params", help="Of the first mixture under other seeds, for noise.",
        )  # fmt: skip
        size = str(third.selectbox("Size", list(SIZES), key="sweep_size", bind="query-params"))
        million = fourth.number_input(
            "Million tokens each", min_value=0.01, value=SIZES[size].default_tokens / 1e6,
            format="%.6g", key=f"sweep_tokens_{size}", bind="query-params",
        )  # fmt: skip
        tokens = round(million * 1e6)
        settings = design_inputs(int(runs), int(repeats))
        swarm = planned(ws, recipe, settings, size, tokens)
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button("Train the sweep", key="sweep", icon=":material/play_arrow:")
            st.caption(f"About {duration(swarm.seconds)} of training ({label(swarm.basis)}).")
        show_design(swarm)
    if pressed:
        low, high = settings.strengths
        params = {"recipe": recipe.name, "runs": settings.runs, "size": size, "tokens": tokens}
        params |= {"repeats": settings.repeats, "method": settings.method}
        params |= {"temper": settings.temper, "weakest": low, "strongest": high}
        params |= {"minimum": settings.minimum, "capped": settings.capped}
        start(ws, "sweep", params | {"extend": settings.extend})


def design_inputs(runs: int, repeats: int) -> SwarmSettings:
    """How the mixtures are drawn."""
    with st.expander("How the mixtures are drawn"):
        first, second, third = st.columns(3)
        method = first.selectbox(
            "Design", METHODS, key="sweep_method", bind="query-params",
            help="dirichlet draws around the supply; spread closes the widest gaps first.",
        )  # fmt: skip
        temper = second.slider(
            "Temper of the prior", 0.0, 1.0, 0.5, 0.05, key="sweep_temper",
            help="0 draws around the even mixture, 1 around the natural one.",
        )  # fmt: skip
        strengths = third.slider(
            "Strengths", 0.1, 20.0, (0.1, 5.0), 0.1, key="sweep_strengths",
            help="Low is near corners, high is near the prior.",
        )  # fmt: skip
        minimum = first.number_input(
            "Smallest share", min_value=0.0, max_value=0.05, value=0.002, step=0.001,
            format="%.3f", key="sweep_minimum", help="Smaller shares are zero.",
        )  # fmt: skip
        capped = second.toggle(
            "Keep supply caps", key="sweep_capped",
            help="Off by default: a law must see large shares to judge them.",
        )  # fmt: skip
        extend = third.toggle(
            "Extend what was trained", key="sweep_extend", help="Nothing near a trained mixture."
        )
    return SwarmSettings(runs, 0, str(method), temper, strengths, minimum, capped, repeats, extend)


def planned(
    ws: Workspace, recipe: Recipe, settings: SwarmSettings, size: str, tokens: int
) -> Swarm:
    """The swarm of these settings, from the cached supply."""
    sources = supply_of(ws, recipe).sources
    supply = {n: float(v) for n, v in sources.select("source", "unique_tokens").iter_rows()}
    design = swarm_design(recipe, supply, settings, *known(ws, recipe, settings, size, tokens))
    return swarm_of(ws, recipe, supply, design, settings, size, tokens)


def show_design(swarm: Swarm) -> None:
    """What the design can tell, and its mixtures."""
    design = swarm.design
    there = len(design.names) + design.before
    grid = st.grid(4, min_column_width=150, gap="small")
    grid.metric("Mixtures, of those needed", f"{count(there)} / {count(design.needed)}")
    grid.metric("Design rank", f"{count(design.rank)} / {count(len(design.sources))}")
    nearest = number(float(design.nearest.min()), 2) if len(design.names) else "-"
    grid.metric("Nearest two", label(nearest), help="Total variation between two mixtures.")
    grid.metric(
        "Within supply caps", f"{count(swarm.within)} / {count(len(design.names))}",
        help=f"The caps of all sources allow {percent(swarm.allowed, 0)} of the budget.",
    )  # fmt: skip
    for note in design.notes:
        st.caption(label(note))
    with st.expander("The mixtures"):
        table(design.ratios().drop("run", "index"), key="swarm", alt="Mixtures of the design")


def show_validation(ws: Workspace, recipe: Recipe) -> None:
    """What a second size said about the advice, or the button that asks it."""
    found = latest_validation(ws, recipe.name)
    if found is None:
        if st.button("Validate at a second size", key="validate", icon=":material/rule:"):
            start(ws, "validate", {"recipe": recipe.name})
        return
    share = found.overall
    st.markdown(
        f"At size **{label(found.size)}** the proposal **{label(found.verdict)}**. Decision "
        f"accuracy {percent(share.value, 0)}, between {percent(share.low, 0)} and "
        f"{percent(share.high, 0)} over {count(share.n)} pairs."
    )
