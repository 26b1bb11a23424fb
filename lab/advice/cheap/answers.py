"""Stored first answers: what a cheap predictor proposed, with its agreement, as plain JSON.

An artifact "first_answer" per recipe, method and source models; a page or terminal shows the last.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from lab.advice.cheap.agreement import AGREEMENT
from lab.core.artifacts import Artifact, build, load
from lab.core.estimate import Estimate
from lab.core.files import digest, read_json, write_json
from lab.core.workspace import Workspace
from lab.evaluation.runs.checkpoints import model_hash
from lab.mixture.recipe import Recipe, recipe_id

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What a cheap predictor proposes, and how well it ordered mixtures that were trained.

    `weights`: source -> Estimate (MixMin: over which text was held out; merged: over laws fitted to
    merged models). `free` is the optimum without caps. `predictions`: metric, natural, recipe,
    proposal, as costs in the predictor's own scale. `agreement`: columns of AGREEMENT, the last row
    the mean of all metrics. `gap` certifies MixMin's optimum, in bits a byte; None if merged.
    """

    method: str
    pieces: str
    size: str
    tokens: int
    seed: int
    shared: float
    runs: tuple[str, ...]
    metrics: tuple[str, ...]
    weights: Mapping[str, Estimate]
    natural: Mapping[str, float]
    caps: Mapping[str, float]
    free: Mapping[str, float]
    predictions: pl.DataFrame
    agreement: pl.DataFrame
    gap: float | None
    notes: tuple[str, ...]

    @property
    def proposal(self) -> dict[str, float]:
        """The proposed weights; they sum to one."""
        return {name: estimate.value for name, estimate in self.weights.items()}


def save(ws: Workspace, recipe: Recipe, told: FirstAnswer) -> Artifact:
    """Store an answer for `recipe`."""
    mapping = answer_mapping(told)
    about = {"recipe": recipe.name, "recipe_id": recipe_id(recipe), "method": told.method}

    def make(folder: Path) -> dict[str, Any]:
        write_json(folder / "answer.json", mapping)
        return about

    inputs = [model_hash(ws.runs / name) for name in told.runs]
    return build(ws, "first_answer", VERSION, about | {"answer": digest(mapping)}, inputs, make)


def latest_answer(ws: Workspace, recipe: str, method: str) -> FirstAnswer | None:
    """The answer of `method` stored last for the recipe of that name, or None."""
    found = [load(path.parent) for path in (ws.artifacts / "first_answer").glob("*/manifest.json")]
    about = {"recipe": recipe, "method": method, "version": VERSION}
    known = [a for a in found if a and about.items() <= a.manifest.items()]
    if not known:
        return None
    newest = max(known, key=lambda a: (a.manifest["created"], a.id))
    return read_answer(read_json(newest.path / "answer.json"))


def answer_mapping(told: FirstAnswer) -> dict[str, Any]:
    """An answer as JSON values."""
    plain = {name: getattr(told, name) for name in FirstAnswer.__slots__}
    return plain | {
        "weights": {name: asdict(value) for name, value in told.weights.items()},
        "predictions": told.predictions.to_dicts(),
        "agreement": told.agreement.to_dicts(),
    }


def read_answer(mapping: Mapping[str, Any]) -> FirstAnswer:
    """The answer that `answer_mapping` wrote."""
    values = dict(mapping)
    values |= {key: tuple(mapping[key]) for key in ("runs", "metrics", "notes")}
    values["weights"] = {name: Estimate(**value) for name, value in mapping["weights"].items()}
    values["predictions"] = pl.DataFrame(mapping["predictions"])
    values["agreement"] = pl.DataFrame(mapping["agreement"], schema=AGREEMENT)
    return FirstAnswer(**values)
