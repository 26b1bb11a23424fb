"""All definitions in one place, the named sets of them, and the way from a name to an id."""

from collections.abc import Sequence

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.curation.signals import basic, c4, fineweb, gopher, repetition
from lab.curation.signals.definitions import Definition

SIGNALS: dict[Definition, pl.Expr] = {
    **gopher.SIGNALS,
    **fineweb.SIGNALS,
    **repetition.SIGNALS,
    **c4.SIGNALS,
    **basic.SIGNALS,
}
DEFINITIONS = tuple(SIGNALS)
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
