"""All definitions in one place, the named sets of them, and the way from a name to an id.

A definition is measured in one of two ways. `SIGNALS` maps it to a Polars expression over counted
columns (those of `words.SCANS`, `lines.splittings` and `c4.line_counts`, and `text`), which is how
ratios are made. `FUNCTIONS` maps a group of definitions to a function of the text, for what no
counted column gives (compression, a language model, patterns with checksums): it gets a String
series without nulls, of at most `batches.BATCH_BYTES`, and returns a frame with one column per
definition of its group, named by its id, rows in order. It is called only where one of its columns
is wanted, and imports what is heavy inside itself; a column may be a String.
"""

from collections.abc import Sequence

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.curation.signals import (
    basic,
    c4,
    compression,
    content,
    curator,
    dclm,
    dolma,
    fineweb,
    gopher,
    language,
    pii,
    redpajama,
    repetition,
    unicode,
)
from lab.curation.signals.definitions import Definition, Functions

SIGNALS: dict[Definition, pl.Expr] = {
    **gopher.SIGNALS,
    **fineweb.SIGNALS,
    **repetition.SIGNALS,
    **c4.SIGNALS,
    **basic.SIGNALS,
    **unicode.SIGNALS,
    **dolma.SIGNALS,
    **dclm.SIGNALS,
    **curator.SIGNALS,
    **redpajama.SIGNALS,
    **content.SIGNALS,
}
FUNCTIONS: Functions = {
    **curator.FUNCTIONS,
    **compression.FUNCTIONS,
    **language.FUNCTIONS,
    **pii.FUNCTIONS,
}
DEFINITIONS = (*SIGNALS, *(definition for group in FUNCTIONS for definition in group))
BY_ID = {definition.id: definition for definition in DEFINITIONS}
DEFAULTS = {d.name: d.id for d in reversed(DEFINITIONS)}  # the first definition of a name wins
FAMILIES = tuple(dict.fromkeys(d.family for d in DEFINITIONS))
SETS: dict[str, tuple[str, ...]] = {
    "all": tuple(BY_ID),
    **{family: tuple(d.id for d in DEFINITIONS if d.family == family) for family in FAMILIES},
}


def resolve(name: str) -> str:
    """The definition id of `name`: an id itself, or a bare name, meaning its default definition.

    Raises ConfigError with the nearest names. An id of a definition that is gone is never bound to
    another one: the same threshold on another formula is another filter.
    """
    found = name if name in BY_ID else DEFAULTS.get(name)
    if found is None:
        known = BY_ID if "@" in name else DEFAULTS
        raise ConfigError(f"Unknown signal {name!r}.", value=name, next_step=nearest(name, known))
    return found


def select(names: Sequence[str] | None) -> tuple[Definition, ...]:
    """The definitions of `names` in their order, each once; all for None."""
    if names is None:
        return DEFINITIONS
    return tuple(BY_ID[i] for i in dict.fromkeys(map(resolve, names)))
