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

from lab.advice.advise import Advice
from lab.advice.fit import Fit
from lab.advice.next_runs import columns
from lab.advice.surface import restore_surface
from lab.core.artifacts import Artifact, build
from lab.core.estimate import Estimate
from lab.core.files import digest, read_json, write_json
from lab.core.workspace import Workspace

VERSION = 1
NAMES = ("runs", "sources", "unseen", "metrics", "notes")  # fields of a fit that are tuples
ARRAYS = ("signs", "weights", "costs", "heldout")


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
    frames = {key: getattr(advice, key).to_dicts() for key in ("scores", "path", "next_runs")}
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
    }
    return mapping | frames


def read_advice(mapping: Mapping[str, Any]) -> Advice:
    """The advice that `advice_mapping` wrote."""
    values = dict(mapping)
    values["weights"] = {name: Estimate(**value) for name, value in mapping["weights"].items()}
    values["gain"] = Estimate(**mapping["gain"])
    values |= {key: tuple(mapping[key]) for key in ("targets", "notes")}
    values |= {key: pl.DataFrame(mapping[key]) for key in ("scores", "path")}
    values["next_runs"] = pl.DataFrame(mapping["next_runs"], schema=columns(mapping["weights"]))
    return Advice(**values)


def save(ws: Workspace, fit: Fit, advice: Advice) -> Artifact:
    """Store a fit and the advice drawn from it as one artifact of step "advice"."""
    fitted, advised = fit_mapping(fit), advice_mapping(advice)

    def make(folder: Path) -> dict[str, Any]:
        write_json(folder / "fit.json", fitted)
        write_json(folder / "advice.json", advised)
        return {"runs": len(fit.runs), "verdict": advice.verdict}

    return build(ws, "advice", VERSION, {"advice": digest(advised)}, [digest(fitted)], make)


def latest(ws: Workspace) -> tuple[Fit, Advice] | None:
    """The fit and advice stored last, or None."""
    found = sorted(
        (read_json(path)["created"], path.parent.name, path.parent)
        for path in (ws.artifacts / "advice").glob("[!.]*/manifest.json")
    )
    if not found:
        return None
    folder = found[-1][2]
    return read_fit(read_json(folder / "fit.json")), read_advice(read_json(folder / "advice.json"))
