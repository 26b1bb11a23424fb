"""A benchmark set aside, and brought back: removal that one click undoes.

The folder moves to `removed/benchmarks/NAME`, where nothing lists it. One benchmark of a name is
kept there; removing another of that name replaces it.
"""

import shutil
from pathlib import Path

from lab.core.errors import ConfigError
from lab.core.files import confined
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.registry import read_summary, taken


def remove_benchmark(ws: Workspace, name: str) -> None:
    """Set benchmark `name` aside, where `restore_benchmark` finds it; one set aside before goes.

    Scores of runs keep their rows; they are not compared any more while it is gone.
    """
    read_summary(ws, name)
    aside = removed_folder(ws, name)
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(parents=True, exist_ok=True)
    confined(ws.benchmarks, name).rename(aside)


def restore_benchmark(ws: Workspace, name: str) -> None:
    """Bring a removed benchmark back; ConfigError if its name was taken meanwhile."""
    folder, aside = confined(ws.benchmarks, name), removed_folder(ws, name)
    if folder.exists():
        raise taken(folder, name)
    if not aside.is_dir():
        raise ConfigError("No benchmark of this name was removed.", value=name)
    aside.rename(folder)


def removed_folder(ws: Workspace, name: str) -> Path:
    """Where a removed benchmark lies."""
    return confined(ws.folder("removed", "benchmarks"), name)
