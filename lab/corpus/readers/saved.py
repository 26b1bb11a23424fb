"""A folder written by `save_to_disk` of a Hugging Face `Dataset` or `DatasetDict`.

Such a folder holds `state.json`, which lists Arrow IPC stream files in order; a dictionary of them
holds `dataset_dict.json` with the names of its splits, each a folder. The files are mapped into
memory and read batch by batch, without importing `datasets` and without its cache. Every split is
read; the split's name becomes a column where there is none of that name. Folders of versions before
2.0 may hold an index that reorders rows; those are refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from lab.core.errors import DataError
from lab.core.files import confined, read_json
from lab.corpus.readers.parquet import BATCH, batch_rows, refuse_repeated
from lab.corpus.readers.rows import UNREADABLE, BadRow, Row, Tick, excerpt


def is_saved(folder: Path) -> bool:
    """True if `folder` was written by `save_to_disk`."""
    return (folder / "dataset_dict.json").is_file() or is_dataset(folder)


def is_dataset(folder: Path) -> bool:
    """True if `folder` holds one saved dataset (not a dictionary of them)."""
    return (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()


def saved_files(folder: Path) -> list[tuple[str, Path]]:
    """The (split, Arrow file) pairs of a saved folder in order; split is "" if it has none."""
    if is_dataset(folder):
        return [("", path) for path in arrow_files(folder)]
    splits = read_json(folder / "dataset_dict.json").get("splits", [])
    folders = [(str(split), confined(folder, str(split))) for split in splits]
    return [(split, path) for split, inner in folders for path in arrow_files(inner)]


def arrow_files(folder: Path) -> list[Path]:
    """The Arrow files of one saved dataset; DataError if its state cannot be followed."""
    state: dict[str, Any] = read_json(folder / "state.json")
    if state.get("_indices_data_files"):
        raise DataError(
            "This dataset was saved with an index that reorders its rows.",
            where=str(folder / "state.json"),
            next_step="load it with `datasets`, call flatten_indices() and save it again",
        )
    return [confined(folder, str(entry["filename"])) for entry in state.get("_data_files", [])]


def read_saved(path: Path, split: str, tick: Tick) -> Iterator[Row | BadRow]:
    """Yield the rows of one Arrow stream file."""
    done = 0
    try:
        with pa.memory_map(str(path)) as mapped, pa.ipc.open_stream(mapped) as stream:
            refuse_repeated(stream.schema.names, str(path))
            for batch in stream:
                for start in range(0, batch.num_rows, BATCH):
                    rows = batch_rows(batch.slice(start, BATCH), done + start + 1)
                    yield from (with_split(row, split) for row in rows)
                done += batch.num_rows
                tick(mapped.tell())
    except (pa.ArrowException, OSError) as error:
        yield BadRow(done + 1, UNREADABLE, excerpt(str(error)))


def with_split(row: Row | BadRow, split: str) -> Row | BadRow:
    """`row` with its split among its columns."""
    if split and isinstance(row, Row):
        row.values.setdefault("split", split)
    return row
