"""The registry: what is stored, what a summary counts, and when scores become stale."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.core.errors import ConfigError, DataError
from lab.core.files import read_yaml
from lab.core.workspace import Workspace, create
from lab.evaluation.benchmarks import templates
from lab.evaluation.benchmarks.registry import (
    Choice,
    add_benchmark,
    list_benchmarks,
    load_items,
    read_summary,
    shown_hash,
)

Write = Callable[..., Path]
TWO = {"question": "Which?", "choices": ["a", "b"], "answer": 1}
FOUR = {"question": "Who?", "choices": ["a", "b", "c", "d"], "answer": 0}
CLOZE = {"question": "The lamp is", "answer": "green"}
TWICE = {"question": "Again?", "choices": ["a", "a", "b", "c"], "answer": 0}


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def test_a_summary_counts_kinds_chance_and_ambiguity(ws: Workspace, write_lines: Write) -> None:
    found = add_benchmark(ws, "facts", write_lines(TWO, FOUR, CLOZE, TWICE))
    assert found.kinds == {"cloze": 1, "multiple_choice": 3}
    assert found.chance == pytest.approx((1 / 2 + 1 / 4 + 1 / 4) / 3)
    assert (found.items, found.ambiguous, found.skipped, found.split) == (4, 1, 0, "")
    assert list_benchmarks(ws) == [found]
    assert load_items(ws, "facts").height == 4


def test_a_benchmark_without_choices_has_no_chance_line(ws: Workspace, write_lines: Write) -> None:
    assert add_benchmark(ws, "lambada", write_lines(CLOZE)).chance is None


def test_what_is_stored_names_no_place_on_the_machine(ws: Workspace, write_lines: Write) -> None:
    path = write_lines(TWO)
    add_benchmark(ws, "facts", path)
    text = (ws.benchmarks / "facts" / "benchmark.yaml").read_text()
    assert str(path.parent) not in text
    assert read_yaml(ws.benchmarks / "facts" / "benchmark.yaml")["source"] == "items.jsonl"


def test_the_same_items_again_change_nothing_and_others_are_refused(
    ws: Workspace, write_lines: Write
) -> None:
    first = add_benchmark(ws, "facts", write_lines(TWO, FOUR))
    assert add_benchmark(ws, "facts", write_lines(TWO, FOUR, name="copy.jsonl")) == first
    other = write_lines(TWO, name="other.jsonl")
    with pytest.raises(ConfigError, match="holds other items"):
        add_benchmark(ws, "facts", other)
    assert read_summary(ws, "facts") == first
    replaced = add_benchmark(ws, "facts", other, replace=True)
    assert read_summary(ws, "facts") == replaced
    assert replaced.hash != first.hash
    assert load_items(ws, "facts").height == 1


def test_skipped_items_are_quarantined_and_counted(ws: Workspace, write_lines: Write) -> None:
    path = write_lines(TWO, TWO | {"answer": 5}, b"{", TWO | {"answer": 7})
    with pytest.raises(DataError):
        add_benchmark(ws, "facts", path)
    assert list_benchmarks(ws) == []
    found = add_benchmark(ws, "facts", path, skip_invalid=True)
    assert (found.items, found.skipped) == (1, 3)
    assert found.reasons == {"The gold answer is out of range.": 2, "A line is not JSON.": 1}
    assert (ws.benchmarks / "facts" / "quarantine.parquet").is_file()


@pytest.mark.parametrize("name", ["../outside", ""])
def test_a_name_cannot_lead_outside(ws: Workspace, write_lines: Write, name: str) -> None:
    with pytest.raises(ConfigError):
        add_benchmark(ws, name, write_lines(TWO))


def test_an_unknown_benchmark_names_the_nearest(ws: Workspace, write_lines: Write) -> None:
    add_benchmark(ws, "reasoning", write_lines(TWO))
    with pytest.raises(DataError, match="did you mean reasoning"):
        load_items(ws, "reasonning")


def test_what_is_shown_is_named_by_the_words_of_the_template_as_they_are(
    ws: Workspace, write_lines: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edited template makes other prompts of the same items; its references do not."""
    monkeypatch.setattr(templates, "FOLDER", shutil.copytree(templates.FOLDER, tmp_path / "t"))
    found = add_benchmark(ws, "arc", write_lines(TWO), choice=Choice(template="arc"))
    shown, path = shown_hash(found), tmp_path / "t" / "arc.yaml"
    words = path.read_text()
    path.write_text(words.replace("harness: arc_easy", "harness: arc_hard"))
    assert shown_hash(found) == shown
    path.write_text(words.replace('context: "Question:', 'context: "Q:'))
    assert shown_hash(found) != shown
    assert add_benchmark(ws, "arc", write_lines(TWO), choice=Choice(template="arc")) == found
