"""Every error of the lab, as a tree. A message answers four questions: what, where, value, next
step.

    LabError
    ├── ConfigError         a recipe, preset, option or file of settings says something impossible
    ├── DataError           the text or the numbers themselves are unusable
    ├── ArtifactMissing     a step has not been run, or what it read has changed since
    ├── WorkspaceError      no workspace here, a newer one, or another process is writing to it
    ├── DependencyMissing   an optional package, model or service is not installed or reachable
    ├── JobLost             a worker died without a result
    └── Cancelled           the user asked to stop; what was finished is kept

They are caught at three edges only: the page, the worker and the command line. Everything between
lets them fly, or adds context with `raise ... from`.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class LabError(Exception):
    """An error a person can act on: what happened, where, with which value, what to do."""

    def __init__(
        self, what: str, *, where: str = "", value: object = None, next_step: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.value = value
        self.next_step = next_step

    def __str__(self) -> str:
        """Lines `what`, `where`, `value`, `next`; those without content are left out."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.value is not None:
            lines.append(f"  value: {shorten(repr(self.value))}")
        if self.next_step:
            lines.append(f"  next:  {self.next_step}")
        return "\n".join(lines)


class ConfigError(LabError):
    """A setting is unknown, missing or impossible."""


class DataError(LabError):
    """Text or numbers that cannot be used as they are."""


class ArtifactMissing(LabError):
    """A step has not been run for these inputs."""


class WorkspaceError(LabError):
    """The folder is no workspace, is of another version, or is in use."""


class DependencyMissing(LabError):
    """An optional package, model or service is not there."""


class JobLost(LabError):
    """A worker ended without writing a result."""


class ShareDone(LabError):
    """This process has done its share of a step; the rest is for other processes."""


class Cancelled(LabError):
    """The user asked to stop."""


def shorten(text: str, limit: int = 200) -> str:
    """`text`, or its first `limit` characters and a mark: a message must not print a document."""
    return text if len(text) <= limit else text[:limit] + " [...]"


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the valid spellings closest to `name`, or all of them if few."""
    options = sorted(known)
    close = get_close_matches(name, options, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    if not options:
        return "none are known yet"
    shown = ", ".join(options[:12]) + (", ..." if len(options) > 12 else "")
    return f"known: {shown}"
