"""Files of benchmark items: JSONL, JSON, CSV, TSV, text and Parquet, plain or compressed; folders.

Published benchmarks are a file a split, so the split is read from the name (`ARC-Easy-Test.jsonl`,
`data/test-00000-of-00001.parquet`, `val/anatomy_val.csv`), and a folder is all its files of one
kind. Labels that stand in a file of their own (`valid.jsonl` beside `valid-labels.lst`) are joined
by line. A CSV without a header whose sixth column is a letter is MMLU's.

Lines of JSONL end at LF only; U+2028 or a form feed inside a text is no line end. A row that cannot
be read (no JSON, not UTF-8) is handed on as the error that describes it, so that the caller decides
whether to stop. Benchmarks are small: a file is read whole.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from lab.core.errors import DataError

ENDINGS: Final = (".parquet", ".jsonl", ".json", ".csv", ".tsv", ".txt")
COMPRESSED: Final = ("", ".gz", ".zst")
SPLITS: Final = {
    "train": "train", "training": "train", "dev": "dev", "validation": "validation",
    "valid": "validation", "val": "validation", "test": "test", "tests": "test",
    "auxiliary": "auxiliary",
}  # fmt: skip
WRAPPERS: Final = ("Data", "data", "examples")  # JSON files whose rows stand inside an object
MMLU_COLUMNS: Final = ["question", "A", "B", "C", "D", "answer"]
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a file: where it stands, the split its file is of, and what it holds."""

    file: str
    unit: str  # "line" or "row"
    number: int  # from 1
    split: str
    row: object  # what was written there, or the DataError that says why it cannot be read

    @property
    def place(self) -> str:
        """File and line, for a message."""
        return f"{self.file} {self.unit} {self.number}"


def read_rows(path: Path) -> Iterator[Found]:
    """Every row of a file, or of all files of a folder; DataError if there is nothing to read."""
    files = files_of(path)
    for file in files:
        name = str(file.relative_to(path)) if path.is_dir() else file.name
        split = split_of(name)
        unit = "line" if ending(file) in (".jsonl", ".txt") else "row"
        labels = read_labels(file)
        for number, row in rows_of(file):
            if labels and isinstance(row, dict):
                row = {"label": label_at(labels, number, name), **row}
            yield Found(name, unit, number, split, row)


def files_of(path: Path) -> list[Path]:
    """The files to read: `path`, or those inside it of the first ending that any has."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file())
        inside = [p for p in found if "/." not in f"/{p.relative_to(path)}"]
        for kind in ENDINGS[:-1]:  # text beside a benchmark is its description
            if files := [p for p in inside if ending(p) == kind]:
                return files
    elif path.is_file() and ending(path):
        return [path]
    raise DataError(
        "This is not a file of benchmark items.",
        where=str(path),
        next_step=f"name a file that ends in {', '.join(ENDINGS)} (.gz, .zst), or a folder of them",
    )


def ending(path: Path) -> str:
    """The ending that says how a file is read, without that of its compression; "" if unknown."""
    name = path.name.lower()
    found = [e for e in ENDINGS for c in COMPRESSED if name.endswith(e + c)]
    return found[0] if found else ""


def split_of(name: str) -> str:
    """The split that a file's name or folder says, "" if none; the last word counts."""
    words = [SPLITS[w] for w in re.split(r"[^a-z]+", name.lower()) if w in SPLITS]
    return "auxiliary" if "auxiliary" in words else words[-1] if words else ""


def rows_of(path: Path) -> Iterator[tuple[int, object]]:
    """(number from 1, row) of one file."""
    kind = ending(path)
    if kind == ".parquet":
        yield from enumerate(read_parquet(path).iter_rows(named=True), start=1)
        return
    content = read_bytes(path)
    if kind in (".csv", ".tsv"):
        yield from delimited(content, path, "," if kind == ".csv" else "\t")
    elif kind == ".json" and (rows := whole_json(content, path)) is not None:
        yield from enumerate(rows, start=1)
    else:
        for number, line in enumerate(content.split(b"\n"), start=1):
            if line.strip():
                place = f"{path.name} line {number}"
                yield number, parse_line(line, place, as_text=kind == ".txt")


def read_parquet(path: Path) -> pl.DataFrame:
    """A Parquet file as a frame; DataError if it is none."""
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise DataError("This file is not Parquet.", where=str(path), value=str(error)) from error


def read_bytes(path: Path) -> bytes:
    """The content of a file, decompressed by the ending of its name, without a byte order mark."""
    import pyarrow as pa

    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            content: bytes = stream.read()
    except (OSError, pa.ArrowException) as error:
        raise DataError("This file cannot be read.", where=str(path), value=str(error)) from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(
            "This file is UTF-16.",
            where=str(path),
            next_step="write it as UTF-8: `iconv -f UTF-16 -t UTF-8`",
        )
    return content.removeprefix(BOM)


def parse_line(line: bytes, place: str, *, as_text: bool = False) -> object:
    """One line as JSON (or as a text), or the DataError that says why it is none."""
    try:
        text = line.decode("utf-8")
        return {"text": text.strip()} if as_text else json.loads(text)
    except UnicodeDecodeError as error:
        return DataError("A line is not UTF-8.", where=place, value=str(error))
    except (json.JSONDecodeError, RecursionError) as error:
        return DataError("A line is not JSON.", where=place, value=str(error))


def whole_json(content: bytes, path: Path) -> list[object] | None:
    """The rows of a JSON file; None if it is a line of JSON after another."""
    try:
        found = json.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return None  # the lines say which of them is wrong
    if isinstance(found, dict):
        inside = [found[key] for key in WRAPPERS if isinstance(found.get(key), list)]
        found = inside[0] if inside else [found]
    if not isinstance(found, list):
        raise DataError("This file holds no list of items.", where=str(path), value=found)
    return found


def delimited(content: bytes, path: Path, mark: str) -> Iterator[tuple[int, object]]:
    """The rows of a CSV or TSV file as mappings; a row that is not UTF-8 as its error."""
    text = content.decode("utf-8", errors="surrogateescape")
    cells = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        lines = [line for line in cells if line]
    except csv.Error as error:
        raise DataError("This file is not CSV.", where=str(path), value=str(error)) from error
    if not lines:
        return
    bare = len(lines[0]) == len(MMLU_COLUMNS) and lines[0][-1] in ("A", "B", "C", "D")
    names = MMLU_COLUMNS if bare else lines.pop(0)
    extra = {"subject": subject_of(path)} if bare else {}
    for number, line in enumerate(lines, start=1 if bare else 2):
        place = f"{path.name} row {number}"
        if any("\udc80" <= letter <= "\udcff" for cell in line for letter in cell):
            yield number, DataError("A row is not UTF-8.", where=place)
        elif len(line) != len(names):
            yield (
                number,
                DataError(
                    "A row has another number of cells than the header.", where=place, value=line
                ),
            )
        else:
            yield number, dict(zip(names, line, strict=True)) | extra


def subject_of(path: Path) -> str:
    """`anatomy` of `anatomy_test.csv`."""
    words = path.name.split(".")[0].split("_")
    return " ".join(word for word in words if word not in SPLITS)


def read_labels(path: Path) -> list[str]:
    """The lines of the label file beside `path` (`valid-labels.lst`, `train-labels.lst`), or []."""
    beside = path.with_name(path.name.split(".")[0] + "-labels.lst")
    if not beside.is_file():
        return []
    return beside.read_bytes().removeprefix(BOM).decode("utf-8", "replace").split()


def label_at(labels: list[str], number: int, name: str) -> str:
    """The label of row `number`; DataError where there are fewer labels than rows."""
    if number > len(labels):
        raise DataError(
            "The label file has fewer lines than the file of items.",
            where=name,
            value=f"{len(labels)} labels, row {number}",
            next_step="download both again",
        )
    return labels[number - 1]
