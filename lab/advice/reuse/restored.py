"""Restored weights as plain JSON: an artifact "reuse" beside the advice that they mend."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from lab.advice.design.swarm import with_weights
from lab.advice.stored import ANSWER, keep_answer, newest
from lab.core.artifacts import Artifact
from lab.core.estimate import Estimate
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe

STEP = "reuse"
VERSION: Final = 4


@dataclass(frozen=True, slots=True)
class Restored:
    """Weights of all sources after those in `changed` were learned anew, the others in frozen
    ratios; `natural` and `caps` by source. `coupling` as in `lab.advice.reuse.reuse`.
    """

    verdict: str
    p_better: float
    changed: tuple[str, ...]
    weights: Mapping[str, Estimate]
    natural: Mapping[str, float]
    caps: Mapping[str, float]
    coupling: float | None
    runs: tuple[str, ...]
    notes: tuple[str, ...]


def restored_recipe(recipe: Recipe, told: Restored, name: str) -> Recipe:
    """The recipe with the restored weights in all its phases."""
    weights = {n: told.weights[n].value if n in told.weights else 0.0 for n in recipe.sources}
    return with_weights(recipe, name, weights)


def save(ws: Workspace, recipe: Recipe, told: Restored) -> Artifact:
    """Store restored weights for `recipe`."""
    return keep_answer(ws, STEP, VERSION, recipe, restored_mapping(told), told.verdict)


def latest_restored(ws: Workspace, recipe: Recipe) -> tuple[Restored, bool] | None:
    """(the weights restored last for a recipe of this name, whether they are of the data as it is
    now), or None.
    """
    found = newest(ws, STEP, VERSION, recipe)
    return (read_restored(read_json(found[0].path / ANSWER)), found[1]) if found else None


def restored_mapping(told: Restored) -> dict[str, Any]:
    """Restored weights as JSON values."""
    values = {name: getattr(told, name) for name in Restored.__slots__}
    return values | {"weights": {name: asdict(value) for name, value in told.weights.items()}}


def read_restored(mapping: Mapping[str, Any]) -> Restored:
    """What `restored_mapping` wrote."""
    weights = {name: Estimate(**value) for name, value in mapping["weights"].items()}
    tuples = {key: tuple(mapping[key]) for key in ("changed", "runs", "notes")}
    return Restored(**dict(mapping) | tuples | {"weights": weights})
