"""Finished, scored runs whose score a test decides, written as proxy and evaluation write them."""

from lab.core.files import write_json
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.mixture.recipe import Recipe, recipe_id, recipe_mapping


def write_run(
    ws: Workspace,
    made: Recipe,
    loss: float,
    name: str = "",
    *,
    seed: int = 0,
    matched: bool = True,
    tokens: int = 4096,
) -> str:
    """A run of `made` on today's documents with `loss` as its one score; its name."""
    name = name or f"{made.name}-s{seed}"
    spec = {
        "id": name,
        "created": "2026-01-01",
        "recipe": made.name,
        "recipe_id": recipe_id(made),
        "size": "nano",
        "tokens": tokens,
        "seed": seed,
        "steps": 4,
        "selection": name,
        "repetition": {"match": matched},
        "documents": {source: get_source(ws, source).documents for source in made.sources},
        "mapping": recipe_mapping(made),
    }
    row = {"scope": "heldout", "on": "long", "metric": "bpb", "unit": "bits/byte"}
    row |= {"better_is": "lower", "value": loss, "n": 100, "chance": None}
    summary = {"heldout": {"long": {"hash": "h"}}, "benchmarks": {}, "metrics": [row]}
    write_json(ws.runs / name / "run.json", spec)
    write_json(ws.runs / name / "scores" / "summary.json", summary)
    return name
