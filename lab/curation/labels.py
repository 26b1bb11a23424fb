"""Labels: what people, a file or a model say about single documents, as JSON lines {id, label}.

The workspace keeps one file per attribute, `labels/NAME.jsonl`, as it was given, and beside it
`NAME.yaml` with its hash and the sources it speaks of. A file that is replaced stays under its
hash. Other keys of a line (who labelled it, why) are kept and not read.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lab.core.errors import ConfigError, DataError, nearest
from lab.core.files import file_sha256, read_yaml, write_bytes, write_yaml
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Labels:
    """The registered labels of an attribute: hash of the file, sources it speaks of, sorted."""

    name: str
    sha256: str
    sources: tuple[str, ...]


def read_labels(path: Path) -> pl.DataFrame:
    """Columns id, label (Float64), sorted by id; a document labelled twice gets the mean.

    Raises DataError with the line for anything but an object with a text `id` and a number `label`.
    """
    if not path.is_file():
        raise DataError("There is no such file of labels.", where=str(path))
    rows = [  # a loop, to name the line of a mistake: 2 us a label
        read_line(line, f"{path}, line {number}")
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1)
        if line.strip()
    ]
    frame = pl.DataFrame(rows, schema={"id": pl.String, "label": pl.Float64}, orient="row")
    return frame.group_by("id").agg(pl.col("label").sort().mean()).sort("id")


def read_line(line: bytes, where: str) -> tuple[str, float]:
    """Id and label of one line."""
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
    return name, number


def labelled_documents(ws: Workspace, labels: pl.DataFrame) -> pl.DataFrame:
    """Columns id, label, source, content_hash, text of all labelled documents, sorted by id.

    Raises DataError for ids that are in no source of the workspace.
    """
    prefixes = labels["id"].str.split("/").list.first().unique().to_list()
    known = [source.name for source in list_sources(ws) if source.name in prefixes]
    columns = ["id", "source", "content_hash", "text"]
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


def register_labels(ws: Workspace, name: str, path: Path, sources: list[str]) -> Labels:
    """Keep `path` as the labels of attribute `name`; what was there before stays under its hash."""
    labels = Labels(name, file_sha256(path), tuple(sorted(sources)))
    folder = ws.folder("labels")
    own = folder / f"{name}.jsonl"
    if own.is_file() and (old := file_sha256(own)) != labels.sha256:
        write_bytes(folder / f"{name}.{old[:12]}.jsonl", own.read_bytes())
    if own.resolve() != path.resolve():
        write_bytes(own, path.read_bytes())
    described = {"labels": labels.sha256, "sources": list(labels.sources)}
    write_yaml(folder / f"{name}.yaml", described)
    return labels


def registered_labels(ws: Workspace, name: str) -> Labels | None:
    """The labels of attribute `name`, or None. The hash is that of the file as it is now."""
    folder = ws.folder("labels")
    if not (folder / f"{name}.yaml").is_file() or not (folder / f"{name}.jsonl").is_file():
        return None
    described = read_yaml(folder / f"{name}.yaml")
    return Labels(name, file_sha256(folder / f"{name}.jsonl"), tuple(described["sources"]))


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
