"""Fields of published rows, each taken with its type checked.

A published file is somebody else's promise: a field may be absent, null, of another type, or hold a
key that names no choice. Each of these is a DataError in words; the caller adds file and line.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from lab.core.errors import DataError

T = TypeVar("T")
Row = Mapping[str, Any]


def get(row: Row, key: str, kind: type[T]) -> T:
    """Field `key` of `row`, which must be of type `kind`."""
    value = row.get(key)
    if not isinstance(value, kind):
        raise DataError(
            f"The field {key!r} is not {kind.__name__}.",
            value=value,
            next_step="look at this line, or set it aside with --skip-invalid",
        )
    return value


def text(row: Row, key: str) -> str:
    """A text of the row."""
    return get(row, key, str)


def texts(row: Row, key: str) -> list[str]:
    """A list of texts of the row."""
    values = get(row, key, list)
    if not all(isinstance(value, str) for value in values):
        raise DataError(f"The field {key!r} is not a list of texts.", value=values)
    return values


def inside(row: Row, key: str) -> Row:
    """An object inside the row."""
    return get(row, key, dict)


def labelled(choices: object) -> tuple[list[str], list[str]]:
    """(labels, texts) of choices, as a list of objects (AllenAI) or an object of lists (hub)."""
    if isinstance(choices, list):
        return [text(c, "label") for c in choices], [text(c, "text") for c in choices]
    if isinstance(choices, Mapping):
        return texts(choices, "label"), texts(choices, "text")
    raise DataError("The choices are neither a list nor an object.", value=choices)


def index_of(key: object, labels: Sequence[str]) -> int | None:
    """The place of an answer key among the labels; None where there is no key.

    ARC's keys and labels are letters in some items and digits in others, in some published forms
    not the same in one item: a key that is no label is read by its place (A or 1 is the first).
    """
    name = str(key).strip() if key is not None else ""
    if name in ("", "-1"):  # how unlabelled test splits are published
        return None
    if name in labels:
        return labels.index(name)
    places = {letter: place for place, letter in enumerate("ABCDEFGH"[: len(labels)])}
    places |= {str(place + 1): place for place in range(len(labels))}
    if name not in places:
        raise DataError(
            "The gold answer is out of range.",
            value=name,
            next_step=f"the labels of this item are {', '.join(labels)}",
        )
    return places[name]


def whole(row: Row, key: str) -> int | None:
    """An index written as a number or as text; None where it is absent or empty."""
    value = row.get(key)
    if value is None or str(value).strip() in ("", "-1"):
        return None
    if isinstance(value, bool) or not str(value).strip().isdecimal():
        raise DataError(f"The field {key!r} is not an index.", value=value)
    return int(str(value))


def shuffled(choices: Sequence[str], salt: str) -> list[str]:
    """`choices` in an order that only their texts and `salt` decide.

    For files whose gold answer always stands at one place: ties go to the first choice, so a model
    that gives equal scores (a constant one) would be right always, or never.
    """
    return sorted(choices, key=lambda c: hashlib.sha256(f"{salt}\n{c}".encode()).hexdigest())


def shuffled_gold(gold: str, wrong: Sequence[str], salt: str) -> dict[str, Any]:
    """`choices` shuffled, and `answer_index`."""
    choices = shuffled([gold, *wrong], salt)
    return {"choices": choices, "answer_index": choices.index(gold)}


def other(row: Row, *taken: str) -> dict[str, Any]:
    """The fields of the row that the item does not use otherwise, for `meta`."""
    return {k: v for k, v in row.items() if k not in taken and v is not None}
