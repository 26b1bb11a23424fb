"""How sources overlap and how well they can be told apart, stored once for their embeddings.

Step "overlap": `overlap.parquet` with one row per ordered pair, as in `breadth.overlap`, and the
two-sample test of the pair. Cost: 1 s a pair at 1,000 texts each.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, asked_now, asked_when, build, load, write_part
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.diversity.breadth.measures import SIZE, chosen
from lab.diversity.breadth.overlap import overlap
from lab.diversity.breadth.two_sample import two_sample
from lab.jobs.breadth.common import Common
from lab.jobs.breadth.pool import load_pool, require_texts, vectors_of

STEP, VERSION = "overlap", 2
FILE = "overlap.parquet"


def inputs_of(sources: Sequence[str], common: Common) -> list[str]:
    """Ids of what the table is made of."""
    return [*(common.embeddings[name].id for name in sorted(set(sources))), common.topics]


def stored_overlap(ws: Workspace, sources: Sequence[str], common: Common) -> pl.DataFrame | None:
    """The newest stored table of exactly these sources, of whatever size, or None."""
    found = [load(path) for path in (ws.artifacts / STEP).glob("[!.]*")]
    inputs = inputs_of(sources, common)
    fitting = [
        made for made in found
        if made and made.manifest["version"] == VERSION and made.manifest["inputs"] == inputs
    ]  # fmt: skip
    newest = max(fitting, key=asked_when, default=None)
    return read_overlap(newest) if newest else None


def read_overlap(artifact: Artifact) -> pl.DataFrame:
    """The table of an artifact."""
    return pl.read_parquet(artifact.path / FILE)


def measure_overlap(
    ws: Workspace,
    sources: Sequence[str],
    common: Common,
    *,
    size: int = SIZE,
    progress: Progress = SILENT,
) -> Artifact:
    """Measure all pairs of sources. DataError if one has fewer than two documents."""
    names = sorted(set(sources))

    def make(folder: Path) -> dict[str, Any]:
        vectors, clusters = {}, {}
        for name in names:
            pool = load_pool(ws, name, common)
            require_texts(pool)
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

    settings = {"encoder": common.encoder, "size": size, "sources": names}
    inputs = inputs_of(names, common)
    return asked_now(build(ws, STEP, VERSION, settings, inputs, make))
