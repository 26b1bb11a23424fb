"""On the sample world: the topics that were planted are the clusters that are found."""

import numpy as np
import polars as pl
import pytest

from lab.corpus.world.records import records
from lab.diversity.embedding.encoder import load_encoder
from lab.diversity.layout.cluster import label_clusters
from lab.diversity.layout.partition import adjusted_rand, find_partition

PLANTED = {
    "encyclopaedia": ("town", "creature", "person", "work"),
    "web_rewritten": ("weather", "craft"),
    "textbooks": ("kinship", "grammar"),
    "code": ("code",),
}
EACH = 20


@pytest.fixture(scope="module")
def planted() -> tuple[list[str], np.ndarray]:
    """`EACH` original texts of every topic, and the topic's number."""
    texts, topics = [], []
    for source, names in PLANTED.items():
        drawn = [r for r in records(source, 400, 0) if r.copy is None]
        for name in names:
            own = [r.draft.text for r in drawn if r.draft.topic == name][:EACH]
            assert len(own) == EACH
            texts += own
            topics += [name] * EACH
    return texts, np.unique(topics, return_inverse=True)[1]


@pytest.mark.slow
def test_planted_topics_are_recovered(planted: tuple[list[str], np.ndarray]) -> None:
    texts, topic = planted
    vectors = load_encoder().encode(texts).astype(np.float32)
    count = int(topic.max()) + 1
    partition = find_partition(vectors, count)
    numbers = partition.assign(vectors)
    table = np.zeros((count, len(partition.centroids)))
    np.add.at(table, (topic, numbers), 1)
    assert adjusted_rand(topic, numbers) > 0.6
    assert table.max(axis=0).sum() / len(texts) > 0.75, "purity"
    labels = label_clusters(pl.Series(texts), numbers)
    code = int(np.bincount(numbers[topic == 0]).argmax())
    words = labels.filter(pl.col("cluster") == code)["label"][0]
    assert "return" in words or "def" in words, words
