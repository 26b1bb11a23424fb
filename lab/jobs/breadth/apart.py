"""One recipe against another: what each keeps of the sources they share, and their mixtures.

Step "apart", `apart.json`: for every common source how many embedded documents each keeps, whether
they are the same, the measures at equal n with paired differences, and the topics of the second of
which the first has little or nothing left. Named by what both recipes keep (`kept_key`), so other
weights find it again; the mixtures' scores, which follow the weights, are computed from stored
summaries. The intervals of the mixtures' differences take both as independent; they share
documents, so these intervals are a little too wide. Cost: 10 s a source at n = 1000.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, asked_now, asked_when, build, load
from lab.core.estimate import Estimate
from lab.core.files import read_json, write_json
from lab.core.workspace import Workspace
from lab.diversity.breadth.measures import SIZE
from lab.diversity.breadth.topics import retention
from lab.jobs.breadth.common import Common
from lab.jobs.breadth.mixtures import selection_of
from lab.jobs.breadth.panels import compare
from lab.jobs.breadth.pool import Pool, beside_ids, kept_documents, kept_key, load_pool
from lab.mixture.recipe import Recipe

STEP, VERSION = "apart", 1
FILE = "apart.json"
Frames = Mapping[str, pl.DataFrame]


def common_sources(one: Recipe, other: Recipe, common: Common) -> list[str]:
    """Sources of both recipes that are on the partition."""
    return sorted(set(one.sources) & set(other.sources) & set(common.sources))


def inputs_of(names: Sequence[str], common: Common) -> list[str]:
    """Ids of what the comparison is made of."""
    return [*(common.embeddings[name].id for name in names), common.topics]


def measure_apart(
    ws: Workspace,
    one: Recipe,
    other: Recipe,
    names: Sequence[str],
    common: Common,
    *,
    size: int = SIZE,
) -> Artifact:
    """Compare what two recipes keep of `names`, sources of both."""
    settings = {
        "selections": [kept_key(ws, one), kept_key(ws, other)], "size": size,
        "beside": [beside_ids(ws, name) for name in names],
    }  # fmt: skip

    def make(folder: Path) -> dict[str, Any]:
        first, second = kept_documents(ws, one), kept_documents(ws, other)
        found = {
            name: source_apart(ws, name, first[name], second[name], common, size) for name in names
        }
        write_json(folder / FILE, found)
        return {"sources": list(names)}

    return asked_now(build(ws, STEP, VERSION, settings, inputs_of(names, common), make))


def stored_apart(ws: Workspace, one: Recipe, other: Recipe, common: Common) -> Artifact | None:
    """The stored comparison of most of their sources that is current, of whatever size; of equal
    ones that asked for last.
    """
    selections = [selection_of(ws, one), selection_of(ws, other)]
    possible = common_sources(one, other, common)
    found = [load(path) for path in (ws.artifacts / STEP).glob("[!.]*")]
    fitting = [
        made for made in found
        if made and made.manifest["version"] == VERSION
        and made.manifest["config"]["selections"] == selections
        and set(names := made.manifest["sources"]) <= set(possible)
        and made.manifest["inputs"] == inputs_of(names, common)
        and made.manifest["config"]["beside"] == [beside_ids(ws, name) for name in names]
    ]  # fmt: skip
    return max(fitting, key=lambda a: (len(a.manifest["sources"]), asked_when(a)), default=None)


def read_apart(made: Artifact, mixtures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`sources` as stored, `size`, and the `mixture` differences of both `recipe_breadth`."""
    return {
        "sources": read_json(made.path / FILE),
        "size": made.manifest["config"]["size"],
        "mixture": mixture_changes(*mixtures),
    }


def source_apart(
    ws: Workspace,
    source: str,
    first: pl.DataFrame,
    second: pl.DataFrame,
    common: Common,
    size: int,
) -> dict[str, Any]:
    """One source under both: counts of embedded documents, measures, and topics that are lost."""
    both = first.join(second, on="id", suffix="_other", maintain_order="left")
    pool = load_pool(ws, source, common, both)
    mine, theirs = (pool.frame[name].to_numpy().astype(bool) for name in ("kept", "kept_other"))
    counts, same = [int(mine.sum()), int(theirs.sum())], bool((mine == theirs).all())
    found: dict[str, Any] = {
        "kept": counts, "documents": [int(f["kept"].sum()) for f in (first, second)],
        "embedded": pool.frame.height, "same": same,
    }  # fmt: skip
    if not same:
        found["lost"] = lost_between(pool, mine, theirs, gone=found["documents"][0] == 0)
    if not same and min(counts) > 1:
        found |= compare(ws, pool, mine, theirs, size)
    return found


def lost_between(
    pool: Pool, one: NDArray[np.bool_], other: NDArray[np.bool_], *, gone: bool = False
) -> list[dict[str, Any]]:
    """Topics of what the second keeps that the first has lost; all if the first keeps nothing."""
    inside = pool.only(other)
    tokens, clusters = inside.frame["tokens"].to_numpy(), inside.frame["cluster"].to_numpy()
    found = retention(clusters, tokens, one[other], pool.labels)
    lost = found.filter(pl.lit(gone) | pl.col("lost"))
    return lost.sort("share", -pl.col("documents").cast(pl.Int64), "cluster").to_dicts()


def mixture_changes(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Scores of both mixtures and their differences."""
    changed = {}
    for measure in one["scores"]:
        if measure in other["scores"]:
            a, b = (Estimate(**side["scores"][measure]) for side in (one, other))
            half = float(np.hypot(a.high - a.low, b.high - b.low)) / 2
            gap = a.value - b.value
            between = Estimate(gap, gap - half, gap + half, min(a.n, b.n), a.unit)
            changed[measure] = {"one": asdict(a), "other": asdict(b), "difference": asdict(between)}
    return {"measures": changed, "known": [one["known"], other["known"]]}
