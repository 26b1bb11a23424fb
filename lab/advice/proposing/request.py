"""What is asked of advice on a recipe, beside the recipe: one mapping for page, terminal and job.

Natural mixture, supply, budget and repeat cap are the recipe's own (`from_runs`). The rest is a
choice of whoever asks, and is stored with the answer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.core.errors import ConfigError
from lab.core.settings import known_keys

KEYS = {"targets", "kl", "guards", "caps", "current", "groups", "sizes"}


@dataclass(frozen=True, slots=True)
class Request:
    """`targets`: metrics whose mean is to fall (default: all in bits per byte that may be).

    `kl`: weight of KL to the natural mixture (None: the default); `guards`: metric -> epsilon in
    its own unit, no worse than natural by more; `caps`: source -> largest share, beside the supply;
    `current`: the mixture to compare with (default: the recipe's own); `groups`: name -> metrics,
    for a Pareto front; `sizes`: where next runs may be trained beside the fit's
    own size, as in `lab.advice.proposing.places.places_of` (default: the next larger).
    """

    targets: tuple[str, ...] = ()
    kl: float | None = None
    guards: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)
    current: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that is named, once."""
        grouped = [name for members in self.groups.values() for name in members]
        return tuple(dict.fromkeys([*self.targets, *self.guards, *grouped]))


def request_of(mapping: Mapping[str, Any]) -> Request:
    """The request that `mapping` holds, keys that are None left out; ConfigError says what is not
    one.
    """
    given = {k: v for k, v in known_keys(mapping, KEYS, "advise").items() if v is not None}
    if "kl" in given and not (is_number(given["kl"]) and given["kl"] >= 0):
        raise ConfigError(
            "The weight of KL is a number of at least 0.",
            where="kl",
            value=given["kl"],
            next_step="0.05 is the default; .005 to .1 were found best",
        )
    return Request(
        targets=names(given.get("targets", ()), "targets"),
        kl=float(given["kl"]) if "kl" in given else None,
        **{key: numbers(given.get(key, {}), key) for key in ("guards", "caps", "current")},
        groups={
            str(name): names(members, f"groups.{name}")
            for name, members in mapped(given.get("groups", {}), "groups").items()
        },
        sizes=names(given.get("sizes", ()), "sizes"),
    )


def request_mapping(request: Request) -> dict[str, Any]:
    """The request as JSON values; `request_of` reads it back."""
    groups = {name: list(members) for name, members in request.groups.items()}
    lists = {"targets": list(request.targets), "sizes": list(request.sizes)}
    return asdict(request) | lists | {"groups": groups}


def mapped(value: object, where: str) -> Mapping[str, Any]:
    """`value` if it is a mapping."""
    if not isinstance(value, Mapping):
        raise ConfigError(
            "A mapping of names was expected here.",
            where=where,
            value=value,
            next_step="give name: value pairs",
        )
    return value


def numbers(value: object, where: str) -> dict[str, float]:
    """name -> number."""
    found = mapped(value, where)
    for name, number in found.items():
        if not is_number(number):
            raise ConfigError(
                "A finite number was expected here.",
                where=f"{where}.{name}",
                value=number,
                next_step="an epsilon is in the metric's unit, a cap or weight is a share",
            )
    return {str(name): float(number) for name, number in found.items()}


def names(value: object, where: str) -> tuple[str, ...]:
    """Several names."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigError(
            "A list of names was expected here.",
            where=where,
            value=value,
            next_step="`mixlab gate` lists metrics that may be optimised for",
        )
    return tuple(map(str, value))


def is_number(value: object) -> bool:
    """Whether it is a finite number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
