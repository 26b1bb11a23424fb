"""Laws that predict scores from mixture weights, one file each; `LAWS` names them."""

from collections.abc import Mapping
from typing import Any

from lab.advice.laws.law import Fitted, Law
from lab.advice.laws.linear import Linear
from lab.advice.laws.log_linear import LogLinear
from lab.advice.laws.power_law import PowerLaw
from lab.core.errors import ConfigError, nearest

LAWS: dict[str, Law] = {law.name: law for law in (Linear(), LogLinear(), PowerLaw())}


def get_law(name: str) -> Law:
    """The law of that name; ConfigError names the nearest."""
    if name not in LAWS:
        raise ConfigError(f"Unknown law {name!r}.", next_step=nearest(name, LAWS))
    return LAWS[name]


def restore(mapping: Mapping[str, Any]) -> Fitted:
    """The fit that `Fitted.mapping` wrote."""
    return get_law(str(mapping["law"])).restore(mapping)


__all__ = ["LAWS", "Fitted", "Law", "get_law", "restore"]
