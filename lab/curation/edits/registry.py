"""The edits by name, and their application to texts.

An edit is a pure function of the text. Its version is part of the identity of every edited text:
raise it when the function gives another result for some text, also where the change lies in what it
calls (the line tests of `signals.c4`, the patterns of `pii`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.curation.edits.c4_lines import drop_lines, drop_lines_fineweb
from lab.curation.edits.masking import mask_personal
from lab.curation.edits.refinedweb_lines import correct_lines

C4 = "Raffel et al. 2020, arXiv:1910.10683; datatrove 0.10 C4QualityFilter"
FINEWEB = "Penedo et al. 2024, arXiv:2406.17557; datatrove 0.10 examples/fineweb.py"
DCLM = "Penedo et al. 2023, arXiv:2306.01116; DCLM refinedweb.yaml"
DOLMA = "Soldaini et al. 2024, arXiv:2402.00159"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to texts: what it does, in words, and whose it is."""

    apply: Callable[[pl.Series], pl.Series]
    words: str
    source: str
    version: int


EDITS = {
    "c4-lines": Edit(
        drop_lines,
        "drops lines without an end mark, of fewer than three words, or about JavaScript, cookies "
        "and terms of use; cuts citations such as [12]",
        C4,
        1,
    ),
    "c4-lines-fineweb": Edit(
        drop_lines_fineweb, "as c4-lines, but lines need no end mark", FINEWEB, 1
    ),
    "refinedweb-lines": Edit(
        correct_lines,
        "drops lines mostly of capitals, of digits only, of one word, and counters (3 likes); cuts "
        '"items in cart", "Read more..." and "Sign-in" out of short lines',
        DCLM,
        1,
    ),
    "mask-pii": Edit(
        mask_personal,
        "replaces e-mail addresses, telephone, IP, card, account and identity numbers by tokens",
        DOLMA,
        1,
    ),
}


def apply_edits(text: pl.Series, edits: Sequence[str]) -> pl.Series:
    """`text` after `edits` one after the other; null stays null.

    Raises ConfigError for an unknown edit, or none.
    """
    check_edits(edits)
    edited = text.fill_null("")
    for name in edits:
        edited = EDITS[name].apply(edited)
    frame = pl.DataFrame({"text": text, "edited": edited.rename("edited")})
    kept = pl.when(pl.col("text").is_not_null()).then("edited")
    return frame.select(kept.alias(text.name))[text.name]


def check_edits(edits: Sequence[str]) -> None:
    """ConfigError for an unknown edit, a repeated one, or none."""
    for name in edits:
        if name not in EDITS:
            raise ConfigError(
                f"Unknown edit {name!r}.", where="edits", value=name, next_step=nearest(name, EDITS)
            )
    if not edits or len(set(edits)) < len(edits):
        raise ConfigError(
            "Name one or more edits, each once.",
            where="edits",
            value=list(edits),
            next_step=nearest("", EDITS),
        )


def identity(edits: Sequence[str]) -> list[str]:
    """`NAME@VERSION` of each edit, in order: what edited texts are known by."""
    check_edits(edits)
    return [f"{name}@{EDITS[name].version}" for name in edits]
