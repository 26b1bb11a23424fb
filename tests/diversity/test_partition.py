"""The frozen partition: the same clusters for later texts, whatever direction all texts share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import DataError
from lab.diversity.embedding.stored import unit
from lab.diversity.layout.partition import (
    adjusted_rand,
    assign,
    assign_with_margin,
    find_partition,
    shares,
    stability,
    stability_table,
)


def topics(sizes: tuple[int, ...], d: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around planted centres, and the topic of each."""
    centres = np.random.default_rng(7).normal(size=(len(sizes), d)) * 3
    rng = np.random.default_rng(seed)
    topic = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    x = centres[topic] + rng.normal(size=(len(topic), d)) * 0.3
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), topic


def test_later_texts_fall_into_the_clusters_of_their_topics() -> None:
    x, topic = topics((90, 60, 30))
    later, expected = topics((20, 20, 20), seed=1)
    found = find_partition(x, 3)
    assert (found.assign(x) == np.array([0, 1, 2])[topic]).all(), "numbered from the largest"
    assert (found.assign(later) == expected).all()
    alone = later[expected == 2]
    assert (found.assign(alone) == 2).all(), "one topic by itself is centred on the pool's mean"


def test_a_direction_that_all_share_changes_no_cluster() -> None:
    """The reference's warning: without centring a shift sends all texts to one centroid."""
    x, topic = topics((80, 60, 40))
    found = find_partition(x, 3)
    raw = np.stack([x[topic == k].mean(axis=0) for k in range(3)])
    shifted = x + 2 * raw[1]
    assert (assign(shifted, found.centroids) == np.array([0, 1, 2])[topic]).mean() > 0.95
    nearest = ((unit(shifted)[:, None] - raw) ** 2).sum(axis=2).argmin(axis=1)
    assert np.bincount(nearest).max() > 0.95 * len(x), "not centred, all are one cluster"


def test_margins_by_hand() -> None:
    centroids = np.array([[1, 0], [-1, 0]], np.float32)
    numbers, margins = assign_with_margin(
        np.array([[1, 0], [0, 1], [-0.6, 0.8]], np.float32), centroids, np.zeros(2, np.float32)
    )
    assert numbers[[0, 2]].tolist() == [0, 1]
    assert margins[:2] == pytest.approx([1, 0], abs=1e-6)
    assert margins[2] == pytest.approx(1 - np.sqrt(0.8) / np.sqrt(3.2), abs=1e-6)
    alone = assign_with_margin(np.eye(2, dtype=np.float32), centroids[:1], np.zeros(2, np.float32))
    assert alone[1].tolist() == [1, 1]


def test_equal_texts_and_one_text_are_one_cluster() -> None:
    for n in (1, 40):
        x = np.tile(topics((1,))[0], (n, 1))
        found = find_partition(x, 5)
        assert len(found.centroids) == 1
        assert found.assign(x).tolist() == [0] * n


def test_vectors_of_another_encoder_are_refused() -> None:
    found = find_partition(topics((20, 20))[0], 2)
    with pytest.raises(DataError, match="another dimension") as caught:
        found.assign(np.ones((3, 7), np.float32))
    assert caught.value.value == "7 against 24"


def test_shares_by_count_and_by_tokens() -> None:
    numbers = np.array([0, 0, 2, 1], np.uint16)
    assert shares(numbers, 4).tolist() == [0.5, 0.25, 0.25, 0]
    assert shares(numbers, 3, np.array([1, 1, 6, 2])).tolist() == [0.2, 0.2, 0.6]
    assert shares(np.zeros(0, np.uint16), 2).tolist() == [0, 0]


def test_planted_clusters_are_stable_and_a_cloud_is_not() -> None:
    planted = stability(topics((100, 100, 100))[0], 3)
    cloud = np.random.default_rng(0).normal(size=(300, 24)).astype(np.float32)
    accident = stability(cloud, 3)
    assert planted is not None
    assert accident is not None
    assert planted > 0.95 > 0.4 > accident
    assert stability(cloud[:10], 3) is None
    rows = stability_table(topics((100, 100, 100))[0], 3)
    assert [row["k"] for row in rows] == [2, 3, 6]
    assert max(rows, key=lambda row: row["stability"])["k"] == 3


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=3, max_size=60))
def test_adjusted_rand_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import adjusted_rand_score

    one, other = (np.array(column) for column in zip(*pairs, strict=True))
    assert adjusted_rand(one, other) == pytest.approx(adjusted_rand_score(one, other), abs=1e-9)
