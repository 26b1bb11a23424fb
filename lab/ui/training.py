"""Starting proxy runs, watching their losses, and looking at one of them."""

import polars as pl
import streamlit as st

from lab.core.engine import cores
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.evaluation.runs.evaluate import METRICS
from lab.mixture.recipe_files import list_recipes
from lab.proxy.board import BUSY
from lab.proxy.record import last_record
from lab.proxy.repetition import describe_repetition
from lab.proxy.runs import Run, load_run, read_status, run_state
from lab.proxy.sizes import SIZES
from lab.proxy.speed import estimate_seconds
from lab.ui.board import choose_runs, show_board, show_controls, show_totals
from lab.ui.components import empty, link, table
from lab.ui.figures import draw
from lab.ui.formats import compact, count, duration, plural
from lab.ui.job_panel import start
from lab.ui.run_table import (
    LINES,
    anything_running,
    curves,
    loss_figure,
    source_figure,
)
from lab.ui.text import guarded, label, show_plain

MILLION = 1_000_000
NEWEST = 6  # curves shown where none was chosen


def train_form(ws: Workspace) -> None:
    """Choose recipes, size, tokens and seeds; see the time; start."""
    names = [item.name for item in list_recipes(ws) if item.recipe]
    if not names:
        with empty("No recipe to train on yet."):
            link("overview", "Start one from the sources")
        return
    wanted = st.session_state.get("recipe")
    with st.container(border=True):
        first, second, third, fourth = st.columns([4, 2, 2, 2], vertical_alignment="bottom")
        recipes = first.multiselect(
            "Recipes", names, key="train", bind="query-params",
            default=[wanted] if wanted in names else names[:1],
        )  # fmt: skip
        size = second.selectbox("Size", list(SIZES), key="size", bind="query-params")
        shape = SIZES[str(size)]
        tokens = third.number_input(
            "Million tokens each", min_value=0.0, value=shape.default_tokens / MILLION,
            format="%.6g", key=f"train_tokens_{size}", bind="query-params",
        )  # fmt: skip
        seeds = fourth.number_input(
            "Seeds", min_value=1, max_value=20, value=3, key="seeds", bind="query-params",
            help="Runs of each recipe that differ only by chance. Two or more are needed to tell a "
            "difference from noise; three make intervals much narrower than two.",
        )  # fmt: skip
        runs = len(recipes) * int(seeds)
        budget = round(tokens * MILLION)
        seconds, basis = estimate_seconds(ws, str(size), budget, max(runs, 1))
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button(
                f"Train {plural(runs, 'run')}", key="train_button", type="primary",
                icon=":material/play_arrow:", disabled=not runs or budget < shape.tokens_per_step,
            )  # fmt: skip
            st.caption(
                f"About {duration(seconds)} of training ({label(basis)}), and scoring after it. "
                f"At least {compact(shape.tokens_per_step)} tokens are one step of this size."
            )
    if pressed:
        params = {
            "recipes": recipes, "size": size, "tokens": budget, "seeds": list(range(int(seeds)))
        }  # fmt: skip
        start(ws, "train", params)


def live_runs(ws: Workspace, busy: bool) -> None:
    """The board: table beside curves; polls while a job is active or a run trains."""
    polling = busy or at_work(ws)

    @guarded()
    def panel() -> None:
        frame, record = choose_runs(ws)
        if frame.is_empty():
            with empty("No proxy run yet."):
                st.caption(
                    "A run is a small model trained on a sample of a recipe, in minutes. Choose "
                    "recipes above and press Train; the board then shows each run as it goes. Two "
                    "recipes and three seeds are enough for a first comparison."
                )
            return
        show_totals(frame, record.workers if record else cores())
        if record:
            show_controls(ws, frame, record)
        left, right = st.columns([3, 2])
        with left:
            show_board(ws, frame)
        with right:
            show_curves(ws, frame)
        if polling and not busy and not at_work(ws):
            st.rerun()

    st.fragment(panel, run_every=2.0 if polling else None)()


def at_work(ws: Workspace) -> bool:
    """True while a sweep goes on or a process trains a run, whoever started it."""
    record = last_record(ws)
    return (record is not None and record.live) or anything_running(ws)


def show_curves(ws: Workspace, frame: pl.DataFrame) -> None:
    """Losses of chosen runs, else of those at work and the first others of the table."""
    names = frame["id"].to_list()
    picked = st.multiselect(
        "Curves", names, key="curves", bind="query-params", max_selections=LINES,
        placeholder="those at work; choose runs to see others",
    )  # fmt: skip
    begun = frame.filter(pl.col("step") > 0)
    busy = begun.filter(pl.col("state").is_in(BUSY))["id"].to_list()
    usual = list(dict.fromkeys([*busy, *begun["id"].to_list()]))[:NEWEST]
    shown = curves(ws, [name for name in picked if name in names] or usual)
    if shown.height:
        runs = plural(shown["run"].n_unique(), "run")
        draw(loss_figure(shown), "loss_figure", f"Training loss of {runs} against tokens")


def run_details(ws: Workspace, ids: list[str]) -> None:
    """One run: how it stands, loss by source, scores, and what can be done with it."""
    chosen = st.selectbox("Run", ids, key="run", bind="query-params")
    folder = ws.runs / str(chosen)
    run, status, state = load_run(folder), read_status(folder), run_state(folder)
    st.markdown(
        f"Recipe **{label(run.recipe)}**, size **{label(run.size)}**, "
        f"{compact(run.tokens)} tokens, seed {count(run.seed)}: **{label(state)}**"
    )
    known = [k for k in ("device", "precision", "threads", "torch") if k in status]
    facts = ", ".join(f"{key} {status[key]}" for key in known)
    st.caption(f"Trained for {duration(status.get('seconds'))}. {label(facts)}")
    if status.get("error"):
        show_plain(status["error"])
    scored = (folder / "scores" / "summary.json").is_file()
    with st.container(horizontal=True):
        idle = state in ("interrupted", "prepared", "failed")
        if idle and st.button("Continue this run", key="continue", icon=":material/restart_alt:"):
            start(ws, "resume", {"runs": [run.id]})
        waiting = state == "done" and not scored
        if waiting and st.button("Score this run", key="score_run", icon=":material/grading:"):
            start(ws, "evaluate", {"runs": [run.id]})
    show_repetition(run)
    if status.get("step", 0) > 1:
        draw(source_figure(ws, folder), "source_figure", "Training loss of this run by source")
    if scored:
        show_scores(pl.DataFrame(read_json(folder / "scores" / "summary.json")["metrics"], METRICS))


def show_scores(metrics: pl.DataFrame) -> None:
    """What the run scored, with the error over items or documents and the chance line."""
    table(
        metrics.select("scope", "on", "metric", "value", "se", "chance", "n", "unit", "better_is"),
        key="run_scores",
        alt="Scores of this run with standard error, chance and number of items",
        column_config={
            "value": st.column_config.NumberColumn(format="%.4f"),
            "se": st.column_config.NumberColumn("standard error", format="%.4f"),
            "chance": st.column_config.NumberColumn(format="%.3f"),
            "better_is": "better is",
        },
    )
    st.caption(
        "The standard error counts items or documents only. What another seed would change shows "
        "when groups of runs are compared."
    )


def show_repetition(run: Run) -> None:
    """How often each source repeats in this run and in the real one; nothing if it is not known."""
    frame = describe_repetition(run)
    if frame.is_empty():
        return
    matched = bool(run.repetition.get("match"))
    with st.expander(
        "Repetition of each source, matched to the real run"
        if matched
        else "Repetition of each source, not matched to the real run"
    ):
        columns = {
            "epochs_here": st.column_config.NumberColumn("epochs here", format="%.2f"),
            "epochs_target": st.column_config.NumberColumn("in the real run", format="%.2f"),
            "pool_tokens": st.column_config.NumberColumn("tokens there", format="compact"),
            "used_tokens": st.column_config.NumberColumn("tokens used", format="compact"),
        }
        table(
            frame,
            key="run_repetition",
            alt="Epochs of each source in this run and in the run it stands for",
            column_config=columns,
        )
        st.caption(
            "A proxy that reads all of a small source sees it less often than the real run will, "
            "and overrates it. With matching it reads only as much as repeats equally often."
        )
