"""Step of the keyword search: an index per source."""

from typing import Any

from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources

Result = dict[str, Any]


def index(ws: Workspace, p: a.Index, progress: Progress) -> Result:
    """The index of one source, or of all."""
    from lab.corpus.search import index_documents

    names = chosen_sources(ws, p.source)
    done = {}
    for k, name in enumerate(names):
        part = progress.part(k / len(names), (k + 1) / len(names))
        artifact = index_documents(ws, name, progress=part, workers=p.workers)
        done[name] = {"documents": artifact.manifest["documents"]}
    return {"sources": done}
