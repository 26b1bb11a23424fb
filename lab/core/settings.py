"""Strict settings: a mapping becomes a frozen dataclass, and a misspelt key is an error.

A key that silently does nothing is the commonest fault of data tools (see allenai/dolma#231), so
unknown keys are refused with the nearest valid name, and a wrong type with the place and the value.
"""

import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from lab.core.errors import ConfigError, nearest

T = TypeVar("T")


def known_keys(mapping: object, allowed: set[str], where: str) -> dict[str, Any]:
    """`mapping` as a dict if it is one and holds only `allowed` keys; ConfigError otherwise."""
    if not isinstance(mapping, Mapping):
        raise ConfigError(
            "A mapping of keys to values was expected here.",
            where=where,
            value=mapping,
            next_step=f"write keys such as {', '.join(sorted(allowed)[:4])}",
        )
    for key in mapping:
        if key not in allowed:
            raise ConfigError(
                f"Unknown key {key!r}.",
                where=where,
                value=mapping[key],
                next_step=nearest(str(key), allowed),
            )
    return dict(mapping)


def from_mapping(kind: type[T], mapping: object, where: str) -> T:
    """Dataclass `kind` from `mapping`; unknown or missing keys and wrong scalars are refused."""
    specs = fields(kind)  # type: ignore[arg-type]
    values = known_keys(mapping, {f.name for f in specs}, where)
    hints = get_type_hints(kind)
    for spec in specs:
        required = spec.default is MISSING and spec.default_factory is MISSING
        if spec.name not in values:
            if required:
                raise ConfigError(f"Key {spec.name!r} is missing.", where=where, next_step="add it")
            continue
        values[spec.name] = scalar(hints[spec.name], values[spec.name], f"{where}.{spec.name}")
    return kind(**values)


def scalar(hint: Any, value: Any, where: str) -> Any:
    """`value` checked against a scalar hint (int widens to float); other hints pass."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if value is None and NoneType in options:
        return None
    plain = [t for t in options if t in (bool, int, float, str)]
    if not plain or len(plain) < len([t for t in options if t is not NoneType]):
        return value
    if isinstance(value, bool) and bool not in plain:
        raise wrong_type(value, plain, where)
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and float in plain
        and int not in plain
        and abs(value) <= sys.float_info.max  # 10**400 is an int that no float holds
    ):
        return float(value)
    if not isinstance(value, tuple(plain)):
        raise wrong_type(value, plain, where)
    return value


def wrong_type(value: object, plain: list[type], where: str) -> ConfigError:
    """The error for a value of the wrong scalar type."""
    names = " or ".join(t.__name__ for t in plain)
    return ConfigError(
        f"A value of type {names} was expected.",
        where=where,
        value=value,
        next_step="write it without quotes" if isinstance(value, str) else f"write a plain {names}",
    )
