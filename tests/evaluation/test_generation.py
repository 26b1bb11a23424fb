"""Greedy answers against plain decoding, one prompt at a time, without a cache."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_models import CONTEXT, frame, item, new_model, save_run, train_on
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from lab.core.errors import ConfigError
from lab.core.workspace import create
from lab.evaluation.benchmarks.prompts import render
from lab.evaluation.benchmarks.registry import add_benchmark
from lab.evaluation.runs.evaluate import evaluate_run
from lab.evaluation.scoring import generation
from lab.evaluation.scoring.generation import exact_matches, generate_answers

PROMPTS = [
    "The river",
    "Which stone is in the garden? The copper stone is in the garden.",
    "",
    "Ada follows the letter to the market. Seven lamps answer. " * 4,
    "naïve café Ω 漢字",
    "lamp",
]


def slow(model: LlamaForCausalLM, tokenizer: Tokenizer, prompt: str, count: int) -> str:
    """The most likely next token, `count` times, the whole text fed each time."""
    tokens = tokenizer.encode(prompt, add_special_tokens=False).ids[-(CONTEXT - count) :] or [0]
    made: list[int] = []
    for _ in range(count):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([tokens + made])).logits[0, -1]
        if int(logits.argmax()) == 0:
            break
        made.append(int(logits.argmax()))
    return tokenizer.decode(made, skip_special_tokens=False)


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_a_batch_answers_as_each_prompt_alone(
    model: LlamaForCausalLM, tokenizer: Tokenizer, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "BATCH", batch)
    found = generate_answers(model, tokenizer, PROMPTS, max_new_tokens=12)
    assert found == [slow(model, tokenizer, prompt, 12) for prompt in PROMPTS]
    assert len(set(found)) > 3


def test_an_answer_ends_before_a_stop_text(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    whole = generate_answers(model, tokenizer, PROMPTS, max_new_tokens=12)
    mark = whole[0][4:6]
    cut = generate_answers(model, tokenizer, PROMPTS, max_new_tokens=12, stop=["\x00never", mark])
    assert cut == [text.split(mark)[0] for text in whole]
    assert cut[0] != whole[0]


def test_no_room_for_a_prompt_is_refused(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    for count in (0, CONTEXT):
        with pytest.raises(ConfigError, match="no room"):
            generate_answers(model, tokenizer, ["a"], max_new_tokens=count)
    assert generate_answers(model, tokenizer, [], max_new_tokens=CONTEXT - 1) == []


@pytest.fixture(scope="module")
def taught(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A model that has learnt two sums by heart."""
    text = "2 + 2 = 4\n3 + 4 = 7\n" * 40
    tokens = tokenizer.encode(text, add_special_tokens=False).ids
    return train_on(new_model(tokenizer.get_vocab_size(), scale=0.1), tokens, 150, seed=0)


def test_right_answers_are_right_and_wrong_ones_wrong(
    taught: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    meta = json.dumps({"stop": ["\n"], "answer_pattern": "number"})
    before = "2 + 2 = 4\n3 + 4 = 7\n2 + 2 = 4\n"
    items = frame(
        [
            item(0, question=before + "3 + 4 =", answer="7.0", kind="generative", meta=meta),
            item(1, question=before + "3 + 4 =", answer="8", kind="generative", meta=meta),
            item(2, question="Which?", choices=["a", "b"]),
        ]
    )
    assert exact_matches(taught, tokenizer, items, render(items)).to_list() == [True, False, None]


def test_an_evaluation_generates_only_when_asked_and_only_once(
    tmp_path: Path,
    taught: LlamaForCausalLM,
    tokenizer: Tokenizer,
    write_lines: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ws = create(tmp_path / "w")
    rows = [
        {"question": "2 + 2 =", "answer": answer, "kind": "generative"} for answer in ("4", "5")
    ]
    add_benchmark(ws, "sums", write_lines(*rows))
    run = save_run(ws.runs / "r0", taught, tokenizer)
    assert evaluate_run(ws, run).items["exact"].to_list() == [None, None]
    asked = evaluate_run(ws, run, generate=True)
    assert asked.items["exact"].null_count() == 0
    assert asked.summary["benchmarks"]["sums"]["generated"] is True

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr("lab.evaluation.runs.evaluate.score_items", refuse)
    for wish in (True, False):
        assert evaluate_run(ws, run, generate=wish).items.equals(asked.items)
