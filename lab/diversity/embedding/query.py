"""The vector of a query, by the encoder that embedded the documents.

A cosine says something only between vectors of one encoder, so a query goes through the one whose
vectors are searched, as a document does: cut at the same length, with the model's own default
prompt if it has one, scaled to length 1. A model that was trained with another prompt for queries
(E5, Wang et al. 2022) is asked without it, as its documents were embedded without theirs.

    default             NumPy (`minilm`), 25 ms: the server may do it
    static              a sum of stored vectors: the server may do it
    another, by name    sentence-transformers, seconds to load torch: a process of its own
    imported vectors    nobody here has their encoder: ask with a document that has a vector

Imported vectors under the default encoder's name are taken for its own (`external`). A folder may
hold other weights than it did: their hash must be the one in the manifest. A name of the hub has
none; only the length of its vectors is compared.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, DependencyMissing
from lab.core.workspace import Workspace
from lab.diversity.embedding import static
from lab.diversity.embedding.embed import check_vectors, folder_digest, open_encoder
from lab.diversity.embedding.encoder import DEFAULT, Encoder
from lab.diversity.embedding.minilm import encode_query
from lab.diversity.embedding.stored import check_dimensions, unit

F32 = NDArray[np.float32]
LIGHT = (DEFAULT, static.NAME)  # encoders that need no torch


def query_vector(ws: Workspace, found: Mapping[str, Artifact], text: str, encoder: str) -> F32:
    """The unit vector [d] of `text` under the encoder of the embeddings `found`, by source.

    Raises DependencyMissing for imported vectors or an encoder that is not here, ArtifactMissing
    for a folder whose weights have changed since, DataError for vectors of another length.
    """
    vector = embed_query(ws, found, text, encoder)
    lengths = {source: int(a.manifest["dimensions"]) for source, a in found.items()}
    check_dimensions({**lengths, "the query": len(vector)}, encoder)
    return vector


def embed_query(ws: Workspace, found: Mapping[str, Artifact], text: str, encoder: str) -> F32:
    """The same, of whatever length the encoder gives."""
    if encoder == DEFAULT:
        return encode_query(text)
    if encoder == static.NAME:
        coarse = static.load_static(static.require_static(ws).path)
        return coarse.encode([text])[0].astype(np.float32)
    check_not_imported(found, encoder)
    opened, weights = opened_with(encoder)
    check_weights(found, encoder, weights)
    vectors = opened.encode([text])
    check_vectors(vectors, pl.Series("id", ["query"]), encoder)
    return unit(vectors)[0]


@lru_cache(maxsize=1)
def opened_with(encoder: str) -> tuple[Encoder | static.StaticEncoder, str]:
    """The encoder of that name and the hash of a folder's weights ("" for a name of the hub), once
    a process.
    """
    weights = folder_digest(encoder).get("weights", "")
    return open_encoder(encoder), weights


def is_imported(artifact: Artifact) -> bool:
    """True for vectors that were computed elsewhere."""
    return "imported" in artifact.manifest["config"]


def check_not_imported(found: Mapping[str, Artifact], encoder: str) -> None:
    """DependencyMissing for vectors whose encoder is but a name here."""
    names = [source for source, artifact in found.items() if is_imported(artifact)]
    if names:
        raise DependencyMissing(
            f"The vectors of {names[0]!r} were imported under the name {encoder!r}: their encoder "
            "is not known here, so no text can be compared with them.",
            where=f"source {names[0]}",
            value=encoder,
            next_step="ask with a document that has a vector: `mixlab retrieve --like SOURCE/ID "
            f"--encoder {encoder}`; or embed here: `mixlab embed --source {names[0]}`",
        )


def check_weights(found: Mapping[str, Artifact], encoder: str, weights: str) -> None:
    """ArtifactMissing unless the folder still holds the weights that embedded every source."""
    for source, artifact in found.items():
        if artifact.manifest["config"].get("weights", "") != weights:
            raise ArtifactMissing(
                f"The encoder {encoder!r} is not the one that embedded {source!r}: its weights are "
                "others.",
                where=f"source {source}",
                value=weights,
                next_step=f"`mixlab embed --source {source} --encoder {encoder}`",
            )
