"""Steps of diversity: embeddings and the map."""

from typing import Any

from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources, facts

Result = dict[str, Any]


def embed(ws: Workspace, p: a.Embed, progress: Progress) -> Result:
    """Embeddings of a sample of each source."""
    from lab.diversity.embedding.embed import embed as embed_source

    names = chosen_sources(ws, p.source)
    found = {}
    for k, name in enumerate(names):
        part = progress.part(k / len(names), (k + 1) / len(names))
        artifact = embed_source(ws, name, encoder=p.encoder, sample=p.sample, progress=part)
        found[name] = facts(artifact.manifest)
    return {"encoder": p.encoder, "sources": found}


def project(ws: Workspace, p: a.Map, progress: Progress) -> Result:
    """The map and its clusters."""
    from lab.diversity.layout.project import project as make_map

    return facts(make_map(ws, chosen_sources(ws, None), progress=progress).manifest)
