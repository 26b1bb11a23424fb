"""The panel: which measure moves and which must not, and intervals that cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import DataError
from lab.diversity.breadth.measures import (
    effective_clusters,
    measure_vectors,
    nearest_similarity,
    panel,
    wilson,
)


def corpus(n: int, topics: int, seed: int = 0, d: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """n unit vectors around `topics` fixed directions, and the topic of each."""
    centres = np.random.default_rng(99).normal(size=(60, d))
    rng = np.random.default_rng(seed)
    topic = rng.integers(topics, size=n)
    x = centres[topic] + 0.8 * rng.normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True), topic


def near_copies(x: np.ndarray, share: float) -> np.ndarray:
    """`x` with a share of its rows replaced by slightly moved copies of the others."""
    rng = np.random.default_rng(4)
    kept = int(len(x) * (1 - share))
    copies = x[rng.integers(kept, size=len(x) - kept)]
    moved = np.concatenate([x[:kept], copies + 0.01 * rng.normal(size=copies.shape)])
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def test_each_measure_sees_what_it_says() -> None:
    x, topic = corpus(600, 40)
    many = panel(x, topic)
    few = panel(*corpus(600, 3))
    copied = panel(near_copies(x, 0.5), topic)
    assert many["effective_clusters"].low > 4 * few["effective_clusters"].high
    assert many["vendi_1"].low > few["vendi_1"].high
    assert many["vendi_2"].low > few["vendi_2"].high
    assert copied["near_duplicates"].low > 0.4
    assert many["near_duplicates"].value == 0
    assert copied["nearest_distance"].high < 0.6 * many["nearest_distance"].low
    assert copied["vendi_1"].value == pytest.approx(many["vendi_1"].value, rel=0.2)


def test_noise_looks_diverse() -> None:
    """Why quality stands beside every measure."""
    noise = np.random.default_rng(0).normal(size=(400, 48))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    junk, text = panel(noise), panel(corpus(400, 40)[0])
    assert junk["vendi_1"].low > text["vendi_1"].high
    assert junk["nearest_distance"].low > text["nearest_distance"].high


def test_sources_are_compared_at_the_same_n() -> None:
    found = panel(corpus(700, 10)[0], size=300)
    assert {estimate.n for estimate in found.values()} == {300}
    assert found == panel(corpus(700, 10)[0], size=300)


def test_nearest_neighbour_by_hand() -> None:
    x = np.array([[1, 0], [0.6, 0.8], [0, 1], [1, 0]], np.float32)
    assert nearest_similarity(x) == pytest.approx([1, 0.8, 0.8, 1])


def test_intervals_hold_the_value() -> None:
    x, topic = corpus(300, 10)
    for estimate in panel(x, topic).values():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.low < estimate.high


def test_wilson_knows_that_zero_of_ten_is_not_zero() -> None:
    none = wilson(0, 10)
    assert (none.value, none.low) == (0, 0)
    assert none.high == pytest.approx(0.2775, abs=1e-3)
    assert wilson(5, 10).low == pytest.approx(0.2366, abs=1e-3)


def test_interval_of_clusters_covers_as_promised() -> None:
    """200 samples of 12 equal clusters: the plug-in is a little low, the interval mostly covers."""
    rng = np.random.default_rng(1)
    estimates = [effective_clusters(rng.integers(12, size=400)) for _ in range(200)]
    assert 11.5 < np.mean([e.value for e in estimates]) < 12
    uneven = np.array([0.5, 0.2, 0.1, 0.1, 0.05, 0.05])
    truth = float(np.exp(-(uneven * np.log(uneven)).sum()))
    draws = [effective_clusters(rng.choice(6, 400, p=uneven)) for _ in range(200)]
    assert np.mean([e.low <= truth <= e.high for e in draws]) > 0.88


def test_unusable_embeddings_are_refused() -> None:
    with pytest.raises(DataError, match="at least two"):
        panel(np.ones((1, 8)))
    with pytest.raises(DataError, match="at least two"):
        panel(np.ones((0, 8)))
    broken = corpus(20, 2)[0]
    broken[3, 4] = np.nan
    with pytest.raises(DataError, match="not finite"):
        panel(broken)


def test_identical_texts() -> None:
    found = panel(np.tile(corpus(1, 1)[0], (30, 1)))
    assert found["near_duplicates"].value == 1
    assert found["nearest_distance"].value == pytest.approx(0, abs=1e-6)
    assert found["vendi_1"].value == 1


@given(st.integers(2, 40))
def test_copies_of_one_text_have_an_interval_at_any_number(n: int) -> None:
    same = np.tile(np.eye(1, 4), (n, 1))
    found = measure_vectors(same, np.arange(n))["near_duplicates"].estimate()
    assert found.value == found.high == 1
    assert 0 <= found.low < 1
