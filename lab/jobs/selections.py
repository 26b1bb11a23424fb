"""The stored selections of a source as pages and the command line list them."""

from dataclasses import dataclass
from typing import Any

from lab.core.artifacts import Artifact
from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.diversity.selecting.choose import KEPT
from lab.diversity.selecting.stored import USUAL, command_of, newest_selections
from lab.mixture.selections import Changes, comparing


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """One selection: `changed` is what it was chosen from that is different now; `usable` is False
    where the documents themselves are others, so that no rule can read it.
    """

    artifact: Artifact
    changed: tuple[str, ...]
    usable: bool

    @property
    def source(self) -> str:
        """Whose documents."""
        return str(self.artifact.manifest["source"])

    @property
    def column(self) -> str:
        """Its name in a rule."""
        return str(self.artifact.manifest["column"])

    @property
    def budget(self) -> int:
        """Tokens that it might take."""
        return int(self.artifact.manifest["budget"])

    @property
    def tokens(self) -> int:
        """Tokens that it took."""
        return int(self.kept()["tokens"])

    @property
    def documents(self) -> int:
        """Documents that it took."""
        return int(self.kept()["documents"])

    @property
    def lost(self) -> list[dict[str, Any]]:
        """Topics of which little is left."""
        return [topic for topic in self.artifact.manifest["topics"] if topic["lost"]]

    @property
    def command(self) -> str:
        """What makes it anew."""
        return command_of(self.artifact)

    def quality_words(self) -> str:
        """The score that was weighed with breadth, and its weight where it is not the usual one."""
        config = self.artifact.manifest["config"]
        usual = not config["quality"] or config["balance"] == USUAL["balance"]
        return str(config["quality"]) + ("" if usual else f", weight {config['balance']:g}")

    def kept(self) -> dict[str, Any]:
        """Documents and tokens that were kept."""
        none = {"documents": 0, "tokens": 0}
        return next((r for r in self.artifact.manifest["reasons"] if r["reason"] == KEPT), none)

    def state(self) -> str:
        """`current`, or what changed."""
        return f"stale: other {', '.join(self.changed)}" if self.changed else "current"

    def move(self, measure: str) -> str:
        """A measure of breadth before and after, without its interval."""
        before, after = (self.artifact.manifest[k].get(measure) for k in ("before", "after"))
        return f"{before['value']:.4g} to {after['value']:.4g}" if before and after else ""

    def plain(self) -> dict[str, Any]:
        """As data."""
        manifest = self.artifact.manifest
        wanted = ("method", "config", "before", "after", "quality_mean", "created", "reasons")
        return {
            "source": self.source, "column": self.column, "selection": self.artifact.id,
            "stale": list(self.changed), "usable": self.usable, "budget": self.budget,
            "tokens": self.tokens, "documents": self.documents, "lost": self.lost,
            "command": self.command, **{k: manifest[k] for k in wanted if k in manifest},
        }  # fmt: skip


def listed(ws: Workspace, source: str) -> list[Listed]:
    """The newest selection of every name, the latest first."""
    changes, current = comparing(ws, source), get_source(ws, source).documents
    return [look(artifact, changes, current) for artifact in newest_selections(ws, source)]


def look(artifact: Artifact, changes: Changes, current: str) -> Listed:
    """A selection with what has changed since it was made; `current` documents are its source's."""
    try:
        words = changes(artifact)
    except LabError as error:
        words = [error.what]
    return Listed(artifact, tuple(words), artifact.manifest["inputs"][0] == current)
