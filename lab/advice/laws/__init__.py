"""Laws that predict scores from mixture weights, one file each; `LAWS` names them.

`AUTO` are those that `auto` chooses from. LightGBM is fitted when asked for by name: see there.
"""

from collections.abc import Mapping
from typing import Any

from lab.advice.laws.ces import Ces
from lab.advice.laws.combined import Combined
from lab.advice.laws.gp import GaussianProcess
from lab.advice.laws.law import Fitted, Law
from lab.advice.laws.lightgbm import LightGBM
from lab.advice.laws.linear import Linear
from lab.advice.laws.log_linear import LogLinear
from lab.advice.laws.power_law import PowerLaw
from lab.core.errors import ConfigError, nearest

LAWS: dict[str, Law] = {
    law.name: law
    for law in (
        Linear(), LogLinear(), PowerLaw(), Ces(), GaussianProcess(), Combined(), LightGBM()
    )
}  # fmt: skip
AUTO = tuple(name for name in LAWS if name != "lightgbm")


def get_law(name: str) -> Law:
    """The law of that name; ConfigError names the nearest."""
    if name not in LAWS:
        raise ConfigError(f"Unknown law {name!r}.", next_step=nearest(name, LAWS))
    return LAWS[name]


def candidates(model: str) -> tuple[str, ...]:
    """The laws to choose from for `model`: those of `AUTO` for "auto", else the one it names."""
    return AUTO if model == "auto" else (get_law(model).name,)


def restore(mapping: Mapping[str, Any]) -> Fitted:
    """The fit that `Fitted.mapping` wrote."""
    return get_law(str(mapping["law"])).restore(mapping)


__all__ = ["AUTO", "LAWS", "Fitted", "Law", "candidates", "get_law", "restore"]
