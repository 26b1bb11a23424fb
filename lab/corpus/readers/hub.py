"""Datasets on the Hugging Face hub, streamed: nothing is downloaded whole.

    hf://datasets/OWNER/NAME[@REVISION]/PATH   files, folders, globs: each by the reader of its
                                               format, through huggingface_hub's file system
    OWNER/NAME[:CONFIG][@SPLIT]                a dataset as its authors defined it: `datasets`

A branch is resolved to its commit once, so that what is read has an identity and cannot change on
the way. `HF_ENDPOINT` and `HF_TOKEN` work as everywhere. The first form is the robust one: bad rows
are quarantined one by one, where `datasets` gives up at the first. Dataset scripts are never run.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from lab.core.errors import ConfigError, DataError, DependencyMissing, nearest
from lab.corpus.readers.formats import by_name, rows_or_texts
from lab.corpus.readers.rows import Row

HUB_ID = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(:(?P<config>[\w.-]+))?(@(?P<split>[\w.-]+))?")
HUB_PATH = re.compile(
    r"hf://datasets/(?P<repo>[^/@]+/[^/@]+)(@(?P<revision>[^/]+))?(/(?P<path>.*))?"
)
BLOCK = 4 << 20  # bytes a range request asks for


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file or a whole dataset on the hub, pinned to a commit."""

    name: str  # path in the repository, or the hub id
    path: str  # `hf://` path with the commit, or the hub id
    form: str  # jsonl, csv, tsv, parquet, text, hub
    compression: str = ""
    size: int = 0
    version: str = ""  # the file's blob id, or the dataset's commit


def find_files(uri: str) -> list[HubFile]:
    """The files behind an `hf://datasets/` path, sorted by name."""
    match = HUB_PATH.fullmatch(uri)
    if match is None:
        raise ConfigError(
            "This is no path to a dataset on the hub.",
            value=uri,
            next_step="write hf://datasets/OWNER/NAME/PATH or hf://datasets/OWNER/NAME@REVISION/PATH",
        )
    from huggingface_hub import HfFileSystem

    repo, inner = match["repo"], (match["path"] or "").strip("/")
    with reachable(uri):
        root = f"datasets/{repo}@{commit(repo, unquote(match['revision'] or 'main'))}"
        system = HfFileSystem()
        pattern = f"{root}/{inner}".rstrip("/")
        search: Any = system.glob if re.search(r"[*?\[]", inner) else system.find
        found: dict[str, dict[str, Any]] = search(pattern, detail=True)
    files = [hub_file(root, info) for _, info in sorted(found.items()) if info["type"] == "file"]
    visible = {file.name: file for file in files if "/." not in f"/{file.name}"}
    if not visible:
        raise ConfigError(
            "No file matches.", where=uri, next_step="look at the dataset's file list"
        )
    return [visible[name] for name in rows_or_texts(list(visible), uri)]


def hub_file(root: str, info: dict[str, Any]) -> HubFile:
    """The file that one entry of a listing describes."""
    name = str(info["name"]).removeprefix(f"{root}/")
    path = f"hf://{root}/{name}"
    return HubFile(name, path, *by_name(name), int(info["size"] or 0), str(info["blob_id"]))


def find_dataset(spec: str) -> HubFile:
    """A dataset by its hub id; ConfigError if there is none."""
    match = HUB_ID.fullmatch(spec)
    assert match is not None, "the caller matched HUB_ID"
    with reachable(spec):
        return HubFile(spec, spec, "hub", version=commit(match["repo"], "main"))


def commit(repo: str, revision: str) -> str:
    """The commit that `revision` of dataset `repo` stands for now."""
    from huggingface_hub import HfApi

    return str(HfApi().dataset_info(repo, revision=revision).sha)


def open_file(file: HubFile) -> BinaryIO:
    """Open a file on the hub for reading and seeking; failures of the network are LabErrors."""
    from huggingface_hub import HfFileSystem

    with reachable(file.path):
        handle = HfFileSystem().open(file.path, "rb", block_size=BLOCK)
    return io.BufferedReader(Remote(handle, file.path), BLOCK)


class Remote(io.RawIOBase):
    """A remote file whose errors cannot be mistaken for a broken file (they are no OSErrors)."""

    def __init__(self, handle: Any, where: str) -> None:
        self.handle = handle
        self.where = where

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always: by range requests."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place; costs nothing until the next read."""
        return int(self.handle.seek(offset, whence))

    def tell(self) -> int:
        """The place in the file."""
        return int(self.handle.tell())

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`; DependencyMissing if the hub went away."""
        with reachable(self.where):
            content = self.handle.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def read_dataset(file: HubFile) -> Iterator[Row]:
    """Yield the rows of a dataset named by its hub id, numbered from 1."""
    with reachable(file.path):
        for number, values in enumerate(stream(file), start=1):
            yield Row(number, values)


def stream(file: HubFile) -> Iterator[dict[str, Any]]:
    """The rows as `datasets` streams them; ConfigError for a wrong config or split."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

    match = HUB_ID.fullmatch(file.path)
    assert match is not None, "find_dataset made this file"
    try:
        splits = load_dataset(
            match["repo"], name=match["config"], revision=file.version, streaming=True
        )
    except (ValueError, RuntimeError, DatasetNotFoundError) as error:
        raise ConfigError(
            "The dataset cannot be opened so.",
            where=file.path,
            value=str(error),
            next_step="write OWNER/NAME:CONFIG@SPLIT, or read its files: hf://datasets/OWNER/NAME/**",
        ) from error
    try:
        yield from splits[choose_split(list(splits), match["split"], file.path)]
    except (DatasetGenerationError, ValueError, TypeError) as error:
        raise DataError(
            "The dataset broke while it was read.",
            where=file.path,
            value=str(error),
            next_step=f"read its files, where bad rows are set aside: hf://datasets/{match['repo']}/**",
        ) from error


def choose_split(splits: list[str], wanted: str | None, where: str) -> str:
    """The split asked for, else the only one, else "train"."""
    if wanted is None and len(splits) == 1:
        return splits[0]
    name = wanted or "train"
    if name not in splits:
        raise ConfigError(
            f"There is no split {name!r}.",
            where=where,
            value=splits,
            next_step=nearest(name, splits),
        )
    return name


@contextmanager
def reachable(where: str) -> Iterator[None]:
    """Turn what the hub's client raises into errors that say what to do."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: its client's
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        LocalEntryNotFoundError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    missing = (RepositoryNotFoundError, RevisionNotFoundError, RemoteEntryNotFoundError)
    try:
        yield
    except GatedRepoError as error:
        raise DependencyMissing(
            "This dataset asks for a login.",
            where=where,
            value=str(error),
            next_step="accept its terms on the hub, then `hf auth login` or set HF_TOKEN",
        ) from error
    except LocalEntryNotFoundError as error:  # offline mode, and not in the cache
        raise unreachable(where, error) from error
    except (*missing, FileNotFoundError) as error:
        raise ConfigError(
            "The hub has no such dataset, revision or file, and there is no such local path.",
            where=where,
            value=str(error),
            next_step="check the spelling; a private dataset needs `hf auth login`",
        ) from error
    except (HTTPError, HfHubHTTPError, ConnectionError, TimeoutError) as error:
        raise unreachable(where, error) from error


def unreachable(where: str, error: Exception) -> DependencyMissing:
    """The error for a hub that does not answer."""
    return DependencyMissing(
        "The Hugging Face hub cannot be reached.",
        where=where,
        value=str(error),
        next_step="check the path if a local one was meant, else the network and HF_ENDPOINT; or "
        "run `hf download --repo-type dataset OWNER/NAME --local-dir DIR` elsewhere and add DIR",
    )


def download_tokenizer(repo: str) -> Path:
    """The folder in the local cache with `tokenizer.json` of a hub model; a copy there is used."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise ConfigError(
            "There is no such file or folder.", value=repo, next_step="check the path"
        )
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError

    cached = try_to_load_from_cache(repo, "tokenizer.json")
    if isinstance(cached, str):
        return Path(cached).parent
    with reachable(repo):
        version = HfApi().model_info(repo).sha  # fails at once where a download would try for 20 s
        file = Path(hf_hub_download(repo, "tokenizer.json", revision=version))
        with suppress(EntryNotFoundError):
            hf_hub_download(repo, "tokenizer_config.json", revision=version)
    return file.parent
