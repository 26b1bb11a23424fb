"""The panel of a source's pool, or of what a recipe keeps of it, as a stored artifact.

    panel.json             measures, what stands beside them, and for what a recipe keeps the same
                           panel against the pool at equal n: topics, words, signals
    moments.safetensors    what `breadth.mixture` needs, with
    shares.npy             cluster shares

Step "breadth", named by embeddings, map, size, reference, the scores beside and, for what a recipe
keeps, its rules (`kept_key`): another weight finds it again, another rule does not. Cost: 5 s a
source at n = 1000 on one core, most of it text.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, find
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
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import require_embeddings
from lab.jobs.breadth.pool import (
    F32,
    Pool,
    beside_ids,
    columns_of,
    load_pool,
    newest_map,
    texts_of,
    vectors_of,
)

STEP, VERSION = "breadth", 1
SAMPLE = 5000  # documents of which moments and cluster shares are taken
FIXED = 1_000_000  # bytes of text that are compressed
PANEL = "panel.json"
Found = dict[str, Measured]


def identity(
    ws: Workspace, source: str, *, encoder: str, selection: str, size: int, reference: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Settings and inputs that name the artifact."""
    embeddings = require_embeddings(ws, source, encoder).id
    inputs = [embeddings, newest_map(ws, [embeddings]).id]
    settings = {
        "encoder": encoder, "selection": selection, "size": size, "reference": reference or "",
        "beside": beside_ids(ws, source),
    }  # fmt: skip
    return settings, inputs


def stored_panel(
    ws: Workspace,
    source: str,
    *,
    selection: str = "",
    encoder: str = DEFAULT,
    size: int = SIZE,
    reference: str | None = None,
) -> Artifact | None:
    """The stored artifact of a source's pool, or of what `kept_key` names; None without one.

    Raises ArtifactMissing without embeddings or map.
    """
    settings, inputs = identity(
        ws, source, encoder=encoder, selection=selection, size=size, reference=reference
    )
    return find(ws, STEP, VERSION, settings, inputs)


def measure_breadth(
    ws: Workspace,
    source: str,
    *,
    kept: pl.DataFrame | None = None,
    selection: str = "",
    encoder: str = DEFAULT,
    size: int = SIZE,
    reference: str | None = None,
) -> Artifact:
    """Measure a source's pool, or, with the frame `kept` (id, kept) that `selection` names, what is
    kept of it. Fewer than two kept documents have no measures. Raises as `load_pool`.
    """
    settings, inputs = identity(
        ws, source, encoder=encoder, selection=selection, size=size, reference=reference
    )

    def make(folder: Path) -> dict[str, Any]:
        pool = load_pool(ws, source, encoder, kept)
        mask = pool.frame["kept"].to_numpy().astype(bool)
        inside = pool.only(mask)
        if mask.sum() < 2:  # nothing to measure is an answer, too
            write_json(folder / PANEL, {"measures": {}, "beside": {}})
            return {"source": source, "documents": len(mask), "kept": int(mask.sum())}
        sample = inside.take(chosen(inside.frame.height, SAMPLE))
        numbers = sample.frame["cluster"].to_numpy()
        save_summary(summarise(vectors_of(sample), numbers, pool.clusters), folder)
        against = reference_of(ws, reference, encoder, source)
        found = measure_pool(ws, inside, chosen(inside.frame.height, size), against)
        panel = {name: estimated(part) for name, part in found.items()}
        if kept is not None:
            panel["against"] = against_pool(ws, pool, mask, size)
        write_json(folder / PANEL, panel)
        return {"source": source, "documents": len(mask), "kept": int(mask.sum())}

    return build(ws, STEP, VERSION, settings, inputs, make)


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


def reference_of(
    ws: Workspace, name: str | None, encoder: str, source: str
) -> tuple[NDArray[Any], F32]:
    """Ids and vectors of at most `REFERENCE` texts of the source `name`, or of all that lie on the
    map of `source`.
    """
    if name:
        pool = load_pool(ws, name, encoder)
        return sampled(pool)
    partition = newest_map(ws, [require_embeddings(ws, source, encoder).id])
    counts = partition.scan().group_by("source").len().sort("source").collect()
    total, found = int(counts["len"].sum()), []
    for other, count in counts.iter_rows():
        pool = load_pool(ws, other, encoder)
        found.append(sampled(pool, max(2, round(REFERENCE * count / total))))
    return np.concatenate([ids for ids, _ in found]), np.concatenate([x for _, x in found])


def sampled(pool: Pool, most: int = REFERENCE) -> tuple[NDArray[Any], F32]:
    """Ids and vectors of a uniform sample of a pool."""
    sample = pool.take(chosen(pool.frame.height, most, seed=1))
    return sample.frame["id"].to_numpy(), vectors_of(sample)


def against_pool(ws: Workspace, pool: Pool, kept: NDArray[np.bool_], size: int) -> dict[str, Any]:
    """What is kept beside the pool: measures at equal n, topics, words and signals."""
    found = compare(ws, pool, kept, np.ones(len(kept), bool), size)
    tokens = pool.frame["tokens"].to_numpy()
    topics = retention(pool.frame["cluster"].to_numpy(), tokens, kept, pool.labels)
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
