"""What the predictions on the Mixture page rest on: the last fit, its replicates, and their age.

Read once for each stored fit (its artifacts are named by content), so that a moved weight costs no
reading. What a fit cannot know is said beside it: runs that came after it, sources that it never
saw, documents that changed under their name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.advice.evidence.stale import difference, pool_parts, pools_now
from lab.advice.proposing.advise import Advice
from lab.advice.proposing.live import STEP, LiveSurface, live_surface
from lab.advice.proposing.store import latest
from lab.advice.simplex import Array
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.ui.memory import remembered


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The last advice, and its fit with replicates; `surface` is None where none are stored."""

    runs: tuple[str, ...]
    advice: Advice
    surface: LiveSurface | None


def evidence_of(ws: Workspace, recipe: str = "") -> Evidence | None:
    """The evidence stored last for the recipe of that name, or for any; None without a fit."""
    stored = [ws.artifacts.glob(f"{step}/[!.]*/manifest.json") for step in ("advice", STEP)]
    names = sorted(f"{path} {path.stat().st_mtime_ns}" for found in stored for path in found)
    return cached_evidence(ws, recipe, "\n".join([recipe, *names])) if names else None


@remembered(8)
def cached_evidence(ws: Workspace, recipe: str, key: str) -> Evidence | None:
    """The evidence while exactly the artifacts in `key` are stored, in that order of asking."""
    found = latest(ws, recipe) or latest(ws)
    if found is None:
        return None
    fit, advice = found
    return Evidence(fit.runs, advice, live_surface(ws, fit))


def doubts(ws: Workspace, recipe: Recipe, evidence: Evidence) -> list[str]:
    """In words, what has changed since the fit, and what it never saw."""
    scored = {path.parent.parent.name for path in ws.runs.glob("*/scores/summary.json")}
    said = []
    if later := scored - set(evidence.runs):
        said.append(
            f"{len(later)} scored runs are not part of this fit: they came later, or differ in "
            "size, budget or rules. Fit again to take in what can be."
        )
    if gone := set(evidence.runs) - scored:
        said.append(f"{len(gone)} of the {len(evidence.runs)} runs are no longer in the workspace.")
    files = [ws.runs / run / "run.json" for run in evidence.runs]
    for source, changed in changed_sources(ws, recipe, files).items():
        said.append(
            f"Stale for {source}: {changed} changed since the runs that used it were trained, so "
            "its weight means something else now."
        )
    return said


def changed_sources(ws: Workspace, recipe: Recipe, files: Sequence[Path]) -> dict[str, str]:
    """Sources of the recipe that no run in `files` used as they are now -> what changed."""
    now = pools_now(ws, recipe)
    found: dict[str, str] = {}
    for file in files:
        for source, parts in run_pools(file).items() if file.is_file() else ():
            if source in now:
                changed = difference(parts, now[source])
                found[source] = changed and found.get(source, changed)
    return {source: changed for source, changed in found.items() if changed}


@remembered(2000)
def run_pools(file: Path) -> dict[str, dict[str, Any]]:
    """What every source meant in a run, from its run.json, which never changes."""
    spec = read_json(file)
    return {source: pool_parts(spec, source) for source in spec["documents"]}


def columns_for(surface: LiveSurface, sources: Sequence[str]) -> list[int]:
    """For each source the number of its column in the fit; -1 if no run used it."""
    known = {name: k for k, name in enumerate(surface.fit.sources)}
    return [known.get(name, -1) for name in sources]


def onto(mixtures: Array, columns: Sequence[int], width: int) -> Array:
    """Mixtures [n, r] of a recipe's sources as mixtures [n, width] of the fit's.

    The share of sources that the fit does not know is spread over the others in proportion; where
    nothing else is left the mixture is all zeros, and what is predicted for it means nothing.
    """
    found = np.zeros((len(mixtures), width))
    kept = [(k, c) for k, c in enumerate(columns) if c >= 0]
    found[:, [c for _, c in kept]] = mixtures[:, [k for k, _ in kept]]
    total = found.sum(axis=1, keepdims=True)
    return np.divide(found, total, out=np.zeros_like(found), where=total > 0)
