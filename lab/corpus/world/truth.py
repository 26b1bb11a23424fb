"""The truth beside the corpus: tables that a test or a curious user holds the lab's findings to.

| file | row |
|---|---|
| documents.parquet | a document: source, quality, level 0-5, topic, language |
| duplicates.parquet | a copy: id, original_id, kind exact/near, scope within/across, jaccard |
| contamination.parquet | an item quoted in a document: id, benchmark, item |
| personal.parquet | a span of personal data: id, start, end (characters), kind |
| world.json | the facts: every entity with its attributes |

Two copies of one original are also copies of each other: group by `original_id`. Rows are written
in batches as documents stream by, so memory does not grow with the corpus.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lab.corpus.world.facts import World
from lab.corpus.world.records import Record

_TEXT, _INTEGER, _REAL = pa.string(), pa.int32(), pa.float32()
TABLES: Final[dict[str, pa.Schema]] = {
    "documents": pa.schema({"id": _TEXT, "source": _TEXT, "quality": _TEXT, "level": _INTEGER,
                            "topic": _TEXT, "language": _TEXT}),
    "duplicates": pa.schema({"id": _TEXT, "original_id": _TEXT, "kind": _TEXT, "scope": _TEXT,
                             "jaccard": _REAL}),
    "contamination": pa.schema({"id": _TEXT, "benchmark": _TEXT, "item": _TEXT}),
    "personal": pa.schema({"id": _TEXT, "start": _INTEGER, "end": _INTEGER, "kind": _TEXT}),
}  # fmt: skip
_BATCH: Final = 20_000


class TruthWriter:
    """Collects the truth of records and writes it in batches."""

    def __init__(self, writers: dict[str, pq.ParquetWriter]) -> None:
        self._writers = writers
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in writers}
        self.counts = dict.fromkeys(writers, 0)

    def add(self, record: Record) -> None:
        """Note what is true of `record`."""
        draft, key = record.draft, record.id
        self._rows["documents"].append(
            (key, record.source, draft.quality, draft.level, draft.topic, draft.language)
        )
        if copy := record.copy:
            row = (key, copy.original, copy.kind, copy.scope, copy.jaccard)
            self._rows["duplicates"].append(row)
        self._rows["contamination"] += [(key, *quote) for quote in record.quotes]
        self._rows["personal"] += [(key, *span) for span in record.personal]
        if len(self._rows["documents"]) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        for name, rows in self._rows.items():
            columns = list(zip(*rows, strict=True)) or [()] * len(TABLES[name])
            table = pa.table([list(column) for column in columns], schema=TABLES[name])
            self._writers[name].write_table(table)
            self.counts[name] += len(rows)
            rows.clear()


@contextmanager
def open_truth(folder: Path) -> Iterator[TruthWriter]:
    """A TruthWriter whose tables lie in `folder` and are complete on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            )
            for name, schema in TABLES.items()
        }
        truth = TruthWriter(writers)
        yield truth
        truth.flush()


def write_facts(path: Path, world: World) -> None:
    """Every entity of the world with its attributes, as JSON."""
    facts = [
        {"kind": kind, "name": entity.name, **entity.values}
        for kind, entities in world.entities.items()
        for entity in entities
    ]
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
