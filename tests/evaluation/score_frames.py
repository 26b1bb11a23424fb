"""Planted scores: run folders with summaries alone, and points of trajectories by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.files import write_json
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import POINTS

UNITS = {"accuracy": ("share", "higher"), "gold_bpb": ("bits/byte", "lower")}
Key = tuple[str, str, str]  # scope, on, metric


def points(
    values: Mapping[str, Sequence[float]],
    *,
    metric: str = "gold_bpb",
    curves: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    chance: float | None = None,
    n: int = 100,
    size: str = "nano",
) -> pl.DataFrame:
    """Final scores of each mixture's repeats; `curves` adds (share, score) to the run `MIX-0`."""
    unit, better = UNITS[metric]
    rows = []
    for mixture, scores in values.items():
        for k, final in enumerate(scores):
            before = (curves or {}).get(f"{mixture}-{k}", ())
            rows += [
                {
                    "run": f"{mixture}-{k}", "recipe": mixture, "recipe_id": mixture,
                    "mixture": mixture, "size": size, "tokens": 1000, "step": round(share * 100),
                    "share": share, "scope": "benchmark", "on": "facts", "metric": metric,
                    "unit": unit, "better_is": better, "value": value, "n": n, "chance": chance,
                    "items": "h",
                }
                for share, value in [*before, (1.0, final)]
            ]  # fmt: skip
    return pl.DataFrame(rows, schema=POINTS)


def write_scored(
    ws: Workspace,
    recipe: str,
    seed: int,
    values: Mapping[Key, float],
    *,
    snapshots: Mapping[int, Mapping[Key, float]] | None = None,
    items: str = "h",
    **spec: Any,
) -> Path:
    """A run folder as proxy and evaluation leave it, as far as the gate reads it."""
    settings = {
        "id": f"{recipe}-{spec.get('size', 'nano')}-{spec.get('tokens', 1000)}-{seed}",
        "recipe": recipe, "recipe_id": recipe, "selection": "s", "tokenizer": {"name": "t"},
        "size": "nano", "tokens": 1000, "steps": 100, "seed": seed,
    } | spec  # fmt: skip
    folder = ws.runs / str(settings["id"])
    (folder / "scores").mkdir(parents=True)
    write_json(folder / "run.json", settings)
    write_json(folder / "scores" / "summary.json", summary(values, items))
    for step, scores in (snapshots or {}).items():
        place = folder / "scores" / "snapshots" / f"step-{step:08d}"
        place.mkdir(parents=True)
        write_json(place / "summary.json", summary(scores, items))
    return folder


def summary(values: Mapping[Key, float], items: str) -> dict[str, Any]:
    """A summary of final scores; accuracy is of four choices."""
    entry = {"hash": items, "items": 100, "chance": 0.25}
    rows = []
    for (scope, on, metric), value in values.items():
        unit, better = UNITS.get(metric, ("bits/byte", "lower"))
        chance = 0.25 if metric == "accuracy" else None
        about = {"scope": scope, "on": on, "metric": metric, "unit": unit, "better_is": better}
        rows.append(about | {"value": value, "se": 0.01, "n": 100, "chance": chance})
    return {
        "scorer": 1,
        "benchmarks": {on: entry for scope, on, _ in values if scope != "heldout"},
        "heldout": {on: {"hash": items} for scope, on, _ in values if scope == "heldout"},
        "metrics": rows,
    }
