"""Sources: named corpora of a workspace, each a `source.yaml` that points to a documents artifact.

Adding writes the artifact first and the pointer last, so a process killed in between leaves the
source as it was; adding again finishes. Adding the same content again finds the artifact and parses
nothing; adding changed content makes a new artifact and moves the pointer, and what was derived
from the old one becomes stale by its id. One writer at a time: whoever calls `add_source` or
`remove_source` holds `Workspace.lock`.
"""

import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, load
from lab.core.errors import ArtifactMissing, ConfigError, nearest
from lab.core.files import confined, read_json, read_yaml, write_yaml
from lab.core.progress import SILENT, Progress
from lab.core.settings import from_mapping
from lab.core.workspace import Workspace
from lab.corpus.convert import Reading
from lab.corpus.documents import STEP, build_documents
from lab.corpus.readers.locate import locate
from lab.corpus.readers.rows import ReadSettings

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
KINDS = ("organic", "rewrite", "synthetic", "code", "reference", "other")


@dataclass(frozen=True, slots=True)
class Source:
    """A named corpus: where it came from and which documents artifact holds it."""

    name: str
    kind: str  # one of KINDS
    licence: str
    provenance: str
    description: str
    paths: tuple[str, ...]  # as they were given
    text_column: str
    id_column: str | None
    documents: str  # id of the documents artifact
    counts: dict[str, Any]  # documents, bytes, heldout, quarantined, by_reason, renamed_ids


@dataclass(frozen=True, slots=True)
class AddSummary:
    """What adding a source did; `bytes` of text, `by_reason` adds up to `quarantined`."""

    documents: int
    bytes: int
    heldout: int
    quarantined: int
    by_reason: dict[str, int]
    renamed_ids: int


def add_source(
    ws: Workspace,
    name: str,
    paths: Sequence[str],
    *,
    kind: str = "organic",
    text_column: str = "text",
    id_column: str | None = None,
    licence: str = "",
    provenance: str = "",
    description: str = "",
    settings: ReadSettings | None = None,
    progress: Progress = SILENT,
) -> AddSummary:
    """Read `paths` (files, globs, folders, hub paths or ids) into the workspace as source `name`.

    Raises ConfigError for an impossible name, kind, path, format or column, DataError if not one
    document came out, DependencyMissing if the hub is away; the workspace is then as before.
    """
    check_name(name)
    check_kind(kind)
    if text_column == id_column:
        raise ConfigError("Text and id cannot be the same column.", value=text_column)
    given = (paths,) if isinstance(paths, str) else tuple(paths)
    reading = Reading(name, text_column, id_column, ws.heldout_share, settings or ReadSettings())
    artifact = build_documents(ws, reading, locate(given), progress)
    counts = artifact.manifest["counts"]
    source = Source(
        name=name,
        kind=kind,
        licence=licence,
        provenance=provenance,
        description=description,
        paths=given,
        text_column=text_column,
        id_column=id_column,
        documents=artifact.id,
        counts=counts,
    )
    write_yaml(source_file(ws, name), {**asdict(source), "paths": list(given)})
    return AddSummary(**counts)


def check_name(name: str) -> None:
    """ConfigError unless `name` can be a folder, a part of ids and a key in recipes."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            "This cannot be the name of a source.",
            value=name,
            next_step="use a-z, 0-9, '-' and '_', beginning with a letter or digit, at most 63",
        )


def check_kind(kind: str) -> None:
    """ConfigError unless `kind` is one of KINDS."""
    if kind not in KINDS:
        raise ConfigError("Unknown kind of source.", value=kind, next_step=nearest(kind, KINDS))


def source_file(ws: Workspace, name: str) -> Path:
    """Where the description of a source is."""
    return confined(ws.sources, name) / "source.yaml"


def list_sources(ws: Workspace) -> list[Source]:
    """All sources, sorted by name."""
    return [read_source(path) for path in sorted(ws.sources.glob("[!.]*/source.yaml"))]


def get_source(ws: Workspace, name: str) -> Source:
    """One source; ConfigError that names the nearest if there is none."""
    path = source_file(ws, name)
    if not path.is_file():
        known = [p.parent.name for p in ws.sources.glob("[!.]*/source.yaml")]
        raise ConfigError("There is no such source.", value=name, next_step=nearest(name, known))
    return read_source(path)


def read_source(path: Path) -> Source:
    """The source described in a `source.yaml`; ConfigError for whatever is wrong with it.

    A file that was read before and is the same since is not parsed again: a rerun of a page with 12
    sources asks some 50 times, at 1 ms each.
    """
    state = path.stat()
    return parse_source(path, state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=1024)
def parse_source(path: Path, _size: int, _changed: int, _inode: int) -> Source:
    """The source described in that state of the file."""
    mapping = read_yaml(path)
    source = from_mapping(Source, mapping, str(path))
    wrong = (
        "name" if source.name != path.parent.name
        else "paths" if not isinstance(mapping["paths"], list)
        else "counts" if not isinstance(source.counts, dict)
        else ""
    )  # fmt: skip
    if wrong:
        raise ConfigError(
            f"The key {wrong!r} does not fit.",
            where=str(path),
            value=mapping[wrong],
            next_step="add the source again",
        )
    check_kind(source.kind)
    return from_mapping(Source, {**mapping, "paths": tuple(mapping["paths"])}, str(path))


def documents(ws: Workspace, name: str) -> Artifact:
    """The documents artifact of a source; ArtifactMissing if its folder is gone."""
    source = get_source(ws, name)
    artifact = load(confined(ws.artifacts / STEP, source.documents))
    if artifact is None:
        raise ArtifactMissing(
            f"The documents of source {name!r} are gone.",
            where=str(ws.artifacts / STEP / source.documents),
            next_step=f"add it again: mixlab add {name} {' '.join(source.paths)}",
        )
    return artifact


def scan_documents(ws: Workspace, name: str) -> pl.LazyFrame:
    """The documents of a source, in order, with the columns of `schema.DOCUMENTS`."""
    return documents(ws, name).scan()


def remove_source(ws: Workspace, name: str) -> None:
    """Forget a source: its description, its documents, and every artifact derived from them.

    Runs keep what they were trained on. ConfigError if there is no such source.
    """
    folder = source_file(ws, get_source(ws, name).name).parent
    gone = folder.with_name(f".{name}.{uuid.uuid4().hex[:8]}.removed")
    folder.rename(gone)
    doomed = own_artifacts(ws, name)
    for path in derived_artifacts(ws, doomed):
        shutil.rmtree(path)
    shutil.rmtree(gone)


def own_artifacts(ws: Workspace, name: str) -> set[str]:
    """Ids of all documents artifacts that were ever made for source `name`."""
    manifests = (ws.artifacts / STEP).glob("[!.]*/manifest.json")
    return {p.parent.name for p in manifests if read_json(p)["config"]["source"] == name}


def derived_artifacts(ws: Workspace, ids: set[str]) -> list[Path]:
    """Folders of the artifacts `ids` and of all that name one of them among their inputs."""
    manifests = sorted(ws.artifacts.glob("*/[!.]*/manifest.json"))
    inputs = {path.parent: set(read_json(path)["inputs"]) for path in manifests}
    found = {folder for folder in inputs if folder.name in ids}
    while more := {f for f in inputs.keys() - found if inputs[f] & {g.name for g in found}}:
        found |= more
    return sorted(found)
