"""A workspace: one folder that holds everything a researcher has read, measured and decided.

    workspace.json                 format version, held-out share
    sources/NAME/source.yaml       what a source is, and the id of its documents artifact
    tokenizers/NAME/               tokenizer.json and tokenizer.yaml (how it was made)
    benchmarks/NAME/               items.parquet and benchmark.yaml
    recipes/NAME.yaml              decisions
    artifacts/STEP/ID/             Parquet parts and manifest.json; the id is a hash of what made it
    runs/ID/                       proxy runs: run.json, metrics.jsonl, checkpoint/, model/, scores/
    jobs/ID/                       detached workers: spec, pid, progress, log, result
    labels/                        human or planted labels, one JSONL per attribute
    cache/                         packed rows that runs share; may go while nothing runs

Everything can be read while others write, because files and folders appear whole
(`lab.core.files`). One writer at a time: `Workspace.lock`. Formats older than `VERSION` would be
migrated here; a newer one is refused, since guessing at it could destroy work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import WorkspaceError
from lab.core.files import read_json, write_json
from lab.core.lock import hold

VERSION = 1
FOLDERS = ("sources", "recipes", "runs", "benchmarks", "tokenizers", "artifacts", "jobs")
HELDOUT_SHARE = (
    0.02  # of documents by content hash; enough for 200 documents of a 10k-document source
)


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of a workspace. Use `create` or `open_workspace`; both check the version."""

    root: Path
    heldout_share: float = HELDOUT_SHARE

    def folder(self, *names: str) -> Path:
        """A folder inside the workspace; it need not exist."""
        return self.root.joinpath(*names)

    @property
    def sources(self) -> Path:
        """Folder of sources."""
        return self.root / "sources"

    @property
    def recipes(self) -> Path:
        """Folder of recipes."""
        return self.root / "recipes"

    @property
    def runs(self) -> Path:
        """Folder of proxy runs."""
        return self.root / "runs"

    @property
    def benchmarks(self) -> Path:
        """Folder of registered benchmarks."""
        return self.root / "benchmarks"

    @property
    def tokenizers(self) -> Path:
        """Folder of tokenizers."""
        return self.root / "tokenizers"

    @property
    def artifacts(self) -> Path:
        """Folder of artifacts."""
        return self.root / "artifacts"

    @property
    def jobs(self) -> Path:
        """Folder of jobs."""
        return self.root / "jobs"

    @contextmanager
    def lock(self, purpose: str, patience: float = 0.0) -> Iterator[None]:
        """Hold the workspace's write lock; wait up to `patience` seconds, then WorkspaceError.

        A process that dies releases it.
        """
        path = self.root / "lock.json"
        busy = "Another process is writing to this workspace."
        with hold(path, purpose, patience, busy):
            yield


def create(root: Path, heldout_share: float = HELDOUT_SHARE) -> Workspace:
    """Make an empty workspace at `root`; WorkspaceError if the folder holds something else."""
    if (root / "workspace.json").exists():
        return open_workspace(root)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise WorkspaceError(
            "This place is not empty and is no workspace.",
            where=str(root),
            next_step="choose an empty or new folder with -w",
        )
    write_json(root / "workspace.json", {"version": VERSION, "heldout_share": heldout_share})
    for name in FOLDERS:
        (root / name).mkdir(exist_ok=True)
    return open_workspace(root)


def open_workspace(root: Path) -> Workspace:
    """The workspace at `root`; WorkspaceError if there is none or it is of a newer version."""
    path = root / "workspace.json"
    if not path.is_file():
        raise WorkspaceError(
            "There is no workspace here.",
            where=str(root),
            next_step="`mixlab init -w DIR` makes an empty one, `mixlab init --sample -w DIR` one "
            "with the sample world",
        )
    settings = read_json(path)
    version = settings.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise WorkspaceError(
            "This workspace was written by a newer Mixture Lab.",
            where=str(path),
            value=version,
            next_step=f"this is format {VERSION}; upgrade mixlab, or open another workspace",
        )
    return Workspace(root.resolve(), float(settings.get("heldout_share", HELDOUT_SHARE)))
