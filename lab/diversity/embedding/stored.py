"""Reading stored embeddings: which are current, their ids and vectors.

An artifact of step `embeddings` holds per part of documents `part-N.parquet` (id) and
`part-N.embeddings.npy` (float16 unit vectors, mapped from disk where they are many). Vectors from
elsewhere (`external`) are stored the same, under the name of their encoder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, asked_when, load
from lab.core.errors import ArtifactMissing, DataError
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.diversity.embedding.encoder import DEFAULT, encoder_option

STEP = "embeddings"
VERSION = 1

F16 = NDArray[np.float16]
F32 = NDArray[np.float32]


def require_embeddings(ws: Workspace, source: str, encoder: str = DEFAULT) -> Artifact:
    """The largest stored sample of the source's current documents under `encoder`, of equal ones
    that asked for last; of several files or weights under one name only what was asked for last.

    Raises ArtifactMissing with the command and about how long it takes.
    """
    current = get_source(ws, source)
    stored = [
        path.parent
        for path in (ws.artifacts / STEP).glob("[!.]*/manifest.json")
        if (about := read_json(path))["inputs"] == [current.documents]
        and about["config"]["encoder"] == encoder
        and about["version"] == VERSION
    ]
    artifacts = [artifact for path in sorted(stored) if (artifact := load(path)) is not None]
    if not artifacts:
        other = encoder_option(encoder)
        raise ArtifactMissing(
            f"The documents of {source!r} have not been embedded.",
            where=f"source {source}",
            value=encoder,
            next_step=f"`mixlab embed --source {source}{other}`: about a minute a source on two "
            "cores",
        )
    last = made_with(max(artifacts, key=asked_when))
    same = [artifact for artifact in artifacts if made_with(artifact) == last]
    return max(same, key=lambda a: (int(a.manifest["embedded"]), asked_when(a)))


def made_with(artifact: Artifact) -> dict[str, Any]:
    """What vectors come from, whatever the sample: the encoder, its weights, an imported file."""
    config = artifact.manifest["config"]
    return {name: value for name, value in config.items() if name not in ("sample", "seed")}


def read_part(part: Path) -> tuple[pl.Series, F16]:
    """Ids and vectors of one part; the vectors stay on disk until they are used."""
    return pl.read_parquet(part, columns=["id"])["id"], read_vectors(part)


def read_vectors(part: Path) -> F16:
    """The vectors of one part, on disk."""
    vectors: F16 = np.load(part.with_suffix(".embeddings.npy"), mmap_mode="r", allow_pickle=False)
    return vectors


def load_vectors(artifact: Artifact) -> tuple[pl.Series, F32]:
    """Ids and unit vectors (float32) of an embeddings artifact, in document order."""
    arrays = [read_vectors(part) for part in artifact.parts]
    return artifact.scan().collect()["id"], unit(np.concatenate([a for a in arrays if len(a)]))


def unit(vectors: NDArray[Any]) -> F32:
    """Rows scaled to length 1 in float32; a row of zeros stays."""
    wide = vectors.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), np.float32(1e-12))


def stack(ws: Workspace, sources: Sequence[str], encoder: str) -> tuple[pl.DataFrame, F32]:
    """Columns id, source and the vectors of several sources' samples, sources by name.

    Raises ArtifactMissing if one is not embedded, DataError if their dimensions differ.
    """
    found = {name: require_embeddings(ws, name, encoder) for name in sorted(set(sources))}
    frames, arrays = [], {}
    for source, artifact in found.items():
        ids, arrays[source] = load_vectors(artifact)
        frames.append(pl.DataFrame({"id": ids, "source": pl.repeat(source, len(ids), eager=True)}))
    check_dimensions({name: vectors.shape[1] for name, vectors in arrays.items()}, encoder)
    return pl.concat(frames), np.concatenate(list(arrays.values()))


def check_dimensions(dimensions: dict[str, int], encoder: str) -> None:
    """DataError unless all sources' vectors are of one length."""
    if len(set(dimensions.values())) > 1:
        raise DataError(
            "The sources' vectors are of different dimensions, so not of one encoder.",
            where=f"encoder {encoder}",
            value=dimensions,
            next_step=f"embed all of them again with one encoder: `mixlab embed --encoder {encoder}"
            "`",
        )
