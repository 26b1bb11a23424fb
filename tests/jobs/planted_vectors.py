"""Planted vectors on the sample world, for tests that choose among documents by them."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, build, write_part
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents
from lab.diversity.embedding.minilm import encode_query
from lab.diversity.embedding.stored import STEP, VERSION, unit

ENCODER = "all-MiniLM-L6-v2"
QUERY = "how do ferries cross in winter"
SOURCE, SAMPLE = "encyclopaedia", 90


def with_vectors(ws: Workspace, root: Path) -> Workspace:
    """A copy of the sample world in `root`; of one source the first documents have vectors: a third
    of them copies, the next twenty near the query, one without any words.
    """
    shutil.copytree(ws.root, root)
    made = open_workspace(root)
    plant(made, SOURCE, planted())
    return made


def copied(ws: Workspace, root: Path) -> Workspace:
    """A copy to write in, without the selections of other tests."""
    shutil.copytree(ws.root, root, ignore=shutil.ignore_patterns("selections"))
    return open_workspace(root)


def planted() -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLE, 384))
    x[:30] = x[0]
    near = encode_query(QUERY)
    x[30:50] = near + 0.05 * rng.normal(size=(20, 384))
    x[40:50] = x[40]  # the closest ten are copies
    x[40:50] = near + 0.02 * rng.normal(size=384)
    x[-1] = 0
    return unit(x)


def plant(
    ws: Workspace, source: str, vectors: np.ndarray, settings: dict[str, Any] | None = None
) -> Artifact:
    """An artifact of embeddings with these vectors for the first documents."""
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        start = 0
        for part in found.parts:
            ids = pl.read_parquet(part, columns=["id"])
            own = vectors[start : start + ids.height]
            write_array(folder / f"{part.stem}.embeddings.npy", own.astype(np.float16))
            write_part(ids[: len(own)], folder / part.name)
            start += ids.height
        return {"embedded": len(vectors), "documents": start, "dimensions": 384}

    about = settings or {"encoder": ENCODER, "sample": len(vectors), "seed": 0}
    return build(ws, STEP, VERSION, about, [found.id], make)
