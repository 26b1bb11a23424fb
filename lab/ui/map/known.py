"""What is known of every cluster: size, tokens, copies, what is kept, means, odds of sources.

All columns lie beside the points in memory, so this is one pass over them (0.1 s at 100,000), made
anew only when something is stored or the recipe changes. A lasso pays for asking whether it did:
30 ms with 12 sources. Copies are documents in a group of the stored search, at the recipe's
similarity if it has one: without a search there is no column, since to search is a job.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import LabError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.curation.duplicates import MinHash
from lab.curation.duplicates.regroup import near_copies
from lab.curation.selections.points import F64, Points, read_margins
from lab.diversity.layout.table import cluster_table, representation, scale_tokens
from lab.mixture.recipe import Recipe
from lab.mixture.supply import supply_key
from lab.ui.map.colouring import verdict_codes
from lab.ui.map.held import rows_of, sizes_of, stamp_of, tokens_at, values_of
from lab.ui.memory import remembered


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """`table` of clusters and `odds` of each with each source (a place in `Points.sources`), as in
    `lab.diversity.layout.table`; `problem` says why there is no verdict, "" if there is.
    """

    table: pl.DataFrame
    odds: pl.DataFrame
    problem: str


def known_of(
    ws: Workspace, artifact: Artifact, points: Points, recipe: Recipe | None, means: Sequence[str]
) -> Known:
    """What is known of every cluster now."""
    judged, problem = "", ""
    try:
        judged = supply_key(ws, recipe) if recipe else ""
    except LabError as error:
        problem = str(error)
    minhash = recipe.dedup.minhash if recipe and recipe.dedup else None
    key = digest([stamp_of(ws, points), judged, str(minhash), list(means)])
    found = cached_known(ws, artifact, points, recipe if judged else None, minhash, means, key)
    return Known(*found, problem)


@remembered(6)
def cached_known(
    ws: Workspace,
    artifact: Artifact,
    points: Points,
    recipe: Recipe | None,
    minhash: MinHash | None,
    means: Sequence[str],
    key: str,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Table and odds for `key`."""
    columns: dict[str, NDArray[np.generic]] = {"cluster": points.cluster, "source": points.source}
    optional = {
        "margin": read_margins(artifact),
        "tokens": tokens_at(ws, points),
        "copies": copies_at(ws, points, minhash),
        "kept": kept_at(ws, points, recipe),
    }
    columns |= {name: values for name, values in optional.items() if values is not None}
    columns |= {name: values_of(ws, points, name).values for name in means}
    placed = pl.DataFrame(columns)
    if "tokens" in columns:
        sizes = sizes_of(ws, points)
        placed = scale_tokens(placed, {k: sizes[name] for k, name in enumerate(points.sources)})
    labels = pl.DataFrame({"cluster": range(len(points.labels)), "label": list(points.labels)})
    counted = [name for name in ("kept", "copies") if name in columns]
    found = cluster_table(placed, labels.cast({"cluster": pl.UInt16}), [*counted, *means])
    return found, representation(placed)


def kept_at(ws: Workspace, points: Points, recipe: Recipe | None) -> F64 | None:
    """1 kept, 0 dropped, NaN for held out and for sources that the recipe does not use."""
    if recipe is None:
        return None
    codes = verdict_codes(ws, points, recipe)
    return np.where(codes == 1, 1.0, np.where(codes == 2, 0.0, np.nan))


def copies_at(ws: Workspace, points: Points, minhash: MinHash | None) -> F64 | None:
    """1 for a document in a group of the stored search, 0 for one alone, NaN for one that is gone;
    None without a search.
    """
    grouped = near_copies(ws, minhash)
    if grouped is None:
        return None
    rows, found = rows_of(ws, points), np.full(points.x.size, np.nan)
    for place, source in enumerate(points.sources):
        own = np.flatnonzero((points.source == place) & (rows >= 0))
        found[own] = grouped[source].to_numpy()[rows[own]]
    return found
