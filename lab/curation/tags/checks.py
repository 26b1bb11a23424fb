"""What can be a tag, a document's id, a note: checked before an event is written for good."""

import re
from collections.abc import Sequence

import polars as pl

from lab.core.errors import ConfigError, DataError, nearest
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def check_tag(name: str) -> None:
    """ConfigError unless `name` can be a tag and the end of a column's name."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(
            "This cannot be the name of a tag.",
            value=name,
            next_step="use a-z, 0-9, '-' and '_', beginning with a letter or digit, at most 63",
        )


def check_id(name: str) -> None:
    """DataError unless `name` has the form of a document's id."""
    source, slash, rest = name.partition("/") if isinstance(name, str) else ("", "", "")
    if not (source and slash and rest):
        raise DataError("A document's id is SOURCE/ID.", value=name)
    checked(name, 10_000, "id")


def check_documents(ws: Workspace, ids: Sequence[str]) -> None:
    """DataError unless every id is a document of the workspace: for ids that a person typed."""
    for name in ids:
        check_id(name)
    names = {name.partition("/")[0] for name in ids}
    known = [source.name for source in list_sources(ws)]
    found: set[str] = set()
    for source in sorted(names & set(known)):
        own = documents(ws, source).scan().select("id").filter(pl.col("id").is_in(list(ids)))
        found |= set(own.collect()["id"])
    missing = [name for name in ids if name not in found]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(ids)} ids are no documents of this workspace.",
            where="ids",
            value=missing[:3],
            next_step="ids are SOURCE/ID; " + nearest(missing[0].partition("/")[0], known),
        )


def checked(text: str, limit: int, what: str) -> str:
    """`text`, or DataError if it is too long or not Unicode."""
    if len(text) > limit:
        raise DataError(f"A {what} has at most {limit:,} characters.", value=len(text))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(f"This {what} is not valid Unicode.", value=text) from error
    return text
