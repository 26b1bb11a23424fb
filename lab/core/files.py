"""Writing so that a reader, or a machine that dies, sees the old content or the new, never half.

A file is written beside its place and renamed; a folder is filled under a temporary name and
renamed as a whole. `fsync` runs before the rename, so a power cut cannot leave a named, empty file,
nor a named folder with empty files in it.
"""

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from lab.core.errors import ConfigError, DataError, LabError

TRUTH = "tag:yaml.org,2002:bool"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CHUNK = 1 << 20  # bytes read at once while hashing
MOST_NODES = 100_000  # of a YAML file with its aliases written out; a long recipe has 1,000


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` with `content` in one step; a disk that is full or cannot be written raises
    LabError and leaves the old file.
    """
    temp = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temp.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temp.replace(path)
    except OSError as error:
        with suppress(OSError):
            temp.unlink()
        raise disk_error(error, path) from error


def flush(path: Path) -> None:
    """Wait until the content of a file, or the list of names in a folder, is on the disk."""
    if os.name != "posix" and path.is_dir():
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, content: str) -> None:
    """`write_bytes` for UTF-8 text."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON, keys in the order given; NaN is refused because JSON has none."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file; DataError with the place of the mistake if it is not JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            "This file is not JSON.",
            where=str(path),
            value=str(error),
            next_step="restore it from a copy, or delete it and run the step again",
        ) from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, read with the safe loader; ConfigError names line and column."""
    try:
        text = path.read_text("utf-8")
        refuse_repeats(yaml.compose(text, Loader=LOADER), path)
        return parse_yaml(text)
    except (IsADirectoryError, PermissionError) as error:
        raise ConfigError(
            "This file cannot be read.",
            where=str(path),
            value=error.strerror,
            next_step="name a YAML file that you may read",
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a day 2026-13-45
        raise ConfigError(
            "This file is not YAML.",
            where=str(path),
            value=str(error),
            next_step="correct the line named above",
        ) from error


def refuse_repeats(node: yaml.Node | None, path: Path) -> None:
    """ConfigError for a key written twice in one mapping: YAML readers keep the last, silently.

    Also for a file whose aliases, written out, make it huge or endless ("billion laughs").
    """
    waiting, met = [node], 0
    while waiting:
        here, met = waiting.pop(), met + 1
        if met + len(waiting) > MOST_NODES:
            raise ConfigError(
                f"This file holds more than {MOST_NODES:,} values.",
                where=str(path),
                next_step="write out what an alias (*name) repeats; aliases of aliases add up",
            )
        if isinstance(here, yaml.MappingNode):
            refuse_repeated_keys(here, path)
            waiting += [value for _, value in here.value]
        elif isinstance(here, yaml.SequenceNode):
            waiting += here.value


def refuse_repeated_keys(node: yaml.MappingNode, path: Path) -> None:
    """ConfigError for a key of `node` that is no plain word, or stands there twice.

    YAML 1.1 reads the bare words no, on, yes, true as truth values; only `off` means a key here.
    """
    seen = set()
    for key, _ in node.value:
        if key.tag == TRUTH and key.value.lower() != "off":
            raise ConfigError(
                f"YAML reads the key {key.value!r} as true or false.",
                where=f"{path}, line {key.start_mark.line + 1}",
                value=key.value,
                next_step=f'write "{key.value}" in quotes if that is its name',
            )
        plain = isinstance(key, yaml.ScalarNode)
        if not plain or key.value in seen:
            raise ConfigError(
                f"The key {key.value!r} is written twice." if plain else "A key is a plain word.",
                where=f"{path}, line {key.start_mark.line + 1}",
                value=key.value if plain else None,
                next_step="keep one of the two" if plain else "write `key: value`",
            )
        seen.add(key.value)


def parse_yaml(text: str) -> Any:
    """`text` read by libyaml, eight times as fast as Python's reader; pages read YAML on every run.

    A mistake is looked at again by the slow reader, which names its place better.
    """
    try:
        return yaml.load(text, Loader=LOADER)
    except yaml.YAMLError:
        return yaml.safe_load(text)


def write_yaml(path: Path, value: object) -> None:
    """Write `value` as YAML in the order given."""
    write_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def digest(value: object) -> str:
    """20 hex characters of the SHA-256 of `value` as canonical JSON: the id of whatever it
    describes.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:20]


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """A temporary folder that becomes `final` when the block ends without an error.

    If another process published the same folder meanwhile, theirs stays: same id, same content.
    """
    temp = final.with_name(f".{final.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temp.mkdir(parents=True)
        yield temp
        publish(temp, final)
    except OSError as error:
        raise disk_error(error, final) from error
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def publish(temp: Path, final: Path) -> None:
    """Bring all of `temp` to the disk and rename it to `final`; a `final` that exists is kept."""
    for path in [*temp.rglob("*"), temp]:
        with suppress(FileNotFoundError):  # another process at the same folder has renamed it
            flush(path)
    try:
        temp.rename(final)
    except OSError:
        if not final.is_dir():
            raise
    flush(final.parent)


def clear_halves(folder: Path) -> None:
    """Delete what killed processes left of `new_folder` in `folder`; nobody may be at it now."""
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path)


def disk_error(error: OSError, path: Path) -> LabError:
    """An OSError in words a person can act on, with the free space where the file should be."""
    folder = next(p for p in [path, *path.parents] if p.exists())
    free = shutil.disk_usage(folder).free / 1e9
    refused = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    cure = "make the folder writable" if refused else "free some space"
    return LabError(
        f"Writing failed: {error.strerror or error}.",
        where=str(path),
        value=f"{free:.2f} GB free",
        next_step=f"{cure} or choose a workspace on another disk, then run the step again; "
        "nothing that was finished is lost",
    )


def confined(root: Path, name: str) -> Path:
    """`root/name` if it lies inside `root` after links are resolved; ConfigError otherwise."""
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()) or path == root.resolve():
        raise ConfigError(
            "This name leads outside its folder.",
            where=str(root),
            value=name,
            next_step="use letters, digits, '-', '_' and '.'",
        )
    return path
