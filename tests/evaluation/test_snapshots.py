"""Scores of snapshots, and scores that a fault or another process came between."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tiny_models import new_model, save_run, save_snapshot
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from lab.core.errors import Cancelled, DataError
from lab.core.files import read_json
from lab.core.lock import hold
from lab.core.progress import Progress
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.evaluation.benchmarks import prompts
from lab.evaluation.benchmarks.registry import add_benchmark
from lab.evaluation.runs.evaluate import evaluate_run, evaluate_run_and_snapshots, run_scores

Write = Callable[..., Path]
FACTS = {"question": "Which stone?", "choices": ["copper", "green"], "answer": 0}
LAMPS = {"question": "Which lamp?", "choices": ["copper", "green"], "answer": 1}


@pytest.fixture
def ws(tmp_path: Path, write_lines: Write) -> Workspace:
    ws = create(tmp_path / "w", heldout_share=0.3)
    rows = [{"text": f"The river number {i} runs under the bridge."} for i in range(40)]
    add_source(ws, "web", [str(write_lines(*rows, name="web.jsonl"))])
    add_benchmark(ws, "facts", write_lines(FACTS))
    return ws


@pytest.fixture
def run(ws: Workspace, model: LlamaForCausalLM, tokenizer: Tokenizer) -> Path:
    folder = save_run(ws.runs / "r0", model, tokenizer)
    for step in (300, 20):
        save_snapshot(folder, step, new_model(tokenizer.get_vocab_size(), seed=step))
    return folder


def scored_steps(folder: Path) -> list[int]:
    found = sorted((folder / "scores" / "snapshots").glob("step-*/summary.json"))
    return [int(path.parent.name.removeprefix("step-")) for path in found]


def test_a_snapshot_scores_as_a_run_of_its_weights(
    ws: Workspace, run: Path, tokenizer: Tokenizer
) -> None:
    final = evaluate_run_and_snapshots(ws, run)
    assert scored_steps(run) == [20, 300]
    for step in (20, 300):
        scores = run_scores(run, f"step-{step:08d}")
        alone = save_run(
            ws.runs / f"as-{step}", new_model(tokenizer.get_vocab_size(), seed=step), tokenizer
        )
        expected = evaluate_run(ws, alone)
        assert scores.items.equals(expected.items)
        assert scores.heldout.equals(expected.heldout)
        assert scores.metrics.equals(expected.metrics)
        assert not scores.items.equals(final.items)
    assert run_scores(run).items.equals(final.items)


def test_without_the_wish_only_the_finished_model_is_scored(ws: Workspace, run: Path) -> None:
    evaluate_run(ws, run)
    assert scored_steps(run) == []


def test_a_stop_among_snapshots_keeps_what_was_scored(ws: Workspace, run: Path) -> None:
    first = run / "scores/snapshots/step-00000020"

    def finished_first() -> bool:
        path = first / "summary.json"
        return path.is_file() and bool(read_json(path)["heldout"])

    evaluate_run(ws, run)
    with pytest.raises(Cancelled):
        evaluate_run_and_snapshots(ws, run, Progress(should_stop=finished_first))
    assert scored_steps(run) == [20]
    written = (first / "items.parquet").stat().st_mtime_ns
    evaluate_run_and_snapshots(ws, run)
    assert scored_steps(run) == [20, 300]
    assert (first / "items.parquet").stat().st_mtime_ns == written


@pytest.mark.parametrize("content", [b"", b"cut", None])
def test_a_damaged_snapshot_is_named_and_the_rest_stays(
    ws: Workspace, run: Path, tokenizer: Tokenizer, content: bytes | None
) -> None:
    if content is None:
        path = save_snapshot(run, 300, new_model(tokenizer.get_vocab_size() + 1))
    else:
        path = run / "snapshots/step-00000300/model.safetensors"
        path.write_bytes(content)
    with pytest.raises(DataError, match="snapshot cannot be scored") as error:
        evaluate_run_and_snapshots(ws, run)
    assert str(path) in error.value.where
    assert scored_steps(run) == [20]


@pytest.mark.parametrize("name", ["items.parquet", "heldout.parquet", "summary.json"])
@pytest.mark.parametrize("keep", [0, 100])
def test_scores_cut_on_disk_are_named_and_made_again(
    ws: Workspace, run: Path, name: str, keep: int
) -> None:
    before = evaluate_run(ws, run)
    path = run / "scores" / name
    content = path.read_bytes()
    path.write_bytes(content[:keep])
    with pytest.raises(DataError):
        run_scores(run)
    again = evaluate_run(ws, run)
    assert again.items.equals(before.items)
    assert path.read_bytes() == content


def test_rows_that_the_summary_names_and_the_frames_lack_are_made_again(
    ws: Workspace, run: Path
) -> None:
    before = evaluate_run(ws, run)
    before.heldout.head(1).write_parquet(run / "scores/heldout.parquet")
    before.items.clear().write_parquet(run / "scores/items.parquet")
    again = evaluate_run(ws, run)
    assert again.items.equals(before.items)
    assert again.heldout.equals(before.heldout)


def test_an_old_hash_never_stands_beside_new_rows(
    ws: Workspace, run: Path, write_lines: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the frames and the summary."""
    evaluate_run(ws, run)
    add_benchmark(ws, "facts", write_lines(LAMPS), replace=True)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("lab.evaluation.runs.evaluate.metric_tables", die)
    with pytest.raises(Killed):
        evaluate_run(ws, run)
    monkeypatch.undo()
    assert "facts" not in read_json(run / "scores/summary.json")["benchmarks"]
    assert set(evaluate_run(ws, run).summary["benchmarks"]) == {"facts"}


def test_a_benchmark_replaced_while_it_is_read_is_read_again(
    ws: Workspace, run: Path, write_lines: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_lines(LAMPS, FACTS, name="other.jsonl")
    real = prompts.load_items
    calls: list[int] = []

    def replaced_meanwhile(ws: Workspace, name: str) -> pl.DataFrame:
        items = real(ws, name)
        calls.append(items.height)
        if len(calls) == 1:
            add_benchmark(ws, name, other, replace=True)
        return items

    monkeypatch.setattr(prompts, "load_items", replaced_meanwhile)
    scores = evaluate_run(ws, run)
    assert (calls[0], calls[-1]) == (1, 2)
    assert scores.items.height == scores.summary["benchmarks"]["facts"]["items"] == 2


def test_a_benchmark_replaced_all_the_time_is_an_error(
    ws: Workspace, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> pl.DataFrame:
        raise FileNotFoundError

    monkeypatch.setattr(prompts, "load_items", gone)
    monkeypatch.setattr(prompts, "PAUSE", 0.0)
    with pytest.raises(DataError, match="being replaced"):
        evaluate_run(ws, run)


def test_the_second_of_two_evaluations_waits_and_scores_nothing_twice(
    ws: Workspace, run: Path
) -> None:
    found: list[object] = []
    with hold(run / "evaluating.json", "scoring r0", 1.0, "busy"):
        second = threading.Thread(target=lambda: found.append(evaluate_run(ws, run)))
        second.start()
        time.sleep(0.3)
        assert not (run / "scores").exists()
    second.join(60)
    assert len(found) == 1
    assert json.loads((run / "scores/summary.json").read_text())["benchmarks"].keys() == {"facts"}


def test_a_wait_for_another_evaluation_can_be_stopped(ws: Workspace, run: Path) -> None:
    with (
        hold(run / "evaluating.json", "scoring r0", 1.0, "busy"),
        pytest.raises(Cancelled),
    ):
        evaluate_run(ws, run, Progress(should_stop=lambda: True))
