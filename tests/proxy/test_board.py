"""The board: states, cost and time left, computed by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.core.engine import Engine
from lab.core.files import read_json, write_json
from lab.core.lock import hold
from lab.core.workspace import Workspace, create
from lab.proxy.board import board, sparkline, sweep_board, time_left, totals
from lab.proxy.record import end_record, last_record, new_record, write_record

MakeRun = Callable[..., Path]


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def status(folder: Path, state: str, step: int, seconds: float, **more: Any) -> None:
    tokens = step * 128  # 4 sequences of 32 tokens
    speed = tokens / seconds
    said = {"step": step, "tokens": tokens, "seconds": seconds, "tokens_per_second": speed}
    write_json(folder / "status.json", {"state": state, "threads": 1} | said | more)


def test_cost_and_time_left_by_hand(make_run: MakeRun, ws: Workspace) -> None:
    done, half, new = (make_run(name, steps=100) for name in ("a", "b", "c"))
    status(done, "done", 100, 120.0)
    status(half, "interrupted", 50, 120.0)
    (half / "checkpoint" / "step-00000050").mkdir(parents=True)
    frame = board([done, half, new])
    assert frame["state"].to_list() == ["done", "interrupted", "prepared"]
    assert frame["cost"].to_list() == [2.0, 2.0, 0.0]
    assert frame["expected"].to_list() == pytest.approx([2.0, 4.0, 3.0])  # the third: the median
    pace = (100 * 128 / 120 + 50 * 128 / 120) / 2
    assert frame["left"].to_list() == [None, pytest.approx(120), pytest.approx(12800 / pace)]
    total = totals(frame, workers=2)
    assert (total.runs, total.done, total.failed, total.busy) == (3, 1, 0, 0)
    assert total.cost == 4.0
    assert total.expected == pytest.approx(9.0)
    assert total.left == pytest.approx(max((120 + 12800 / pace) / 2, 12800 / pace))


def test_post_training_is_foretold_by_its_own_steps(make_run: MakeRun, ws: Workspace) -> None:
    """Such a run bears its parent's tokens, and reads other ones: here 10 a step."""
    half, new, parent = (make_run(name, steps=100) for name in ("a", "b", "c"))
    for folder in (half, new):
        spec = read_json(folder / "run.json") | {"stage": "sft", "tokens": 10**9}
        write_json(folder / "run.json", spec)
    status(half, "interrupted", 50, 120.0, tokens=500, tokens_per_second=500 / 120)
    status(parent, "done", 100, 6000.0)
    (half / "checkpoint" / "step-00000050").mkdir(parents=True)
    frame = board([half, new, parent])
    assert frame["left"].to_list() == [pytest.approx(120), pytest.approx(240), None]
    assert frame["expected"].to_list() == pytest.approx([4.0, 4.0, 100.0])


def test_nothing_is_foretold_before_anything_has_trained(make_run: MakeRun) -> None:
    total = totals(board([make_run("a"), make_run("b")]), 2)
    assert total.left is None and total.expected is None and total.cost == 0


def test_time_left_is_bound_by_the_longest_run_and_by_the_work() -> None:
    assert time_left([10, 10, 10, 10], 2) == 20
    assert time_left([30, 1, 1], 3) == 30
    assert time_left([], 2) == 0


def test_a_sweep_knows_who_waits_who_failed_and_how_often_each_was_tried(
    make_run: MakeRun, ws: Workspace
) -> None:
    for name in ("a", "b", "c"):
        make_run(name, steps=10)
    record = new_record(Engine(workers=2), 2, "m:f", ["a", "b", "c", "deleted"])
    record.attempts, record.errors, record.failed = {"b": 2}, {"b": "![x](y)"}, ["b"]
    write_record(ws.root, record)
    read = last_record(ws)
    assert read == record
    assert read.live
    with hold(ws.runs / "c" / "after.json", "scoring", 0, ""):
        frame = sweep_board(ws, read)
    assert frame["id"].to_list() == ["a", "b", "c"]
    assert frame["state"].to_list() == ["waiting", "failed", "scoring"]
    assert frame["tries"].to_list() == [None, 2, None]
    assert frame["error"].to_list() == ["", "![x](y)", ""]
    end_record(ws.root, record)
    ended = last_record(ws)
    assert ended is not None and not ended.live
    assert sweep_board(ws, ended)["state"].to_list() == ["prepared", "failed", "prepared"]


def test_a_sweep_that_was_killed_is_not_live(ws: Workspace) -> None:
    record = new_record(Engine(), 1, "", [])
    record.process["start"] -= 1000.0  # the pid is somebody else's now
    write_record(ws.root, record)
    read = last_record(ws)
    assert read is not None and not read.live and read.ended is None


def test_a_sparkline_is_means_of_equal_stretches(make_run: MakeRun) -> None:
    folder = make_run("a", steps=100)
    assert sparkline(folder) == []
    lines = [
        {"step": k, "tokens": k, "loss": float(k), "losses": {"even": 1.0}, "lr": 0.1}
        | {"grad_norm": 1.0, "tokens_per_second": 1.0, "seconds": 1.0, "cpu_share": 1.0}
        for k in range(100)
    ]
    text = "\n".join(map(json.dumps, lines))
    (folder / "metrics.jsonl").write_text(text + '\n{"step": 100, "lo')  # half a line
    assert sparkline(folder, 4) == [12.0, 37.0, 62.0, 87.0]
    assert sparkline(folder, 1000) == [float(k) for k in range(100)]


def test_an_empty_board_has_all_columns() -> None:
    frame = board([])
    assert frame.is_empty()
    assert totals(frame, 2).runs == 0
