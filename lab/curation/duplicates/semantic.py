"""Semantic duplicates: texts that say the same, by the cosine of their embeddings (SemDeDup).

The rule of Abbas et al. 2023 (arXiv:2303.09540), written anew: cluster the embeddings by k-means;
inside a cluster put the documents into an order; M of a document is its largest similarity to one
before it, even if that one is dropped too; drop it where M > 1 - epsilon. **A larger epsilon
removes more** (0.05: everything more similar than 0.95); the authors' README says the reverse. M is
stored, so epsilon is moved afterwards without comparing again; as a rule in a recipe it is
`{signal: semantic.similarity@ENCODER, max: 0.95}`.

Order: `hash` (content hash: a random one, the same always), `hard` (far from the centroid stays) or
`easy` (near it stays); the last two are the paper's and depend on the clusters. The paper's k is
11,000 for C4; here about 1,000 documents a cluster, so up to 2,000 documents are compared all
with all, and beyond that a pair that k-means separates is not seen. Similarity of embeddings is
topic before wording: at 0.8 two stories of one kind are "duplicates". Look at pairs first.

Only embedded documents have a value. `mixlab embed` takes a sample, so the column is null elsewhere
and cannot be a rule until all of a source is embedded: a document that was not compared must not
pass for unique. Cost beside embedding: 1,000 similarities a document, 2 s for 20,000
documents.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, build, find, load, require, write_part
from lab.core.errors import ArtifactMissing, ConfigError, nearest
from lab.core.files import read_json
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source, list_sources
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import require_embeddings, stack
from lab.diversity.selecting.earlier import ORDERS, largest_earlier

STEP, VERSION = "semantic", 1
PREFIX = "semantic.similarity@"
EPSILONS = (0.01, 0.02, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25)


def find_semantic(
    ws: Workspace,
    sources: Sequence[str],
    *,
    encoder: str = DEFAULT,
    order: str = "hash",
    progress: Progress = SILENT,
) -> dict[str, Artifact]:
    """Per source an artifact aligned with its documents: id, `semantic.similarity@ENCODER`
    (Float32, null where not embedded, 0 where nothing stands before) and `nearest` (that id).

    Raises ArtifactMissing for a source without embeddings, ConfigError for an unknown order.
    """
    if order not in ORDERS:
        raise ConfigError(
            "Unknown order of documents.",
            where="dedup.semantic.order",
            value=order,
            next_step=nearest(order, ORDERS),
        )
    names = sorted(set(sources))
    scope = [require_embeddings(ws, name, encoder).id for name in names]
    about = {"encoder": encoder, "order": order}
    inputs = {name: [documents(ws, name).id, *scope] for name in names}
    stored = {name: find(ws, STEP, VERSION, about, inputs[name]) for name in names}
    if not all(stored.values()):
        compared = compare(ws, names, encoder, order, progress)
        stored = {n: store(ws, n, about, inputs[n], compared) for n in names}
    return {name: artifact for name, artifact in stored.items() if artifact is not None}


def compare(
    ws: Workspace, sources: Sequence[str], encoder: str, order: str, progress: Progress
) -> pl.DataFrame:
    """Columns id, similarity, nearest of all embedded documents."""
    sample, vectors = stack(ws, sources, encoder)
    hashes = pl.concat([documents(ws, n).scan().select("id", "content_hash") for n in sources])
    known = sample.join(hashes.collect(), on="id", how="left", maintain_order="left")
    rows = known.with_row_index("row").sort("content_hash", "id")["row"].to_numpy()
    ordered = vectors[rows]
    similarity, before = largest_earlier(ordered, order, progress)
    ids = known["id"].gather(rows)
    nearest_id = pl.Series("nearest", before, pl.Int64)
    return pl.DataFrame(
        {
            "id": ids,
            "similarity": similarity,
            "nearest": ids.gather(nearest_id.replace({-1: None})),
        }
    )


def store(
    ws: Workspace, source: str, about: dict[str, Any], inputs: list[str], compared: pl.DataFrame
) -> Artifact:
    """Write one source's column, part by part as its documents."""
    column = PREFIX + about["encoder"]

    def make(folder: Path) -> dict[str, Any]:
        found = documents(ws, source)
        counts = {"documents": 0, "embedded": 0}
        for part in found.parts:
            ids = pl.read_parquet(part, columns=["id"])
            own = ids.join(compared, on="id", how="left", maintain_order="left")
            write_part(own.rename({"similarity": column}), folder / part.name)
            counts["documents"] += own.height
            counts["embedded"] += own["similarity"].count()
        return {"source": source, "column": column, **counts}

    return build(ws, STEP, VERSION, about, inputs, make)


def stored_semantic(ws: Workspace, source: str, encoder: str, order: str = "hash") -> Artifact:
    """The stored column over the present embeddings of all sources, complete or not."""
    scope = [require_embeddings(ws, s.name, encoder).id for s in list_sources(ws)]
    return require(
        ws,
        STEP,
        VERSION,
        {"encoder": encoder, "order": order},
        [documents(ws, source).id, *scope],
        what="The embeddings of the present sources have not been compared.",
        next_step="`mixlab dedup --semantic`",
    )


def require_semantic(ws: Workspace, source: str, column: str) -> Artifact:
    """The artifact with `column` for *every* document of `source`, or ArtifactMissing with the
    command that embeds the rest: a document that was not compared must not pass a rule.
    """
    artifact = stored_semantic(ws, source, column.removeprefix(PREFIX))
    total, embedded = artifact.manifest["documents"], artifact.manifest["embedded"]
    if embedded < total:
        raise ArtifactMissing(
            f"Only {embedded} of {total} documents of {source!r} are embedded, so {column} is "
            "unknown for the others and cannot be a rule.",
            where=f"source {source}",
            value=column,
            next_step=f"`mixlab embed --source {source} --sample {total}`, then "
            "`mixlab dedup --semantic`",
        )
    return artifact


def semantic_columns(ws: Workspace, source: str) -> list[str]:
    """Columns that are stored for every document of the source, compared with what is there now."""
    current = get_source(ws, source).documents
    columns = set()
    for path in (ws.artifacts / STEP).glob("[!.]*/manifest.json"):
        about = read_json(path)
        if about["inputs"][0] == current and load(path.parent) is not None:
            columns.add(about["column"])
    return sorted(column for column in columns if is_complete(ws, source, column))


def is_complete(ws: Workspace, source: str, column: str) -> bool:
    """True if `require_semantic` finds the column."""
    try:
        require_semantic(ws, source, column)
    except ArtifactMissing:
        return False
    return True


def epsilon_words(epsilon: float) -> str:
    """What an epsilon does, in words."""
    return (
        f"epsilon {epsilon:g} drops a document that is more similar than {1 - epsilon:g} to one "
        "before it in its cluster; a larger epsilon removes more"
    )


def epsilon_curve(
    ws: Workspace,
    epsilons: Sequence[float] = EPSILONS,
    *,
    encoder: str = DEFAULT,
    order: str = "hash",
) -> pl.DataFrame:
    """Columns epsilon, source, documents (dropped), embedded (compared), of the stored similarity.

    Raises ConfigError for an epsilon outside (0, 1), ArtifactMissing where nothing is stored.
    """
    for epsilon in epsilons:
        if not 0 < epsilon < 1:
            raise ConfigError(
                "Epsilon lies between 0 and 1.",
                where="dedup.semantic.epsilon",
                value=epsilon,
                next_step=epsilon_words(0.05),
            )
    rows = []
    for source in list_sources(ws):
        artifact = stored_semantic(ws, source.name, encoder, order)
        values = artifact.scan().select(PREFIX + encoder).collect().to_series().drop_nulls()
        rows += [
            {
                "epsilon": epsilon,
                "source": source.name,
                "documents": int((values > 1 - epsilon).sum()),
                "embedded": len(values),
            }
            for epsilon in epsilons
        ]
    return pl.DataFrame(rows).sort("epsilon", "source")
