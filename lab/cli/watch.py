"""Follow the last sweep in a terminal or a log: a line for what changed, a line for all, no screen
control.
"""

import argparse
import time
from datetime import datetime

import polars as pl

from lab.cli.act import workspace
from lab.cli.show import Shown, rows, say
from lab.core.errors import Cancelled
from lab.core.workspace import Workspace
from lab.proxy.board import Totals, sweep_board, totals
from lab.proxy.record import Record, last_record

BRIEF = ("recipe", "seed", "state", "step", "steps", "loss", "speed", "cost", "expected", "tries")
LOOK = 0.2  # seconds between two looks for Ctrl-C


def watch(options: argparse.Namespace) -> Shown:
    """Say what happens until the sweep is over; status 1 if runs failed or it died."""
    ws = workspace(options)
    record = last_record(ws)
    if record is None:
        return Shown({"runs": []}, notes=["no sweep yet: `mixlab train` or `mixlab sweep`"])
    known: dict[str, str] = {}
    while True:
        live = record.live  # asked first: what ended after this is still on the board
        frame = sweep_board(ws, record)
        known = report(frame, record, known, options.quiet or options.json)
        if not live:
            break
        pause(options)
        record = last_record(ws) or record
    return summary(ws, record)


def pause(options: argparse.Namespace) -> None:
    """Wait for the next look; Cancelled on Ctrl-C, which leaves the sweep alone."""
    until = time.monotonic() + options.every
    while time.monotonic() < until:
        if options.interrupt.asked:
            raise Cancelled("Watching was stopped; the sweep goes on.")
        time.sleep(LOOK)


def report(
    frame: pl.DataFrame, record: Record, known: dict[str, str], quiet: bool
) -> dict[str, str]:
    """Say which states changed and how all runs stand; the states by run."""
    now = dict(frame.select("id", "state").iter_rows())
    if not quiet:
        for row in frame.filter(
            pl.col("id").is_in([k for k in now if known.get(k) != now[k]])
        ).rows(named=True):
            loss = "" if row["loss"] is None else f", loss {row['loss']:.3f}"
            say(f"  {row['id']}: {row['state']}, step {row['step']} of {row['steps']}{loss}")
        say(f"{datetime.now():%H:%M:%S}  {in_words(totals(frame, record.workers))}")
    return now


def in_words(total: Totals) -> str:
    """All runs in one line."""
    left = "unknown" if total.left is None else f"{total.left:,.0f} s"
    cost = "?" if total.expected is None else f"{total.expected:,.1f}"
    return (
        f"{total.done} of {total.runs} done, {total.busy} at work, {total.failed} failed, "
        f"{total.speed:,.0f} tokens/s, {left} left, {total.cost:,.1f} of {cost} core-minutes"
    )


def summary(ws: Workspace, record: Record) -> Shown:
    """How the sweep ended."""
    frame = sweep_board(ws, record)
    notes = [f"{name}: {record.errors[name]}" for name in record.failed]
    if record.ended is None:
        notes.append("the sweep's process died; `mixlab train RECIPE --resume` continues its runs")
    whole = bool((frame["state"] == "done").all())
    data = {"sweep": record.id, "runs": rows(frame), "failed": record.failed}
    return Shown(data, [("Sweep", frame.select(BRIEF))], notes, 0 if whole else 1)
