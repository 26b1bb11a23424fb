"""Folders as published: one item in several files is read once, a split without answers not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from published import PUBLISHED

from lab.core.errors import DataError
from lab.core.workspace import create
from lab.evaluation.benchmarks.items import read_items
from lab.evaluation.benchmarks.registry import add_benchmark

Write = Callable[..., Path]


def test_winogrande_s_training_files_hold_each_other(tmp_path: Path, write_lines: Write) -> None:
    """As published: xs is part of s is part of m; the test file has no answers."""
    rows = [PUBLISHED["winogrande"][1][0] | {"qID": f"Q{k}", "answer": str(k % 2 + 1)}
            for k in range(8)]  # fmt: skip
    for name, count in (("train_xs", 2), ("train_s", 4), ("train_m", 7)):
        write_lines(*rows[:count], name=f"{name}.jsonl")
        (tmp_path / f"{name}-labels.lst").write_text("".join(f"{r['answer']}\n" for r in rows))
    write_lines(rows[7], name="dev.jsonl")
    write_lines(*({**row, "answer": ""} for row in rows[:3]), name="test.jsonl")
    read = read_items("w", tmp_path)
    assert read.items["split"].value_counts(sort=True).rows() == [("train", 7), ("dev", 1)]
    assert (read.copies, read.unlabelled, read.faults.height) == (6, 3, 0)
    assert read.items["id"].is_unique().all()


def test_items_of_one_id_that_differ_are_no_copies(tmp_path: Path, write_lines: Write) -> None:
    row = PUBLISHED["winogrande"][1][0]
    write_lines(row, name="train_s.jsonl")
    write_lines(row, row | {"answer": "1"}, name="train_xs.jsonl")
    with pytest.raises(DataError, match="same id") as caught:
        read_items("w", tmp_path)
    assert "train_xs.jsonl line 2" in caught.value.where
    read = read_items("w", tmp_path, skip_invalid=True)
    assert (read.items.height, read.copies, read.faults["line"].to_list()) == (1, 1, [2])
    write_lines(row, name="train_xs.jsonl")
    write_lines(row, name="dev.jsonl")  # the same item to train and to score is no copy
    with pytest.raises(DataError, match="same id"):
        read_items("w", tmp_path)


def test_triviaqa_with_and_without_its_documents(tmp_path: Path) -> None:
    row = PUBLISHED["triviaqa on the hub"][1][0]
    for folder, found in (("rc", [{"title": "Cork"}]), ("rc.nocontext", [])):
        (tmp_path / "trivia" / folder).mkdir(parents=True)
        lines = json.dumps(row | {"entity_pages": found})
        (tmp_path / "trivia" / folder / "validation.jsonl").write_text(lines)
    read = read_items("t", tmp_path / "trivia")
    assert (read.items.height, read.copies) == (1, 1)
    known = add_benchmark(create(tmp_path / "w"), "t", tmp_path / "trivia")
    assert (known.items, known.other_splits, known.copies) == (1, 0, 1)


def test_a_split_without_answers_is_left_out_and_a_damaged_one_is_not(
    tmp_path: Path, write_lines: Write
) -> None:
    asked = {"Question": "What floats?", "QuestionId": "tc_1"}
    answer = {"Value": "Cork", "Aliases": ["Cork"], "NormalizedAliases": ["cork"]}
    write_lines(asked | {"Answer": answer}, name="web-dev.jsonl")
    write_lines(asked, asked | {"QuestionId": "tc_2"}, name="web-test-without-answers.jsonl")
    read = read_items("t", tmp_path)
    assert (read.items.height, read.unlabelled, read.faults.height) == (1, 2, 0)
    write_lines(b"{", name="web-test-without-answers.jsonl")
    with pytest.raises(DataError, match="not JSON"):
        read_items("t", tmp_path)
