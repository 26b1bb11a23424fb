"""What stands beside what: only scores of the same items, in the same words, and twins of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import new_model, save_run
from tokenizers import Tokenizer

from lab.core.workspace import Workspace, create
from lab.evaluation.benchmarks import templates
from lab.evaluation.benchmarks.registry import Choice, add_benchmark
from lab.evaluation.benchmarks.twins import make_twin
from lab.evaluation.runs.evaluate import evaluate_run, run_scores
from lab.evaluation.runs.groups import Group, read_groups, stale

Write = Callable[..., Path]
FACTS = [{"question": f"Which {k}?", "choices": ["copper", "green"], "answer": 0} for k in range(3)]
LAMPS = [{"question": f"What {k}?", "choices": ["copper", "lamp"], "answer": 1} for k in range(3)]


@pytest.fixture
def ws(tmp_path: Path, write_lines: Write) -> Workspace:
    ws = create(tmp_path / "w")
    add_benchmark(ws, "facts", write_lines(*FACTS), choice=Choice(template="arc"))
    return ws


@pytest.fixture
def runs(ws: Workspace, tokenizer: Tokenizer) -> dict[str, list[Path]]:
    """Two runs, each a group of its own."""
    models = {name: new_model(tokenizer.get_vocab_size(), seed) for seed, name in enumerate("ab")}
    return {name: [save_run(ws.runs / name, model, tokenizer)] for name, model in models.items()}


def scored(ws: Workspace, runs: dict[str, list[Path]]) -> tuple[list[Group], list[str]]:
    """The groups after a look at everything that is registered."""
    for [folder] in runs.values():
        evaluate_run(ws, folder)
    return read_groups(ws, runs)


def benchmarks(groups: list[Group]) -> set[str]:
    return {name for group in groups for run in group.runs for name in run.items["benchmark"]}


def test_an_edited_template_makes_scores_stale_until_they_are_made_again(
    ws: Workspace, runs: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "FOLDER", shutil.copytree(templates.FOLDER, tmp_path / "t"))
    scored(ws, runs)
    before = run_scores(runs["a"][0])
    path = tmp_path / "t" / "arc.yaml"
    path.write_text(path.read_text().replace('context: "Question:', 'context: "Somebody asked:'))
    assert stale(ws, [before]) == ["facts"]
    _, notes = read_groups(ws, runs)
    assert "benchmark facts: changed or removed since it was scored." in notes
    evaluate_run(ws, runs["a"][0])
    again = run_scores(runs["a"][0])
    assert stale(ws, [again]) == []
    assert not again.items["nats"].equals(before.items["nats"])
    entry = again.summary["benchmarks"]["facts"]
    assert entry["registered"] == before.summary["benchmarks"]["facts"]["registered"]
    evaluate_run(ws, runs["b"][0])
    assert benchmarks(read_groups(ws, runs)[0]) == {"facts"}


def test_the_twin_of_earlier_items_is_left_out_and_named(
    ws: Workspace, runs: dict[str, list[Path]], write_lines: Write
) -> None:
    make_twin(ws, "facts", "letters")
    assert benchmarks(scored(ws, runs)[0]) == {"facts", "facts_twin"}
    other = write_lines(*LAMPS, name="other.jsonl")
    add_benchmark(ws, "facts", other, choice=Choice(template="arc"), replace=True)
    groups, notes = scored(ws, runs)
    assert benchmarks(groups) == {"facts"}
    [note] = [note for note in notes if "facts_twin" in note]
    assert "made from other items of facts" in note
    assert "`mixlab benchmark twin facts --by RULE --replace`" in note
    make_twin(ws, "facts", "letters", over=True)
    assert benchmarks(scored(ws, runs)[0]) == {"facts", "facts_twin"}
