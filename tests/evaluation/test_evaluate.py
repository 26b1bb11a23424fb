"""One run scored end to end: real folders, real models, nothing scored twice, nothing lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tiny_models import new_model, save_run
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from lab.core.errors import ArtifactMissing, Cancelled
from lab.core.files import read_json
from lab.core.progress import Progress, Report
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.evaluation.benchmarks.registry import add_benchmark
from lab.evaluation.runs.evaluate import METRICS, evaluate_run, run_scores

Write = Callable[..., Path]
FACTS = [
    {"question": "Which stone?", "choices": ["copper", "green"], "answer": 0},
    {"question": "Which lamp?", "choices": ["copper", "green", "river"], "answer": 1},
]


@pytest.fixture
def ws(tmp_path: Path, write_lines: Write) -> Workspace:
    ws = create(tmp_path / "w", heldout_share=0.3)
    for name in ("web", "books"):
        rows = [{"text": f"The {name} river number {i} runs under the bridge."} for i in range(40)]
        add_source(ws, name, [str(write_lines(*rows, name=f"{name}.jsonl"))])
    add_benchmark(ws, "facts", write_lines(*FACTS))
    return ws


@pytest.fixture
def run(ws: Workspace, model: LlamaForCausalLM, tokenizer: Tokenizer) -> Path:
    return save_run(ws.runs / "r0", model, tokenizer)


def scored_messages(ws: Workspace, folder: Path) -> set[str]:
    """What a second look scores, by its progress messages."""
    seen: set[str] = set()

    def report(report: Report) -> None:
        seen.add(report.message.split(":")[0])

    evaluate_run(ws, folder, Progress(report=report, last=[-1e9]))
    return seen


def test_a_run_gets_items_held_out_text_and_a_summary(ws: Workspace, run: Path) -> None:
    scores = evaluate_run(ws, run)
    assert scores.items["benchmark"].to_list() == ["facts", "facts"]
    assert sorted(scores.heldout["source"].unique()) == ["books", "web"]
    found = scores.metrics
    assert found.schema == pl.Schema(METRICS)
    keys = set(found.select("scope", "on", "metric").iter_rows())
    assert keys == {
        ("heldout", "books", "bpb"),
        ("heldout", "web", "bpb"),
        ("heldout", "(mean)", "bpb"),
        ("benchmark", "facts", "accuracy"),
        ("benchmark", "facts", "accuracy_norm"),
        ("benchmark", "facts", "gold_bpb"),
        ("benchmark", "facts", "margin"),
    }
    accuracy = found.filter(metric="accuracy").row(0, named=True)
    right = scores.items["correct"].sum()
    assert accuracy["value"] == pytest.approx(right / 2)
    assert accuracy["chance"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert accuracy["n"] == 2
    by_length = found.filter(metric="accuracy_norm").row(0, named=True)
    assert by_length["value"] == pytest.approx(scores.items["correct_norm"].sum() / 2)
    assert by_length["chance"] == accuracy["chance"]
    bpb = found.filter(on="web").row(0, named=True)
    web = scores.heldout.filter(source="web")
    assert bpb["value"] == pytest.approx(
        web["nats"].sum() / web["bytes"].sum() / 0.6931471805599453
    )
    assert 0 < bpb["se"] < bpb["value"]


def test_what_is_written_is_what_is_returned(ws: Workspace, run: Path) -> None:
    scores, read = evaluate_run(ws, run), run_scores(run)
    assert read.items.equals(scores.items)
    assert read.heldout.equals(scores.heldout)
    assert read.summary == scores.summary
    json.dumps(read.summary, allow_nan=False)


def test_nothing_is_scored_twice_and_a_new_benchmark_costs_only_itself(
    ws: Workspace, run: Path, write_lines: Write
) -> None:
    assert scored_messages(ws, run) == {"facts", "web", "books"}
    before = (run / "scores" / "summary.json").read_bytes()
    assert scored_messages(ws, run) == set()
    assert (run / "scores" / "summary.json").read_bytes() == before
    add_benchmark(ws, "cloze", write_lines({"question": "The lamp is", "answer": "green"}))
    assert scored_messages(ws, run) == {"cloze"}
    assert run_scores(run).items["benchmark"].to_list() == ["facts", "facts", "cloze"]


def test_changed_items_documents_or_weights_are_scored_again(
    ws: Workspace, run: Path, write_lines: Write, tokenizer: Tokenizer
) -> None:
    evaluate_run(ws, run)
    add_benchmark(ws, "facts", write_lines(FACTS[0]), replace=True)
    assert scored_messages(ws, run) == {"facts"}
    assert run_scores(run).items.height == 1
    rows = [{"text": f"Other words {i}."} for i in range(40)]
    add_source(ws, "web", [str(write_lines(*rows, name="web.jsonl"))])
    assert scored_messages(ws, run) == {"web"}
    save_run(run, new_model(tokenizer.get_vocab_size(), seed=1), tokenizer)
    assert scored_messages(ws, run) == {"facts", "web", "books"}


def test_the_same_run_scores_to_the_same_bytes(
    ws: Workspace, run: Path, model: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    other = save_run(ws.runs / "r1", model, tokenizer)
    for folder in (run, other):
        evaluate_run(ws, folder)
    for name in ("items.parquet", "heldout.parquet", "summary.json"):
        assert (run / "scores" / name).read_bytes() == (other / "scores" / name).read_bytes()


def test_a_stop_in_the_middle_keeps_what_was_scored(ws: Workspace, run: Path) -> None:
    calls = iter([False, True])
    with pytest.raises(Cancelled):
        evaluate_run(ws, run, Progress(should_stop=lambda: next(calls, True)))
    assert set(run_scores(run).summary["benchmarks"]) == {"facts"}
    assert scored_messages(ws, run) == {"web", "books"}


def test_scores_that_lost_their_summary_entry_are_made_again(ws: Workspace, run: Path) -> None:
    """As after a kill between the frames and the summary."""
    evaluate_run(ws, run)
    path = run / "scores" / "summary.json"
    summary: dict[str, Any] = read_json(path)
    del summary["benchmarks"]["facts"]
    path.write_text(json.dumps(summary))
    assert evaluate_run(ws, run).items.height == 2


def test_an_unfinished_run_says_so(ws: Workspace) -> None:
    (ws.runs / "r9").mkdir(parents=True)
    with pytest.raises(ArtifactMissing, match="no finished model"):
        evaluate_run(ws, ws.runs / "r9")
    with pytest.raises(ArtifactMissing, match="not been evaluated"):
        run_scores(ws.runs / "r9")


def test_nothing_to_score_is_an_empty_summary(
    tmp_path: Path, model: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    ws = create(tmp_path / "empty")
    scores = evaluate_run(ws, save_run(ws.runs / "r0", model, tokenizer))
    assert scores.metrics.is_empty()
    assert run_scores(ws.runs / "r0").items.is_empty()


def test_a_single_held_out_document_has_no_error_bar(
    tmp_path: Path, model: LlamaForCausalLM, tokenizer: Tokenizer, write_lines: Write
) -> None:
    ws = create(tmp_path / "one", heldout_share=1.0)
    add_source(ws, "web", [str(write_lines({"text": "The river runs."}))])
    scores = evaluate_run(ws, save_run(ws.runs / "r0", model, tokenizer))
    assert scores.metrics["se"].to_list() == [None]
