"""N-grams that may be shared: what stands in a benchmark and everywhere else.

The list is a file of the workspace, `reviews/allowed_ngrams.txt`, one n-gram a line, lower-cased
and without punctuation; it can be read, edited and mailed, and changing it makes earlier searches
missing. It spares n-grams of its own length only, so a list of 13 words leaves the 7-gram ratio
alone (phi-4's allowed13).

`contamination.common` proposes one.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lab.core.errors import ConfigError, DataError
from lab.core.files import digest, write_text
from lab.core.workspace import Workspace


def allowed_file(ws: Workspace) -> Path:
    """Where the list is."""
    return ws.folder("reviews", "allowed_ngrams.txt")


def read_allowed(ws: Workspace, ngram: int) -> list[str]:
    """The allowed n-grams of this length, sorted; none without a list."""
    path = allowed_file(ws)
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [
        line for line in sorted({" ".join(line.split()) for line in lines}) if is_ngram(line, ngram)
    ]


def is_ngram(line: str, ngram: int) -> bool:
    """True for a line of exactly `ngram` words."""
    return len(line.split()) == ngram


def allowed_digest(ws: Workspace, ngram: int) -> str:
    """A name for the list as it stands, "" if it spares nothing of this length."""
    allowed = read_allowed(ws, ngram)
    return digest(allowed) if allowed else ""


def allow(ws: Workspace, ngrams: Sequence[str]) -> int:
    """Replace the list by `ngrams`, normalised as texts are; returns how many are different.

    Raises DataError for a line without words.
    """
    from lab.curation.words import spell

    spelt = spell(pl.Series(list(ngrams), dtype=pl.String)).list.join(" ")
    if empty := int((spelt == "").sum()):
        raise DataError(
            f"{empty} of {len(ngrams)} lines hold no word.",
            where="allowed n-grams",
            next_step="write one n-gram a line",
        )
    lines = spelt.unique().sort().to_list()
    write_text(allowed_file(ws), "".join(f"{line}\n" for line in lines))
    return len(lines)


def allow_file(ws: Workspace, path: Path) -> int:
    """`allow` for the lines of a file, blank ones aside."""
    if not path.is_file():
        raise ConfigError("There is no such file.", where="allowed n-grams", value=str(path))
    lines = path.read_text("utf-8").splitlines()
    return allow(ws, [line for line in lines if line.strip()])
