"""What the sweep's tests call after training; imported by worker processes, not a test."""

from pathlib import Path

from lab.core.errors import DataError
from lab.core.progress import Progress
from lab.core.workspace import Workspace


def note(ws: Workspace, folder: Path, progress: Progress) -> None:
    """Leave a file that names the workspace."""
    (folder / "noted.txt").write_text(str(ws.root))


def refuse(ws: Workspace, folder: Path, progress: Progress) -> None:
    """Fail, for one run only."""
    if folder.name == "bad":
        raise DataError("This run is not liked.", value=folder.name)
