"""Artifacts: folders of Parquet parts whose name is a hash of what made them.

`artifact_id` = digest of (step, version, config, ids of the inputs). Same inputs give the same id,
so a step that has been done is found, not repeated; a changed input gives another id, so what was
derived from it is *missing* (and shown as stale) instead of silently reused. Parts of an attribute
are aligned with the parts of the documents they describe: row k of part p speaks of the same
document. The manifest is written last; the folder is renamed into place as a whole.

Resume: `build` keeps finished parts of an interrupted build under `artifacts/STEP/.partial-ID/` and
skips them next time, so a killed process loses at most the part in flight. Two processes that make
the same artifact at once share that folder; the first to finish publishes it for both.

Where the latest of several is the one that counts, when it was made does not tell: what is asked
for again is found with its old date. `asked_now` notes that, and `asked_when` orders by it.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from lab import __version__
from lab.core.errors import ArtifactMissing, LabError
from lab.core.files import digest, disk_error, flush, publish, read_json, write_json
from lab.core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished artifact: its folder and manifest."""

    path: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        """The hash that names it."""
        return self.path.name

    @property
    def parts(self) -> list[Path]:
        """Its Parquet parts in order."""
        return sorted(self.path.glob("part-*.parquet"))

    def scan(self) -> pl.LazyFrame:
        """All parts as one lazy frame, in part order."""
        return pl.scan_parquet(self.parts)


def artifact_id(step: str, version: int, config: object, inputs: Sequence[str]) -> str:
    """The id of the artifact that `step` makes from `inputs` with `config`."""
    return digest({"step": step, "version": version, "config": config, "inputs": list(inputs)})


def find(
    ws: Workspace, step: str, version: int, config: object, inputs: Sequence[str]
) -> Artifact | None:
    """The finished artifact for exactly these inputs, or None."""
    return load(ws.artifacts / step / artifact_id(step, version, config, inputs))


def load(path: Path) -> Artifact | None:
    """The artifact in folder `path`, or None if it is not finished."""
    manifest = path / "manifest.json"
    return Artifact(path, read_json(manifest)) if manifest.is_file() else None


def require(
    ws: Workspace,
    step: str,
    version: int,
    config: object,
    inputs: Sequence[str],
    *,
    what: str,
    next_step: str,
) -> Artifact:
    """`find`, or ArtifactMissing that says whether it was never made or has become stale."""
    found = find(ws, step, version, config, inputs)
    if found is None:
        raise ArtifactMissing(what, where=str(ws.artifacts / step), next_step=next_step)
    return found


def build(
    ws: Workspace,
    step: str,
    version: int,
    config: object,
    inputs: Sequence[str],
    make: Callable[[Path], dict[str, Any]],
) -> Artifact:
    """The artifact for these inputs, made by `make(folder)` if it is not there yet.

    `make` writes parts into the folder it is given, skipping parts that are already complete there,
    and returns facts for the manifest (counts, settings in words). Parts must be written with
    `lab.core.files` or renamed into place, so that one present is one complete.
    """
    key = artifact_id(step, version, config, inputs)
    final = ws.artifacts / step / key
    if (found := load(final)) is not None:
        return found
    partial = final.with_name(f".partial-{key}")
    facts = {"step": step, "version": version, "config": config, "inputs": list(inputs)}
    try:
        return finish(partial, final, facts, make)
    except (OSError, LabError):
        # Another process made the same artifact, and its rename took the folder away from this one:
        # same id, same bytes.
        if (found := load(final)) is not None:
            return found
        raise


def finish(
    partial: Path, final: Path, facts: dict[str, Any], make: Callable[[Path], dict[str, Any]]
) -> Artifact:
    """Let `make` fill `partial`, write its manifest last and rename it to `final`."""
    if final.is_dir() and load(final) is None:  # renamed whole, so somebody took its manifest away
        shutil.rmtree(final)
    partial.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC)
    made = make(partial)
    manifest = {
        **facts,
        "made_by": f"mixlab {__version__}",
        "created": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
        **made,
    }
    write_json(partial / "manifest.json", manifest)
    publish(partial, final)
    shutil.rmtree(partial, ignore_errors=True)  # if another process had published it before
    for scrap in final.rglob(".*.tmp"):  # of processes that were killed while they wrote
        if not scrap.name.startswith(".manifest.json"):  # another may be noting that it was asked
            scrap.unlink(missing_ok=True)
    return Artifact(final, manifest)


def asked_now(made: Artifact) -> Artifact:
    """The artifact, its manifest saying that it was asked for now."""
    manifest = made.manifest | {"asked": datetime.now(UTC).isoformat()}
    write_json(made.path / "manifest.json", manifest)
    os.utime(made.path.parent)  # as if it had been made now: readers look at this folder's time
    return Artifact(made.path, manifest)


def asked_when(artifact: Artifact) -> tuple[str, str]:
    """When an artifact was last asked for, and its id."""
    return artifact.manifest.get("asked", artifact.manifest["created"]), artifact.id


def write_part(frame: pl.DataFrame, path: Path) -> None:
    """Write one Parquet part (zstd) under a temporary name, then rename it.

    A full disk raises LabError; Polars reports it as a ComputeError.
    """
    temp = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")  # two shares may write it
    try:
        frame.write_parquet(temp, compression="zstd")
        flush(temp)  # before the rename: the manifest that vouches for the part is flushed too
        temp.replace(path)
    except (OSError, pl.exceptions.ComputeError) as error:
        temp.unlink(missing_ok=True)
        raise disk_error(OSError(str(error)), path) from error
