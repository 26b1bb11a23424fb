"""Readers of multiple-choice benchmarks: a row as published becomes a row of the lab.

Each reader keeps the published id, maps the published key of the right answer to an index, and puts
what a template needs (passage, support, subject) into `meta`. Files whose right answer always
stands at one place are shuffled by content. Where lm-evaluation-harness 0.4.13 preprocesses texts
before its prompt, the reader does the same, so that sums can be equal.
"""

import re
from typing import Any

from lab.core.errors import DataError
from lab.evaluation.benchmarks.formats.fields import (
    Row,
    get,
    index_of,
    inside,
    labelled,
    other,
    shuffled_gold,
    text,
    texts,
    whole,
)

Item = dict[str, Any]
BRACKETS = re.compile(r"\[[^\]\n]*\]")


def science_question(row: Row) -> Item:
    """ARC, OpenBookQA: AllenAI's `question.stem`, or the hub's flat columns."""
    asked = row.get("question")
    if isinstance(asked, dict):
        question, choices = text(asked, "stem"), asked.get("choices")
        concept = other(asked, "stem", "choices")
    else:
        key = "question" if "question" in row else "question_stem"
        question, choices, concept = text(row, key), row.get("choices"), {}
    labels, words = labelled(choices)
    return {
        "id": row.get("id"),
        "question": question,
        "choices": words,
        "answer_index": index_of(row.get("answerKey"), labels),
        "meta": concept | other(row, "id", "question", "question_stem", "choices", "answerKey"),
    }


def commonsenseqa(row: Row) -> Item:
    """CommonsenseQA: as ARC, the question without white space around it, as in the harness."""
    item = science_question(row)
    return item | {"question": item["question"].strip()}


def hellaswag(row: Row) -> Item:
    """HellaSwag: context and endings, cleaned of WikiHow's brackets as the harness does."""
    context = f"{text(row, 'ctx_a')} {text(row, 'ctx_b').capitalize()}"
    split = str(row.get("split") or "")
    return {
        "id": f"{split}-{row['ind']}" if "ind" in row else None,
        "split": {"val": "validation"}.get(split, split),
        "question": without_brackets(f"{text(row, 'activity_label')}: {context}"),
        "choices": [without_brackets(ending) for ending in texts(row, "endings")],
        "answer_index": whole(row, "label"),
        "meta": other(row, "ind", "ctx", "ctx_a", "ctx_b", "endings", "label", "split"),
    }


def without_brackets(words: str) -> str:
    """The harness's `preprocess`: `[title]` ends a sentence, other brackets go."""
    cleaned = words.strip().replace(" [title]", ". ")
    return BRACKETS.sub("", cleaned).replace("  ", " ")


def piqa(row: Row) -> Item:
    """PIQA: goal and two solutions; the label comes from `*-labels.lst` beside the file."""
    return {
        "id": row.get("id"),
        "question": text(row, "goal"),
        "choices": [text(row, "sol1"), text(row, "sol2")],
        "answer_index": whole(row, "label"),
        "meta": other(row, "id", "goal", "sol1", "sol2", "label"),
    }


def winogrande(row: Row) -> Item:
    """WinoGrande: a sentence with a blank `_` and two options; the answer is "1" or "2"."""
    sentence = text(row, "sentence")
    if "_" not in sentence:
        raise DataError("The sentence has no blank '_'.", value=sentence)
    return {
        "id": row.get("qID"),
        "question": sentence,
        "choices": [text(row, "option1"), text(row, "option2")],
        "answer_index": index_of(row.get("answer", row.get("label")), ["1", "2"]),
        "meta": other(row, "qID", "sentence", "option1", "option2", "answer", "label"),
    }


def boolq(row: Row) -> Item:
    """BoolQ: a passage and a question; `answer` is true or false (SuperGLUE: `label`).

    SuperGLUE's passages begin with the title of their page; the authors give it as a field.
    """
    gold = row.get("answer", row.get("label"))
    if gold is not None and gold not in (0, 1, -1):
        raise DataError("The answer is neither true nor false.", value=gold)
    passage = text(row, "passage")
    if "title" in row:
        passage = f"{text(row, 'title')} -- {passage}"
    return {
        "id": f"{row['idx']}" if "idx" in row else None,
        "question": text(row, "question"),
        "choices": ["no", "yes"],
        "answer_index": None if gold in (None, -1) else int(gold),
        "meta": other(row, "idx", "question", "answer", "label") | {"passage": passage},
    }


def sciq(row: Row) -> Item:
    """SciQ: one right answer, three distractors, shuffled by content; support in `meta`."""
    wrong = [text(row, f"distractor{number}") for number in (1, 2, 3)]
    question = text(row, "question")
    rest = other(row, "id", "question", "correct_answer", "distractor1", "distractor2",
                 "distractor3", "support")  # fmt: skip
    return {
        "id": row.get("id"),
        "question": question,
        **shuffled_gold(text(row, "correct_answer"), wrong, question),
        "meta": {"support": str(row.get("support") or "").lstrip()} | rest,
    }


def mmlu(row: Row) -> Item:
    """MMLU: question, choices (hub) or A to D (CSV without header), subject."""
    choices = texts(row, "choices") if "choices" in row else [text(row, c) for c in "ABCD"]
    key = row.get("answer")
    index = key if isinstance(key, int) else index_of(key, list("ABCD"))
    subject = str(row.get("subject") or "").replace("_", " ")
    return {
        "id": row.get("id"),
        "question": text(row, "question").strip(),
        "choices": choices,
        "answer_index": index,
        "meta": {"subject": subject}
        | other(row, "id", "question", "choices", "answer", "subject", *"ABCD"),
    }


def truthfulqa(row: Row) -> Item:
    """TruthfulQA, one right answer (mc1): the authors' JSON, the hub's, or the CSV."""
    if "Best Answer" in row:
        question, gold = text(row, "Question"), text(row, "Best Answer").strip()
        wrong = [part.strip() for part in text(row, "Incorrect Answers").split(";")]
        wrong = [answer for answer in wrong if answer and answer != gold]
    else:
        question, targets = text(row, "question"), inside(row, "mc1_targets")
        if "labels" in targets:
            pairs = list(zip(texts(targets, "choices"), get(targets, "labels", list), strict=True))
        else:
            pairs = list(targets.items())
        right = [answer for answer, label in pairs if label == 1]
        if len(right) != 1:
            raise DataError("An mc1 item has one right answer.", value=right)
        gold, wrong = right[0], [answer for answer, label in pairs if label != 1]
    return {
        "question": question,
        **shuffled_gold(gold, wrong, question),
        "meta": {k.lower(): row[k] for k in ("Category", "category", "Type", "type") if k in row},
    }


def blimp(row: Row) -> Item:
    """BLiMP: a good and a bad sentence, shuffled by content, without a question."""
    good, bad = text(row, "sentence_good"), text(row, "sentence_bad")
    paradigm = str(row.get("UID") or "")
    name = f"{paradigm}-{row['pairID']}" if "pairID" in row else None
    return {
        "id": name,
        "kind": "minimal_pair",
        **shuffled_gold(good, [bad], str(name)),
        "meta": other(row, "sentence_good", "sentence_bad", "pairID"),
    }


def foundry_choices(row: Row) -> Item:
    """llm-foundry: query, choices, gold."""
    return {
        "question": text(row, "query"),
        "choices": texts(row, "choices"),
        "answer_index": whole(row, "gold"),
        "meta": other(row, "query", "choices", "gold"),
    }


def foundry_schema(row: Row) -> Item:
    """llm-foundry's schemas: two contexts, one continuation, read as a blank before it."""
    return {
        "question": f"_ {text(row, 'continuation')}",
        "choices": texts(row, "context_options"),
        "answer_index": whole(row, "gold"),
        "meta": other(row, "context_options", "continuation", "gold"),
    }
