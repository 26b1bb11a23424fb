"""The stored embeddings that a head reads: of the labelled documents, and of whole sources.

Nothing is embedded here: at 36 documents a second and core it is a step of its own. A message says
how large a sample `mixlab embed` has to take, and what that costs.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.diversity.embedding.embed import mix
from lab.diversity.embedding.stored import load_vectors, require_embeddings

F32 = NDArray[np.float32]
SPEED = 36  # documents a second and core, see lab.diversity.embedding.embed


def labelled_vectors(ws: Workspace, frame: pl.DataFrame, encoder: str) -> F32:
    """Unit vectors of the documents of `frame` (id, source, content_hash), in its order.

    Raises ArtifactMissing with the sample to embed if one of them has none.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for name in frame["source"].unique().sort():
        own = frame.filter(pl.col("source") == name)
        try:
            ids, vectors = load_vectors(require_embeddings(ws, name, encoder))
        except ArtifactMissing as error:
            raise too_few(ws, name, own, 0, encoder) from error
        place = dict(zip(ids, range(len(ids)), strict=True))
        if not all(i in place for i in own["id"]):
            raise too_few(ws, name, own, len(ids), encoder)
        found |= {i: vectors[place[i]] for i in own["id"]}
    return np.stack([found[i] for i in frame["id"]])


def too_few(
    ws: Workspace, source: str, own: pl.DataFrame, embedded: int, encoder: str
) -> ArtifactMissing:
    """The error for a sample that leaves out labelled documents: the smallest that does not."""
    columns = ["id", "content_hash"]
    base = documents(ws, source).scan().select(columns).collect()
    mixed = base.with_columns(mix(base["content_hash"], 0)).sort("mixed", "id")
    last = mixed.with_row_index("rank").filter(pl.col("id").is_in(own["id"].implode()))["rank"]
    sample = int(str(last.max())) + 1
    return missing(
        f"Labelled documents of {source!r} have not been embedded.",
        source,
        sample,
        embedded,
        encoder,
    )


def require_all_embedded(ws: Workspace, source: str, encoder: str) -> Artifact:
    """The embeddings of every document of `source`, or ArtifactMissing with the command."""
    total = int(documents(ws, source).scan().select(pl.len()).collect().item())
    try:
        artifact = require_embeddings(ws, source, encoder)
        embedded = int(artifact.manifest["embedded"])
    except ArtifactMissing as error:
        raise incomplete(source, total, 0, encoder) from error
    if embedded < total:
        raise incomplete(source, total, embedded, encoder)
    return artifact


def incomplete(source: str, total: int, embedded: int, encoder: str) -> ArtifactMissing:
    """The error for a source that is embedded in part."""
    what = f"A score from embeddings needs all documents of {source!r} embedded."
    return missing(what, source, total, embedded, encoder)


def missing(what: str, source: str, sample: int, embedded: int, encoder: str) -> ArtifactMissing:
    """The error with the command to run and about how long it takes."""
    minutes = max(1, round(sample / SPEED / 60))
    return ArtifactMissing(
        what,
        where=f"source {source}",
        value=f"{embedded} embedded with {encoder}",
        next_step=f"`mixlab embed --source {source} --sample {sample}`: about {minutes} min on one "
        "core; or use --head ngrams, which needs none",
    )
