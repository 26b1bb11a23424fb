"""Twins by rule: the same items, deterministic, in another format."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace, create
from lab.evaluation.benchmarks.prompts import render_benchmark
from lab.evaluation.benchmarks.registry import (
    Choice,
    add_benchmark,
    list_benchmarks,
    load_items,
)
from lab.evaluation.benchmarks.removal import remove_benchmark, restore_benchmark
from lab.evaluation.benchmarks.twins import make_twin

Write = Callable[..., Path]
ROWS = [
    {
        "question": f"Which {k}?",
        "choices": [f"{k}{c}" for c in "abcd"[: 2 + k % 3]],
        "answer": k % 2,
    }
    for k in range(60)
]


@pytest.fixture
def ws(tmp_path: Path, write_lines: Write) -> Workspace:
    ws = create(tmp_path / "w")
    add_benchmark(ws, "facts", write_lines(*ROWS), choice=Choice(form="letters", template="arc"))
    add_benchmark(ws, "words", write_lines({"question": "The lamp is", "answer": "green"}))
    return ws


def test_permuted_choices_all_stand_at_other_letters(ws: Workspace) -> None:
    made = make_twin(ws, "facts", "permuted")
    assert (made.name, made.twin_of, made.twin_by) == ("facts_twin", "facts", "permuted")
    assert (made.group, made.chance) == ("knowledge", list_benchmarks(ws)[0].chance)
    before, after = load_items(ws, "facts"), load_items(ws, "facts_twin")
    assert before["id"].equals(after["id"])
    assert before["answer"].equals(after["answer"])
    for old, new, gold in zip(
        before["choices"], after["choices"], after["answer_index"], strict=True
    ):
        assert sorted(old) == sorted(new)
        assert all(a != b for a, b in zip(old, new, strict=True))
        assert new[gold] in before["answer"]
    golds = after.filter(after["choices"].list.len() == 4)["answer_index"]
    assert golds.n_unique() == 4


def test_letters_and_template_change_the_prompt_alone(ws: Workspace) -> None:
    letters = make_twin(ws, "facts", "letters")
    assert letters.form == "cloze"
    _, items, table = render_benchmark(ws, "facts_twin")
    assert items.drop("benchmark").equals(load_items(ws, "facts").drop("benchmark"))
    assert table["continuation"][0] == " 0a"
    other = make_twin(ws, "facts", "template", over=True)
    assert (other.form, other.template) == ("letters", "arc/paraphrased")
    assert render_benchmark(ws, "facts_twin").table["context"][0].startswith("Here is a question")
    assert letters.hash != other.hash
    assert [b.name for b in list_benchmarks(ws)] == ["facts", "facts_twin", "words"]


def test_the_twin_of_earlier_items_is_another(ws: Workspace, write_lines: Write) -> None:
    """It names what it was made from, and is not taken for the twin of what came after."""
    first = make_twin(ws, "facts", "permuted")
    assert first.twin_of_hash == list_benchmarks(ws)[0].hash
    path, choice = write_lines(*ROWS[:9]), Choice(form="letters", template="arc")
    later = add_benchmark(ws, "facts", path, choice=choice, replace=True)
    with pytest.raises(ConfigError, match="holds other items"):
        make_twin(ws, "facts", "permuted")
    again = make_twin(ws, "facts", "permuted", over=True)
    assert (again.items, again.twin_of_hash) == (9, later.hash)


def test_the_same_twin_again_is_the_same(ws: Workspace) -> None:
    first = make_twin(ws, "facts", "permuted")
    table = render_benchmark(ws, "facts_twin").table
    assert make_twin(ws, "facts", "permuted") == first
    assert make_twin(ws, "facts", "permuted", over=True) == first
    assert render_benchmark(ws, "facts_twin").table.equals(table)
    with pytest.raises(ConfigError, match="holds other items"):
        make_twin(ws, "facts", "template")


@pytest.mark.parametrize(
    ("name", "by", "what"),
    [
        ("words", "letters", "two to 26 choices"),
        ("words", "permuted", "order of the choices is not shown"),
        ("facts", "shuffled", "Unknown rule"),
        ("facts_twin", "letters", "A twin has no twin"),
    ],
)
def test_a_twin_that_would_be_no_twin_is_refused(
    ws: Workspace, name: str, by: str, what: str
) -> None:
    make_twin(ws, "facts", "letters")
    with pytest.raises(ConfigError, match=what):
        make_twin(ws, name, by)


def test_a_removed_benchmark_can_be_brought_back(ws: Workspace, write_lines: Write) -> None:
    before = list_benchmarks(ws)
    remove_benchmark(ws, "words")
    assert [b.name for b in list_benchmarks(ws)] == ["facts"]
    assert not list(ws.benchmarks.glob("*words*"))  # nothing that other rooms could list
    restore_benchmark(ws, "words")
    assert list_benchmarks(ws) == before
    with pytest.raises(ConfigError, match="holds other items"):
        restore_benchmark(ws, "words")
    remove_benchmark(ws, "words")
    add_benchmark(ws, "words", write_lines(*ROWS))
    with pytest.raises(ConfigError, match="holds other items"):
        restore_benchmark(ws, "words")
    with pytest.raises(ConfigError, match="was removed"):
        restore_benchmark(ws, "nothing")
