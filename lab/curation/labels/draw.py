"""Which documents are labelled: equally many of every source, drawn by their content.

Stratified: every source gets the same number, or all it has, so that the head sees what is rare in
the pool; proportional shares would leave a source of one per cent with two labels in two hundred.
Within a source the documents with the smallest mixed content hash are taken (bottom-k sampling,
Cohen and Kaplan 2007), by the same hash as the sample that is embedded: the labelled documents are
among the embedded ones as long as that sample is larger. A text that occurs twice is drawn once.

The rows come in rounds, one document of every source a round, so labelling that stops early, for
want of money, still covers the sources evenly.
"""

from collections.abc import Sequence

import polars as pl

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.diversity.embedding.embed import mix


def draw(ws: Workspace, sources: Sequence[str], count: int, seed: int = 0) -> pl.DataFrame:
    """Columns id, source, content_hash, text of at most `count` different texts, in rounds.

    Raises ConfigError for a count below one.
    """
    if count < 1:
        raise ConfigError("At least one document is labelled.", value=count)
    names = sorted(set(sources))
    columns = ["id", "source", "content_hash"]
    pool = pl.concat([documents(ws, n).scan().select(columns).collect() for n in names])
    pool = pool.sort("source", "id").unique("content_hash", keep="first", maintain_order=True)
    pool = pool.with_columns(mix(pool["content_hash"], seed)).sort("source", "mixed", "id")
    pool = pool.with_columns(round=pl.int_range(pl.len()).over("source"))
    sizes = dict(pool.group_by("source").len().iter_rows())
    shares = allocate({n: sizes.get(n, 0) for n in names}, count)
    quota = pl.col("source").replace_strict(shares, return_dtype=pl.Int64)
    chosen = pool.filter(pl.col("round") < quota).sort("round", "source")
    texts = [
        documents(ws, n).scan().select("id", "text").filter(pl.col("id").is_in(own.implode()))
        for n in names
        if len(own := chosen.filter(pl.col("source") == n)["id"])
    ]
    found = pl.concat(texts).collect()
    joined = chosen.join(found, on="id", how="left", maintain_order="left")
    return joined.select(*columns, "text")


def allocate(sizes: dict[str, int], count: int) -> dict[str, int]:
    """`count` split evenly over sources of these sizes; what small ones lack goes to the others.

    The rest of the division goes to the largest. Sums to min(count, all documents).
    """
    shares, left = {}, count
    ordered = sorted(sizes, key=lambda name: (sizes[name], name))
    for position, name in enumerate(ordered):
        shares[name] = min(sizes[name], left // (len(ordered) - position))
        left -= shares[name]
    return shares
