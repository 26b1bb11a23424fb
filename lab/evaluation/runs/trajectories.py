"""Scores of many runs as one long table: one row per run, checkpoint and metric.

Read from the summaries alone (1 ms a checkpoint), not from the scores of items. A metric counts for
a run only where it was scored on the same items, by the same scorer, as in most runs; the rest is
left out and named. Runs of a later stage than pretraining are no repeats of it and are left out.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import DataError
from lab.core.files import digest, read_json
from lab.core.workspace import Workspace
from lab.evaluation.runs.groups import decided, how_trained, is_pretraining
from lab.evaluation.runs.metrics import MEAN

POINTS = {
    "run": pl.String,
    "recipe": pl.String,
    "recipe_id": pl.String,
    "mixture": pl.String,  # names recipe and data; repeats share it
    "size": pl.String,
    "tokens": pl.Int64,
    "step": pl.Int64,
    "share": pl.Float64,  # of the run's steps; 1 for the finished model
    "scope": pl.String,
    "on": pl.String,
    "metric": pl.String,
    "unit": pl.String,
    "better_is": pl.String,
    "value": pl.Float64,
    "n": pl.Int64,
    "chance": pl.Float64,
    "items": pl.String,  # hash of what was scored, and the version of the scorer
}
NAMED = ("scope", "on", "metric")
PART = {"heldout": "heldout"}  # scope -> key of the summary; benchmarks and twins share theirs


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """A finished run with scores: its run.json, and the final summary."""

    folder: Path
    spec: Mapping[str, Any]
    summary: Mapping[str, Any]

    @property
    def budget(self) -> tuple[str, int, str]:
        """(size, tokens, what else runs must share)."""
        return self.spec["size"], self.spec["tokens"], how_trained(self.spec)


def scored_runs(ws: Workspace, recipes: Collection[str] = ()) -> list[ScoredRun]:
    """All pretraining runs with scores, of `recipes` or of all, by id.

    Of several runs of one mixture, budget and seed the latest: the same seed again is no repeat.
    """
    found: dict[tuple[Any, ...], ScoredRun] = {}
    for path in sorted(ws.runs.glob("[!.]*/scores/summary.json")):
        spec = read_json(path.parents[1] / "run.json")
        if is_pretraining(spec) and (not recipes or spec["recipe"] in recipes):
            run = ScoredRun(path.parents[1], spec, read_json(path))
            key = (digest(decided(spec)), run.budget, spec.get("seed"))
            if key not in found or found[key].spec.get("created", "") <= spec.get("created", ""):
                found[key] = run
    return sorted(found.values(), key=lambda run: run.folder.name)


def usual_budget(
    runs: Sequence[ScoredRun], size: str | None, tokens: int | None
) -> tuple[str, int, str]:
    """The budget of most of `runs`, within what is asked; DataError if none fits."""
    budgets = Counter(
        run.budget
        for run in runs
        if size in (None, run.spec["size"]) and (tokens is None or asked_for(run, tokens))
    )
    if not budgets:
        raise DataError(
            "No finished and scored run to judge metrics by.",
            value={"size": size, "tokens": tokens} if size or tokens else None,
            next_step="`mixlab train RECIPE RECIPE RECIPE --seeds 4` trains and scores some",
        )
    return max(budgets, key=lambda budget: (budgets[budget], budget))


def asked_for(run: ScoredRun, tokens: int) -> bool:
    """True if training with `--tokens tokens` makes this run: it trains whole steps of that."""
    own = int(run.spec["tokens"])
    return 0 <= tokens - own < own / max(int(run.spec.get("steps", own)), 1)


def score_points(runs: Sequence[ScoredRun]) -> tuple[pl.DataFrame, list[str]]:
    """(POINTS of `runs`, snapshots included where they are scored; notes on what was left out)."""
    rows = [row for run in runs for row in run_rows(run)]
    frame = pl.DataFrame(rows, schema=POINTS)
    final = frame.filter(pl.col("share") == 1)
    usual = (
        final.group_by(*NAMED, "items")
        .agg(pl.len().alias("runs"))
        .sort("runs", "items", descending=True)
        .unique(subset=NAMED, keep="first", maintain_order=True)
    )
    kept = frame.join(
        usual.select(*NAMED, "items"), on=[*NAMED, "items"], how="semi", maintain_order="left"
    )
    other = final.join(usual.select(*NAMED, "items"), on=[*NAMED, "items"], how="anti")
    left = other.filter(pl.col("on") != MEAN)
    if left.is_empty():
        return kept, []
    names, count = ", ".join(left["on"].unique().sort()), left["run"].n_unique()
    notes = [
        f"{count} of {len(runs)} runs were scored on other items or by another scorer, left out of "
        f"{names}: `mixlab evaluate {' '.join(left['run'].unique().sort())}`."
    ]
    return kept, notes


def run_rows(run: ScoredRun) -> Iterator[dict[str, Any]]:
    """Rows of POINTS of one run: snapshots by step, then the finished model."""
    steps = int(run.spec.get("steps", 0))
    base = {
        "run": run.folder.name,
        "recipe": run.spec["recipe"],
        "recipe_id": run.spec.get("recipe_id"),
        "mixture": digest(decided(run.spec)),
        "size": run.spec["size"],
        "tokens": run.spec["tokens"],
    }
    for path in sorted((run.folder / "scores" / "snapshots").glob("step-*/summary.json")):
        step = int(path.parent.name.removeprefix("step-"))
        if 0 < step < steps:
            place = {"step": step, "share": step / steps}
            yield from (base | place | row for row in metric_rows(read_json(path)))
    place = {"step": steps, "share": 1.0}
    yield from (base | place | row for row in metric_rows(run.summary))


def metric_rows(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The metrics of a summary, each with the hash of what it was scored on."""
    keys = (*NAMED, "unit", "better_is", "value", "n", "chance")
    hashes = {
        part: {name: entry["hash"] for name, entry in summary[part].items()}
        for part in ("benchmarks", "heldout")
    }
    members: dict[str, dict[str, int]] = {}  # of a mean: what it averages over, and their n
    for row in summary["metrics"]:
        if row["on"] != MEAN:
            members.setdefault(row["scope"] + row["metric"], {})[row["on"]] = int(row["n"])
    for row in summary["metrics"]:
        known = hashes[PART.get(row["scope"], "benchmarks")]
        mean = row["on"] == MEAN
        names = members[row["scope"] + row["metric"]] if mean else {row["on"]: int(row["n"])}
        items = digest([summary.get("scorer"), [known.get(name) for name in sorted(names)]])
        # the items of one benchmark that would be as sure as this mean of several
        n = round(len(names) ** 2 / sum(1 / max(count, 1) for count in names.values()))
        yield {key: row.get(key) for key in keys} | {"items": items, "n": n}
