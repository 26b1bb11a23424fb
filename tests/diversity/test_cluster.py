"""Clusters: planted topics come back, in a fixed order, under names that are words of theirs."""

import numpy as np
import polars as pl

from lab.diversity.layout.cluster import choose_k, find_clusters, label_clusters


def topics(sizes: tuple[int, ...], d: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(len(sizes), d)) * 3
    topic = np.repeat(np.arange(len(sizes)), sizes)
    x = centres[topic] + rng.normal(size=(len(topic), d)) * 0.3
    order = rng.permutation(len(topic))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)[order], topic[order]


def test_planted_topics_largest_first() -> None:
    x, topic = topics((30, 80, 50))
    found = find_clusters(x, 3)
    assert found.numbers.dtype == np.uint16
    assert np.bincount(found.numbers).tolist() == [80, 50, 30]
    assert (found.numbers == np.array([2, 0, 1])[topic]).all()
    nearest = np.argmin(((x[:, None] - found.centroids) ** 2).sum(2), axis=1)
    assert (nearest == found.numbers).all()


def test_same_input_same_clusters() -> None:
    x, _ = topics((40, 40, 20))
    first, second = find_clusters(x, 7, seed=3), find_clusters(x, 7, seed=3)
    assert (first.numbers == second.numbers).all()
    assert (first.centroids == second.centroids).all()


def test_no_more_clusters_than_different_texts() -> None:
    x = np.tile(np.eye(3, 5, dtype=np.float32), (4, 1))
    found = find_clusters(x, 8)
    assert len(found.centroids) == 3
    assert np.bincount(found.numbers).tolist() == [4, 4, 4]
    assert find_clusters(x[:1], 2).numbers.tolist() == [0]


def test_number_of_clusters_grows_with_the_sample() -> None:
    assert [choose_k(n) for n in (1, 40, 1000, 16_000, 10**6)] == [2, 2, 10, 40, 64]


def test_labels_are_the_words_that_set_a_cluster_apart() -> None:
    shared = "the people of this place and their year"
    texts = pl.Series([f"{shared} herring boats harbour"] * 5 + [f"{shared} theorem proof"] * 4)
    numbers = np.array([0] * 5 + [1] * 4, np.uint16)
    labels = label_clusters(texts, numbers)
    assert labels.schema == {"cluster": pl.UInt16, "label": pl.String, "size": pl.UInt32}
    assert labels["size"].to_list() == [5, 4]
    assert labels["label"][0].startswith("boats, harbour, herring")
    assert labels["label"][1].startswith("proof, theorem")


def test_labels_hold_nothing_but_letters() -> None:
    hostile = "<script>alert(1)</script> ![x](http://evil.example/i.png) \x1b[31m **bold** a_b"
    labels = label_clusters(pl.Series([hostile, "?!", ""]), np.array([0, 1, 1], np.uint16))
    assert labels["label"][0].replace(", ", "").isalpha()
    assert labels["label"][1] == "(no words)"
