"""The panel of a source's pool, or of what a recipe keeps of it, as a stored artifact.

    panel.json             sample, measures, what stands beside them, and for what a recipe keeps
                           the same panel against the pool at equal n: topics, words, signals
    moments.safetensors    what `breadth.mixture` needs, with
    shares.npy             cluster shares

Step "breadth", named by embeddings, partition, size, what coverage is of, the scores beside and,
for what a recipe keeps, its rules (`kept_key`): another weight finds it again, another rule does
not. Of fewer than two documents nothing is measured, but of a source that a recipe empties the
topics are still told: all of them are lost. Cost: 5 s a source at n = 1000 on one core, most of it
text.
"""

from collections.abc import Iterable, Mapping
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
from lab.diversity.breadth.coverage import REFERENCE, coverage, own_rows
from lab.diversity.breadth.marks import marking_words, shifted_signals
from lab.diversity.breadth.measured import Measured, difference
from lab.diversity.breadth.measures import SIZE, chosen, measure_vectors
from lab.diversity.breadth.summary import save_summary, summarise
from lab.diversity.breadth.surface import means_by_document, measure_texts
from lab.diversity.breadth.topics import retention
from lab.jobs.breadth.common import Common
from lab.jobs.breadth.pool import (
    F32,
    Pool,
    beside_ids,
    columns_of,
    load_pool,
    require_texts,
    texts_of,
    vectors_of,
)

STEP, VERSION = "breadth", 2
SAMPLE = 5000  # documents of which moments and cluster shares are taken
FIXED = 1_000_000  # bytes of text that are compressed
PANEL = "panel.json"
Found = dict[str, Measured]


def measure_breadth(
    ws: Workspace,
    source: str,
    common: Common,
    *,
    kept: pl.DataFrame | None = None,
    selection: str = "",
    size: int = SIZE,
    reference: str | None = None,
) -> Artifact:
    """Measure a source's pool, or, with the frame `kept` (id, kept) that `selection` names, what is
    kept of it. `reference` is the source that coverage is of, by default all of `common`.
    """
    of = common.embeddings
    inputs = [of[source].id, common.topics, *coverage_of(common, reference)]
    settings = {
        "encoder": common.encoder, "selection": selection, "size": size,
        "reference": reference or "", "beside": beside_ids(ws, source),
    }  # fmt: skip

    def make(folder: Path) -> dict[str, Any]:
        pool = load_pool(ws, source, common, kept)
        mask = pool.frame["kept"].to_numpy().astype(bool)
        inside = pool.only(mask)
        left = pool.documents if kept is None else int(kept["kept"].sum())
        panel: dict[str, Any] = {"measures": {}, "beside": {}}
        n = min(size, inside.frame.height) if mask.sum() > 1 else 0
        if n:
            sample = inside.take(chosen(inside.frame.height, SAMPLE))
            numbers = sample.frame["cluster"].to_numpy()
            save_summary(summarise(vectors_of(sample), numbers, pool.clusters), folder)
            against = reference_of(ws, reference, common)
            found = measure_pool(ws, inside, chosen(inside.frame.height, size), against)
            panel |= {name: estimated(part) for name, part in found.items()}
        if kept is not None and len(mask) > 1:
            panel["against"] = against_pool(ws, pool, mask, size, gone=left == 0)
        panel["sample"] = {
            "n": n, "embedded": int(mask.sum()), "documents": left, "source": pool.documents,
        }  # fmt: skip
        write_json(folder / PANEL, panel)
        return {"source": source, "sample": panel["sample"]}

    return asked_now(build(ws, STEP, VERSION, settings, inputs, make))


def coverage_of(common: Common, reference: str | None) -> list[str]:
    """Ids of the embeddings that coverage is of."""
    names = [reference] if reference else common.sources
    return [common.embeddings[name].id for name in names]


def stored_panels(ws: Workspace, common: Common, selection: str = "") -> list[Artifact]:
    """What is stored of sources' pools, or of what `selection` names (`kept_key`), the newest
    first: of any size and reference, but of the present embeddings, partition and scores beside.
    """
    found = [load(path) for path in (ws.artifacts / STEP).glob("[!.]*")]
    fitting = [
        made for made in found
        if made is not None and made.manifest["version"] == VERSION
        and made.manifest["config"]["selection"] == selection
        and (name := made.manifest["source"]) in common.maps
        and made.manifest["inputs"][:2] == [common.embeddings[name].id, common.topics]
    ]  # fmt: skip
    beside = {name: beside_ids(ws, name) for name in {a.manifest["source"] for a in fitting}}
    current = [a for a in fitting if a.manifest["config"]["beside"] == beside[a.manifest["source"]]]
    return sorted(current, key=asked_when, reverse=True)


def newest_panels(stored: Iterable[Artifact]) -> dict[str, Artifact]:
    """The first of each source."""
    found: dict[str, Artifact] = {}
    for made in stored:
        found.setdefault(made.manifest["source"], made)
    return found


def covers_present(made: Artifact, common: Common) -> bool:
    """True if coverage is of what it would be measured against now."""
    reference = str(made.manifest["config"]["reference"])
    if reference and reference not in common.embeddings:
        return False
    return bool(made.manifest["inputs"][2:] == coverage_of(common, reference))


def read_panel(artifact: Artifact) -> dict[str, Any]:
    """What `panel.json` holds: measures, beside and perhaps against; numbers as JSON."""
    found: dict[str, Any] = read_json(artifact.path / PANEL)
    return found


def estimated(found: Mapping[str, Measured]) -> dict[str, dict[str, Any]]:
    """Estimates as plain JSON."""
    return {name: asdict(measured.estimate()) for name, measured in found.items()}


def read_estimate(value: Mapping[str, Any]) -> Estimate:
    """An estimate from JSON."""
    return Estimate(**value)


def measure_pool(
    ws: Workspace,
    pool: Pool,
    rows: NDArray[np.int64],
    reference: tuple[NDArray[Any], F32],
    fixed: int = FIXED,
) -> dict[str, Found]:
    """`measures` and `beside` of some rows of a pool; texts in a random order, since the first
    `fixed` bytes stand for all.
    """
    sample = pool.take(rows)
    units = sample.frame["number"].to_numpy().astype(np.int64)
    vectors = vectors_of(sample)
    found = measure_vectors(vectors, units, sample.frame["cluster"].to_numpy())
    order = np.random.default_rng(0).permutation(len(rows))
    found |= measure_texts(texts_of(ws, sample.take(order)), units[order], fixed)
    ids, targets = reference
    own = own_rows(sample.frame["id"].to_numpy(), ids)
    found["coverage"] = coverage(vectors, targets, own)
    return {"measures": found, "beside": means_by_document(columns_of(sample), units)}


def reference_of(ws: Workspace, name: str | None, common: Common) -> tuple[NDArray[Any], F32]:
    """Ids and vectors of at most `REFERENCE` texts of the source `name`, or of all that lie on the
    partition; sources of fewer than two documents are left out.
    """
    pools = {other: load_pool(ws, other, common) for other in ([name] if name else common.sources)}
    if name:
        require_texts(pools[name])
    counts = {other: pool.frame.height for other, pool in pools.items() if pool.frame.height > 1}
    total, found = sum(counts.values()), []
    for other, count in counts.items():
        found.append(sampled(pools[other], max(2, round(REFERENCE * count / total))))
    return np.concatenate([ids for ids, _ in found]), np.concatenate([x for _, x in found])


def sampled(pool: Pool, most: int = REFERENCE) -> tuple[NDArray[Any], F32]:
    """Ids and vectors of a uniform sample of a pool."""
    sample = pool.take(chosen(pool.frame.height, most, seed=1))
    return sample.frame["id"].to_numpy(), vectors_of(sample)


def against_pool(
    ws: Workspace, pool: Pool, kept: NDArray[np.bool_], size: int, *, gone: bool
) -> dict[str, Any]:
    """What is kept beside the pool: measures at equal n, topics, words and signals; `gone` if the
    source keeps nothing at all, embedded or not, so that no topic can be left.
    """
    found: dict[str, Any] = {"n": 0, "measures": {}, "beside": {}}
    if kept.sum() > 1:
        found = compare(ws, pool, kept, np.ones(len(kept), bool), size)
    tokens = pool.frame["tokens"].to_numpy()
    topics = retention(pool.frame["cluster"].to_numpy(), tokens, kept, pool.labels)
    if gone:
        topics = topics.with_columns(lost=pl.lit(True)).sort(
            "documents", "cluster", descending=[True, False]
        )
    found |= {"topics": topics.to_dicts(), "words": [], "signals": []}
    if kept.any() and not kept.all():
        few = chosen(pool.frame.height, SAMPLE)
        sample, mask = pool.take(few), kept[few]
        if mask.any() and not mask.all():
            found["words"] = marking_words(texts_of(ws, sample), mask).to_dicts()
            found["signals"] = shifted_signals(columns_of(sample), mask).to_dicts()
    return found


def compare(
    ws: Workspace, pool: Pool, one: NDArray[np.bool_], other: NDArray[np.bool_], size: int
) -> dict[str, Any]:
    """Measures of two selections of one pool at equal n and bytes, and their paired differences."""
    sides = [pool.only(mask) for mask in (one, other)]
    n = min(size, *(side.frame.height for side in sides))
    reference = sampled(pool)
    rows = [chosen(side.frame.height, n) for side in sides]
    first, second = (
        measure_pool(ws, side, row, reference) for side, row in zip(sides, rows, strict=True)
    )
    return {
        "n": n,
        "measures": changes(first["measures"], second["measures"]),
        "beside": changes(first["beside"], second["beside"]),
    }


def changes(one: Found, other: Found) -> dict[str, dict[str, Any]]:
    """Per measure: kept (or first), pool (or second), and the difference."""
    return {
        name: {
            "one": asdict(one[name].estimate()),
            "other": asdict(other[name].estimate()),
            "difference": asdict(difference(one[name], other[name], paired=True)),
        }
        for name in one
        if name in other
    }
