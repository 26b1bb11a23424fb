"""Readers of benchmarks whose answer is a text: questions, last words, code.

Items that a model answers in its own words are `generative` and say in `meta` where generation
stops (`stop`) and how the answer is read from it (`answer_pattern`, see `evaluation.answers`). Code
has neither: its tests would have to be run, so it is scored as the likelihood of the published
solution, which follows pass rates closely at small scale (DataDecide, Magnusson et al. 2025).
"""

from typing import Any

from lab.core.errors import DataError
from lab.evaluation.benchmarks.formats.fields import Row, inside, other, text, texts

Item = dict[str, Any]
GSM8K_STOP = ["Question:", "</s>", "<|im_end|>"]  # the harness's `until`
TRIVIAQA_STOP = ["\n", ".", ","]


def gsm8k(row: Row) -> Item:
    """GSM8K: the number after `####` is the answer; the worked solution goes to `meta`."""
    solution = text(row, "answer")
    marked, number = solution.rpartition("####")[1:]
    return {
        "question": text(row, "question"),
        "kind": "generative",
        "answer": number.strip() if marked else "",
        "meta": {"solution": solution, "stop": GSM8K_STOP, "answer_pattern": "number"},
    }


def triviaqa(row: Row) -> Item:
    """TriviaQA: any of several aliases is right; the authors' JSON or the hub's columns."""
    if "Question" in row:
        answer, asked, name = inside(row, "Answer"), text(row, "Question"), row.get("QuestionId")
        value, aliases = answer.get("Value"), answer.get("NormalizedAliases")
    else:
        answer, asked, name = inside(row, "answer"), text(row, "question"), row.get("question_id")
        value, aliases = answer.get("value"), answer.get("normalized_aliases")
    known = [str(alias) for alias in aliases] if isinstance(aliases, list) else []
    return {
        "id": name,
        "question": asked,
        "kind": "generative",
        "answer": "" if value == "<unk>" else value,
        "meta": {"aliases": known, "stop": TRIVIAQA_STOP, "answer_pattern": "alias"},
    }


def lambada(row: Row) -> Item:
    """LAMBADA: the last word of a passage, after all words before it."""
    context, space, word = text(row, "text").rpartition(" ")
    if not (space and word.strip()):
        raise DataError("The passage has no last word.", value=row.get("text"))
    return {
        "question": context,
        "kind": "cloze",
        "answer": word,
        "meta": other(row, "text", "domain"),
    }


def humaneval(row: Row) -> Item:
    """HumanEval: signature and docstring, then the published body."""
    return {
        "id": row.get("task_id"),
        "question": text(row, "prompt"),
        "kind": "generative",
        "answer": text(row, "canonical_solution"),
        "meta": other(row, "task_id", "prompt", "canonical_solution") | {"answer_pattern": ""},
    }


def mbpp(row: Row) -> Item:
    """MBPP: task in words and tests, then the published code; splits by task id (paper, 2.1)."""
    tests, task = texts(row, "test_list"), row.get("task_id")
    split = ""
    if isinstance(task, int):
        ends = ((10, "prompt"), (510, "test"), (600, "validation"), (974, "train"))
        split = next((name for end, name in ends if task <= end), "")
    key = "text" if "text" in row else "prompt"
    return {
        "id": None if task is None else str(task),
        "split": split,
        "question": text(row, key),
        "kind": "generative",
        "answer": text(row, "code"),
        "meta": {"tests": "\n".join(tests), "answer_pattern": ""}
        | other(row, "task_id", key, "code", "test_list"),
    }


def foundry_continuation(row: Row) -> Item:
    """llm-foundry: context, continuation."""
    return {
        "question": text(row, "context"),
        "kind": "cloze",
        "answer": text(row, "continuation"),
        "meta": other(row, "context", "continuation"),
    }


def foundry_answer(row: Row) -> Item:
    """llm-foundry's generation tasks: context, answer and its aliases."""
    aliases = row.get("aliases")
    known = [str(alias) for alias in aliases] if isinstance(aliases, list) else []
    return {
        "question": text(row, "context"),
        "kind": "generative",
        "answer": row.get("answer"),
        "meta": {"aliases": known, "stop": ["\n"], "answer_pattern": "alias"},
    }
