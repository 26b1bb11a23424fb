"""What a sweep leaves behind for those who watch it: `sweeps/ID.json` in the workspace.

    {"id": "20261121-093000-123", "created": "...", "ended": null, "engine": "local",
     "address": null, "gpus": 0.0, "workers": 2, "after": "module:function",
     "process": {"pid", "start", "host"}, "runs": [ids as asked for],
     "attempts": {id: tries begun}, "errors": {id: words}, "failed": [ids given up]}

It says what no run's folder says: which runs belong together, how often each was tried, what went
wrong. How far a run is stands in its own status. The file is written when an attempt begins or
ends; a sweep whose process is gone without having set `ended` was killed.
"""

import os
import socket
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.core.engine import Engine
from lab.core.files import read_json, write_json
from lab.core.lock import process_start
from lab.core.workspace import Workspace


@dataclass(slots=True)
class Record:
    """The content of one file; changed by the sweep only."""

    id: str
    created: str
    engine: str
    address: str | None
    gpus: float
    workers: int
    after: str
    runs: list[str]
    process: dict[str, Any]
    ended: str | None = None
    attempts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether the sweep goes on; one on another machine is believed."""
        if self.ended is not None:
            return False
        if self.process["host"] != socket.gethostname():
            return True
        return process_start(self.process["pid"]) == self.process["start"]


def new_record(engine: Engine, workers: int, after: str, runs: list[str]) -> Record:
    """The record of a sweep that begins now, in this process."""
    now = datetime.now(UTC)
    pid = os.getpid()
    process = {"pid": pid, "start": process_start(pid), "host": socket.gethostname()}
    name = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    created = now.isoformat(timespec="seconds")
    where = (engine.name, engine.address, engine.gpus)
    return Record(name, created, *where, workers, after, runs, process)


def write_record(root: Path, record: Record) -> None:
    """Replace the file of `record` in the workspace at `root`."""
    write_json(root / "sweeps" / f"{record.id}.json", asdict(record))


def end_record(root: Path, record: Record) -> None:
    """Note that the sweep is over, however it ended."""
    record.ended = datetime.now(UTC).isoformat(timespec="seconds")
    write_record(root, record)


def list_records(ws: Workspace) -> list[Record]:
    """All sweeps of a workspace, newest first."""
    files = sorted(ws.folder("sweeps").glob("[!.]*.json"), reverse=True)
    return [Record(**read_json(path)) for path in files]


def last_record(ws: Workspace) -> Record | None:
    """The sweep that began last."""
    files = sorted(ws.folder("sweeps").glob("[!.]*.json"))
    return Record(**read_json(files[-1])) if files else None
