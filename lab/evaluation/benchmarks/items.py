"""Benchmark items from a file, each one checked at the edge.

A row is `question`, `choices`, and the gold answer, in one of three spellings: `answer_index` (an
index into `choices`), `answer` as an index, or `answer` as the text of one of the choices. Rows
without choices are `cloze` (the answer follows the question directly) or, if the row says so,
`generative` (the answer follows some work of the model's own). `id`, `split`, `kind` and `meta` are
optional; other columns are kept in `meta`.

Every row is checked (see `checks`): an invalid item is an error that names file, line and item; or,
on request, it is set aside and counted. A split in which no row states a gold answer is one that
its authors keep back; it is left out and counted. A folder may hold an item twice: WinoGrande's
training files contain each other, TriviaQA comes with and without its documents. The same item
under the same id in a later file is a copy, left out and counted; two items of one id that differ,
or that stand in one file, are an error.

Cost: about 8 us a row in Python, 0.1 s for 10,000 items; benchmarks are small, so the plain loop
stays. Where it fails: a wrong gold answer that is well formed cannot be seen from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import DataError, nearest, shorten
from lab.core.schema import ITEMS, QUARANTINE
from lab.evaluation.benchmarks.checks import check_row
from lab.evaluation.benchmarks.files import Found, read_rows
from lab.evaluation.benchmarks.formats import Format, by_name, detect, known_formats

PREFERRED_SPLITS = ("test", "validation", "dev")  # scored when a file holds several, none named


@dataclass(frozen=True, slots=True)
class Read:
    """What a file held."""

    items: pl.DataFrame  # schema.ITEMS
    faults: pl.DataFrame  # schema.QUARANTINE: rows set aside
    format: Format
    unlabelled: int  # rows of splits that are published without gold answers; left out
    copies: int  # rows that an earlier file of the folder holds as well; left out


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
    kept = without_unlabelled(rows, read)
    single = without_copies(kept)
    items, faults = check_rows(single, name, skip_invalid)
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
    aside = pl.DataFrame(faults, schema=QUARANTINE)
    return Read(frame, aside, known, len(read) - len(kept), len(kept) - len(single))


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


def without_unlabelled(rows: Sequence[Found], read: Sequence[Found]) -> list[Found]:
    """`read` without the splits in which no row states a gold answer; all of it if no split does.

    What was no row in the file (`rows`) stays: a damaged split is not one that is kept back.
    """
    labelled = {found.split for found in read if has_gold(found.row)}
    return [
        found
        for before, found in zip(rows, read, strict=True)
        if not labelled or found.split in labelled or not isinstance(before.row, Mapping)
    ]


def has_gold(row: object) -> bool:
    """True if a row states a gold answer, right or wrong; a row that is a fault states none."""
    if not isinstance(row, Mapping):
        return False
    return row.get("answer_index") is not None or row.get("answer") not in (None, "")


def without_copies(rows: Sequence[Found]) -> list[Found]:
    """`rows` without those that an earlier file holds, equal in every field, under the same id."""
    first: dict[str, Found] = {}
    kept = []
    for found in rows:
        name = found.row.get("id") if isinstance(found.row, Mapping) else None
        earlier = first.setdefault(str(name), found) if name else found
        if earlier.file == found.file or earlier.row != found.row:
            kept.append(found)
    return kept


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
