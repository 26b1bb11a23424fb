"""Commands that do work: each is an action with parameters, run here or detached as a job."""

import argparse
import os
from pathlib import Path
from typing import Any

import polars as pl

from lab.cli.show import Shown, say, terminal_progress
from lab.core.errors import ShareDone
from lab.core.lock import held
from lab.core.progress import Progress
from lab.core.workspace import Workspace, create, open_workspace
from lab.jobs.actions import run_action
from lab.jobs.store import start_job


def workspace(options: argparse.Namespace) -> Workspace:
    """The workspace named by -w, else by $MIXLAB_WORKSPACE, else ./workspace."""
    return open_workspace(workspace_path(options))


def workspace_path(options: argparse.Namespace) -> Path:
    """Where the workspace is or would be."""
    return Path(options.workspace or os.environ.get("MIXLAB_WORKSPACE") or "workspace")


def progress(options: argparse.Namespace) -> Progress:
    """A bar in a terminal, nothing elsewhere; both stop on Ctrl-C."""
    return terminal_progress(lambda: options.interrupt.asked, options.json or options.quiet)


def act(options: argparse.Namespace, action: str, **params: Any) -> Shown:
    """Run `action` in this process under the workspace's lock, or as a job with --detach."""
    ws = workspace(options)
    given = {key: value for key, value in params.items() if value is not None}
    if options.detach:
        if given.get("shard"):
            options.misused("a share is a process of a job array, not a job: give one of the two")
        job = start_job(ws, action, given)
        return Shown({"job": job.id}, notes=[f"job {job.id} started; `mixlab jobs` shows it"])
    if given.get("shard"):  # shares of a job array run side by side: each writes its own parts
        return run_share(ws, action, given, progress(options))
    with ws.lock(f"mixlab {action}"):
        result = run_action(ws, action, given, progress(options))
    return Shown(result, notes=in_words(action, result))


def run_share(ws: Workspace, action: str, params: dict[str, Any], report: Progress) -> Shown:
    """One share of an action, without the workspace's lock."""
    try:
        result = run_action(ws, action, params, report)
    except ShareDone as done:
        return Shown({"share": params["shard"], "done": done.what}, notes=[str(done)])
    return Shown(result, notes=in_words(action, result))


def in_words(action: str, result: dict[str, Any]) -> list[str]:
    """The result of an action as indented lines."""
    return [f"{action}: done", *lines(result, "  ")]


def lines(value: dict[str, Any], indent: str) -> list[str]:
    """A nested mapping as `key: value` lines; long lists are cut with their length."""
    said = []
    for key, item in value.items():
        if isinstance(item, dict):
            said += [f"{indent}{key}:", *lines(item, indent + "  ")]
        elif isinstance(item, list) and len(item) > 12:
            said.append(f"{indent}{key}: {len(item)} entries")
        elif item not in (None, "", [], {}):
            said.append(f"{indent}{key}: {number(item)}")
    return said


def number(item: object) -> str:
    """Numbers with separators, everything else as it is."""
    if isinstance(item, bool):
        return str(item)
    if isinstance(item, int):
        return f"{item:,}"
    return f"{item:,.4g}" if isinstance(item, float) else str(item)


def init(options: argparse.Namespace) -> Shown:
    """An empty workspace, or one with the sample world."""
    ws = create(workspace_path(options))
    notes = [f"workspace: {ws.root}"]
    result: dict[str, Any] = {"workspace": str(ws.root)}
    if options.sample:
        with ws.lock("mixlab init --sample"):
            params = {"documents": options.documents, "seed": options.seed}
            given = {k: v for k, v in params.items() if v is not None}
            result |= run_action(ws, "sample", given, progress(options))
        notes += lines(result, "  ")
    else:
        notes.append("next: `mixlab add NAME PATH`")
    return Shown(result, notes=notes)


def app(options: argparse.Namespace) -> Shown:
    """Open the app; without a workspace, make one from the sample world first, or finish it."""
    path = workspace_path(options)
    if not (path / "workspace.json").exists() or left_unfinished(workspace(options)):
        say(f"no finished workspace at {path}: building one from the sample world")
        options.sample, options.documents, options.seed = True, None, 0
        init(options)
    from lab.ui.launch import serve

    serve(path.resolve(), options.port)
    return Shown({})


def left_unfinished(ws: Workspace) -> bool:
    """True if building the sample world was interrupted, and nobody is at it now."""
    from lab.jobs.sample import is_unfinished

    return is_unfinished(ws) and not held(ws.root / "lock.json")


def add(options: argparse.Namespace) -> Shown:
    """Read a source."""
    return act(
        options,
        "add",
        name=options.name,
        paths=options.paths,
        kind=options.kind,
        text_column=options.text_column,
        id_column=options.id_column,
        licence=options.licence,
    )


def seeds(options: argparse.Namespace) -> list[int]:
    """`--seed S --seeds K` is S, S+1, ..., S+K-1."""
    return list(range(options.seed, options.seed + options.seeds))


def train(options: argparse.Namespace) -> Shown:
    """Train proxy runs; --resume continues the unfinished runs of the recipes."""
    if options.resume:
        return resume(options)
    return failed_runs(
        act(
            options,
            "train",
            recipes=options.recipes,
            size=options.size,
            tokens=options.tokens,
            seeds=seeds(options),
            repetition=options.repetition,
            snapshots=options.snapshots,
            **where(options),
        )
    )


def resume(options: argparse.Namespace) -> Shown:
    """Continue the unfinished runs of some recipes, as they were prepared."""
    from lab.mixture.recipe_files import read_recipe
    from lab.proxy.runs import unfinished

    ws = workspace(options)
    paths = [Path(name) for name in options.recipes]
    names = [read_recipe(path).name if path.is_file() else str(path) for path in paths]
    found = [run.id for run in unfinished(ws, names)]
    if not found:
        return Shown({"runs": [], "failed": {}}, notes=["nothing to resume"])
    return failed_runs(act(options, "resume", runs=found, **where(options)))


def where(options: argparse.Namespace) -> dict[str, Any]:
    """What runs go through: where they are trained, and what is scored then."""
    keys = ("score_snapshots", "track", "workers", "engine", "address", "gpus_per_run")
    return {key: getattr(options, key) for key in keys}


def failed_runs(shown: Shown) -> Shown:
    """The same result with exit status 1 if some runs failed."""
    failed = shown.data.get("failed")
    return Shown(shown.data, shown.tables, shown.notes, 1) if failed else shown


def export(options: argparse.Namespace) -> Shown:
    """Write the files of a target, or name the targets."""
    from lab.export import TARGETS

    if options.list:
        named = [
            {"target": t.name, "label": t.label, "summary": t.summary} for t in TARGETS.values()
        ]
        return Shown({"targets": named}, [("Targets", pl.DataFrame(named))])
    for given, name in ((options.recipe, "RECIPE"), (options.to, "--to"), (options.output, "-o")):
        if not given:
            options.misused(f"{name} is missing; `mixlab export --list` names the targets")
    output = str(Path(options.output).resolve())
    return act(options, "export", recipe=options.recipe, target=options.to, output=output)
