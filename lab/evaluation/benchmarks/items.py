"""Benchmark items from a file, each one checked at the edge.

A row is `question`, `choices`, and the gold answer, in one of three spellings: `answer_index` (an
index into `choices`), `answer` as an index, or `answer` as the text of one of the choices. Rows
without choices are `cloze` (the answer follows the question directly) or, if the row says so,
`generative` (the answer follows some work of the model's own). `id`, `split`, `kind` and `meta` are
optional; other columns are kept in `meta`.

Why so strict: an item whose gold answer is missing, out of range or contradicted by its own text is
scored all the same by most harnesses, at some accuracy, and moves the mean without a trace. Here it
is an error that names file, line and item; or, on request, it is set aside and counted.

Cost: about 8 us a row in Python, 0.1 s for 10,000 items; benchmarks are small, so the plain loop
stays. Where it fails: a wrong gold answer that is well formed cannot be seen from here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import DataError, nearest, shorten
from lab.core.schema import ITEMS, QUARANTINE
from lab.evaluation.benchmarks.files import Found, read_rows
from lab.evaluation.benchmarks.formats import Format, by_name, detect, known_formats

KINDS = ("multiple_choice", "minimal_pair", "cloze", "generative")
PREFERRED_SPLITS = ("test", "validation", "dev")  # scored when a file holds several, none named


@dataclass(frozen=True, slots=True)
class Read:
    """What a file held."""

    items: pl.DataFrame  # schema.ITEMS
    faults: pl.DataFrame  # schema.QUARANTINE: rows set aside
    format: Format
    unlabelled: int  # rows of splits that are published without gold answers; left out


def read_items(
    name: str, path: Path, *, skip_invalid: bool = False, format: str | None = None
) -> Read:
    """The items of a file or folder in any of the known formats (see `formats`).

    The format is told from the first row if it is not named. Raises DataError at the first invalid
    item, or sets it aside if `skip_invalid`; raises DataError if nothing valid is left.
    """
    rows = list(read_rows(path))
    first = next((found for found in rows if not isinstance(found.row, DataError)), None)
    if format:
        known = by_name(format)
    elif first:
        known = detect(first.row, first.place)
    else:
        known = by_name("plain")
    read = [replace(found, row=converted(found, known)) for found in rows]
    labelled = {found.split for found in read if has_gold(found.row)}
    kept = [found for found in read if not labelled or found.split in labelled]
    items, faults = check_rows(kept, name, skip_invalid)
    if not items:
        raise DataError(
            "This file holds no valid benchmark item.",
            where=str(path),
            value=f"{len(faults)} invalid" + (f", first: {faults[0]['reason']}" if faults else ""),
            next_step="an item is {'question': ..., 'choices': [...], 'answer': index}; "
            + known_formats(""),
        )
    schema = pl.Schema(ITEMS)  # type: ignore[arg-type]
    frame = pl.DataFrame(items, schema=schema)
    return Read(frame, pl.DataFrame(faults, schema=QUARANTINE), known, len(read) - len(kept))


def converted(found: Found, known: Format) -> object:
    """The row in the lab's form, with its file's split; or the DataError that says what is wrong.

    A published row is read by its format; a value it cannot use is an error at its place.
    """
    row = found.row
    if not isinstance(row, Mapping):
        return row
    try:
        item = known.read(row)
    except DataError as error:
        return DataError(
            error.what, where=found.place, value=error.value, next_step=error.next_step
        )
    return item if item.get("split") else item | {"split": found.split}


def has_gold(row: object) -> bool:
    """True if a row states a gold answer, right or wrong, or is itself a fault."""
    if not isinstance(row, Mapping):
        return True
    return row.get("answer_index") is not None or row.get("answer") not in (None, "")


def check_rows(
    rows: Sequence[Found], name: str, skip_invalid: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Checked items, and what was set aside; the first fault is raised unless `skip_invalid`."""
    items: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, found in enumerate(rows):
        try:
            items.append(check_row(found.row, name, f"{name}-{number:06d}", found.place, seen))
        except DataError as error:
            if not skip_invalid:
                raise
            bad = isinstance(found.row, DataError)
            excerpt = error.where if bad else shorten(repr(found.row))
            faults.append(
                {
                    "file": found.file,
                    "line": found.number,
                    "reason": error.what,
                    "excerpt": excerpt,
                }
            )
    return items, faults


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


def choose_split(items: pl.DataFrame, split: str | None, where: str) -> tuple[pl.DataFrame, str]:
    """The items of one split and its name; all of them where a file has no several splits.

    Without a choice, `test` goes before `validation` goes before everything. DataError if `split`
    is not there.
    """
    there = items["split"].unique().sort().to_list()
    if split is None:
        split = next((s for s in PREFERRED_SPLITS if s in there and len(there) > 1), None)
    if split is None:
        return items, there[0] if len(there) == 1 else "all"
    if split not in there:
        raise DataError(
            "No item is of this split.", where=where, value=split, next_step=nearest(split, there)
        )
    return items.filter(split=split), split
