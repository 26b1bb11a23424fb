"""Find the data files behind what a person typed: files, globs, folders, hub paths and hub ids.

Order is fixed (sorted by name within each argument), and a file named twice is read once. A folder
holds either data files, read as rows, or text files, read one document a file; a folder that mixes
both is refused, since either reading would drop half of it unasked. Within a folder or glob, hidden
files are left out, and links that leave it are quarantined: a downloaded folder must not be able to
name `/etc/passwd` as a document. Links inside a folder are skipped, their targets being read where
they are. A file that is named itself may be a link to anywhere.
"""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.core.errors import ConfigError, DataError, nearest
from lab.corpus.readers.formats import HEAD, classify, is_data, rows_or_texts
from lab.corpus.readers.hub import HUB_ID, HubFile, find_dataset, find_files
from lab.corpus.readers.rows import NO_PERMISSION, NOT_A_FILE, OUTSIDE, BadRow
from lab.corpus.readers.saved import is_saved, saved_files


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine; `name` is what quarantine and identity know it by."""

    name: str
    path: Path
    form: str  # jsonl, csv, tsv, parquet, text, saved
    compression: str = ""
    split: str = ""  # of a saved DatasetDict


DataFile = LocalFile | HubFile


@dataclass(frozen=True, slots=True)
class Located:
    """What was found: files to read, and (name, bad row) of what in a folder is no file to read."""

    files: tuple[DataFile, ...]
    skipped: tuple[tuple[str, BadRow], ...]


def locate(paths: Sequence[str]) -> Located:
    """The data files behind `paths`; ConfigError for one that leads nowhere."""
    if not paths:
        raise ConfigError("No path was given.", next_step="name a file, folder, glob or dataset")
    files: dict[str, DataFile] = {}
    skipped: list[tuple[str, BadRow]] = []
    for path in paths:
        found = locate_one(path)
        for file in found.files:
            key = str(file.path.resolve()) if isinstance(file, LocalFile) else file.path
            files.setdefault(key, file)
        skipped += found.skipped
    named = tuple(files.values()) if len(paths) == 1 else told_apart(list(files.values()))
    return Located(named, tuple(skipped))


def told_apart(files: Sequence[DataFile]) -> tuple[DataFile, ...]:
    """`files` with local ones named from the deepest folder that holds them all."""
    places = [file.path.absolute() for file in files if isinstance(file, LocalFile)]
    if not places:
        return tuple(files)
    root = os.path.commonpath([place.parent for place in places])
    return tuple(
        replace(file, name=file.path.absolute().relative_to(root).as_posix())
        if isinstance(file, LocalFile)
        else file
        for file in files
    )


def locate_one(path: str) -> Located:
    """The data files behind one argument."""
    if path.startswith("hf://"):
        return Located(tuple(find_files(path)), ())
    local = Path(path).expanduser()
    if local.is_dir():
        return in_folder(local)
    if local.is_file():
        return Located((one_file(local, local.name),), ())
    if glob.has_magic(path):
        return matching(local)
    if local.exists():
        raise ConfigError(
            "This is neither a file nor a folder.", where=path, next_step="name a file"
        )
    if HUB_ID.fullmatch(path) and not is_data(path) and not local.parent.is_dir():
        return Located((find_dataset(path),), ())
    raise ConfigError(
        "There is no such file or folder.", where=path, next_step=nearest(local.name, beside(local))
    )


def beside(path: Path) -> list[str]:
    """Names of visible files in the folder where `path` should be."""
    folder = path.parent
    return [p.name for p in folder.iterdir() if p.name[0] != "."] if folder.is_dir() else []


def one_file(path: Path, name: str) -> LocalFile:
    """The data file at `path`, its format checked; DataError if it cannot be opened."""
    try:
        with path.open("rb") as handle:
            head = handle.read(HEAD)
    except OSError as error:
        raise DataError(
            f"This file cannot be opened: {error.strerror}.",
            where=str(path),
            next_step="correct its permissions, or leave it out",
        ) from error
    return LocalFile(name, path, *classify(path.name, head, str(path)))


def matching(pattern: Path) -> Located:
    """The files that match a glob, named from the part of it that holds no wildcard."""
    fixed = next(p for p in pattern.parents if not glob.has_magic(str(p)))
    found = glob.glob(str(pattern), recursive=True)  # noqa: PTH207 Path.glob takes no absolute one
    paths = [path for path in map(Path, sorted(found)) if path.is_file()]
    if not paths:
        raise ConfigError("No file matches.", where=str(pattern), next_step="check it with `ls`")
    root = fixed.resolve()
    files, skipped = [], []
    for path in paths:
        name = path.relative_to(fixed).as_posix()
        if path.resolve().is_relative_to(root):
            files.append(one_file(path, name))
        else:
            skipped.append((name, BadRow(0, OUTSIDE)))
    return Located(tuple(files), tuple(skipped))


def in_folder(folder: Path) -> Located:
    """The files of a folder: a saved dataset, data files, or texts."""
    if is_saved(folder):
        root = folder.resolve()
        saved = [
            LocalFile(path.relative_to(root).as_posix(), path, "saved", split=split)
            for split, path in saved_files(folder)
        ]
        return Located(tuple(saved), ())
    paths, skipped = walk(folder)
    names = rows_or_texts([p.relative_to(folder).as_posix() for p in paths], str(folder))
    if any(map(is_data, names)):
        files = [one_file(folder / name, name) for name in names]
    else:
        files = [LocalFile(name, folder / name, "text") for name in names]
    return Located(tuple(files), tuple(skipped))


def walk(folder: Path) -> tuple[list[Path], list[tuple[str, BadRow]]]:
    """(regular visible files sorted by path, what was left out and why) under `folder`."""
    root = folder.resolve()
    files: list[Path] = []
    skipped: list[tuple[str, BadRow]] = []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in [*(f for f in folders if (Path(here) / f).is_symlink()), *sorted(names)]:
            path = Path(here) / name
            if name[0] == ".":
                continue
            if path.is_symlink():
                if not path.resolve().is_relative_to(root):
                    skipped.append((path.relative_to(folder).as_posix(), BadRow(0, OUTSIDE)))
            elif not path.is_file():
                skipped.append((path.relative_to(folder).as_posix(), BadRow(0, NOT_A_FILE)))
            elif not os.access(path, os.R_OK):
                skipped.append((path.relative_to(folder).as_posix(), BadRow(0, NO_PERMISSION)))
            else:
                files.append(path)
    return sorted(files), skipped
