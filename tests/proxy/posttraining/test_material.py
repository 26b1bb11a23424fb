"""Chats and pairs: from files with every fault, and out of a source by rule."""

import json
from pathlib import Path

import polars as pl
import pytest

from lab.core.errors import ConfigError, DataError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.proxy.posttraining.material import read_file, read_material
from lab.proxy.posttraining.questions import chats, pairs, questions

USER = {"role": "user", "content": "Who?"}
ASSISTANT = {"role": "assistant", "content": "Ada."}


def lines(path: Path, *rows: object) -> Path:
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return path


def contents(messages: list[dict[str, str]]) -> list[str]:
    return [message["content"] for message in messages]


def test_a_file_may_hold_messages_or_a_prompt_with_its_completion(tmp_path: Path) -> None:
    system = {"role": "system", "content": "Be brief."}
    path = lines(
        tmp_path / "chats.jsonl",
        {"messages": [system, USER, ASSISTANT, USER, ASSISTANT], "id": 7},
        "",
        {"prompt": "naïve?", "completion": "漢字"},
    )
    found = read_file(path, "sft")["messages"].to_list()
    assert contents(found[0]) == ["Be brief.", "Who?", "Ada.", "Who?", "Ada."]
    assert found[1] == [
        {"role": "user", "content": "naïve?"},
        {"role": "assistant", "content": "漢字"},
    ]


def test_pairs_may_hold_texts_or_messages(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "pairs.jsonl",
        {"prompt": "Who?", "chosen": "Ada.", "rejected": "Ben."},
        {"prompt": [USER], "chosen": [ASSISTANT], "rejected": "Ben."},
    )
    one, two = read_file(path, "dpo").to_dicts()
    assert one == two
    assert contents(one["prompt"] + one["chosen"] + one["rejected"]) == ["Who?", "Ada.", "Ben."]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "one JSON object"),
        ("[" * 100_000, "not JSON"),
        ({}, "'prompt' is missing"),
        ({"messages": []}, "end with the assistant"),
        ({"messages": [USER]}, "end with the assistant"),
        ({"messages": [USER, {"role": "robot", "content": "x"}]}, "end with the assistant"),
        ({"messages": [USER, {"role": "assistant", "content": "  "}]}, "end with the assistant"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "end with the assistant"),
        ({"messages": "text"[:0]}, "end with the assistant"),
        ({"prompt": "x"}, "'completion' is missing"),
        ({"prompt": "", "completion": "y"}, "end with the user"),
    ],
)
def test_a_line_that_is_no_chat_is_named(tmp_path: Path, row: object, said: str) -> None:
    good = {"messages": [USER, ASSISTANT]}
    path = lines(tmp_path / "chats.jsonl", good, row)
    with pytest.raises(DataError, match=said) as caught:
        read_file(path, "sft")
    assert caught.value.where == "chats.jsonl, line 2"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": "x", "chosen": "y"}, "'rejected' is missing"),
        ({"prompt": "x", "chosen": "y", "rejected": "y"}, "are the same"),
        ({"prompt": "x", "chosen": 4, "rejected": "y"}, "'chosen' must be"),
        ({"prompt": [ASSISTANT], "chosen": "y", "rejected": "z"}, "end with the user"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, row: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_file(lines(tmp_path / "pairs.jsonl", row), "dpo")


PARAGRAPHS = """Set 1

Ada is the sister of Ben. Ben is the father of Eva.
Question: What is Ada to Eva?
Answer: the aunt

Karl is the son of Lea. Lea is the mother of Max.
Question: What is Karl to Max?
Answer: the brother

Q: On which river is Talden?
A: on the Orme

Answer: nothing was asked

Our FAQ: how to reach us
A: by post

A line without a question."""


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = create(tmp_path / "w", heldout_share=0.0)
    path = lines(
        tmp_path / "texts.jsonl", {"id": "a", "text": PARAGRAPHS}, {"id": "b", "text": "No."}
    )
    add_source(ws, "texts", [str(path)])
    return ws


def test_questions_are_found_in_paragraphs_and_split_before_the_answer(ws: Workspace) -> None:
    found = questions(ws, "texts")
    assert found.rows() == [
        (
            "Ada is the sister of Ben. Ben is the father of Eva.\nQuestion: What is Ada to Eva?",
            "the aunt",
        ),
        (
            "Karl is the son of Lea. Lea is the mother of Max.\nQuestion: What is Karl to Max?",
            "the brother",
        ),
        ("Q: On which river is Talden?", "on the Orme"),
    ]
    assert chats(found)["messages"][2].to_list() == [
        {"role": "user", "content": "Q: On which river is Talden?"},
        {"role": "assistant", "content": "on the Orme"},
    ]


def test_a_wrong_answer_is_the_right_one_of_a_question_of_the_same_form(ws: Workspace) -> None:
    found = pairs(questions(ws, "texts")).to_dicts()
    answers = [(p["chosen"][0]["content"], p["rejected"][0]["content"]) for p in found]
    assert answers == [("the aunt", "the brother"), ("the brother", "the aunt")]


def test_no_pair_of_the_sample_world_rejects_a_right_answer(sample_workspace: Workspace) -> None:
    asked = questions(sample_workspace, "exercises")
    found = pairs(asked)
    assert found.height > 0.95 * asked.height
    assert not (found["chosen"] == found["rejected"]).any()
    told = found.select(
        pl.col("prompt").list.first().struct.field("content"),
        pl.col("rejected").list.first().struct.field("content").alias("wrong"),
    ).filter(pl.col("content").str.contains("What is "))
    assert told["wrong"].str.starts_with("the ").all()  # a relative, not a number or a place


def test_held_out_documents_are_not_read(tmp_path: Path) -> None:
    ws = create(tmp_path / "all", heldout_share=1.0)
    path = lines(tmp_path / "texts.jsonl", {"id": "a", "text": PARAGRAPHS})
    add_source(ws, "texts", [str(path)])
    with pytest.raises(DataError, match="no questions with answers"):
        read_material(ws, "texts", "sft")


def test_what_is_neither_source_nor_file_is_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="neither a source nor a file"):
        read_material(ws, "exercise", "sft")
