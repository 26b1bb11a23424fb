"""Items are checked at the edge: what is wrong, in which line, of which item, and what to do."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from lab.core.errors import DataError
from lab.core.schema import ITEMS
from lab.evaluation.benchmarks.items import choose_split, has_gold, read_items

Write = Callable[..., Path]
GOOD: dict[str, Any] = {"question": "Which?", "choices": ["a", "b"], "answer": 1}


def test_the_plain_form_is_enough(write_lines: Write) -> None:
    read = read_items("facts", write_lines(GOOD))
    frame, faults = read.items, read.faults
    assert frame.schema == pl.Schema(ITEMS)
    assert faults.is_empty()
    assert frame.rows(named=True) == [
        {
            "id": "facts-000000",
            "benchmark": "facts",
            "split": "",
            "kind": "multiple_choice",
            "question": "Which?",
            "choices": ["a", "b"],
            "answer_index": 1,
            "answer": "b",
            "meta": "{}",
        }
    ]


@pytest.mark.parametrize(
    ("row", "kind", "index", "answer"),
    [
        ({"choices": ["x y", "y x"], "answer_index": 0}, "minimal_pair", 0, "x y"),
        ({"question": "q", "choices": ["x", "y"], "answer": "y"}, "multiple_choice", 1, "y"),
        ({"question": "2+2=", "answer": 4}, "cloze", None, "4"),
        ({"question": "q", "answer": "z", "kind": "generative"}, "generative", None, "z"),
        ({"question": "q", "choices": [], "answer": "z"}, "cloze", None, "z"),
    ],
)
def test_kind_and_gold_are_read_from_the_fields(
    write_lines: Write, row: dict[str, Any], kind: str, index: int | None, answer: str
) -> None:
    frame = read_items("b", write_lines(row)).items
    assert frame.select("kind", "answer_index", "answer").row(0) == (kind, index, answer)


@pytest.mark.parametrize(
    ("change", "what", "next_step"),
    [
        ({"answer": None}, "no gold answer", "index of the right choice"),
        ({"answer": "c"}, "no gold answer", "as its text"),
        ({"answer": True}, "no gold answer", "index"),
        ({"answer": 1.0}, "no gold answer", "index"),
        ({"answer": 2}, "out of range", "from 0 to 1"),
        ({"answer": -1}, "out of range", "from 0 to 1"),
        ({"answer": "a", "answer_index": 1}, "not the choice its index names", "correct one"),
        ({"choices": ["a"]}, "fewer than two choices", "wrong choices"),
        ({"choices": ["a", " "]}, "choice is empty", ""),
        ({"choices": ["a", 3]}, "not a list of texts", "strings"),
        ({"choices": "ab"}, "not a list of texts", "strings"),
        ({"choices": None, "kind": "multiple_choice"}, "has no choices", "cloze"),
        ({"choices": None, "answer": ""}, "cloze item has no gold answer", "should follow"),
        ({"choices": None, "question": None, "answer": "x"}, "has no question", "question"),
        ({"kind": "multiplechoice"}, "Unknown kind", "multiple_choice"),
        ({"question": 7}, "'question' is not text", ""),
        ({"id": "first"}, "same id", "unique"),
    ],
)
def test_an_invalid_item_names_line_item_and_next_step(
    write_lines: Write, change: dict[str, Any], what: str, next_step: str
) -> None:
    path = write_lines(GOOD | {"id": "first"}, GOOD | {"id": "bad"} | change)
    with pytest.raises(DataError) as caught:
        read_items("b", path)
    assert what in caught.value.what
    assert next_step in caught.value.next_step
    assert caught.value.where.startswith("items.jsonl line 2, item ")


def test_a_misspelt_question_names_the_field(write_lines: Write) -> None:
    with pytest.raises(DataError, match="questoin"):
        read_items("b", write_lines({"questoin": "q", "answer": "x"}))


@pytest.mark.parametrize(
    ("line", "what"),
    [(b"{not json", "not JSON"), (b'{"question": "\xff"}', "not UTF-8"), (b"[1, 2]", "no object")],
)
def test_a_broken_line_is_an_error_or_set_aside(write_lines: Write, line: bytes, what: str) -> None:
    path = write_lines(GOOD, line, GOOD)
    with pytest.raises(DataError):
        read_items("b", path)
    read = read_items("b", path, skip_invalid=True)
    frame, faults = read.items, read.faults
    assert frame["id"].to_list() == ["b-000000", "b-000002"]
    assert faults.select("file", "line").row(0) == ("items.jsonl", 2)
    assert what.split()[-1] in faults["reason"][0]


def test_a_file_without_a_valid_item_is_an_error(write_lines: Write) -> None:
    with pytest.raises(DataError, match="no valid benchmark item"):
        read_items("b", write_lines({"question": "q"}), skip_invalid=True)


def test_a_row_that_is_a_fault_states_no_gold_answer() -> None:
    assert has_gold({"answer": 0}) and has_gold({"answer_index": 7}) and has_gold({"answer": "x"})
    assert not any(map(has_gold, ({}, {"answer": ""}, {"answer": None}, DataError("broken"), [1])))


def test_lines_end_at_line_feeds_only(write_lines: Write, tmp_path: Path) -> None:
    text = "one\u2028two\u0085three\x0cfour"
    path = tmp_path / "odd.jsonl"
    line = json.dumps({"question": text, "answer": "x"}, ensure_ascii=False)
    path.write_text(line + "\n\n", "utf-8")
    frame = read_items("b", path).items
    assert frame["question"].to_list() == [text]


def test_compressed_and_columnar_files_hold_the_same(write_lines: Write, tmp_path: Path) -> None:
    plain = write_lines(GOOD, GOOD | {"answer": 0})
    expected = read_items("b", plain).items
    content = plain.read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(content))
    with pa.output_stream(str(tmp_path / "a.jsonl.zst"), compression="zstd") as out:
        out.write(content)
    expected.write_parquet(tmp_path / "a.parquet")
    for name in ("a.jsonl.gz", "a.jsonl.zst", "a.parquet"):
        frame = read_items("b", tmp_path / name).items
        assert frame.equals(expected), name


@pytest.mark.parametrize("name", ["items.xlsx", "missing.jsonl"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    if name.endswith("xlsx"):
        (tmp_path / name).write_text("question,answer\n")
    with pytest.raises(DataError, match="not a file of benchmark items"):
        read_items("b", tmp_path / name)


@pytest.mark.parametrize("name", ["bad.parquet", "bad.jsonl.gz"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8bgarbage")
    with pytest.raises(DataError):
        read_items("b", tmp_path / name)


def test_unknown_columns_are_kept_in_meta(write_lines: Write) -> None:
    row = GOOD | {"subject": "law", "meta": '{"year": 3}', "empty": None}
    frame = read_items("b", write_lines(row)).items
    assert json.loads(frame["meta"][0]) == {"subject": "law", "year": 3}


def test_the_test_split_is_preferred_and_a_named_one_must_exist(write_lines: Write) -> None:
    splits = ["train", "test", "test", "validation"]
    frame = read_items("b", write_lines(*(GOOD | {"split": s} for s in splits))).items
    chosen, used = choose_split(frame, None, "here")
    assert (chosen.height, used) == (2, "test")
    chosen, used = choose_split(frame, "train", "here")
    assert (chosen.height, used) == (1, "train")
    with pytest.raises(DataError, match="validation"):
        choose_split(frame, "valid", "here")
    only_train, used = choose_split(frame.filter(split="train"), None, "here")
    assert (only_train.height, used) == (1, "train")
