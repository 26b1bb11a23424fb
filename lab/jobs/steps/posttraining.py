"""Steps after pretraining: fine-tuning of finished runs, and sending runs to a tracker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.core.files import clear_halves
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a

Result = dict[str, Any]
SHARE = 0.1  # of a stage's bar for reading material


def posttrain(ws: Workspace, p: a.Posttrain, progress: Progress) -> Result:
    """The stages that have material, one after the other, each over all runs side by side."""
    from lab.proxy.posttraining.prepare import require_trl
    from lab.proxy.trackers import require_tracker

    require_trl()
    require_tracker(p.track)
    wanted = [(stage, named) for stage, named in (("sft", p.sft), ("dpo", p.dpo)) if named]
    if not wanted:
        raise ConfigError("Name the material.", next_step="--sft exercises, or --dpo pairs.jsonl")
    clear_halves(ws.runs)
    folders = parents(ws, p.runs)
    done: list[str] = []
    failed: dict[str, str] = {}
    for k, (stage, named) in enumerate(wanted):
        part = progress.part(k / len(wanted), (k + 1) / len(wanted), f"{stage}: ")
        folders, lost = run_stage(ws, folders, stage, named, p, part)
        done += [folder.name for folder in folders]
        failed |= lost
    return {"runs": done, "failed": failed}


def run_stage(
    ws: Workspace,
    folders: Sequence[Path],
    stage: str,
    named: str,
    p: a.Posttrain,
    progress: Progress,
) -> tuple[list[Path], dict[str, str]]:
    """(Run folders that one stage made of `folders`, what failed), trained and scored."""
    from lab.proxy.posttraining.prepare import prepare_posttraining
    from lab.proxy.sweep import run_many
    from lab.proxy.trackers import track_run

    prepared = []
    for k, folder in enumerate(folders):
        part = progress.part(SHARE * k / len(folders), SHARE * (k + 1) / len(folders))
        prepared.append(
            prepare_posttraining(ws, folder, stage, named, steps=p.steps, progress=part)
        )
        track_run(prepared[-1], p.track)
    outcome = run_many(
        prepared,
        after="lab.evaluation.runs.evaluate:evaluate_run",
        progress=progress.part(SHARE, 1.0),
    )
    return [folder for folder in prepared if folder in outcome.done], outcome.failed


def parents(ws: Workspace, names: Sequence[str]) -> list[Path]:
    """The finished runs that `names` mean: runs by id, recipes at the budget they share."""
    from lab.evaluation.comparing.choose import named_groups

    groups = named_groups(ws, names)
    return [folder for folders in groups.values() for folder in folders]


def track(ws: Workspace, p: a.Track, progress: Progress) -> Result:
    """What a tracker lacks of finished runs, named by id or by recipe."""
    from lab.proxy.runs import list_runs
    from lab.proxy.trackers import require_tracker, send_run

    require_tracker(p.to)
    finished = list_runs(ws).filter(pl.col("state") == "done")
    sent: dict[str, dict[str, int]] = {}
    for name in p.runs:
        found = finished.filter((pl.col("id") == name) | (pl.col("recipe") == name))["id"].to_list()
        if not found:
            known = [*finished["recipe"].unique(), *finished["id"]]
            raise ConfigError("No finished run.", value=name, next_step=nearest(name, known))
        for run in found:
            progress(len(sent), len(sent) + 1, f"sending {run}")
            sent[run] = send_run(ws.runs / run, p.to)
    return {"sent": sent}
