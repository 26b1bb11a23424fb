"""Search by meaning: the stored embeddings closest to a query.

Exact by dot products below `index.INDEXED` vectors: they stay on disk as float16 and are mapped; a
block at a time is widened to float32 and multiplied, 15 ms for 100,000 documents of 384 dimensions
in memory (one core). Above it the index beside them proposes and the stored vectors put in order.

Only embedded documents can be found, and they may be a sample: every answer says how many of how
many were searched. The encoder sees the first 256 word pieces of a document, so what stands later
has no meaning here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.index import all_ids, gather, open_index, open_vectors, search
from lab.diversity.embedding.query import query_vector
from lab.diversity.embedding.stored import check_dimensions, read_vectors, require_embeddings

BLOCK = 32_768  # vectors widened at once: 50 MB
F32 = NDArray[np.float32]
FRAME = {"id": pl.String, "source": pl.String, "similarity": pl.Float32}
COUNTS = {"source": pl.String, "searched": pl.UInt32, "documents": pl.UInt32}


@dataclass(frozen=True, slots=True)
class Nearest:
    """`frame`: id, source, similarity (cosine), closest first. `counts`: source, searched (embedded
    documents), documents (all of the source; 0 searched where none is embedded).
    """

    frame: pl.DataFrame
    counts: pl.DataFrame


def nearest_to_text(
    ws: Workspace, sources: Sequence[str], text: str, limit: int = 1000, encoder: str = DEFAULT
) -> Nearest:
    """The `limit` embedded documents of `sources` closest in meaning to `text`.

    Raises ArtifactMissing if no source is embedded, and what `query.query_vector` raises where the
    encoder cannot embed a query here.
    """
    found = stored(ws, sources, encoder)
    return nearest(ws, sources, found, query_vector(ws, found, text, encoder), limit)


def nearest_to_document(
    ws: Workspace, sources: Sequence[str], document: str, limit: int = 1000, encoder: str = DEFAULT
) -> Nearest:
    """The embedded documents most like the one with id `document`, which is left out.

    Its stored vector is used; without one its text is encoded. Raises ConfigError for an unknown
    source or document, ArtifactMissing if no source is embedded, and as `nearest_to_text` does.
    """
    found = stored(ws, sources, encoder)
    vector = stored_vector(ws, document, encoder)
    if vector is None:
        vector = query_vector(ws, found, text_of(ws, document), encoder)
    all_found = nearest(ws, sources, found, vector, limit + 1)
    others = all_found.frame.filter(pl.col("id") != document).head(limit)
    return Nearest(others, all_found.counts)


def text_of(ws: Workspace, document: str) -> str:
    """The text of a document; ConfigError for an id that no document has."""
    rows = documents(ws, document.partition("/")[0]).scan().filter(pl.col("id") == document)
    texts = rows.select("text").collect()["text"]
    if texts.is_empty():
        raise ConfigError(
            "There is no such document.", value=document, next_step="an id is SOURCE/NAME"
        )
    return str(texts[0])


def searched_words(counts: pl.DataFrame) -> str:
    """How many of how many documents were searched, of `Nearest.counts`."""
    searched, whole = (int(counts[c].sum()) for c in ("searched", "documents"))
    said = f"Searched {searched:,} of {whole:,} documents"
    said += ", those that are embedded." if searched < whole else "."
    missing = counts.filter(pl.col("searched") == 0)["source"].to_list()
    return said + (f" Not embedded: {', '.join(missing)}." if missing else "")


def stored(ws: Workspace, sources: Sequence[str], encoder: str) -> dict[str, Artifact]:
    """The embeddings of those sources that have them; ArtifactMissing if none has."""
    found, missing = {}, None
    for source in sources:
        try:
            found[source] = require_embeddings(ws, source, encoder)
        except ArtifactMissing as error:
            missing = error
    if missing is not None and not found:
        raise missing
    return found


def nearest(
    ws: Workspace, sources: Sequence[str], found: dict[str, Artifact], vector: F32, limit: int
) -> Nearest:
    """The closest over all artifacts; ties by id. DataError for vectors of several lengths."""
    lengths = {source: int(a.manifest["dimensions"]) for source, a in found.items()}
    encoder = next((a.manifest["config"]["encoder"] for a in found.values()), "")
    check_dimensions({**lengths, "what is asked": len(vector)}, encoder)
    best = [top(artifact, source, vector, limit) for source, artifact in found.items()]
    frame = pl.concat([pl.DataFrame(schema=FRAME), *best])
    frame = frame.sort("similarity", "id", descending=[True, False]).head(limit)
    totals = {source: get_source(ws, source).counts["documents"] for source in sources}
    searched = {source: int(a.manifest["embedded"]) for source, a in found.items()}
    rows = [(source, searched.get(source, 0), totals[source]) for source in sources]
    return Nearest(frame, pl.DataFrame(rows, schema=COUNTS, orient="row"))


def top(artifact: Artifact, source: str, vector: F32, limit: int) -> pl.DataFrame:
    """The closest documents of one artifact."""
    index = open_index(artifact.path)
    if index is None:
        kept, cosines = exact_top(artifact, vector, limit)
    else:
        kept, cosines = search(index, open_vectors(artifact.path), vector, limit)
    ids = all_ids(artifact.path).gather(kept)
    columns = {"id": ids, "source": [source] * len(ids), "similarity": cosines}
    return pl.DataFrame(columns, schema=FRAME)


def exact_top(artifact: Artifact, vector: F32, limit: int) -> tuple[NDArray[np.int64], F32]:
    """Rows and cosines of the closest, by row: every vector is multiplied."""
    scores = [similarities(part, vector) for part in artifact.parts]
    joined = np.concatenate(scores) if scores else np.zeros(0, np.float32)
    kept = np.arange(joined.size)
    if joined.size > limit:
        kept = np.sort(np.argpartition(-joined, limit)[:limit])
    return kept, joined[kept]


def similarities(part: Path, vector: F32) -> F32:
    """Cosine of the vectors of one part with a unit vector."""
    vectors = read_vectors(part)
    return np.concatenate([np.zeros(0, np.float32), *(block @ vector for block in blocks(vectors))])


def blocks(vectors: NDArray[np.float16]) -> Iterator[F32]:
    """Yield a few vectors at a time as float32, scaled to length 1: rounding to float16 changed
    their length.
    """
    for start in range(0, len(vectors), BLOCK):
        wide = vectors[start : start + BLOCK].astype(np.float32)
        length = np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
        yield wide / np.maximum(length, np.float32(1e-12))


def stored_vector(ws: Workspace, document: str, encoder: str) -> F32 | None:
    """The unit vector of an embedded document, or None."""
    try:
        artifact = require_embeddings(ws, document.partition("/")[0], encoder)
    except ArtifactMissing:
        return None
    row = all_ids(artifact.path).index_of(document)
    if row is None:
        return None
    return gather(open_vectors(artifact.path), np.array([row]))[0]
