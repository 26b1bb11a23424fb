"""Clusters of texts: k-means in the full dimension, named by their words.

k-means (Lloyd 1982, k-means++ seeds) on unit vectors minimises squared distance, which on the
sphere orders like cosine. It cuts whatever it is given into k pieces, also a cloud without
clusters; k is chosen by size alone and shown. `partition` keeps the centroids, so that shares of
later selections are taken on the same clusters, and says how stable they are.

Labels by class-based TF-IDF (Grootendorst 2022): the words with the largest tf x log(1 + A / f),
tf the word's share of the cluster's words, f its count over all clusters, A the mean words a
cluster. Words are runs of three or more letters: nothing of a hostile text but letters is shown.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

WORDS = 4  # in a label
STARTS = 4  # k-means runs, the best is kept
LARGEST, SMALLEST = 64, 2


@dataclass(frozen=True, slots=True)
class Clusters:
    """Cluster number of each vector, 0 the largest, and the centroids [k, d]."""

    numbers: NDArray[np.uint16]
    centroids: NDArray[np.float32]


def choose_k(n: int) -> int:
    """About ten times more members a cluster than clusters: sqrt(n / 10), from 2 to 64."""
    return int(np.clip(round((n / 10) ** 0.5), SMALLEST, LARGEST))


def find_clusters(
    vectors: NDArray[np.float32], k: int, seed: int = 0, starts: int = STARTS
) -> Clusters:
    """k clusters, or as many as there are different vectors if that is fewer."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    k = min(k, len(np.unique(vectors, axis=0)))
    with threadpool_limits(1):  # sums in another order would change the last bits
        model = KMeans(k, n_init=starts, random_state=seed).fit(vectors)
    sizes = np.bincount(model.labels_, minlength=k)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(k, np.uint16)
    rank[order] = np.arange(k)
    return Clusters(rank[model.labels_], model.cluster_centers_[order].astype(np.float32))


def label_clusters(text: pl.Series, numbers: NDArray[np.uint16]) -> pl.DataFrame:
    """Columns cluster (UInt16), label, size: one row a cluster, by number."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    members = pl.DataFrame({"cluster": numbers, "text": text})
    counts = (
        members.select(
            "cluster", word=pl.col("text").str.to_lowercase().str.extract_all(r"\p{L}{3,}")
        )
        .explode("word")
        .drop_nulls()
        .filter(~pl.col("word").is_in(sorted(ENGLISH_STOP_WORDS)))
        .group_by("cluster", "word")
        .len("count")
    )
    mean_words = counts["count"].sum() / max(counts["cluster"].n_unique(), 1)
    share = pl.col("count") / pl.col("count").sum().over("cluster")
    rarity = (1 + mean_words / pl.col("count").sum().over("word")).log()
    labels = (
        counts.with_columns(weight=share * rarity)
        .sort("cluster", "weight", "word", descending=[False, True, False])
        .group_by("cluster", maintain_order=True)
        .agg(label=pl.col("word").head(WORDS).str.join(", "))
    )
    sizes = members.group_by("cluster").len("size").sort("cluster")
    return (
        sizes.join(labels, on="cluster", how="left")
        .select("cluster", pl.col("label").fill_null("(no words)"), "size")
        .sort("cluster")
    )
