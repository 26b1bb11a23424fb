"""How sources overlap and how well they can be told apart, stored once for their embeddings.

Step "overlap": `overlap.parquet` with one row per ordered pair, as in `breadth.overlap`, and the
two-sample test of the pair. Cost: 1 s a pair at 1,000 texts each.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, build, find, write_part
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.diversity.breadth.measures import SIZE, chosen
from lab.diversity.breadth.overlap import overlap
from lab.diversity.breadth.two_sample import two_sample
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import require_embeddings
from lab.jobs.breadth.pool import load_pool, newest_map, vectors_of

STEP, VERSION = "overlap", 1
FILE = "overlap.parquet"


def identity(
    ws: Workspace, sources: Sequence[str], encoder: str, size: int
) -> tuple[dict[str, Any], list[str]]:
    """Settings and inputs that name the artifact."""
    names = sorted(set(sources))
    embeddings = [require_embeddings(ws, name, encoder).id for name in names]
    settings = {"encoder": encoder, "size": size, "sources": names}
    return settings, [*embeddings, newest_map(ws, embeddings).id]


def stored_overlap(
    ws: Workspace, sources: Sequence[str], *, encoder: str = DEFAULT, size: int = SIZE
) -> pl.DataFrame | None:
    """The stored table, or None."""
    artifact = find(ws, STEP, VERSION, *identity(ws, sources, encoder, size))
    return read_overlap(artifact) if artifact else None


def read_overlap(artifact: Artifact) -> pl.DataFrame:
    """The table of an artifact."""
    return pl.read_parquet(artifact.path / FILE)


def measure_overlap(
    ws: Workspace,
    sources: Sequence[str],
    *,
    encoder: str = DEFAULT,
    size: int = SIZE,
    progress: Progress = SILENT,
) -> Artifact:
    """Measure all pairs of sources; raises as `load_pool`."""
    settings, inputs = identity(ws, sources, encoder, size)

    def make(folder: Path) -> dict[str, Any]:
        names = settings["sources"]
        vectors, clusters = {}, {}
        for name in names:
            pool = load_pool(ws, name, encoder)
            sample = pool.take(chosen(pool.frame.height, 5 * size))
            vectors[name] = vectors_of(sample)
            clusters[name] = sample.frame["cluster"].to_numpy()
        table = overlap(vectors, clusters, size=size)
        pairs = list(combinations(names, 2))
        tests = []
        for k, (one, other) in enumerate(pairs):
            progress(k, len(pairs), f"telling {one} from {other}")
            found = two_sample(vectors[one], vectors[other], size=size)
            band = (found.auc.value, found.auc.low, found.auc.high, found.p)
            tests += [(one, other, *band), (other, one, *band)]
        columns = ["source", "other", "auc", "auc_low", "auc_high", "p"]
        told = pl.DataFrame(tests, schema=columns, orient="row")
        joined = table.join(told, on=["source", "other"], maintain_order="left")
        write_part(joined, folder / FILE)
        return {"pairs": len(pairs)}

    return build(ws, STEP, VERSION, settings, inputs, make)
