"""Commands after pretraining."""

import argparse
from pathlib import Path

from lab.cli.act import act, failed_runs, workspace
from lab.cli.show import Shown, rows


def posttrain(options: argparse.Namespace) -> Shown:
    """Fine-tune finished runs; a file is named by its full path, for the worker is elsewhere."""
    keys = ("runs", "steps", "track", "workers", "engine", "address", "gpus_per_run")
    given = {key: getattr(options, key) for key in keys}
    named = {key: whole_path(getattr(options, key)) for key in ("sft", "dpo")}
    return failed_runs(act(options, "posttrain", **given, **named))


def whole_path(named: str | None) -> str | None:
    """The full path of a file; what is none (a source) as it is."""
    return str(Path(named).resolve()) if named and Path(named).is_file() else named


def gap(options: argparse.Namespace) -> Shown:
    """How the gap between two recipes moved in post-training."""
    from lab.evaluation.comparing.after_training import gap_after

    found = gap_after(workspace(options), options.a, options.b, options.after)
    title = f"{options.b} minus {options.a}, before and after {options.after}"
    data = {"rows": rows(found.frame()), "summary": found.summary, "notes": list(found.notes)}
    return Shown(data, [(title, found.table())], [found.summary, *found.notes])
