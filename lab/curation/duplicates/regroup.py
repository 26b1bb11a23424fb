"""Moving the similarity threshold afterwards, and what it costs each source.

The pair graph is stored down to `FLOOR`, so a threshold needs a union-find, no text: at a million
documents and 150,000 pairs 90 ms for the groups (`near_groups`), the rest is reading ids and
hashes. A duplicate is a document that the policy `keep` would drop; on each side of the held-out
split one of a group stays. Overlap counts a document of source a whose group has a member in source
b: groups are transitive, so b's member may be similar to it only through a third document.
"""

from collections.abc import Sequence

import polars as pl

from lab.core.artifacts import Artifact, load, require
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.duplicates.config import MinHash, check_jaccard
from lab.curation.duplicates.find import BASE, group_documents
from lab.curation.duplicates.graph import Graph, exact_groups, load_graph, near_groups
from lab.curation.duplicates.groups import keeper_order
from lab.curation.duplicates.pairs import VERSION, pair_settings

THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
DEFAULT = MinHash()


def require_pairs(ws: Workspace, minhash: MinHash = DEFAULT) -> Artifact:
    """The stored pairs over all sources of the workspace, whatever the threshold, or
    ArtifactMissing.
    """
    return require(
        ws,
        "duplicate-pairs",
        VERSION,
        pair_settings(minhash),
        [documents(ws, source.name).id for source in list_sources(ws)],
        what="Near duplicates have not been looked for in the present sources.",
        next_step=f"`mixlab dedup --bands {minhash.bands} --rows {minhash.rows}"
        f" --ngram {minhash.ngram}`",
    )


def regroup(ws: Workspace, jaccard: float, minhash: MinHash = DEFAULT) -> pl.DataFrame:
    """Columns id, source, content_hash, heldout, exact_group, near_group at this threshold.

    Rows as in `find_duplicates`. `minhash` names the stored pairs; its own threshold is not read.
    Raises ArtifactMissing without pairs, ConfigError for a threshold below the stored floor.
    """
    check_jaccard(jaccard)
    graph = load_graph(require_pairs(ws, minhash))
    return base(ws, BASE).with_columns(exact_groups(graph), near_groups(graph, jaccard))


def stored_groups(ws: Workspace, minhash: MinHash = DEFAULT) -> Artifact:
    """The groups artifact at this threshold, made from the stored pairs if only that is new.

    Raises ArtifactMissing without pairs.
    """
    require_pairs(ws, minhash)
    found = [documents(ws, source.name) for source in list_sources(ws)]
    return group_documents(ws, found, minhash)


def stored_settings(ws: Workspace) -> list[MinHash]:
    """Settings that the present sources have been searched with."""
    present = [documents(ws, source.name).id for source in list_sources(ws)]
    found = []
    for path in sorted((ws.artifacts / "duplicate-pairs").glob("[!.]*")):
        artifact = load(path)
        if artifact is None or artifact.manifest["inputs"] != present:
            continue
        config = artifact.manifest["config"]
        setting = MinHash(*(config.get(name, 1) for name in ("bands", "rows", "ngram")))
        if artifact.manifest["version"] == VERSION and config == pair_settings(setting):
            found.append(setting)
    return sorted(found, key=lambda m: (m.bands, m.rows, m.ngram))


def near_copies(ws: Workspace, minhash: MinHash | None) -> dict[str, pl.Series] | None:
    """By source, true for a document in a group of near copies, in document order; None without a
    search. By the pairs of `minhash` or, if these are not stored, any others, at its threshold.
    """
    for setting in [*([minhash] if minhash else []), *stored_settings(ws)]:
        try:
            graph = load_graph(require_pairs(ws, setting))
        except ArtifactMissing:
            continue
        grouped = near_groups(graph, (minhash or setting).jaccard).is_not_null()
        found, start = {}, 0
        for source in list_sources(ws):
            size = int(source.counts["documents"])
            found[source.name] = grouped.slice(start, size)
            start += size
        return found
    return None


def base(ws: Workspace, columns: Sequence[str]) -> pl.DataFrame:
    """Columns of all documents, sources by name: the order of the pair graph."""
    names = [source.name for source in list_sources(ws)]
    return pl.concat([documents(ws, n).scan().select(columns) for n in names]).collect()


def token_counts(ws: Workspace, tokenizer: str | None) -> pl.Series:
    """Tokens of all documents in the order of `base`; ArtifactMissing if a source has no count."""
    name = tokenizer or default_tokenizer(ws)
    counts = [require_tokens(ws, source.name, name).scan() for source in list_sources(ws)]
    return pl.concat([frame.select("tokens") for frame in counts]).collect()["tokens"]


def threshold_curve(
    ws: Workspace,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    minhash: MinHash = DEFAULT,
    keep: Sequence[str] = (),
    tokenizer: str | None = None,
) -> pl.DataFrame:
    """What deduplication would drop at each threshold: threshold, source, documents, tokens.

    Raises as `regroup`, and ArtifactMissing if tokens are not counted.
    """
    for threshold in thresholds:
        check_jaccard(threshold)
    if not thresholds:
        raise ConfigError("No threshold was given.", next_step=f"for example {THRESHOLDS}")
    graph = load_graph(require_pairs(ws, minhash))
    # the groups of a higher threshold lie inside those of the lowest: no other row can be dropped
    rows = (
        base(ws, ("id", "source", "content_hash", "heldout"))
        .with_columns(token_counts(ws, tokenizer), near_groups(graph, min(thresholds)))
        .with_row_index("row")
        .filter(pl.col("near_group").is_not_null())
        .sort(*keeper_order(keep))
        .select("row", "source", "heldout", "tokens")
    )
    everything = pl.DataFrame({"source": [s.name for s in list_sources(ws)]})
    return pl.concat([dropped(everything, rows, graph, t) for t in thresholds])


def dropped(
    sources: pl.DataFrame, rows: pl.DataFrame, graph: Graph, threshold: float
) -> pl.DataFrame:
    """Documents and tokens of each source beyond the first of their group; `rows` in the keeper's
    order.
    """
    group = near_groups(graph, threshold).gather(rows["row"])
    lost = rows.with_columns(group.alias("group")).filter(
        pl.col("group").is_not_null() & ~pl.struct("group", "heldout").is_first_distinct()
    )
    sums = lost.group_by("source").agg(documents=pl.len(), tokens=pl.col("tokens").sum())
    return sources.join(sums, on="source", how="left", maintain_order="left").select(
        pl.lit(threshold).alias("threshold"),
        "source",
        pl.col("documents").fill_null(0),
        pl.col("tokens").fill_null(0).cast(pl.UInt64),
    )


def overlap(
    ws: Workspace,
    jaccard: float = DEFAULT.jaccard,
    *,
    minhash: MinHash = DEFAULT,
    tokenizer: str | None = None,
) -> pl.DataFrame:
    """How much of source a has a copy in source b, for every ordered pair of sources.

    Columns source_a, source_b, kind (exact, near), documents, tokens (of a), share (of a's
    tokens). The diagonal counts copies inside a source. Raises as `threshold_curve`.
    """
    check_jaccard(jaccard)
    graph = load_graph(require_pairs(ws, minhash))
    frame = base(ws, ("source",)).with_columns(
        token_counts(ws, tokenizer),
        exact_groups(graph).alias("exact"),
        near_groups(graph, jaccard).alias("near"),
    )
    totals = frame.group_by("source").agg(all_tokens=pl.col("tokens").sum())
    names = totals.sort("source")["source"]
    cells = pl.DataFrame({"source_a": names}).join(pl.DataFrame({"source_b": names}), how="cross")
    found = pl.concat([fill_cells(cells, frame, kind) for kind in ("exact", "near")])
    return (
        found.join(totals, left_on="source_a", right_on="source")
        .with_columns(share=pl.col("tokens") / pl.col("all_tokens").clip(1))
        .select("source_a", "source_b", "kind", "documents", "tokens", "share")
        .sort("source_a", "source_b", "kind")
    )


def fill_cells(cells: pl.DataFrame, frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """`cells` with documents and tokens of a whose group of this kind has another member in b."""
    member = frame.select("source", "tokens", group=kind).drop_nulls("group")
    counts = member.group_by("group", "source").agg(members=pl.len(), tokens=pl.col("tokens").sum())
    pairs = counts.join(counts.select("group", "source", "members"), on="group", suffix="_b")
    own = pl.col("source") == pl.col("source_b")
    sums = (
        pairs.filter(~own | (pl.col("members") > 1))
        .group_by(source_a="source", source_b="source_b")
        .agg(documents=pl.col("members").sum(), tokens=pl.col("tokens").sum())
    )
    return cells.join(sums, on=["source_a", "source_b"], how="left").select(
        "source_a",
        "source_b",
        pl.lit(kind).alias("kind"),
        pl.col("documents").fill_null(0).cast(pl.UInt32),
        pl.col("tokens").fill_null(0).cast(pl.UInt64),
    )
