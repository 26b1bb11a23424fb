"""Stored weights by phase, as plain JSON: an artifact "phases" an answer."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from lab.advice.optimising.phases import PhaseAdvice
from lab.advice.order.answer import PhaseAnswer
from lab.advice.stored import ANSWER, keep_answer, newest
from lab.core.artifacts import Artifact
from lab.core.estimate import Estimate
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe

STEP = "phases"
VERSION: Final = 1


def save(ws: Workspace, recipe: Recipe, told: PhaseAnswer) -> Artifact:
    """Store weights by phase for `recipe`; those stored before become the latest again."""
    return keep_answer(ws, STEP, VERSION, recipe, answer_mapping(told), told.advice.verdict)


def latest_phases(ws: Workspace, recipe: Recipe) -> tuple[PhaseAnswer, bool] | None:
    """(the weights stored last for a recipe of this name, whether they are of the recipe as it is
    now), or None.
    """
    found = newest(ws, STEP, VERSION, recipe)
    return (read_answer(read_json(found[0].path / ANSWER)), found[1]) if found else None


def answer_mapping(told: PhaseAnswer) -> dict[str, Any]:
    """An answer as JSON values."""
    values = {name: getattr(told, name) for name in PhaseAnswer.__slots__}
    return values | {"advice": advice_mapping(told.advice)}


def advice_mapping(advice: PhaseAdvice) -> dict[str, Any]:
    """What the optimiser chose as JSON values."""
    return {
        "verdict": advice.verdict,
        "p_order": advice.p_order,
        "weights": {
            phase: {name: asdict(value) for name, value in own.items()}
            for phase, own in advice.weights.items()
        },
        "tied": dict(advice.tied),
        "gain": asdict(advice.gain),
        "order": asdict(advice.order),
    }


def read_answer(mapping: Mapping[str, Any]) -> PhaseAnswer:
    """The answer that `answer_mapping` wrote."""
    inner = dict(mapping["advice"])
    inner["weights"] = {
        phase: {name: Estimate(**value) for name, value in own.items()}
        for phase, own in inner["weights"].items()
    }
    inner |= {key: Estimate(**inner[key]) for key in ("gain", "order")}
    values = dict(mapping) | {"advice": PhaseAdvice(**inner)}
    return PhaseAnswer(**values | {k: tuple(mapping[k]) for k in ("runs", "targets", "notes")})
