"""What a file is: decided by its name, checked against its first bytes.

Text formats cannot be told apart by content (a line of JSON is also a line of CSV), so the
extension decides; binary ones announce themselves, so a name that says otherwise is an error and no
guess is made. A name without a known extension is a text file.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from lab.core.errors import ConfigError
from lab.corpus.readers.rows import excerpt

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
COMPANION = re.compile(r"(readme|licen[sc]e|citation|changelog|dataset_infos?\b|_success)", re.I)
HEAD = 64  # bytes of a file that `classify` wants


def classify(name: str, head: bytes, where: str) -> tuple[str, str]:
    """(format, compression) of a file called `name` that begins with `head`.

    An empty `head` means that nothing is known about the content. Raises ConfigError if name and
    content disagree; `where` names the file in it.
    """
    form, compression = by_name(name)
    promised = compression or ("parquet" if form == "parquet" else "")
    held = content_of(head)
    if head and held != promised and not (form == "text" and not held):
        raise mismatch(promised or form, held, head, where)
    if not compression:
        refuse_wrong_text(name, form, head, where)
    return form, compression


def by_name(name: str) -> tuple[str, str]:
    """(format, compression) that a file's name promises; "text" for names that promise nothing."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    compression = COMPRESSIONS.get(suffixes[-1], "") if suffixes else ""
    inner = suffixes[-2:-1] if compression else suffixes[-1:]
    form = FORMATS.get(inner[0], "text") if inner else "text"
    if compression and form in ("text", "parquet"):
        return "text", ""  # its content is compressed, which `classify` refuses
    return form, compression


def is_data(name: str) -> bool:
    """True if the name promises rows rather than one text."""
    return by_name(name)[0] != "text"


def rows_or_texts(names: Sequence[str], where: str) -> list[str]:
    """Of the files in one folder, its data files, or all if it has none.

    Raises ConfigError for a folder that mixes both: either reading would drop half of it unasked.
    """
    data = [name for name in names if is_data(name)]
    texts = [n for n in names if not is_data(n) and not COMPANION.match(PurePosixPath(n).name)]
    if data and texts:
        first, second = (f"*{PurePosixPath(group[0]).suffix}" for group in (data, texts))
        raise ConfigError(
            f"This folder mixes {len(data)} data files with {len(texts)} text files.",
            where=where,
            value=[data[0], texts[0]],
            next_step=f"name one kind with a glob: '{where}/**/{first}' or '{where}/**/{second}'",
        )
    return data or list(names)


def content_of(head: bytes) -> str:
    """The binary format that begins with `head`, or "" if it is none of those known."""
    if len(head) > 3 and head[1:4] == b"\x2a\x4d\x18":
        return "zstd"  # a skippable frame, as pzstd writes first
    return next((form for magic, form in MAGIC.items() if head.startswith(magic)), "")


def refuse_wrong_text(name: str, form: str, head: bytes, where: str) -> None:
    """ConfigError for the two mistakes between text formats that the first bytes give away."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if form in ("csv", "tsv") and start.startswith(b'{"'):
        raise mismatch(form, "jsonl", head, where)
    if name.lower().endswith(".json") and start.startswith(b"["):
        raise ConfigError(
            "This file holds one JSON array; rows are read from JSON lines.",
            where=where,
            value=excerpt(head),
            next_step="write one object a line: `jq -c '.[]' FILE.json > FILE.jsonl`",
        )


def mismatch(promised: str, held: str, head: bytes, where: str) -> ConfigError:
    """The error for a file whose extension and content disagree."""
    known = ", ".join([*FORMATS, "and .gz or .zst after the text ones"])
    return ConfigError(
        f"The name says {promised}, the content is {held or 'something else'}.",
        where=where,
        value=excerpt(head[:16]),
        next_step=f"give it the extension of what it holds ({known}), or unpack it",
    )
