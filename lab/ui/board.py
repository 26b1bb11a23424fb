"""The board of a sweep: totals, one row a run beside the curves, stop and resume.

It is drawn inside one fragment that polls while anything trains (`lab.ui.training`), so it reads
files only; a curve is read again when its file has grown.
"""

from pathlib import Path

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.jobs.store import Job, cancel_job, list_jobs
from lab.proxy.board import TO_COME, board, sparkline, sweep_board, totals
from lab.proxy.record import Record, last_record
from lab.proxy.runs import run_folders
from lab.ui.components import metrics, table
from lab.ui.formats import compact, count, duration, plural
from lab.ui.job_panel import start
from lab.ui.text import label, snippet

SWEEP, ALL = "last sweep", "all runs"
SHOWN = (SWEEP, ALL)
TRAINING = ("train", "sweep", "resume", "loop", "validate", "reuse")  # actions that are sweeps


def choose_runs(ws: Workspace) -> tuple[pl.DataFrame, Record | None]:
    """The board of what the reader wants to see: the last sweep, or all runs, newest first."""
    record = last_record(ws)
    if record is not None:
        shown = st.segmented_control(
            "Runs", SHOWN, default=SWEEP, key="shown", bind="query-params", required=True,
            help="A sweep is what one command or button trained: runs side by side.",
        )  # fmt: skip
        if shown == SWEEP:
            frame = sweep_board(ws, record)
            if frame.height:
                return frame, record
    frame = board(run_folders(ws)).sort("created", "id", descending=True)
    return frame, None


def show_totals(frame: pl.DataFrame, workers: int) -> None:
    """All runs of the board together."""
    total = totals(frame, workers)
    whole = "" if total.expected is None else f" of {total.expected:,.1f}"
    values = [
        ("Runs done", f"{total.done} of {total.runs}", "Trained, and scored if scoring is asked"),
        ("Failed", count(total.failed), "Given up after a second try; the table says why"),
        ("Tokens a second", compact(total.speed), "Of all that train now"),
        ("Time left", duration(total.left), "Training only, side by side"),
        (
            "Core-minutes",
            f"{total.cost:,.1f}{whole}",
            "Training so far, and what all runs will have cost; scoring is not counted",
        ),
    ]
    metrics(values)


def show_board(ws: Workspace, frame: pl.DataFrame) -> None:
    """The table of runs: state, progress, losses, time, cost."""
    config = st.column_config
    sparks = [losses(ws.runs / name) for name in frame["id"]]
    shown = frame.with_columns(
        progress=pl.col("step") / pl.col("steps"),
        curve=pl.Series(sparks, dtype=pl.List(pl.Float64)),
        error=pl.col("error").map_elements(snippet, pl.String),  # one line a run
        left=pl.col("left").map_elements(duration, pl.String),
    ).select(
        "recipe", "seed", "state", "progress", "loss", "curve", "speed", "left", "cost", "expected",
        "tries", "error", "step", "steps", "size", "tokens", "scored", "id",
    )  # fmt: skip
    table(
        shown,
        key="runs_table",
        alt="Proxy runs with state, progress, loss, speed, time left and cost",
        column_config={
            "progress": config.ProgressColumn(format="percent"),
            "loss": config.NumberColumn("loss", help="nats a token", format="%.3f"),
            "curve": config.LineChartColumn("so far", help="training loss from the first step on"),
            "speed": config.NumberColumn("tokens/s", format="compact"),
            "left": config.TextColumn("time left"),
            "cost": config.NumberColumn("core-min", help="training so far", format="%.2f"),
            "expected": config.NumberColumn("of", help="core-minutes in all", format="%.2f"),
            "tries": config.NumberColumn(help="workers started; more than one were repeated"),
            "tokens": config.NumberColumn(format="compact"),
        },
    )


def losses(folder: Path) -> list[float]:
    """The run's sparkline, read again when the file has grown."""
    path = folder / "metrics.jsonl"
    return curve_of(str(folder), path.stat().st_size) if path.is_file() else []


@st.cache_data(max_entries=1000, show_spinner=False)
def curve_of(folder: str, size: int) -> list[float]:
    """`sparkline` of a run whose metrics have `size` bytes."""
    return sparkline(Path(folder))


def show_controls(ws: Workspace, frame: pl.DataFrame, record: Record) -> None:
    """What can be done with the sweep as it stands."""
    job = next((job for job in list_jobs(ws) if job.active and job.action in TRAINING), None)
    rest = frame.filter(pl.col("state").is_in([*TO_COME, "failed"])).height
    with st.container(horizontal=True, vertical_alignment="center"):
        if job and st.button("Stop the sweep", key="stop_sweep", icon=":material/stop_circle:"):
            stop(ws, job)
        elif (
            not job
            and not record.live
            and rest
            and st.button(
                f"Resume {plural(rest, 'run')}", key="resume_sweep", icon=":material/restart_alt:"
            )
        ):
            resume(ws, record)
        st.caption(label(how_it_stands(record, job)))


def stop(ws: Workspace, job: Job) -> None:
    """Ask the sweep to checkpoint and end."""
    cancel_job(ws, job.id)
    st.rerun()


def resume(ws: Workspace, record: Record) -> None:
    """Work on all runs of the sweep again; those that are done are left alone."""
    params = {
        "runs": record.runs, "engine": record.engine, "address": record.address,
        "gpus_per_run": record.gpus, "score_snapshots": record.after.endswith("snapshots"),
    }  # fmt: skip
    start(ws, "resume", params)


def how_it_stands(record: Record, job: Job | None) -> str:
    """Where the sweep runs or ran, and what can be done."""
    place = f"{plural(record.workers, 'worker')}, engine {record.engine}"
    if record.live:
        way = "" if job else "; started from a terminal, where Ctrl-C stops it"
        return f"Running on {place}{way}. What is finished is kept."
    if record.ended is None:
        return f"Its process died ({place}). Resume to go on from the checkpoints."
    return f"Ended ({place})."
