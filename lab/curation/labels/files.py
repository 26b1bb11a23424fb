"""Labels: what people, a file or a model say about single documents, as JSON lines {id, label, by}.

The workspace keeps one file per attribute, `labels/NAME.jsonl`, and beside it `NAME.yaml` with its
hash, the sources it speaks of and how a score is learned from it. One file is kept byte for byte;
of several, the lines are put together, each with its file's name as `by` where it names nobody
itself. A file that is replaced stays under its hash. Other keys of a line (why) are kept and not
read.
"""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import ConfigError, DataError, nearest
from lab.core.files import file_sha256, read_yaml, write_bytes, write_yaml
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Labels:
    """The registered labels of an attribute: hash of the file, sources it speaks of, sorted, and
    the settings of the head that learns from them.
    """

    name: str
    sha256: str
    sources: tuple[str, ...]
    settings: dict[str, Any]


def read_labels(path: Path) -> pl.DataFrame:
    """Columns id, label (Float64), sorted by id; a document labelled twice gets the mean.

    Raises DataError with the line for anything but an object with a text `id` and a number `label`.
    """
    return mean_labels(read_ratings(path))


def mean_labels(ratings: pl.DataFrame) -> pl.DataFrame:
    """Columns id, label: the mean of each document's ratings, sorted by id."""
    return ratings.group_by("id").agg(pl.col("label").sort().mean()).sort("id")


def read_ratings(path: Path) -> pl.DataFrame:
    """Columns id, by, label, one row a line; `by` is "" where the line names nobody."""
    rows = [  # a loop, to name the line of a mistake: 2 us a label
        read_line(line, f"{path}, line {number}") for number, line in numbered_lines(path)
    ]
    schema = {"id": pl.String, "by": pl.String, "label": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def numbered_lines(path: Path) -> list[tuple[int, bytes]]:
    """Number and content of the lines that are not blank; DataError if there is no such file."""
    if not path.is_file():
        raise DataError("There is no such file of labels.", where=str(path))
    lines = enumerate(path.read_bytes().split(b"\n"), start=1)
    return [(number, line) for number, line in lines if line.strip()]


def merge_labels(paths: Sequence[Path]) -> bytes:
    """The content of one file as it is; of several, all lines with `by` filled in.

    Raises DataError for a line that is no label, ConfigError for no file at all.
    """
    if not paths:
        raise ConfigError("No labels were given.", next_step="--labels FILE")
    for path in paths:
        read_ratings(path)
    if len(paths) == 1:
        return paths[0].read_bytes()
    rows = []
    for path in paths:
        for _, line in numbered_lines(path):
            row = json.loads(line)
            rows.append(row | {"by": row.get("by") or path.stem})
    return "".join(json.dumps(row) + "\n" for row in rows).encode("ascii")


def read_line(line: bytes, where: str) -> tuple[str, str, float]:
    """Id, labeller and label of one line."""
    try:
        value = json.loads(line)
    except ValueError as error:
        raise DataError("This line is not JSON.", where=where, value=line[:80]) from error
    keys = value if isinstance(value, dict) else {}
    name, label = keys.get("id"), keys.get("label")
    number = math.nan
    if isinstance(label, int | float) and not isinstance(label, bool):
        number = float(label)
    if not math.isfinite(number) or not isinstance(name, str):
        raise DataError(
            "A label needs a text `id` and a finite number `label`.",
            where=where,
            value=value,
            next_step='write {"id": "web/17", "label": 3}',
        )
    return name, str(keys.get("by") or ""), number


def labelled_documents(ws: Workspace, labels: pl.DataFrame) -> pl.DataFrame:
    """Columns id, label, source, content_hash, meta, text of the labelled documents, by id.

    Raises DataError for ids that are in no source of the workspace.
    """
    prefixes = labels["id"].str.split("/").list.first().unique().to_list()
    known = [source.name for source in list_sources(ws) if source.name in prefixes]
    columns = ["id", "source", "content_hash", "meta", "text"]
    scans = [documents(ws, name).scan().select(columns) for name in known]
    lazy = pl.concat(scans) if scans else pl.LazyFrame(schema=dict.fromkeys(columns, pl.String))
    found = lazy.filter(pl.col("id").is_in(labels["id"].implode())).collect()
    missing = labels.filter(~pl.col("id").is_in(found["id"].implode()))["id"].to_list()
    if missing:
        raise DataError(
            f"{len(missing)} of {labels.height} labels speak of documents that are not here.",
            where="labels",
            value=missing[:3],
            next_step="ids are SOURCE/ID; "
            + nearest(missing[0].split("/")[0], [s.name for s in list_sources(ws)]),
        )
    return labels.join(found, on="id").sort("id")


def register_labels(
    ws: Workspace, name: str, content: bytes, sources: list[str], settings: dict[str, Any]
) -> Labels:
    """Keep `content` as the labels of attribute `name`; what was there before stays under its
    hash.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    folder = ws.folder("labels")
    own = folder / f"{name}.jsonl"
    if own.is_file() and (old := file_sha256(own)) != sha256:
        write_bytes(folder / f"{name}.{old[:12]}.jsonl", own.read_bytes())
    write_bytes(own, content)
    described = {"labels": sha256, "sources": sorted(sources), **settings}
    write_yaml(folder / f"{name}.yaml", described)
    return Labels(name, sha256, tuple(sorted(sources)), settings)


def registered_labels(ws: Workspace, name: str) -> Labels | None:
    """The labels of attribute `name`, or None. The hash is that of the file as it is now."""
    folder = ws.folder("labels")
    if not (folder / f"{name}.yaml").is_file() or not (folder / f"{name}.jsonl").is_file():
        return None
    described = read_yaml(folder / f"{name}.yaml")
    settings = {k: v for k, v in described.items() if k not in ("labels", "sources")}
    sources = tuple(described["sources"])
    return Labels(name, file_sha256(folder / f"{name}.jsonl"), sources, settings)


def registered_ratings(ws: Workspace, name: str) -> pl.DataFrame:
    """Columns id, by, label of the registered labels of attribute `name`."""
    return read_ratings(ws.folder("labels", f"{name}.jsonl"))


def label_names(ws: Workspace) -> list[str]:
    """Attributes that have registered labels."""
    return sorted(path.stem for path in ws.folder("labels").glob("*.yaml"))


def check_label_name(name: str) -> None:
    """ConfigError unless `name` can be a file and the end of a column's name."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            "This cannot be the name of a score.",
            value=name,
            next_step="use a-z, 0-9, '-' and '_', beginning with a letter or digit, at most 63",
        )
