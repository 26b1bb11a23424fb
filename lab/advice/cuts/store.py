"""Stored choices of thresholds and weights, as plain JSON: an artifact "thresholds" a choice."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import polars as pl

from lab.advice.cuts.answer import POOLS, CutAnswer
from lab.advice.optimising.thresholds import Cuts
from lab.advice.stored import ANSWER, keep_answer, newest
from lab.core.artifacts import Artifact
from lab.core.estimate import Estimate
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe

STEP = "thresholds"
VERSION: Final = 2


def save(ws: Workspace, recipe: Recipe, told: CutAnswer) -> Artifact:
    """Store a choice for `recipe`; one that was stored before becomes the latest again."""
    return keep_answer(ws, STEP, VERSION, recipe, answer_mapping(told), told.choice.verdict)


def latest_cuts(ws: Workspace, recipe: Recipe) -> tuple[CutAnswer, bool] | None:
    """(the choice stored last for a recipe of this name, whether it is of the recipe as it is now),
    or None.
    """
    found = newest(ws, STEP, VERSION, recipe)
    return (read_answer(read_json(found[0].path / ANSWER)), found[1]) if found else None


def answer_mapping(told: CutAnswer) -> dict[str, Any]:
    """A choice as JSON values."""
    values = {name: getattr(told, name) for name in CutAnswer.__slots__}
    return values | {"choice": cuts_mapping(told.choice), "pools": told.pools.to_dicts()}


def cuts_mapping(choice: Cuts) -> dict[str, Any]:
    """What the optimiser chose as JSON values."""
    values = {name: getattr(choice, name) for name in Cuts.__slots__}
    return values | {
        "weights": {name: asdict(value) for name, value in choice.weights.items()},
        "gain": asdict(choice.gain),
        "worth": asdict(choice.worth),
        "table": choice.table.to_dicts(),
    }


def read_answer(mapping: Mapping[str, Any]) -> CutAnswer:
    """The choice that `answer_mapping` wrote."""
    inner = dict(mapping["choice"])
    inner["weights"] = {name: Estimate(**value) for name, value in inner["weights"].items()}
    inner |= {key: Estimate(**inner[key]) for key in ("gain", "worth")}
    inner |= {"table": pl.DataFrame(inner["table"]), "notes": tuple(inner["notes"])}
    values = dict(mapping) | {"choice": Cuts(**inner)}
    values |= {key: tuple(mapping[key]) for key in ("runs", "targets", "notes")}
    return CutAnswer(**values | {"pools": pl.DataFrame(mapping["pools"], POOLS)})
