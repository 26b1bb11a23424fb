"""How well MixMin and merged weights order mixtures that were really trained.

    python tests/benchmarks/cheap_predictors.py --folder /tmp/cheap/world --tokens 400000

Builds the sample world in --folder (or takes a workspace that is there: give it a copy), trains its
recipes and --mixtures drawn ones, one run per source with nothing shared but the initialisation,
and one with --shared of its tokens shared; then predicts every mixture by each method and prints
Spearman's rho with its interval per metric. --rest trains source runs only and takes the mixtures
that are there, of whatever budget. Compare rho between methods in one run only: the intervals of a
dozen mixtures are wide. Runs go through one process and one thread; stopped, it goes on
where it was.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from lab.advice.cheap.agreement import agreement_table
from lab.advice.cheap.first_answer import Question, by_merging, by_mixmin, question
from lab.advice.cheap.source_runs import find_source_runs, plan_source_runs, single_source
from lab.advice.design.swarm import SwarmSettings, plan_swarm
from lab.advice.evidence.evidence import metric_table, weight_table
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, create, open_workspace
from lab.evaluation.runs.evaluate import evaluate_run
from lab.evaluation.runs.trajectories import scored_runs, usual_budget
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe
from lab.proxy.runs import prepare_run
from lab.proxy.sizes import get_size
from lab.proxy.train import train

RECIPES = ("natural", "synthetic-only", "web-encyclopaedia-only", "balanced", "phi-like")
METHODS = {  # name -> branched runs, pieces of MixMin ("" for merged weights)
    "mixmin, sequences": (False, "sequences"),
    "mixmin, tokens": (False, "tokens"),
    "mixmin, sequences, branched": (True, "sequences"),
    "merged, branched": (True, ""),
    "merged, initialisation only": (False, ""),
}


def workspace(folder: Path, documents: int | None) -> Workspace:
    """The workspace in `folder`, the sample world if there is none."""
    if (folder / "workspace.json").is_file():
        return open_workspace(folder)
    from lab.jobs.sample import build_sample

    ws = create(folder)
    build_sample(ws, documents=documents)
    return ws


def train_recipes(
    ws: Workspace, recipes: Sequence[Recipe], options: argparse.Namespace, seeds: Sequence[int]
) -> None:
    """Train and score what is not done yet, one run after another."""
    for seed in seeds:
        for recipe in recipes:
            began, spent = time.perf_counter(), time.process_time()
            folder = prepare_run(
                ws, recipe, size=options.size, tokens=options.tokens, seed=seed, snapshots=False
            )
            train(folder, SILENT)
            evaluate_run(ws, folder)
            took = time.perf_counter() - began
            cpu = time.process_time() - spent
            print(f"{folder.name}: {took:.0f} s, cpu {cpu:.0f} s", flush=True)


def ask(ws: Workspace, recipe: Recipe, branched: bool, options: argparse.Namespace) -> Question:
    """The question to the source runs of one kind."""
    shape = get_size(options.size)
    tokens = shape.steps(options.tokens or shape.default_tokens) * shape.tokens_per_step
    runs = find_source_runs(
        ws, recipe, branched=branched, size=options.size, tokens=tokens, seed=options.seed
    )
    if (runs.shared > 0) != branched:
        raise SystemExit(f"no {'branched' if branched else 'separate'} source runs")
    return with_all_mixtures(ws, question(ws, recipe, runs, None))


def with_all_mixtures(ws: Workspace, asked: Question) -> Question:
    """The same with every trained mixture of the usual budget, whatever its filters.

    Advice leaves out runs whose filters are not the recipe's; here they are few enough to be kept,
    and what filters did is part of the disagreement.
    """
    runs = [run for run in scored_runs(ws) if not single_source(run.spec)]
    budget = usual_budget(runs, None, None)
    runs = [run for run in runs if run.budget == budget]
    values = metric_table(runs, list(asked.metrics)).drop("run").to_numpy()
    names = list(asked.runs.sources)
    weights = weight_table(runs, names).select(names).to_numpy().astype(np.float64).round(6)
    mixtures, place = np.unique(weights, axis=0, return_inverse=True)
    signs = np.array([-1.0 if name in asked.higher else 1.0 for name in asked.metrics])
    means = np.stack([values[place.ravel() == k].mean(axis=0) for k in range(len(mixtures))])
    return replace(asked, mixtures=mixtures, measured=means * signs)


def own_share(asked: Question) -> np.ndarray:
    """What anybody would guess: held-out text of a source gets cheaper with the source's share."""
    columns = []
    for name in asked.metrics:
        scope, on = name.split("/")[:2]
        known = scope == "heldout" and on in asked.runs.sources
        columns.append(-asked.mixtures[:, asked.runs.sources.index(on)] if known else None)
    blank = np.zeros(len(asked.mixtures))
    return np.stack([blank if c is None else c for c in columns], axis=1)


def main() -> None:
    """Train what is missing, predict, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--documents", type=int)
    parser.add_argument("--size", default="nano")
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--mixtures", type=int, default=12)
    parser.add_argument("--shared", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0, help="of the source runs")
    parser.add_argument("--seeds", type=int, default=1, help="of the real mixtures")
    parser.add_argument("--rest", action="store_true", help="train source runs only")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    ws = workspace(options.folder, options.documents)
    base = load_recipe(ws, "natural")
    if not options.rest:
        settings = SwarmSettings(options.mixtures)
        drawn = plan_swarm(ws, "natural", settings, options.size, options.tokens).pairs
        real = [load_recipe(ws, name) for name in RECIPES] + [recipe for recipe, _ in drawn]
        train_recipes(ws, real, options, range(options.seeds))
    results: dict[str, object] = {}
    for shared in (0.0, options.shared):
        train_recipes(ws, plan_source_runs(ws, base, shared), options, [options.seed])
        methods = {n: how for n, how in METHODS.items() if how[0] == (shared > 0)}
        results |= report(ws, base, methods, options)
        if options.output:
            options.output.write_text(json.dumps(results, indent=1) + "\n")


def report(
    ws: Workspace, base: Recipe, methods: dict[str, tuple[bool, str]], options: argparse.Namespace
) -> dict[str, object]:
    """Print the agreement of every method and its proposal, and return them."""
    results: dict[str, object] = {}
    for name, (branched, pieces) in methods.items():
        began = time.process_time()
        asked = ask(ws, base, branched, options)
        answer = by_mixmin(ws, asked, pieces, SILENT) if pieces else by_merging(ws, asked, SILENT)
        table = compare(asked, answer.predict(asked.mixtures))
        seconds = time.process_time() - began
        proposal = {n: round(w.value, 3) for n, w in answer.weights.items()}
        words = f"{name} ({seconds:.0f} CPU-seconds)\n{shown(table)}\nproposal {proposal}"
        print(f"\n{words}", flush=True)
        results[name] = {
            "agreement": table.to_dicts(),
            "proposal": proposal,
            "free": asked.named(answer.free.round(3)),
            "seconds": seconds,
        }
    table = compare(asked, own_share(asked))
    print(f"\nshare of the own source alone\n{shown(table)}\n\nnotes: {' '.join(asked.notes)}")
    best = asked.mixtures[int(np.argmin(asked.measured.mean(axis=1)))]
    print(f"best of {len(asked.mixtures)} trained: {asked.named(best.round(3))}", flush=True)
    return results | {"own share": {"agreement": table.to_dicts()}}


def compare(asked: Question, predicted: np.ndarray) -> pl.DataFrame:
    """Agreement per metric, and of the means over held-out text, benchmarks and all."""
    groups = {
        "(mean heldout)": [n.startswith("heldout") for n in asked.metrics],
        "(mean benchmark)": [n.startswith("benchmark") for n in asked.metrics],
        "(mean)": [True] * len(asked.metrics),
    }
    groups = {name: members for name, members in groups.items() if any(members)}
    both = [
        np.hstack([c, *(c[:, members].mean(axis=1, keepdims=True) for members in groups.values())])
        for c in (predicted, asked.measured)
    ]
    return agreement_table([*asked.metrics, *groups], *both)


def shown(table: pl.DataFrame) -> str:
    """A table as text."""
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, float_precision=3):
        return str(table)


if __name__ == "__main__":
    main()
