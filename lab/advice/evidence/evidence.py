"""The workspace's own runs as tables for a fit.

One row per finished and evaluated run at one size and token budget, since scores of unlike budgets
are not one experiment; of a mixture trained twice under one seed the latest, as in the gate.
Weights are shares of all training tokens, phases weighed by their share; runs that branch from a
shared mixture stay out (`lab.advice.evidence.branches`). Metrics are named
SCOPE/ON/METRIC as in the scores (`heldout/web/bpb`, `benchmark/facts/gold_bpb`, `twin/...`). Fitted
by default are those in bits per byte, except of twins: accuracies of small models are mostly noise
(DataDecide, arXiv:2504.11393; Signal and noise, arXiv:2508.13144), and a twin is the check, not the
goal.

Relabelling or filtering a source silently changes what its weight means. So a run counts only if
every source that it drew from had the documents and rules that the recipe gives it today
(`lab.advice.evidence.stale`) or, where no recipe is asked about, those that most runs had; and a
metric only if all counted runs were scored on the same items. What is left out is said in `notes`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from lab.advice.evidence.branches import ordinary_runs
from lab.advice.evidence.stale import current_runs, pool_of, weights_of
from lab.advice.words import few
from lab.core.errors import DataError
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.evaluation.runs.metrics import MEAN
from lab.evaluation.runs.trajectories import ScoredRun, scored_runs, usual_budget
from lab.mixture.recipe import Recipe

DEFAULT_SCOPES = ("heldout", "benchmark")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Tables for `fit_table`: pass `ratios`, `metrics`, `higher` and, as `only`, `default`."""

    ratios: pl.DataFrame
    metrics: pl.DataFrame
    higher: tuple[str, ...]
    default: tuple[str, ...]
    size: str
    tokens: int
    notes: tuple[str, ...]


def tables_from_runs(
    ws: Workspace,
    size: str | None = None,
    tokens: int | None = None,
    recipe: Recipe | None = None,
) -> Evidence:
    """Tables of the finished, evaluated runs at `size` and `tokens` (default: where most runs are).

    With `recipe` those that used its sources as it means them now. DataError if there are none, or
    if they share no metric.
    """
    runs = [run for run in scored_runs(ws) if size in (None, run.spec["size"])]
    runs = [run for run in runs if tokens in (None, run.spec["tokens"])]
    runs, branched = ordinary_runs(runs)
    if not runs:
        asked = [f"{k} {v}" for k, v in (("size", size), ("tokens", tokens)) if v is not None]
        raise DataError(
            "No finished and evaluated run to fit.",
            where=str(ws.runs),
            value="; ".join([*asked, *branched]) or None,
            next_step="`mixlab sweep RECIPE --runs 24` trains a designed set",
        )
    runs, stale = current_runs(ws, recipe, runs) if recipe else (runs, [])
    budget = usual_budget(runs, None, None)
    same = [run for run in runs if run.budget == budget]
    notes = [*branched]
    if len(same) < len(runs):
        notes.append(
            f"{len(runs) - len(same)} runs are left out: other sizes or budgets than "
            f"{budget[0]} at {budget[1]:,} tokens."
        )
    if recipe is None:
        same, stale = same_pools(same)
    names, higher, changed = common_metrics(same)
    known = recipe.sources if recipe else [source.name for source in list_sources(ws)]
    return Evidence(
        weight_table(same, list(known)),
        metric_table(same, names),
        higher,
        tuple(n for n in names if n.split("/")[0] in DEFAULT_SCOPES and n.endswith("bpb")),
        *budget[:2],
        (*notes, *stale, *changed),
    )


def same_pools(runs: list[ScoredRun]) -> tuple[list[ScoredRun], list[str]]:
    """Runs whose every source had the documents and rules that most runs had, and a note."""
    used: dict[str, Counter[str]] = {}
    for run in runs:
        for source in weights_of(run):
            used.setdefault(source, Counter())[pool_of(run, source)] += 1
    usual = {source: max(pools, key=lambda p: (pools[p], p)) for source, pools in used.items()}
    kept = [run for run in runs if all(pool_of(run, s) == usual[s] for s in weights_of(run))]
    if not kept:
        raise DataError(
            "No two runs used the same documents under the same rules.",
            value=sorted(used),
            next_step="train a sweep of one recipe: `mixlab sweep RECIPE`",
        )
    if len(kept) == len(runs):
        return kept, []
    changed = sorted(source for source, pools in used.items() if len(pools) > 1)
    lost = len(runs) - len(kept)
    return kept, [
        f"{lost} runs are left out: they used other documents or rules for {few(changed)}."
    ]


def common_metrics(runs: list[ScoredRun]) -> tuple[list[str], tuple[str, ...], list[str]]:
    """(metrics that all runs scored on the same items, those where more is better, a note)."""
    names, directions = scored_alike(runs)
    left = sorted(set(directions) - set(names))
    if not names:
        raise DataError(
            "These runs share no score.",
            next_step="evaluate all of them on the workspace as it is now",
        )
    note = f"Not scored alike by all runs, left out: {few(left)}."
    return names, tuple(n for n in names if directions[n] == "higher"), [note] if left else []


def scored_alike(runs: Sequence[ScoredRun]) -> tuple[list[str], dict[str, str]]:
    """(metrics that all runs scored on the same items, which way every metric is better)."""
    hashes: dict[str, set[str | None]] = {}
    directions: dict[str, str] = {}
    for run in runs:
        for row in run.summary["metrics"]:
            if row["on"] != MEAN:
                name = f"{row['scope']}/{row['on']}/{row['metric']}"
                directions[name] = row["better_is"]
    for name in directions:
        part, on = "heldout" if name.startswith("heldout/") else "benchmarks", name.split("/")[1]
        hashes[name] = {run.summary[part].get(on, {}).get("hash") for run in runs}
    names = [name for name, seen in hashes.items() if len(seen) == 1 and None not in seen]
    return names, directions


def weight_table(runs: list[ScoredRun], known: list[str]) -> pl.DataFrame:
    """Ratios: run, name (the recipe's), one column per source of the workspace or of any run."""
    weights = [weights_of(run) for run in runs]
    sources = sorted({source for one in weights for source in one} | set(known))
    return pl.DataFrame(
        {
            "run": [run.spec["id"] for run in runs],
            "name": [run.spec["recipe"] for run in runs],
            **{s: [float(one.get(s, 0.0)) for one in weights] for s in sources},
        }
    )


def metric_table(runs: list[ScoredRun], names: list[str]) -> pl.DataFrame:
    """Metrics: run, one column per metric."""
    rows = []
    for run in runs:
        values = {
            f"{row['scope']}/{row['on']}/{row['metric']}": row["value"]
            for row in run.summary["metrics"]
        }
        rows.append({"run": run.spec["id"]} | {name: float(values[name]) for name in names})
    return pl.DataFrame(rows)
