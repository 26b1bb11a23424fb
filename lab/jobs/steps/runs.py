"""Steps of proxy runs: benchmarks, training, scoring."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.core.files import clear_halves, confined
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.mixture.recipe import Recipe

Result = dict[str, Any]
Trains = a.Train | a.Sweep | a.Loop | a.Validate | a.Reuse  # actions that prepare runs
NOTES = 3  # on repetition, in the result of training


def benchmark(ws: Workspace, p: a.Benchmark, progress: Progress) -> Result:
    """Register a benchmark."""
    from lab.evaluation.benchmarks.registry import Choice, add_benchmark

    choice = Choice(p.split, p.format, p.form, p.shots, p.template, p.group)
    added = add_benchmark(
        ws,
        p.name,
        Path(p.path),
        progress,
        choice=choice,
        skip_invalid=p.skip_invalid,
        replace=p.replace,
    )
    return asdict(added)


def train(ws: Workspace, p: a.Train, progress: Progress) -> Result:
    """Proxy runs of some recipes under some seeds, trained side by side and scored."""
    from lab.mixture.recipe_files import load_recipe
    from lab.proxy.trackers import require_tracker

    require_tracker(p.track)
    recipes = [load_recipe(ws, name) for name in p.recipes]
    return train_all(ws, [(r, seed) for seed in p.seeds or [0] for r in recipes], p, progress)


def resume(ws: Workspace, p: a.Resume, progress: Progress) -> Result:
    """Unfinished runs, continued side by side from their checkpoints."""
    from lab.proxy.trackers import require_tracker

    require_tracker(p.track)
    return train_folders([confined(ws.runs, name) for name in p.runs], p, progress)


def train_folders(folders: Sequence[Path], p: Trains | a.Resume, progress: Progress) -> Result:
    """Train prepared runs and score them; failures are reported beside what succeeded."""
    from lab.proxy.sweep import run_many
    from lab.proxy.trackers import track_run

    for folder in folders:
        track_run(folder, p.track)
    scorer = "evaluate_run_and_snapshots" if p.score_snapshots else "evaluate_run"
    outcome = run_many(folders, after=f"lab.evaluation.runs.evaluate:{scorer}", progress=progress)
    return {
        "runs": [folder.name for folder in folders],
        "failed": outcome.failed,
        "repetition": repetition_words(folders),
    }


def repetition_words(folders: Sequence[Path]) -> str:
    """How runs repeat text otherwise than the real run would, if they do; at most `NOTES` notes."""
    from lab.proxy.repetition import notes_of
    from lab.proxy.runs import load_run

    said = list(dict.fromkeys(n for folder in folders for n in notes_of(load_run(folder))))
    more = [f"({len(said) - NOTES} more in the runs' data/packing.json.)"]
    return " ".join(said if len(said) <= NOTES else said[:NOTES] + more)


def train_all(
    ws: Workspace, pairs: Sequence[tuple[Recipe, int]], p: Trains, progress: Progress
) -> Result:
    """Prepare a run for every recipe and seed, train and score them."""
    from lab.proxy.runs import prepare_run

    clear_halves(ws.runs)
    folders = []
    for k, (recipe, seed) in enumerate(pairs):
        part = progress.part(0.1 * k / len(pairs), 0.1 * (k + 1) / len(pairs), "preparing: ")
        folders.append(
            prepare_run(
                ws,
                recipe,
                size=p.size,
                tokens=p.tokens,
                seed=seed,
                repetition=p.repetition,
                snapshots=p.snapshots,
                progress=part,
            )
        )
    return train_folders(folders, p, progress.part(0.1, 1.0))


def evaluate(ws: Workspace, p: a.Evaluate, progress: Progress) -> Result:
    """Score finished runs on what they lack."""
    from lab.evaluation.runs.evaluate import evaluate_run

    for k, name in enumerate(p.runs):
        part = progress.part(k / len(p.runs), (k + 1) / len(p.runs), f"{name}: ")
        folder = confined(ws.runs, name)
        evaluate_run(ws, folder, part, snapshots=p.snapshots, generate=p.generate)
    return {"runs": p.runs}
