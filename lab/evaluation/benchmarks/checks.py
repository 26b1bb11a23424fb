"""One benchmark item, each of its fields checked at the edge.

Why so strict: an item whose gold answer is missing, out of range or contradicted by its own text is
scored all the same by most harnesses, at some accuracy, and moves the mean without a trace. Here it
is a DataError that says what is wrong, in which row of which file, and what to do.

Where it fails: a wrong gold answer that is well formed cannot be seen from here.
"""

import json
from collections.abc import Mapping
from typing import Any

from lab.core.errors import DataError, nearest
from lab.core.schema import ITEMS

KINDS = ("multiple_choice", "minimal_pair", "cloze", "generative")


def check_row(
    row: object, name: str, default_id: str, place: str, seen: set[str]
) -> dict[str, Any]:
    """One row as an item of schema.ITEMS; DataError names what is wrong with it, and where."""
    if isinstance(row, DataError):
        raise row
    if not isinstance(row, Mapping):
        raise DataError("An item is not an object with named fields.", where=place, value=row)
    item_id = str(row.get("id") or default_id)
    where = f"{place}, item {item_id!r}"
    if item_id in seen:
        raise DataError(
            "Two items have the same id.", where=where, next_step="make ids unique, or drop them"
        )
    seen.add(item_id)
    choices = check_choices(row, where)
    question = text_field(row, "question", where)
    kind = check_kind(row, question, choices, where)
    index, answer = check_answer(row, kind, choices, where)
    if not choices and not question.strip():
        raise DataError(
            f"A {kind} item has no question.",
            where=where,
            value=sorted(map(str, row)),
            next_step="give the text that stands before the answer as 'question'; "
            + nearest("question", [str(key) for key in row if key not in ITEMS]),
        )
    return {
        "id": item_id,
        "benchmark": name,
        "split": text_field(row, "split", where),
        "kind": kind,
        "question": question,
        "choices": choices,
        "answer_index": index,
        "answer": answer,
        "meta": meta_field(row),
    }


def text_field(row: Mapping[str, Any], key: str, where: str) -> str:
    """A text of the row, empty where it is absent or null."""
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"The field {key!r} is not text.", where=where, value=value)
    return value


def check_choices(row: Mapping[str, Any], where: str) -> list[str]:
    """The choices of a row, [] if it has none."""
    choices = row.get("choices")
    if choices is None or choices == []:
        return []
    if not isinstance(choices, list) or not all(isinstance(c, str) for c in choices):
        raise DataError(
            "The choices are not a list of texts.",
            where=where,
            value=choices,
            next_step="write 'choices' as a list of strings",
        )
    if len(choices) < 2:
        raise DataError(
            "An item has fewer than two choices.",
            where=where,
            value=choices,
            next_step="add the wrong choices, or leave 'choices' out to score the answer alone",
        )
    if any(not choice.strip() for choice in choices):
        raise DataError("A choice is empty.", where=where, value=choices)
    return choices


def check_kind(row: Mapping[str, Any], question: str, choices: list[str], where: str) -> str:
    """The kind the row states, or the one its fields imply."""
    kind = row.get("kind")
    if kind is None:
        if choices:
            return "multiple_choice" if question else "minimal_pair"
        return "cloze"
    if kind not in KINDS:
        raise DataError(
            "Unknown kind of item.", where=where, value=kind, next_step=nearest(str(kind), KINDS)
        )
    if kind in ("multiple_choice", "minimal_pair") and not choices:
        raise DataError(
            f"A {kind} item has no choices.",
            where=where,
            value=row.get("answer"),
            next_step="add 'choices', or call the item 'cloze'",
        )
    return str(kind)


def check_answer(
    row: Mapping[str, Any], kind: str, choices: list[str], where: str
) -> tuple[int | None, str]:
    """(index of the gold choice or None, text of the gold answer)."""
    answer = row.get("answer")
    if kind in ("cloze", "generative"):
        if isinstance(answer, (int, float)) and not isinstance(answer, bool):
            answer = str(answer)
        if not isinstance(answer, str) or not answer.strip():
            raise DataError(
                f"A {kind} item has no gold answer.",
                where=where,
                value=answer,
                next_step="give the text that should follow the question as 'answer'",
            )
        return None, answer
    index = gold_index(row, kind, choices, where)
    if isinstance(answer, str) and answer and answer != choices[index]:
        raise DataError(
            "The text of the gold answer is not the choice its index names.",
            where=where,
            value={"answer": answer, "choice": choices[index]},
            next_step="correct one of the two",
        )
    return index, choices[index]


def gold_index(row: Mapping[str, Any], kind: str, choices: list[str], where: str) -> int:
    """The index of the gold choice, from `answer_index`, or `answer` as an index or as text."""
    answer, index = row.get("answer"), row.get("answer_index")
    if index is None and not isinstance(answer, str):
        index = answer
    if index is None and answer in choices:
        index = choices.index(answer)
    if isinstance(index, bool) or not isinstance(index, int):
        raise DataError(
            f"A {kind} item has no gold answer.",
            where=where,
            value=answer if index is None else index,
            next_step="give 'answer' as the index of the right choice (from 0), or as its text",
        )
    if not 0 <= index < len(choices):
        raise DataError(
            "The gold answer is out of range.",
            where=where,
            value=index,
            next_step=f"indices run from 0 to {len(choices) - 1}",
        )
    return index


def meta_field(row: Mapping[str, Any]) -> str:
    """`meta` as JSON text, with the columns that the schema does not know added to it."""
    meta = row.get("meta")
    known = json.loads(meta) if isinstance(meta, str) and meta.startswith("{") else meta
    content = dict(known) if isinstance(known, Mapping) else {"meta": known} if known else {}
    content |= {str(k): v for k, v in row.items() if k not in ITEMS and v is not None}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
