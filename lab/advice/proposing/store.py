"""Fits and advice as JSON: plain numbers that outlive this code and open anywhere.

A fit is stored whole, with runs, scores and the parameters of its laws, so that a page predicts a
mixture without fitting again; read back it predicts the same to the last bit. In a workspace both
are artifacts whose id hashes the runs and the settings: the same evidence is never fitted twice,
and new evidence makes a new artifact beside the old.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lab.advice.fitting.fit import Fit
from lab.advice.fitting.surface import restore_surface
from lab.advice.proposing.advise import Advice
from lab.advice.proposing.next_runs import columns
from lab.advice.proposing.request import request_mapping, request_of
from lab.advice.proposing.validation import Validation, read_validation, validation_mapping
from lab.core.artifacts import Artifact, asked_now, asked_when, build, load
from lab.core.estimate import Estimate
from lab.core.files import digest, read_json, write_json
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe, recipe_id

VERSION = 4
NAMES = ("runs", "sources", "unseen", "metrics", "notes")  # fields of a fit that are tuples
ARRAYS = ("signs", "weights", "costs", "heldout")
FRAMES = ("scores", "path", "guards", "front", "supply")  # fields of advice


def fit_mapping(fit: Fit) -> dict[str, Any]:
    """A fit as JSON values."""
    return {
        "runs": list(fit.runs),
        "sources": list(fit.sources),
        "unseen": list(fit.unseen),
        "metrics": list(fit.metrics),
        "signs": fit.signs.tolist(),
        "weights": fit.weights.tolist(),
        "costs": fit.costs.tolist(),
        "heldout": fit.heldout.tolist(),
        "scores": fit.scores.to_dicts(),
        "laws": fit.surface.mapping(),
        "notes": list(fit.notes),
    }


def read_fit(mapping: Mapping[str, Any]) -> Fit:
    """The fit that `fit_mapping` wrote."""
    values: dict[str, Any] = {key: tuple(mapping[key]) for key in NAMES}
    values |= {key: np.array(mapping[key]) for key in ARRAYS}
    scores = pl.DataFrame(mapping["scores"])
    return Fit(**values, scores=scores, surface=restore_surface(mapping["laws"]))


def advice_mapping(advice: Advice) -> dict[str, Any]:
    """Advice as JSON values; frames become lists of rows."""
    frames = {key: getattr(advice, key).to_dicts() for key in (*FRAMES, "next_runs")}
    mapping = {
        "verdict": advice.verdict,
        "p_better": advice.p_better,
        "skill": advice.skill,
        "run_more": advice.run_more,
        "weights": {name: asdict(value) for name, value in advice.weights.items()},
        "natural": dict(advice.natural),
        "caps": dict(advice.caps),
        "kl": advice.kl,
        "targets": list(advice.targets),
        "gain": asdict(advice.gain),
        "free": dict(advice.free),
        "distances": dict(advice.distances),
        "notes": list(advice.notes),
        "current": dict(advice.current),
        "p_current": advice.p_current,
        "exact": advice.exact,
        "gap": advice.gap,
        "trade": list(advice.trade),
        "asked": request_mapping(advice.asked),
    }
    return mapping | frames


def read_advice(mapping: Mapping[str, Any]) -> Advice:
    """The advice that `advice_mapping` wrote."""
    values = dict(mapping)
    values["weights"] = {name: Estimate(**value) for name, value in mapping["weights"].items()}
    values["gain"] = Estimate(**mapping["gain"])
    values |= {key: tuple(mapping[key]) for key in ("targets", "notes", "trade")}
    values["asked"] = request_of(mapping["asked"])
    values |= {key: pl.DataFrame(mapping[key]) for key in FRAMES}
    values["next_runs"] = pl.DataFrame(mapping["next_runs"], schema=columns(mapping["weights"]))
    return Advice(**values)


def save(ws: Workspace, fit: Fit, advice: Advice, recipe: Recipe | None = None) -> Artifact:
    """Store a fit and the advice drawn from it, for `recipe` if for any: an artifact "advice".

    Advice that was stored before becomes the latest again.
    """
    fitted, advised = fit_mapping(fit), advice_mapping(advice)
    about = {"recipe": recipe.name, "recipe_id": recipe_id(recipe)} if recipe else {}

    def make(folder: Path) -> dict[str, Any]:
        write_json(folder / "fit.json", fitted)
        write_json(folder / "advice.json", advised)
        return {"runs": len(fit.runs), "verdict": advice.verdict, **about}

    made = build(
        ws, "advice", VERSION, {"advice": digest(advised), **about}, [digest(fitted)], make
    )
    return asked_now(made)


def save_validation(ws: Workspace, found: Validation, recipe: Recipe) -> Artifact:
    """Store what a second size said about the latest advice for `recipe`."""
    said = validation_mapping(found)
    advice = latest_artifact(ws, "advice", recipe.name)
    about = {"recipe": recipe.name, "recipe_id": recipe_id(recipe)}

    def make(folder: Path) -> dict[str, Any]:
        write_json(folder / "validation.json", said)
        return {"verdict": found.verdict, "accuracy": found.overall.value, **about}

    config = {"validation": digest(said), **about}
    return build(ws, "validation", VERSION, config, [advice.id] if advice else [], make)


def latest_validation(ws: Workspace, recipe: str) -> Validation | None:
    """What a second size said about the latest advice for the recipe of that name, or None."""
    advice = latest_artifact(ws, "advice", recipe)
    found = latest_artifact(ws, "validation", recipe)
    if advice is None or found is None or found.manifest["inputs"] != [advice.id]:
        return None
    return read_validation(read_json(found.path / "validation.json"))


def latest(ws: Workspace, recipe: str = "") -> tuple[Fit, Advice] | None:
    """The fit and advice stored last, for the recipe of that name or for any, or None."""
    found = latest_artifact(ws, "advice", recipe)
    if found is None:
        return None
    fit, advice = (read_json(found.path / name) for name in ("fit.json", "advice.json"))
    return read_fit(fit), read_advice(advice)


def latest_artifact(ws: Workspace, step: str, recipe: str = "") -> Artifact | None:
    """The artifact of `step` stored last that this version can read, for that recipe or for any."""
    found = [load(path.parent) for path in (ws.artifacts / step).glob("[!.]*/manifest.json")]
    known = [
        artifact
        for artifact in found
        if artifact
        and artifact.manifest["version"] == VERSION
        and recipe in ("", artifact.manifest.get("recipe"))
    ]
    return max(known, key=asked_when, default=None)
