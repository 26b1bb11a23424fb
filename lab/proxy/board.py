"""The board: one row per run of a sweep, as it stands now, and what all of them cost.

Cost is in core-minutes: seconds of training behind the present state of a run, times threads. What
a killed attempt did after its last checkpoint, starting Python and scoring are not counted. What a
run will have cost is its own pace, or that of the other runs of its size and stage, carried on to
its last step; before any has trained there is nothing to say. Time left counts the same way, side
by side on as many workers as the sweep has. It goes by steps, because how many tokens
post-training reads is known at its end only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.lock import held
from lab.core.workspace import Workspace
from lab.proxy.record import Record
from lab.proxy.runs import Run, load_run, read_metrics, read_status, run_state

BOARD = {
    "recipe": pl.String,
    "size": pl.String,
    "stage": pl.String,
    "seed": pl.Int64,
    "state": pl.String,  # of STATES, or waiting (in a live sweep) or scoring
    "step": pl.Int64,
    "steps": pl.Int64,
    "tokens": pl.Int64,  # when it is done; of post-training those of its parent
    "trained": pl.Int64,  # tokens so far
    "speed": pl.Float64,  # tokens a second, mean of the last session
    "loss": pl.Float64,  # of the last logged batch, nats a token
    "left": pl.Float64,  # seconds of training to go; null if unknown
    "cost": pl.Float64,  # core-minutes so far
    "expected": pl.Float64,  # core-minutes in all; null if unknown
    "tries": pl.Int64,
    "scored": pl.Boolean,
    "error": pl.String,
    "created": pl.String,
    "id": pl.String,
}
BUSY = ("running", "scoring")
TO_COME = ("waiting", "prepared", "interrupted", *BUSY)


@dataclass(frozen=True, slots=True)
class Totals:
    """All rows together; `left` is in seconds on the sweep's workers, null if unknown."""

    runs: int
    done: int
    failed: int
    busy: int
    speed: float
    cost: float
    expected: float | None
    left: float | None


def sweep_board(ws: Workspace, record: Record) -> pl.DataFrame:
    """BOARD of the runs of a sweep that are still there, in the order they were asked for."""
    folders = [ws.runs / name for name in record.runs]
    there = [folder for folder in folders if (folder / "run.json").is_file()]
    live = record.live
    return board(
        there,
        tries=record.attempts,
        errors=record.errors,
        failed=record.failed,
        waiting=record.runs if live else (),
    )


def board(
    folders: Sequence[Path],
    *,
    tries: Mapping[str, int] | None = None,
    errors: Mapping[str, str] | None = None,
    failed: Sequence[str] = (),
    waiting: Sequence[str] = (),
) -> pl.DataFrame:
    """BOARD of some runs; what is known of attempts comes from their sweep."""
    rows = []
    for folder in folders:
        run, status = load_run(folder), read_status(folder)
        row = progress_row(run, status)
        row["state"] = board_state(folder, status, run.id in failed, run.id in waiting)
        row["tries"] = (tries or {}).get(run.id)
        row["error"] = (errors or {}).get(run.id) or status.get("error", "")
        rows.append(row)
    return with_expectation(pl.DataFrame(rows, schema=BOARD))


def progress_row(run: Run, status: Mapping[str, Any]) -> dict[str, Any]:
    """What a run and its status say."""
    seconds, threads = status.get("seconds", 0.0), status.get("threads", 1)
    return {
        "recipe": run.recipe,
        "size": run.size,
        "stage": run.stage,
        "seed": run.seed,
        "step": status.get("step", 0),
        "steps": run.steps,
        "tokens": run.tokens,
        "trained": status.get("tokens", 0),
        "speed": status.get("tokens_per_second") or None,
        "loss": status.get("loss"),
        "cost": seconds * threads / 60,
        "scored": (run.folder / "scores" / "summary.json").is_file(),
        "created": run.created,
        "id": run.id,
    }


def board_state(folder: Path, status: Mapping[str, Any], failed: bool, expected: bool) -> str:
    """A run's state, with what a sweep knows of it: waiting for its turn, scored, given up."""
    if held(folder / "after.json"):
        return "scoring"
    state = run_state(folder)
    if state == "running" or (state == "done" and not failed):
        return state
    if failed:
        return "failed"
    return "waiting" if expected else state


def with_expectation(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill `expected` and `left` from a run's own cost and time a step, or the median of its size
    and stage.
    """
    begun = (pl.col("step") > 0) & (pl.col("trained") > 0)
    cost = pl.when(begun).then(pl.col("cost") / pl.col("step"))
    pace = pl.when(begun).then(pl.col("speed") * pl.col("step") / pl.col("trained"))  # steps/s
    to_come = pl.col("state").is_in(TO_COME)
    rest = pl.col("steps") - pl.col("step")
    return frame.with_columns(
        expected=pl.when(to_come).then(usual(cost) * pl.col("steps")).otherwise(pl.col("cost")),
        left=pl.when(to_come).then(rest / usual(pace)),
    )


def usual(own: pl.Expr) -> pl.Expr:
    """A run's own value, or the median of its size and stage."""
    return pl.coalesce(own, own.median().over("size", "stage"))


def totals(frame: pl.DataFrame, workers: int) -> Totals:
    """All rows of a board together, worked on by `workers` at a time."""
    states, left = frame["state"], frame["left"].drop_nulls().to_list()
    unknown = frame.filter(pl.col("state").is_in(TO_COME) & pl.col("left").is_null()).height
    known = None if unknown else time_left(left, workers)
    return Totals(
        runs=frame.height,
        done=int((states == "done").sum()),
        failed=int((states == "failed").sum()),
        busy=int(states.is_in(BUSY).sum()),
        speed=float(frame.filter(state="running")["speed"].sum()),
        cost=float(frame["cost"].sum()),
        expected=None if frame["expected"].null_count() else float(frame["expected"].sum()),
        left=known,
    )


def time_left(left: Sequence[float], workers: int) -> float:
    """Seconds until all are done: a bound from below, the longest run or an even share."""
    return max([sum(left) / max(workers, 1), *left], default=0.0)


def sparkline(folder: Path, points: int = 40) -> list[float]:
    """Losses of the run's metrics, means over `points` stretches of equal length; fewer at first.

    Lines that are half written are left out.
    """
    losses = read_metrics(folder)["loss"]
    if losses.len() <= points:
        return losses.to_list()
    stretch = pl.int_range(losses.len(), eager=True) * points // losses.len()
    parts = pl.DataFrame({"stretch": stretch, "loss": losses}).group_by("stretch").mean()
    return parts.sort("stretch")["loss"].to_list()
