"""Breadth of a mixture from summaries: equal to recomputing it from documents, gains included."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError
from lab.diversity.breadth.closed import close, quick
from lab.diversity.breadth.mixture import (
    STEP,
    cluster_gains,
    gain_words,
    lay_ground,
    mixture_breadth,
    point,
)
from lab.diversity.breadth.moments import effective_number
from lab.diversity.breadth.summary import Summary, load_summary, save_summary, summarise

K = 6
CENTRES = np.random.default_rng(5).normal(size=(K, 12))


def cloud(n: int, seed: int, topics: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """n unit vectors around some of six directions, and the number of each."""
    rng = np.random.default_rng(seed)
    topic = np.array(topics)[rng.integers(len(topics), size=n)]
    x = CENTRES[topic] + 0.5 * rng.normal(size=(n, 12)) + 0.5
    return x / np.linalg.norm(x, axis=1, keepdims=True), topic


def three(seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    topics = {"a": [0, 1], "b": [1, 2, 3], "c": [4, 5]}
    return {s: cloud(20 + 7 * k, seed + k, t) for k, (s, t) in enumerate(topics.items())}


def summaries(clouds: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Summary]:
    return {name: summarise(x, topic, K) for name, (x, topic) in clouds.items()}


def from_documents(
    clouds: dict[str, tuple[np.ndarray, np.ndarray]], weights: np.ndarray
) -> list[float]:
    """Scores from the n x n kernel of the weighted texts: another route."""
    share = np.concatenate(
        [np.full(len(x), w / len(x)) for w, (x, _) in zip(weights, clouds.values(), strict=True)]
    ) / np.sum(weights)
    x = np.concatenate([x for x, _ in clouds.values()])
    centred = x - share @ x
    kernel = np.sqrt(share)[:, None] * (centred @ centred.T) * np.sqrt(share)
    values = np.linalg.eigvalsh(kernel / np.trace(kernel))
    values = values[values > 1e-12]
    topics = np.concatenate([topic for _, topic in clouds.values()])
    clusters = float(effective_number(np.bincount(topics, share, minlength=K)))
    return [float(np.exp(-(values * np.log(values)).sum())), float(1 / (values**2).sum()), clusters]


@settings(max_examples=25)
@given(st.lists(st.floats(0.05, 10), min_size=3, max_size=3), st.integers(0, 2**16))
def test_scores_and_gains_equal_those_of_the_documents(weights: list[float], seed: int) -> None:
    clouds = three(seed)
    ground = lay_ground(summaries(clouds))
    found = mixture_breadth(ground, dict(zip("abc", weights, strict=True)))
    w = np.array(weights) / np.sum(weights)
    assert [s.value for s in found.scores.values()] == pytest.approx(
        from_documents(clouds, w), rel=1e-5
    )
    small = 1e-3
    for k, measure in enumerate(("vendi_1", "vendi_2")):
        for s, name in enumerate("abc"):
            up, down = ((1 - e) * w + e * np.eye(3)[s] for e in (small, -small))
            slope = from_documents(clouds, up)[k] - from_documents(clouds, down)[k]
            gain = found.gains[measure][name].value
            assert gain == pytest.approx(STEP * slope / (2 * small), rel=1e-2, abs=1e-5)
    for s, name in enumerate("abc"):
        step = from_documents(clouds, (1 - STEP) * w + STEP * np.eye(3)[s])[2]
        now = from_documents(clouds, w)[2]
        assert found.gains["effective_clusters"][name].value == pytest.approx(step - now, abs=1e-7)


@given(st.integers(0, 2**16))
@settings(max_examples=20)
def test_weighted_gains_cancel(seed: int) -> None:
    """One per cent more of the mixture itself changes nothing."""
    ground = lay_ground(summaries(three(seed)))
    w = np.random.default_rng(seed).dirichlet(np.ones(3))
    _, gains = point(ground, w)
    assert (gains @ w)[:2] == pytest.approx([0, 0], abs=1e-9)


def test_clusters_by_hand() -> None:
    shares = np.array([[1.0, 0, 0, 0], [0, 1 / 3, 1 / 3, 1 / 3]])
    assert cluster_gains(shares, np.array([0.25, 0.75]))[0] == pytest.approx(4)
    now, gains = cluster_gains(shares, np.array([1.0, 0.0]))
    assert now == pytest.approx(1)
    assert gains[0] == pytest.approx(0, abs=1e-12)
    entropy = -(0.99 * np.log(0.99) + 0.01 * np.log(0.01 / 3))
    assert gains[1] == pytest.approx(np.exp(entropy) - 1)


def test_bands_cover_what_fresh_documents_give() -> None:
    """The score of the same mixture from a hundred times the documents, in 60 draws."""
    topics = {"a": [0, 1], "b": [1, 2, 3], "c": [4, 5]}
    many = {s: cloud(40_000, k, t) for k, (s, t) in enumerate(topics.items())}
    truth = mixture_breadth(lay_ground(summaries(many)), {"a": 2, "b": 1, "c": 1})
    hits = []
    for draw in range(60):
        few = {s: cloud(400, 100 + 3 * draw + k, t) for k, (s, t) in enumerate(topics.items())}
        found = mixture_breadth(lay_ground(summaries(few)), {"a": 2, "b": 1, "c": 1})
        hits += [
            found.scores[m].low <= truth.scores[m].value <= found.scores[m].high
            for m in ("vendi_2", "effective_clusters")
        ]
        gains = zip(found.gains["vendi_1"].values(), truth.gains["vendi_1"].values(), strict=True)
        hits += [gain.low <= true.value <= gain.high for gain, true in gains]
    assert 0.88 < np.mean(hits) <= 1


def test_a_source_that_repeats_what_is_there_removes_breadth() -> None:
    x, topic = cloud(1, 9, [0])
    clouds = three(1) | {"copy": (np.tile(x, (50, 1)), np.tile(topic, 50))}
    found = mixture_breadth(lay_ground(summaries(clouds)), dict.fromkeys(clouds, 1.0))
    assert found.gains["vendi_1"]["copy"].high < 0
    assert "copy removes" in gain_words("copy", found.gains)
    assert found.gains["effective_clusters"]["c"].low > 0


def test_hostile_input(tmp_path: Path) -> None:
    x, topic = cloud(1, 0, [2])
    same = summarise(np.tile(x, (9, 1)), np.tile(topic, 9), K)
    found = mixture_breadth(lay_ground({"same": same}), {"same": 1.0})
    assert [s.value for s in found.scores.values()] == pytest.approx([1, 1, 1])
    assert found.gains["vendi_1"]["same"].value == 0
    with pytest.raises(DataError, match="at least two"):
        summarise(x, topic, K)
    with pytest.raises(DataError, match="not finite"):
        summarise(np.full((3, 12), np.nan), np.zeros(3, int), K)
    with pytest.raises(DataError, match="belong together"):
        summarise(np.tile(x, (3, 1)), np.array([0, 1, 6]), K)
    other = summarise(np.tile(x[:, :5], (3, 1)), np.zeros(3, int), K)
    with pytest.raises(DataError, match="different encoders"):
        lay_ground({"same": same, "other": other})
    pair = summarise(np.concatenate([x, -x]), np.array([0, 1]), K)
    assert mixture_breadth(lay_ground({"p": pair, "s": same}), {"p": 1}).scores["vendi_1"].n == 11


def test_impossible_weights_are_refused() -> None:
    ground = lay_ground({"web": summarise(*cloud(5, 0, [1]), K)})
    with pytest.raises(ConfigError, match="has not been measured") as caught:
        mixture_breadth(ground, {"wbe": 1.0})
    assert "did you mean web" in caught.value.next_step
    for weights in ({"web": -1.0}, {"web": 0.0}, {}, {"web": float("nan")}):
        with pytest.raises(ConfigError):
            mixture_breadth(ground, weights)


def test_a_summary_survives_the_disk(tmp_path: Path) -> None:
    made = summarise(*cloud(50, 0, [1, 2]), K)
    save_summary(made, tmp_path)
    read = load_summary(tmp_path)
    for name in ("counts", "second", "mean", "shares"):
        assert (getattr(read, name) == getattr(made, name)).all()
    assert read.n == 50


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(0, 50))
def test_the_closed_form_is_the_score(weights: list[float], seed: int) -> None:
    w = np.array(weights) + 1e-3
    w /= w.sum()
    clouds = three(seed)
    ground = lay_ground(summaries(clouds))
    order2, clusters = quick(close(ground), w)
    _, expected, exact = from_documents(clouds, w)
    assert order2 == pytest.approx(expected, rel=1e-3)
    assert clusters == pytest.approx(exact)
    found = mixture_breadth(ground, dict(zip(ground.sources, w.tolist(), strict=True)))
    assert order2 == pytest.approx(found.scores["vendi_2"].value, rel=1e-6)
