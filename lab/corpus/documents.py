"""Rows become documents: the artifact that everything else is aligned with.

One pass over the input, one part (20,000 documents or 64 MB of text, whichever comes first) in
memory at a time. Each row is either a document or a line in `quarantine.parquet`; the two counts
add up to the rows read. The artifact's id is made of the content of the input files and the
settings, so the same input is not read twice and a changed one gives a new artifact.

An interrupted build starts again from the first row: compressed streams cannot be entered in the
middle, and reading is cheaper than being wrong about where it stopped. Cost: about 30 us a document
of 1 kB on one core, of which JSON 10, Parquet and zstd 10, hashing 2 (Zen 4; measured by
`tests/benchmarks/add_documents.py`). Memory: some 0.4 GB whatever the corpus.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.core.artifacts import Artifact, build, write_part
from lab.core.errors import ConfigError, DataError, nearest
from lab.core.files import digest, disk_error
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.convert import Document, Reading, Tally, frame_of, to_document
from lab.corpus.ids import rename_repeats
from lab.corpus.quarantine import Quarantine
from lab.corpus.readers.dispatch import file_size, fingerprint, read_rows, stamp
from lab.corpus.readers.locate import DataFile, LocalFile, Located
from lab.corpus.readers.rows import NO_COLUMN, BadRow

STEP = "documents"
VERSION = 1
PART_DOCUMENTS = 20_000
PART_BYTES = 64_000_000  # of text; a part must fit in memory several times over in every later step
LISTED_FILES = 1_000  # input files that the manifest names one by one

Stamps = dict[Path, tuple[int, int]]


def build_documents(
    ws: Workspace, reading: Reading, located: Located, progress: Progress = SILENT
) -> Artifact:
    """The documents artifact of these files, read if it is not there yet.

    Raises ConfigError for a column that no row has, DataError if not one document came out or a
    file changed while it was read, LabError if the disk is full. Nothing is left behind then.
    """
    stamps = {f.path: stamp(f) for f in located.files if isinstance(f, LocalFile)}
    progress(0, 1, "hashing the files")
    files = [[f.name, f.form, getattr(f, "split", ""), fingerprint(f)] for f in located.files]
    skipped = [[name, bad.reason] for name, bad in located.skipped]

    def make(folder: Path) -> dict[str, Any]:
        with ExitStack() as on_failure:
            on_failure.callback(shutil.rmtree, folder, ignore_errors=True)
            counts = write_documents(folder, reading, located, progress)
            refuse_changed(located, stamps)
            on_failure.pop_all()
        listed = [file[0] for file in files[:LISTED_FILES]]
        return {"counts": counts, "input_files": len(files), "input_names": listed}

    return build(ws, STEP, VERSION, asdict(reading), [digest([files, skipped])], make)


def write_documents(
    folder: Path, reading: Reading, located: Located, progress: Progress
) -> dict[str, Any]:
    """Write all parts and the quarantine into `folder`; the counts for the manifest."""
    for leftover in folder.iterdir():  # of an interrupted build
        leftover.unlink()
    tally = Tally()
    try:
        with Quarantine(folder / "quarantine.parquet") as quarantine:
            documents = documents_of(reading, located, tally, quarantine, progress)
            for number, part in enumerate(parts_of(documents)):
                frame = frame_of(reading, part)
                write_part(frame, folder / f"part-{number:05d}.parquet")
                tally.bytes += int(frame["bytes"].sum())
                tally.heldout += int(frame["heldout"].sum())
        refuse_empty(reading, located, tally)
        parts = sorted(folder.glob("part-*.parquet"))
        renamed = rename_repeats(parts) if reading.id_column else 0
    except OSError as error:
        raise disk_error(error, folder) from error
    return {
        "documents": tally.documents,
        "bytes": tally.bytes,
        "heldout": tally.heldout,
        "quarantined": tally.by_reason.total(),
        "by_reason": dict(sorted(tally.by_reason.items())),
        "renamed_ids": renamed,
    }


def parts_of(documents: Iterator[Document]) -> Iterator[list[Document]]:
    """Yield the documents in the groups that become parts."""
    part: list[Document] = []
    size = 0
    for document in documents:
        part.append(document)
        size += document.bytes
        if len(part) == PART_DOCUMENTS or size >= PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def documents_of(
    reading: Reading, located: Located, tally: Tally, quarantine: Quarantine, progress: Progress
) -> Iterator[Document]:
    """Yield the documents of all files in order; bad rows go to `quarantine`."""
    for name, bad in located.skipped:
        set_aside(name, bad, tally, quarantine)
    total = max(sum(file_size(file) for file in located.files), 1)
    before = 0
    for file in located.files:
        size = file_size(file)

        def tick(
            position: int, before: int = before, file: DataFile = file, size: int = size
        ) -> None:
            if position > size:  # somebody appends to it, perhaps faster than it is read
                raise changed(file)
            progress(before + position, total, f"{tally.documents:,} documents")

        # The one loop over rows in Python: 18 us a 1 kB document from JSON lines, parsing included
        for row in read_rows(file, reading.settings, tick):
            found = row if isinstance(row, BadRow) else to_document(row, reading, tally)
            if isinstance(found, BadRow):
                set_aside(file.name, found, tally, quarantine)
            else:
                tally.documents += 1
                yield found
        before += size
    progress(total, total, f"{tally.documents:,} documents")


def set_aside(file: str, bad: BadRow, tally: Tally, quarantine: Quarantine) -> None:
    """Count a bad row and write it down."""
    tally.by_reason[bad.reason] += 1
    tally.first_bad = tally.first_bad or f"{file}, line {bad.line}: {bad.reason}"
    quarantine.add(file, bad)


def refuse_empty(reading: Reading, located: Located, tally: Tally) -> None:
    """Raise if nothing came out, or if a column that was named does not exist."""
    if tally.documents and reading.id_column and tally.numbered == tally.documents:
        raise no_column("id", reading.id_column, located, tally)
    if tally.documents:
        return
    if tally.by_reason[NO_COLUMN] and reading.text_column not in tally.columns:
        raise no_column("text", reading.text_column, located, tally)
    raise DataError(
        "Not one document came out of this source.",
        where=where_of(located),
        value=dict(tally.by_reason.most_common(5)) or "no rows at all",
        next_step=f"look at {tally.first_bad}" if tally.first_bad else "check that it holds text",
    )


def no_column(kind: str, column: str, located: Located, tally: Tally) -> ConfigError:
    """The error for a column that no row has."""
    return ConfigError(
        f"No row has the {kind} column {column!r}.",
        where=where_of(located),
        value=sorted(tally.columns),
        next_step=f"choose it with --{kind}-column; {nearest(column, tally.columns)}",
    )


def where_of(located: Located) -> str:
    """The first file and how many others there are."""
    if not located.files:
        return "no file to read"
    others = len(located.files) - 1
    return f"{located.files[0].path}" + (f" and {others} more" if others else "")


def refuse_changed(located: Located, stamps: Stamps) -> None:
    """DataError if a file is not the one whose content was hashed before it was read."""
    for file in located.files:
        if isinstance(file, LocalFile) and (
            not file.path.exists() or stamp(file) != stamps[file.path]
        ):
            raise changed(file)


def changed(file: DataFile) -> DataError:
    """The error for a file that somebody writes to."""
    return DataError(
        "This file changed while it was read.",
        where=str(file.path),
        next_step="add the source again once nobody writes to it",
    )
