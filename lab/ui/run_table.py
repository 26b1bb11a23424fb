"""Curves of proxy runs.

A single batch's loss jumps with the documents in it, so curves are rolling means over a fiftieth of
the run, drawn with at most 300 points; the last value of the table is the raw one.
"""

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
import polars as pl

from lab.core.workspace import Workspace
from lab.proxy.runs import load_run, read_metrics, run_folders, run_state
from lab.ui.figures import DASHES, blank, colours, source_colours
from lab.ui.text import figure_text

POINTS = 300  # of one curve
SMOOTH = 50  # the rolling mean covers 1/SMOOTH of a run
LINES = 12  # curves shown at once


def anything_running(ws: Workspace) -> bool:
    """True while a process trains a run."""
    return any(run_state(folder) == "running" for folder in run_folders(ws))


def curves(ws: Workspace, ids: Sequence[str]) -> pl.DataFrame:
    """run, recipe, seed, tokens (millions), loss: smoothed curves of some runs."""
    frames = [curve(ws.runs / name) for name in ids]
    schema = {"run": pl.String, "recipe": pl.String, "tokens": pl.Float64, "loss": pl.Float64}
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def curve(folder: Path) -> pl.DataFrame:
    """One run's smoothed loss."""
    run = load_run(folder)
    smooth = smoothed(read_metrics(folder).select("tokens", "loss"), run.steps)
    return smooth.select(
        pl.lit(folder.name).alias("run"),
        pl.lit(run.recipe).alias("recipe"),
        pl.col("tokens") / 1e6,
        "loss",
    )


def smoothed(frame: pl.DataFrame, steps: int) -> pl.DataFrame:
    """Rolling means of every loss column, thinned to POINTS rows."""
    if frame.is_empty():
        return frame.with_columns(pl.all().cast(pl.Float64))
    window = max(1, min(steps, frame.height) // SMOOTH)
    losses = pl.col([c for c in frame.columns if c.startswith("loss")])
    rolled = frame.with_columns(losses.rolling_mean(window, min_samples=1))
    every = max(1, rolled.height // POINTS)
    return rolled.gather_every(every) if every > 1 else rolled


def loss_figure(frame: pl.DataFrame) -> go.Figure:
    """Loss against tokens: a colour per recipe, a dash per further run of it."""
    recipes = frame["recipe"].unique(maintain_order=True).to_list()
    paint = colours(recipes)
    figure = blank(380, x="million tokens trained", y="training loss, nats a token")
    seen: dict[str, int] = {}
    for (name, recipe), part in frame.group_by(["run", "recipe"], maintain_order=True):
        number = seen[str(recipe)] = seen.get(str(recipe), -1) + 1
        figure.add_scatter(
            x=part["tokens"].to_list(), y=part["loss"].to_list(), mode="lines",
            name=figure_text(name), hovertemplate="%{x:.2f}M: %{y:.3f}",
            line={"color": paint[str(recipe)], "dash": DASHES[number % len(DASHES)], "width": 1.8},
        )  # fmt: skip
    figure.update_layout(hovermode="x unified", legend={"y": -0.22, "yanchor": "top"})
    return figure


def source_figure(ws: Workspace, folder: Path) -> go.Figure:
    """Loss by source of one run."""
    frame = read_metrics(folder)
    names = [c for c in frame.columns if c.startswith("loss.")]
    filled = frame.select("tokens", pl.col(names).interpolate())
    smooth = smoothed(filled, load_run(folder).steps)
    paint = source_colours(ws)
    figure = blank(320, x="million tokens trained", y="loss by source, nats a token")
    for number, column in enumerate(names):
        source = column.removeprefix("loss.")
        figure.add_scatter(
            x=(smooth["tokens"] / 1e6).to_list(), y=smooth[column].to_list(), mode="lines",
            name=figure_text(source), hovertemplate="%{x:.2f}M: %{y:.3f}",
            line={"color": paint.get(source), "dash": DASHES[number % len(DASHES)], "width": 1.6},
        )  # fmt: skip
    figure.update_layout(hovermode="x unified")
    return figure
