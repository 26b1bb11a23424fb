"""Embeddings of a sample of each source, stored as float16.

The sample is the `sample` documents with the smallest mixed content hash (bottom-k sampling, Cohen
and Kaplan 2007): uniform over texts, free of row order, and stable, so that a source that grows
keeps most of its sample. The bits used are not those of the held-out split.

Parts follow the documents' parts, with the sampled documents only: column id, and unit vectors in
`part-N.embeddings.npy` (float16). Work is done in blocks of `BLOCK` texts of like length, kept as
they finish: a killed process loses one block. Cost: 36 documents of 600 characters a second and
core with bf16 (Zen 4), 22 with fp32. The manifest holds the panel of measures, and
`moments.safetensors` what the diversity of a mixture needs.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, build, load, write_part
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.files import read_json
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.diversity.breadth.measures import panel
from lab.diversity.breadth.moments import moments, save_moments
from lab.diversity.embedding.encoder import DEFAULT

STEP = "embeddings"
VERSION = 1
SAMPLE = 2000
BLOCK = 256  # texts; 7 s of work on one core

F16 = NDArray[np.float16]
F32 = NDArray[np.float32]


def embed(
    ws: Workspace,
    source: str,
    *,
    encoder: str = DEFAULT,
    sample: int = SAMPLE,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Artifact:
    """Embed `sample` documents of `source` (all if it has fewer).

    Raises ConfigError for a sample below 2, DependencyMissing for an encoder that is not here.
    """
    if sample < 2:
        raise ConfigError("A sample has at least two documents.", value=sample)
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        chosen = choose(found, sample, seed)
        vectors, about = encode_blocks(folder, found, chosen, encoder, source, progress)
        write_parts(folder, found, chosen, vectors)
        return {**about, **summarise(folder, vectors), "source": source}

    settings = {"encoder": encoder, "sample": sample, "seed": seed}
    return build(ws, STEP, VERSION, settings, [found.id], make)


def choose(found: Artifact, sample: int, seed: int) -> pl.DataFrame:
    """Columns part, row, id, bytes of the sample, longest first; and `of`, the total."""
    frames = [
        pl.read_parquet(part, columns=["id", "bytes", "content_hash"])
        .with_row_index("row")
        .with_columns(part=pl.lit(number, pl.UInt32))
        for number, part in enumerate(found.parts)
    ]
    frame = pl.concat(frames)
    frame = frame.with_columns(mixed=mix(frame["content_hash"], seed), of=pl.len())
    return frame.sort("mixed", "id").head(sample).sort("bytes", "id", descending=[True, False])


def mix(content_hash: pl.Series, seed: int) -> pl.Series:
    """Bits 32 to 91 of each hash, shuffled by the seed (SplitMix64, Steele et al. 2014)."""
    bits = content_hash.str.slice(8, 15).str.to_integer(base=16).to_numpy().astype(np.uint64)
    value = bits + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return pl.Series("mixed", value ^ (value >> np.uint64(31)))


def encode_blocks(
    folder: Path,
    found: Artifact,
    chosen: pl.DataFrame,
    encoder: str,
    source: str,
    progress: Progress,
) -> tuple[F16, dict[str, Any]]:
    """Vectors of the chosen documents in their order, and facts about how they were made."""
    from lab.diversity.embedding.encoder import load_encoder

    scratch = folder / "blocks"
    scratch.mkdir(exist_ok=True)
    progress(0, chosen.height, f"loading {encoder}")
    model = load_encoder(encoder)
    blocks = []
    for start in range(0, chosen.height, BLOCK):
        progress(start, chosen.height, f"embedding {source}")
        path = scratch / f"{start:08d}.npy"
        if not path.exists():
            write_array(path, model.encode(texts(found, chosen.slice(start, BLOCK))))
        blocks.append(np.load(path, allow_pickle=False))
    progress(chosen.height, chosen.height, f"embedding {source}")
    shutil.rmtree(scratch)
    about = {
        "embedded": chosen.height,
        "documents": int(chosen["of"][0]),
        "dimensions": model.dimensions,
        "precision": model.precision,
        "origin": model.origin,
    }
    return np.concatenate(blocks), about


def texts(found: Artifact, chosen: pl.DataFrame) -> list[str]:
    """Texts of the chosen documents, in their order."""
    asked = chosen.select("part", "row").with_row_index("at")
    pieces = []
    for (part,), rows in asked.group_by("part", maintain_order=True):
        column = pl.read_parquet(found.parts[int(str(part))], columns=["text"])["text"]
        pieces.append(rows.select("at", text=column.gather(rows["row"])))
    return pl.concat(pieces).sort("at")["text"].to_list()


def write_parts(folder: Path, found: Artifact, chosen: pl.DataFrame, vectors: F16) -> None:
    """Put vectors and ids back into document order, part by part."""
    placed = chosen.select("part", "row", "id").with_row_index("at").sort("part", "row")
    for number in range(len(found.parts)):
        own = placed.filter(pl.col("part") == number)
        write_array(folder / f"part-{number:05d}.embeddings.npy", vectors[own["at"].to_numpy()])
        write_part(own.select("id"), folder / f"part-{number:05d}.parquet")


def summarise(folder: Path, vectors: F16) -> dict[str, Any]:
    """Store the moments; the panel of measures for the manifest, empty for a single document."""
    save_moments(moments(vectors), folder / "moments.safetensors")
    measured = panel(vectors) if len(vectors) > 1 else {}
    return {"panel": {name: asdict(estimate) for name, estimate in measured.items()}}


def require_embeddings(ws: Workspace, source: str, encoder: str = DEFAULT) -> Artifact:
    """The largest stored sample of the source's current documents under `encoder`.

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
        raise ArtifactMissing(
            f"The documents of {source!r} have not been embedded.",
            where=f"source {source}",
            value=encoder,
            next_step=f"`mixlab embed --source {source}`: about a minute a source on two cores",
        )
    return max(artifacts, key=lambda artifact: int(artifact.manifest["embedded"]))


def load_vectors(artifact: Artifact) -> tuple[pl.Series, F32]:
    """Ids and unit vectors (float32) of an embeddings artifact, in document order."""
    arrays = [
        np.load(part.with_suffix(".embeddings.npy"), allow_pickle=False) for part in artifact.parts
    ]
    return artifact.scan().collect()["id"], unit(np.concatenate(arrays))


def unit(vectors: NDArray[Any]) -> F32:
    """Rows scaled to length 1 in float32; a row of zeros stays."""
    wide = vectors.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), np.float32(1e-12))


def stack(ws: Workspace, sources: Sequence[str], encoder: str) -> tuple[pl.DataFrame, F32]:
    """Columns id, source and the vectors of several sources' samples, sources by name."""
    frames, arrays = [], []
    for source in sorted(set(sources)):
        ids, vectors = load_vectors(require_embeddings(ws, source, encoder))
        frames.append(pl.DataFrame({"id": ids, "source": pl.repeat(source, len(ids), eager=True)}))
        arrays.append(vectors)
    return pl.concat(frames), np.concatenate(arrays)
