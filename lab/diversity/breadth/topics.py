"""What a decision does to topics: how much of each cluster is left, and which are lost.

Retention of a cluster is the share of its pool's tokens that is kept, in the embedded sample. A
topic is *lost* if less than `LOST` of its tokens is left, less than half of what is left of the
pool as a whole, and by Wilson's interval over its documents surely less: a rule that thins
everything evenly loses no topic. It is lost as well if nothing is left of it and that is resolved
to be less than `LOST`, however little is left of the others: 12 documents are enough. A cluster
with a handful of documents in the sample cannot be called lost; the table says so by its interval.
What lies between the clusters of the partition, or is smaller than one, is not seen.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import ConfigError, DataError
from lab.diversity.breadth.measured import wilson

LOST = 0.25
THINNED = 0.5  # of what is left of the pool: a selection of 30 % leaves many topics below LOST


def retention(
    clusters: NDArray[Any],
    tokens: NDArray[Any],
    kept: NDArray[np.bool_],
    labels: pl.DataFrame,
    *,
    lost: float = LOST,
) -> pl.DataFrame:
    """Columns cluster, label, documents, kept_documents, tokens, share (of tokens kept), low, high
    (of documents kept), lost; least kept first. `labels`: cluster, label.

    Raises ConfigError for a share `lost` outside (0, 1), DataError for lengths that differ.
    """
    if not 0 < lost < 1:
        raise ConfigError("A topic is lost below a share between 0 and 1.", value=lost)
    if not len(clusters) == len(tokens) == len(kept):
        raise DataError("Lengths differ.", value=(len(clusters), len(tokens), len(kept)))
    members = pl.DataFrame(
        {
            "cluster": np.asarray(clusters, np.int64),
            "tokens": np.asarray(tokens, np.float64),
            "kept": np.asarray(kept, np.bool_),
        }
    )
    found = members.group_by("cluster").agg(
        pl.len().alias("documents"),
        pl.col("kept").sum().alias("kept_documents"),
        pl.col("tokens").sum(),
        (pl.col("tokens") * pl.col("kept")).sum().alias("left"),
    )
    whole = float(np.mean(kept)) if len(kept) else 0.0
    bands = [wilson(k, n) for k, n in found.select("kept_documents", "documents").iter_rows()]
    share = (pl.col("left") / pl.col("tokens")).fill_nan(0.0)
    named = found.with_columns(
        share=share, low=pl.Series([b.low for b in bands], dtype=pl.Float64),
        high=pl.Series([b.high for b in bands], dtype=pl.Float64),
    )  # fmt: skip
    left = (np.asarray(tokens, np.float64) * kept).sum() / max(float(np.sum(tokens)), 1e-300)
    most = min(lost, THINNED * float(left))
    gone = (pl.col("kept_documents") == 0) & (pl.col("high") < lost)
    named = named.with_columns(lost=gone | (pl.col("share") < most) & (pl.col("high") < whole))
    words = labels.select(pl.col("cluster").cast(pl.Int64), "label")
    return (
        named.join(words, on="cluster", how="left")
        .with_columns(pl.col("label").fill_null("(no words)"))
        .select("cluster", "label", "documents", "kept_documents", "tokens", "share", "low", "high",
                "lost")
        .sort("share", "cluster")
    )  # fmt: skip
