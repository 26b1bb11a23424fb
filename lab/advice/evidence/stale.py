"""Which evidence still speaks of the data as it is now.

A weight is a share of a *pool*: the documents of a source, cut by rules, edited, without duplicates
and contaminated text. When any of these changes, runs on the old pool say nothing certain about the
new one, and their coefficients are invalid without any sign of it (marin-community/marin#7067 lists
deduplication, relabelling, tokenizer and re-bucketing). Every run names its pools by content, so
they are compared with what the recipe means today: a run is stale if any source that it drew from
has another pool now, and the table says which source and what changed.

Stale runs are shown and left out; `lab.advice.reuse.reuse` proposes the few that restore the
decision. What is not seen: a signal that was measured anew under the same name and definition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from lab.advice.words import ROOM, few
from lab.core.errors import DataError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.evaluation.runs.trajectories import ScoredRun
from lab.mixture.recipe import Recipe, recipe_mapping

NOT_IN_RECIPE = "not in the recipe"
STALE = {
    "run": pl.String,
    "recipe": pl.String,
    "size": pl.String,
    "tokens": pl.Int64,
    "source": pl.String,
    "changed": pl.String,
}


def weights_of(run: ScoredRun) -> dict[str, float]:
    """Share of all training tokens per source that `run` drew from."""
    shares: dict[str, float] = {}
    for phase in run.spec["mapping"]["mixture"]["phases"]:
        for name, weight in phase["weights"].items():
            shares[name] = shares.get(name, 0.0) + phase["share"] * weight
    return {name: share for name, share in shares.items() if share > 0}


def pool_parts(spec: Mapping[str, Any], source: str) -> dict[str, Any]:
    """What the source means in a run.json, or in what a recipe would write there, by kind."""
    mapping = spec["mapping"]
    phases = mapping["mixture"]["phases"]
    own = mapping["sources"][source] or {}
    return {
        "documents": spec["documents"][source],
        "rules": [
            mapping.get("filters") or [],
            own.get("filters") or [],
            [rules for phase in phases if (rules := (phase.get("filters") or {}).get(source))],
        ],
        "edits": own.get("edits") or [],
        "duplicates": mapping.get("dedup"),
        "contamination": mapping.get("decontaminate"),
    }


def pool_of(run: ScoredRun, source: str) -> str:
    """Names what the source meant in this run: its documents and every rule on them."""
    return digest(pool_parts(run.spec, source))


def pools_now(ws: Workspace, recipe: Recipe) -> dict[str, dict[str, Any]]:
    """What every source of the recipe means today."""
    mapping = recipe_mapping(replace(recipe, note=""))
    documents = {name: get_source(ws, name).documents for name in recipe.sources}
    spec = {"mapping": mapping, "documents": documents}
    return {name: pool_parts(spec, name) for name in recipe.sources}


def stale_table(ws: Workspace, recipe: Recipe, runs: Sequence[ScoredRun]) -> pl.DataFrame:
    """One row per run and source that is not what the recipe means now: columns of `STALE`."""
    now = pools_now(ws, recipe)
    rows: list[dict[str, Any]] = []
    for run in runs:
        about = {key: run.spec.get(key) for key in ("recipe", "size", "tokens")}
        for source in sorted(weights_of(run)):
            if changed := difference(pool_parts(run.spec, source), now.get(source)):
                row = {"run": run.spec["id"], "source": source, "changed": changed}
                rows.append(about | row)
    return pl.DataFrame(rows, schema=STALE)


def difference(then: Mapping[str, Any], now: Mapping[str, Any] | None) -> str:
    """What changed in a pool, in words; empty if nothing did."""
    if now is None:
        return NOT_IN_RECIPE
    return ", ".join(kind for kind in then if digest(then[kind]) != digest(now[kind]))


def current_runs(
    ws: Workspace, recipe: Recipe, runs: Sequence[ScoredRun]
) -> tuple[list[ScoredRun], list[str]]:
    """(runs whose every source is what the recipe means now, notes on the others).

    DataError if none is left.
    """
    table = stale_table(ws, recipe, runs)
    old = set(table["run"])
    kept = [run for run in runs if run.spec["id"] not in old]
    notes = stale_notes(table)
    if runs and not kept:
        raise DataError(
            "All evidence is stale: no run used the data that this recipe means now.",
            where=recipe.name,
            value=" ".join(notes),
            next_step=f"`mixlab stale {recipe.name}` shows what changed, `mixlab reuse "
            f"{recipe.name}` trains the few runs that restore a decision, `mixlab sweep` all",
        )
    return kept, notes


def stale_notes(table: pl.DataFrame) -> list[str]:
    """One sentence: how many runs are stale, and what changed of which sources."""
    if table.is_empty():
        return []
    groups = table.group_by("changed").agg(pl.col("source").unique().sort()).sort("changed")
    parts = [
        f"{few(sources, ROOM // 2)} {changed} now"
        if changed == NOT_IN_RECIPE
        else f"other {changed} of {few(sources, ROOM // 2)} now"
        for changed, sources in groups.iter_rows()
    ]
    listed = few(parts, 2 * ROOM, "; ")
    return [f"{table['run'].n_unique()} runs are stale, left out: {listed}."]
