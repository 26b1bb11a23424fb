"""The loop on the Advice page: start it, watch its rounds, stop it, go on with more minutes.

Rounds are read from the loop's record (`lab.advice.loop.record`), by a fragment that polls while
its job runs; the record is there whether the loop was started here or in a terminal.
"""

from typing import Any

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from lab.advice.loop.of_recipe import EXTRA, about_loop, latest_loop
from lab.advice.loop.record import Record, read_record, trajectory
from lab.advice.loop.stopping import verdict_of
from lab.core.engine import cores
from lab.core.workspace import Workspace
from lab.jobs.store import Job, cancel_job, list_jobs
from lab.mixture.recipe import Recipe
from lab.proxy.sizes import SIZES
from lab.proxy.speed import estimate_seconds
from lab.ui.components import table
from lab.ui.figures import GREY, blank, draw, ink
from lab.ui.formats import duration, number, percent, plural
from lab.ui.job_panel import start
from lab.ui.text import guarded, label

POLL = 2.0  # seconds between two looks at the record of a running loop
NOWHERE = "nowhere"
ENDS = {
    "resolved": "The decision is resolved",
    "budget": "The minutes are spent",
    "exhausted": "No further mixture differs from those that were trained",
}


def loop_form(ws: Workspace, recipe: Recipe) -> None:
    """Start the loop that trains what it needs until the decision stands, and see its rounds."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            minutes = st.number_input(
                "Minutes at most", min_value=1.0, value=60.0, key="loop_minutes", width=180
            )
            pressed = st.button("Run until resolved", key="loop", icon=":material/autorenew:")
            st.caption("Proposes, trains and refits by itself; stopped, it goes on where it was.")
        chosen = loop_options(ws, recipe)
        show_rounds(ws, recipe)
    if pressed:
        start(ws, "loop", {"recipe": recipe.name, "budget": float(minutes)} | chosen)


def loop_options(ws: Workspace, recipe: Recipe) -> dict[str, Any]:
    """What the loop trains, as parameters of its action."""
    fewest = len(recipe.sources) + 2
    with st.expander("What the loop trains"):
        first, second, third = st.columns(3)
        size = str(first.selectbox("Size", list(SIZES), key="loop_size"))
        million = second.number_input(
            "Million tokens each", min_value=0.01, value=SIZES[size].default_tokens / 1e6,
            format="%.6g", key=f"loop_tokens_{size}",
        )  # fmt: skip
        others = [name for name in SIZES if name != size]
        confirm = third.selectbox(
            "Confirm at", [NOWHERE, *others], key="loop_confirm",
            help="Then trains the proposal, natural and uniform at this size under two seeds. It "
            "takes its minutes from the same budget.",
        )  # fmt: skip
        began = first.number_input(
            "First round", min_value=fewest, max_value=512, value=fewest - 1 + EXTRA,
            key="loop_start", help="Mixtures before the first fit; those trained before count.",
        )  # fmt: skip
        batch = second.number_input(
            "Runs a round", min_value=1, max_value=64, value=max(2, cores()), key="loop_batch",
            help="After the first. Every round is a look, and more looks ask for higher odds.",
        )  # fmt: skip
        repeats = third.number_input(
            "Repeats", min_value=0, max_value=20, value=0, key="loop_repeats",
            help="Of the natural mixture in the first round, for noise.",
        )  # fmt: skip
        tokens = round(million * 1e6)
        seconds, basis = estimate_seconds(ws, size, tokens, int(began) + int(repeats))
        st.caption(f"The first round takes about {duration(seconds)} ({label(basis)}).")
    asked = {"size": size, "tokens": tokens, "start": int(began), "batch": int(batch)}
    return asked | {"repeats": int(repeats), "confirm": "" if confirm == NOWHERE else str(confirm)}


def show_rounds(ws: Workspace, recipe: Recipe) -> None:
    """The rounds of the last loop for the recipe, polled while it runs."""

    def panel() -> None:
        with guarded():
            folder, job = latest_loop(ws, recipe.name), running_loop(ws, recipe.name)
            if folder is not None:
                record = read_record(folder)
                st.markdown(f"**{label(state_words(record, job is not None))}**")
                show_record(record)
                controls(ws, recipe, job, about_loop(folder).get("settings"))

    polling = running_loop(ws, recipe.name) is not None
    st.fragment(panel, run_every=POLL if polling else None)()


def running_loop(ws: Workspace, recipe: str) -> Job | None:
    """The job that runs the recipe's loop, if one does."""
    return next((job for job in loop_jobs(ws, recipe) if job.active), None)


def loop_jobs(ws: Workspace, recipe: str) -> list[Job]:
    """Jobs of loops for the recipe, newest first."""
    found = [j for j in list_jobs(ws) if j.action == "loop" and j.params.get("recipe") == recipe]
    return sorted(found, key=lambda job: job.id, reverse=True)


def state_words(record: Record, running: bool) -> str:
    """How the loop stands, in one sentence."""
    rounds = record.rounds
    spent = f"{plural(record.runs, 'run')}, {number(record.minutes, 3)} minutes"
    if running and rounds and rounds[-1].open:
        return f"Round {len(rounds)} is training {plural(len(rounds[-1].wanted), 'run')}; {spent}."
    if record.ended:
        return f"{ENDS.get(record.ended, record.ended)}: {verdict_of(record)}, after {spent}."
    return f"Stopped in round {len(rounds)}: {spent}." if not running else f"Fitting; {spent}."


def show_record(record: Record) -> None:
    """Rounds as a table and the odds as a figure, and what a second size said."""
    rows = trajectory(record.rounds)
    if not rows:
        return
    frame = pl.DataFrame(rows, infer_schema_length=None)
    draw(odds_figure(frame), "loop_odds", odds_words(rows[-1]))
    config = st.column_config
    table(
        frame.select(
            "round", "runs", "evidence", "minutes", "verdict", "p_better", "needed", "gain", "low",
            "high", "distance",
        ),
        key="loop_rounds",
        alt="Rounds of the loop with runs, minutes, odds, gain and distance",
        column_config={
            "runs": config.NumberColumn(help="trained by the loop so far"),
            "evidence": config.NumberColumn(help="runs in the fit, those before the loop included"),
            "minutes": config.NumberColumn(format="%.1f", help="so far"),
            "p_better": config.NumberColumn("odds", format="percent"),
            "needed": config.NumberColumn(
                "odds needed", format="percent", help="in two rounds running; more looks, more odds"
            ),
            "distance": config.NumberColumn(
                format="%.2f", help="total variation from the proposal to the nearest run"
            ),
        },
    )  # fmt: skip
    if said := record.confirmed:
        gain = said["gain"]
        st.markdown(
            f"At size **{label(said['size'])}** it **{label(said['verdict'])}**: gain over natural "
            f"{number(gain['value'], 3)}, between {number(gain['low'], 3)} and "
            f"{number(gain['high'], 3)}."
        )


def odds_words(last: dict[str, Any]) -> str:
    """The takeaway of the figure."""
    return (
        f"Odds that the proposal is better by runs in the fit; {percent(last['p_better'], 0)} in "
        f"the last round, {percent(last['needed'], 0)} needed in two running"
    )


def odds_figure(frame: pl.DataFrame) -> go.Figure:
    """Odds by runs, beside those that the looks ask for."""
    figure = blank(220, x="runs in the fit", y="odds, %")
    runs = frame["evidence"].to_list()
    for name, column, look in (
        ("odds of better", "p_better", {"color": ink()}),
        ("needed, twice running", "needed", {"color": GREY, "dash": "dash"}),
    ):
        figure.add_scatter(
            x=runs, y=(100 * frame[column]).to_list(), name=name, line=look,
            mode="lines+markers" if column == "p_better" else "lines",
            hovertemplate="%{x} runs: %{y:.1f} %",
        )  # fmt: skip
    figure.update_yaxes(range=[0, 104])
    return figure


def controls(
    ws: Workspace, recipe: Recipe, job: Job | None, settings: dict[str, Any] | None
) -> None:
    """Stop a running loop; give one that stands still more minutes."""
    if job is not None:
        if st.button("Stop the loop", key="loop_stop", icon=":material/stop_circle:"):
            cancel_job(ws, job.id)
            st.rerun()
        return
    if settings is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        more = st.number_input(
            "More minutes", min_value=0.0, value=30.0, key="loop_more", width=180
        )
        if st.button("Go on", key="loop_on", icon=":material/play_arrow:"):
            start(ws, "loop", continued(ws, recipe.name, settings, float(more)))
        st.caption("The same loop, with its runs and rounds.")


def continued(ws: Workspace, recipe: str, settings: dict[str, Any], more: float) -> dict[str, Any]:
    """Parameters that go on with the recorded loop; where its runs train is as in its last job."""
    params = next((job.params for job in loop_jobs(ws, recipe)), {})
    places = {key: value for key, value in params.items() if key not in settings}
    return places | settings | {"recipe": recipe, "budget": settings["budget"] + more}
