"""Steps of diversity: embeddings, the map, and what distinguishes a selection on it."""

from functools import partial
from pathlib import Path
from typing import Any

from lab.core.engine import each_share
from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources, facts

Result = dict[str, Any]


def embed(ws: Workspace, p: a.Embed, progress: Progress) -> Result:
    """Embeddings of a sample of each source, or vectors from a file for one."""
    from lab.diversity.embedding.embed import embed as embed_source

    if p.vectors is not None:
        return import_file(ws, p, p.vectors)
    if p.ids is not None:
        raise ConfigError(
            "Ids belong to vectors from a file.",
            where="embed.ids",
            value=p.ids,
            next_step="give the file of vectors too: `--import FILE.npy --ids FILE`",
        )
    names = chosen_sources(ws, p.source)
    steps = [
        partial(
            embed_source,
            ws,
            name,
            encoder=p.encoder,
            sample=p.sample,
            seed=p.seed,
            progress=progress.part(k / len(names), (k + 1) / len(names)),
        )
        for k, name in enumerate(names)
    ]
    made = each_share(steps)
    found = {name: facts(artifact.manifest) for name, artifact in zip(names, made, strict=True)}
    return {"encoder": p.encoder, "sources": found}


def import_file(ws: Workspace, p: a.Embed, path: str) -> Result:
    """Vectors that were made elsewhere; they belong to one source."""
    from lab.diversity.embedding.external import import_vectors

    if p.source is None:
        raise ConfigError(
            "Vectors from a file are those of one source.",
            where="embed.source",
            next_step="name it: `mixlab embed --source NAME --encoder NAME --import FILE`",
        )
    ids = Path(p.ids) if p.ids else None
    made = import_vectors(ws, p.source, Path(path), encoder=p.encoder, ids=ids)
    return {"encoder": p.encoder, "sources": {p.source: facts(made.manifest)}}


def project(ws: Workspace, p: a.Map, progress: Progress) -> Result:
    """The map and its clusters."""
    from lab.diversity.layout.project import project as make_map

    named = [get_source(ws, name).name for name in p.source or []]
    made = make_map(
        ws,
        named or chosen_sources(ws, None),
        encoder=p.encoder,
        clusters=p.clusters,
        seed=p.seed,
        method=p.method,
        onto=p.onto,
        progress=progress,
    )
    return {"map": made.id, **facts(made.manifest)}


def marks(ws: Workspace, p: a.Marks, progress: Progress) -> Result:
    """What distinguishes a selection: a line, or the name of one."""
    from lab.curation.selections.marked import mark_selection, read_marks
    from lab.curation.selections.names import selection_of
    from lab.curation.selections.predicate import parse_predicate

    line = p.selection.strip()
    asked = parse_predicate(line) if "=" in line else selection_of(ws, line)
    made = mark_selection(ws, asked, progress)
    words, signals = read_marks(made)
    found = {"words": words.to_dicts(), "signals": signals.to_dicts()}
    return {
        "marks": made.id,
        "line": made.manifest["config"]["line"],
        **facts(made.manifest),
    } | found
