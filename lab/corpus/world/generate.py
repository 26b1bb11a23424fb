"""Writing the sample world: sources, benchmarks, truth and labels into one folder.

```
sources.yaml            per source: kind, licence, provenance, description
sources/NAME.jsonl.zst  or NAME.parquet: id, text, meta
benchmarks/NAME.jsonl   id, benchmark, split, kind, question, choices, answer_index, answer, meta
labels/educational.jsonl  some 600 documents as an annotator would judge them: id, source, label
truth/                  see lab.corpus.world.truth
```

Same arguments, same bytes: every document is a function of (seed, source, index), files are written
in one order, and the compression is zstd (byte for byte with the pinned pyarrow;
with another version the content is the same). Everything goes to a temporary folder beside the
target and is renamed at the end. Cost: 10,000 documents a second on one core; memory does not
depend on the number of documents.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from lab.core.errors import ConfigError, nearest
from lab.corpus.world.benchmarks import build_benchmarks
from lab.corpus.world.facts import build_world
from lab.corpus.world.labels import Labeller
from lab.corpus.world.records import Record, records
from lab.corpus.world.sources import LICENCE, PROVENANCE, SOURCES, counts
from lab.corpus.world.truth import TruthWriter, open_truth, write_facts

DEFAULT_DOCUMENTS: Final = 16_000
_ROWS: Final = 2_000  # per row group of a Parquet source
_SCHEMA: Final = pa.schema({"id": pa.string(), "text": pa.string(), "meta": pa.string()})


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """What was written: documents and bytes of text by source, items, and rows of truth."""

    documents: dict[str, int]
    text_bytes: dict[str, int]
    items: dict[str, int]
    truth: dict[str, int]
    labels: int


def documents(source: str, n: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """The first `n` documents of `source` as dicts with id, text, meta.

    Raises ConfigError if the world has no such source.
    """
    if source not in SOURCES:
        raise ConfigError(
            "The sample world has no such source.", value=source, next_step=nearest(source, SOURCES)
        )
    return (record.row for record in records(source, n, seed))


def write_world(folder: Path, *, documents: int = DEFAULT_DOCUMENTS, seed: int = 0) -> WorldSummary:
    """Write the world of `seed` with about `documents` documents into the new `folder`.

    Raises ConfigError if `folder` exists and is not empty, or if `documents` is less than one.
    """
    if documents < 1:
        raise ConfigError("A world needs documents.", where="documents", value=documents,
                          next_step="give a positive number")  # fmt: skip
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError("The folder for the world is not empty.", where=str(folder),
                          next_step="name a new folder, or empty this one")  # fmt: skip
    aside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    summary = _write(aside, counts(documents), seed)
    if folder.exists():
        folder.rmdir()
    aside.replace(folder)
    return summary


def _write(folder: Path, sizes: dict[str, int], seed: int) -> WorldSummary:
    (folder / "sources").mkdir()
    text_bytes: dict[str, int] = {}
    labeller = Labeller(seed, sizes)
    with open_truth(folder / "truth") as truth:
        for name, size in sizes.items():
            text_bytes[name] = _write_source(folder, name, size, seed, truth, labeller)
    items = _write_benchmarks(folder / "benchmarks", seed)
    write_facts(folder / "truth" / "world.json", build_world(seed))
    labels = labeller.write(folder / "labels" / "educational.jsonl")
    described = {
        name: {"kind": source.kind, "licence": LICENCE, "provenance": PROVENANCE,
               "description": source.description}
        for name, source in SOURCES.items()
    }  # fmt: skip
    (folder / "sources.yaml").write_text(yaml.safe_dump(described, sort_keys=False), "utf-8")
    return WorldSummary(sizes, text_bytes, items, truth.counts, labels)


def _write_source(
    folder: Path, name: str, size: int, seed: int, truth: TruthWriter, labeller: Labeller
) -> int:
    """Write one source; returns the UTF-8 bytes of its texts."""
    path = folder / "sources" / f"{name}{SOURCES[name].suffix}"
    write = _write_parquet if path.suffix == ".parquet" else _write_jsonl
    total = 0

    def observed() -> Iterator[Record]:
        nonlocal total
        for record in records(name, size, seed):
            truth.add(record)
            labeller.add(record)
            total += len(record.draft.text.encode())
            yield record

    write(path, observed())
    return total


def _write_jsonl(path: Path, rows: Iterator[Record]) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as out:
        for record in rows:
            out.write(json.dumps(record.row, ensure_ascii=False).encode() + b"\n")


def _write_parquet(path: Path, rows: Iterator[Record]) -> None:
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as out:
        group: list[dict[str, Any]] = []
        for record in rows:
            row = record.row
            group.append({**row, "meta": json.dumps(row["meta"], ensure_ascii=False)})
            if len(group) == _ROWS:
                out.write_table(pa.Table.from_pylist(group, schema=_SCHEMA))
                group = []
        if group:
            out.write_table(pa.Table.from_pylist(group, schema=_SCHEMA))


def _write_benchmarks(folder: Path, seed: int) -> dict[str, int]:
    folder.mkdir()
    built = build_benchmarks(seed)
    for name, items in built.items():
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return {name: len(items) for name, items in built.items()}
