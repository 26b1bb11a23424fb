"""The embedded documents of a source with all that stands beside them: cluster, tokens, quality.

Measures of breadth know vectors, texts and masks only; here these are laid side by side. The pool
of a source are its embedded training documents (held-out ones are in no pool) with their clusters
on the partition that all sources share (`common`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, DataError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.attributes import attribute_names, attributes, locate
from lab.diversity.breadth.surface import CHARACTERS
from lab.diversity.embedding.stored import read_part, unit
from lab.jobs.breadth.common import Common
from lab.mixture.recipe import Recipe, recipe_mapping
from lab.mixture.selection import judge
from lab.mixture.supply import attribute_ids

F32 = NDArray[np.float32]
BESIDE = 4  # columns of quality and perplexity shown beside diversity


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """`frame`: number (of the document, the same in every selection), id, part, row, cluster,
    tokens, kept and the columns `beside`; `labels`: cluster, label, size of the partition;
    `documents`: training documents of the source, embedded or not.
    """

    source: str
    embeddings: Artifact
    frame: pl.DataFrame
    labels: pl.DataFrame
    beside: tuple[str, ...]
    documents: int

    @property
    def clusters(self) -> int:
        """Clusters of the partition."""
        return int(self.labels["cluster"].max() or 0) + 1  # type: ignore[arg-type]

    def only(self, mask: NDArray[np.bool_]) -> "Pool":
        """The documents where `mask` is true."""
        return replace(self, frame=self.frame.filter(pl.Series(mask)))

    def take(self, rows: NDArray[np.int64]) -> "Pool":
        """Some documents, in the order of `rows`."""
        return replace(self, frame=self.frame[rows])


def beside_columns(ws: Workspace, source: str) -> list[str]:
    """Stored quality scores and perplexities of a source, at most `BESIDE`."""
    names = attribute_names(ws, source)
    return [n for n in names if n.startswith("quality.") or "perplexity" in n][:BESIDE]


def beside_ids(ws: Workspace, source: str) -> list[str]:
    """Which artifacts these columns are, so that a score learned anew is seen."""
    return [f"{c.name}@{c.artifact.id}" for c in locate(ws, source, beside_columns(ws, source))]


def kept_key(ws: Workspace, recipe: Recipe) -> str:
    """Names what a recipe keeps: its rules and everything they are decided by; weights do not
    matter, nor do filters that only a phase has.
    """
    mapping = recipe_mapping(replace(recipe, filters=()))
    decided = {k: mapping.get(k) for k in ("sources", "dedup", "decontaminate", "tokenizer")}
    inputs = [get_source(ws, name).documents for name in recipe.sources]
    return digest([decided, inputs, attribute_ids(ws, recipe)])


def kept_documents(ws: Workspace, recipe: Recipe) -> dict[str, pl.DataFrame]:
    """Columns id, kept of the training documents of each source of a recipe."""
    return {
        name: verdict.frame.filter(~pl.col("heldout")).select("id", "kept")
        for name, verdict in judge(ws, recipe).items()
    }


def load_pool(ws: Workspace, source: str, common: Common, kept: pl.DataFrame | None = None) -> Pool:
    """The pool of a source on a partition; without `kept` all of it is. It may be empty."""
    partition, embeddings = common.maps[source], common.embeddings[source]
    places = partition.scan().filter(pl.col("source") == source)
    columns = beside_columns(ws, source)
    known = described(ws, source, columns).filter(~pl.col("heldout"))
    frame = (
        numbered(embeddings)
        .join(places.select("id", "cluster").collect(), on="id", maintain_order="left")
        .join(known, on="id", maintain_order="left")
    )
    if kept is None:
        frame = frame.with_columns(kept=pl.lit(True))
    else:
        frame = frame.join(kept, on="id", how="left", maintain_order="left").with_columns(
            pl.col("kept").fill_null(False)
        )
    labels = pl.read_parquet(partition.path / "clusters.parquet")
    return Pool(source, embeddings, frame, labels, tuple(columns), known.height)


def require_texts(pool: Pool) -> None:
    """DataError for fewer than two documents: nothing can be said about how they differ."""
    if pool.frame.height < 2:
        raise DataError(
            f"Fewer than two training documents of {pool.source!r} are embedded and on the map.",
            where=f"source {pool.source}",
            value=pool.frame.height,
            next_step=f"`mixlab embed --source {pool.source}` with a larger sample, then "
            "`mixlab map`; a source of one document has no breadth",
        )


def numbered(embeddings: Artifact) -> pl.DataFrame:
    """Columns id, part, row, number of all embedded documents."""
    frames = [
        pl.read_parquet(part, columns=["id"]).with_row_index("row").with_columns(part=pl.lit(k))
        for k, part in enumerate(embeddings.parts)
    ]
    return pl.concat(frames).with_row_index("number")


def described(ws: Workspace, source: str, columns: Sequence[str]) -> pl.DataFrame:
    """Columns id, heldout, tokens and `columns`; bytes stand for tokens that were not counted."""
    try:
        table = attributes(ws, source, columns, default_tokenizer(ws))
    except ArtifactMissing:
        table = documents(ws, source).scan().select("id", "heldout", tokens="bytes").collect()
    return table.select("id", "heldout", "tokens", *(c for c in columns if c in table.columns))


def vectors_of(pool: Pool) -> F32:
    """Unit vectors of the pool's documents, in its order; only these rows are read."""
    parts, rows = pool.frame["part"].to_numpy(), pool.frame["row"].to_numpy()
    stored: list[NDArray[np.float16]] = [read_part(p)[1] for p in pool.embeddings.parts]
    found = np.empty((len(rows), stored[0].shape[1]), np.float16)
    for part in np.unique(parts):
        mine = np.flatnonzero(parts == part)
        found[mine] = stored[part][rows[mine]]
    return unit(found)


def texts_of(ws: Workspace, pool: Pool) -> list[str]:
    """The beginnings of the pool's texts, in its order."""
    wanted = pl.col("id").is_in(pool.frame["id"].implode())
    beginning = pl.col("text").str.slice(0, CHARACTERS)
    found = documents(ws, pool.source).scan().filter(wanted).select("id", beginning).collect()
    joined = pool.frame.select("id").join(found, on="id", how="left", maintain_order="left")
    return [str(text or "") for text in joined["text"]]


def columns_of(pool: Pool) -> dict[str, NDArray[Any]]:
    """The numbers beside the documents."""
    return {
        name: pool.frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in pool.beside
        if name in pool.frame.columns
    }
