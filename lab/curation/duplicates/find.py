"""Finding duplicates across sources: three steps, each stored, each reused when it can be.

    minhash           each source  band keys of every document           (a new source costs itself)
    duplicate-pairs   all sources  candidate pairs with true similarity  (stored from `FLOOR` up)
    duplicates        all sources  groups at the chosen threshold        (moving it costs seconds)

The result does not depend on how documents are cut into parts or in which order they stand. Memory
for a million documents: keys 8 MB a band at a time, ids and hashes about 150 MB, 8 bytes a pair.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lab.core.artifacts import Artifact, build, require, write_part
from lab.core.errors import ConfigError, nearest
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.curation.duplicates.config import DedupConfig, MinHash
from lab.curation.duplicates.graph import Graph, exact_groups, load_graph, near_groups
from lab.curation.duplicates.groups import group, leaks
from lab.curation.duplicates.pairs import find_pairs, pair_settings

VERSION = 2
STEP = "duplicates"
BASE = ("id", "source", "content_hash", "heldout")


def find_duplicates(
    ws: Workspace,
    sources: Sequence[str],
    config: DedupConfig,
    *,
    progress: Progress = SILENT,
) -> Artifact:
    """Duplicate groups over `sources`: columns id, source, content_hash, heldout, exact_group,
    near_group (part by part as the sources' documents, sources by name), and `pairs.parquet`
    (a, b, jaccard; of exact copies only the lowest id).

    Exact groups are always there; near groups need `config.minhash`. `config.keep` is applied
    later, by `keepers`, but its names are checked here. Raises ConfigError for an unknown name.
    """
    if not sources:
        raise ConfigError("No source to search.", next_step="`mixlab add NAME PATH`")
    for name in config.keep:
        if name not in sources:
            raise ConfigError(
                f"The duplicate policy keeps {name!r}, which is not among the sources.",
                where="dedup.keep",
                value=name,
                next_step=nearest(name, sources),
            )
    found = [documents(ws, name) for name in sorted(set(sources))]
    return group_documents(ws, found, config.minhash, progress)


def require_duplicates(ws: Workspace, minhash: MinHash | None) -> Artifact:
    """The stored groups over all sources of the workspace; ArtifactMissing if there are none."""
    return require(
        ws,
        STEP,
        VERSION,
        group_settings(minhash),
        [documents(ws, source.name).id for source in list_sources(ws)],
        what="Duplicates have not been looked for in the present sources.",
        next_step="`mixlab dedup`",
    )


def group_settings(minhash: MinHash | None) -> dict[str, Any]:
    """What the groups depend on."""
    return {"minhash": pair_settings(minhash) | {"jaccard": minhash.jaccard} if minhash else None}


def group_documents(
    ws: Workspace,
    found: Sequence[Artifact],
    minhash: MinHash | None,
    progress: Progress = SILENT,
) -> Artifact:
    """`find_duplicates` for documents artifacts, in the order given."""
    inputs = [artifact.id for artifact in found]

    def make(folder: Path) -> dict[str, Any]:
        graph = None
        if minhash:
            stored = find_pairs(ws, found, minhash, progress.part(0.0, 0.9))
            shutil.copyfile(stored.path / "pairs.parquet", folder / "pairs.parquet")
            graph = load_graph(stored)
        parts = [part for artifact in found for part in artifact.parts]
        frames = [pl.read_parquet(part, columns=list(BASE)) for part in parts]
        grouped = add_groups(pl.concat(frames), graph, minhash)
        for number, piece in enumerate(cut(grouped, [frame.height for frame in frames])):
            write_part(piece, folder / f"part-{number:05d}.parquet")
        progress(1.0, 1.0, "groups")
        return count(grouped)

    return build(ws, STEP, VERSION, group_settings(minhash), inputs, make)


def add_groups(base: pl.DataFrame, graph: Graph | None, minhash: MinHash | None) -> pl.DataFrame:
    """`base` with exact_group and near_group; without a graph near copies were not looked for."""
    if graph is None or minhash is None:
        return group(base, None, 1.0)
    return base.with_columns(exact_groups(graph), near_groups(graph, minhash.jaccard))


def cut(frame: pl.DataFrame, heights: Sequence[int]) -> list[pl.DataFrame]:
    """`frame` in consecutive pieces of these heights."""
    starts = np.cumsum([0, *heights[:-1]]).tolist()
    return [frame.slice(start, height) for start, height in zip(starts, heights, strict=True)]


def count(grouped: pl.DataFrame) -> dict[str, Any]:
    """Facts for the manifest; a copy is a document beyond the first of its group."""
    facts: dict[str, Any] = {"documents": grouped.height}
    for kind in ("exact", "near"):
        named = grouped.filter(pl.col(f"{kind}_group").is_not_null())[f"{kind}_group"]
        facts[f"{kind}_groups"] = named.n_unique()
        facts[f"{kind}_copies"] = named.len() - named.n_unique()
    return facts | {"near_heldout": int(leaks(grouped).sum())}
