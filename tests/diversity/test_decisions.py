"""What decisions do to breadth: coverage, lost topics, overlap, marks, two samples."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError
from lab.diversity.breadth.coverage import coverage, own_rows
from lab.diversity.breadth.marks import marking_words, shifted_signals, superiority
from lab.diversity.breadth.measured import Measured, difference, mean_of
from lab.diversity.breadth.measures import measure_vectors
from lab.diversity.breadth.overlap import cluster_overlap, overlap
from lab.diversity.breadth.topics import retention
from lab.diversity.breadth.two_sample import two_sample

CENTRES = np.random.default_rng(2).normal(size=(8, 16))


def cloud(n: int, topics: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    topic = np.array(topics)[rng.integers(len(topics), size=n)]
    x = CENTRES[topic] + 0.4 * rng.normal(size=(n, 16))
    return x / np.linalg.norm(x, axis=1, keepdims=True), topic


# --- differences


def test_a_difference_of_overlapping_samples_knows_what_they_share() -> None:
    """Kept is half of the pool: the pair varies less than two strangers, and covers the truth."""
    rng = np.random.default_rng(0)
    covered, paired, apart = [], [], []
    for _ in range(300):
        pool = rng.normal(size=200)
        one = mean_of(pool[:100], np.arange(100), "")
        both = difference(one, mean_of(pool, np.arange(200), ""), paired=True)
        covered.append(both.low <= 0 <= both.high)
        paired.append(both.high - both.low)
        strangers = difference(one, mean_of(pool, np.arange(200), ""), paired=False)
        apart.append(strangers.high - strangers.low)
    assert 0.91 < np.mean(covered) < 0.98
    assert np.mean(paired) < 0.7 * np.mean(apart)


def test_shares_of_nothing_are_not_certain() -> None:
    none = mean_of(np.zeros(50, bool), np.arange(50), "", "share")
    found = difference(none, mean_of(np.zeros(50, bool), np.arange(50), "", "share"), paired=True)
    assert (found.value, found.resolved) == (0, False)
    assert found.high > 0.05
    all_of = mean_of(np.ones(50, bool), np.arange(50), "", "share")
    assert difference(all_of, none, paired=False).low > 0.8


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
def test_a_measure_less_itself_is_zero(values: list[float]) -> None:
    one = mean_of(np.array(values), np.arange(len(values)), "")
    found = difference(one, one, paired=True)
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0))


def test_vendi_intervals_cover_another_sample() -> None:
    """200 pairs of samples of one source: 95 % of differences hold zero."""
    hits = []
    for seed in range(100):
        one, other = (
            measure_vectors(cloud(300, [0, 1, 2, 5], 2 * seed + k)[0], np.arange(300))
            for k in range(2)
        )
        for name in ("vendi_1", "vendi_2"):
            gap = difference(one[name], other[name], paired=False)
            hits.append(gap.low <= 0 <= gap.high)
    assert 0.9 < np.mean(hits) <= 0.99


# --- coverage


def test_coverage_by_hand() -> None:
    angles = np.radians([0, 10, 20, 100, 110, 120])
    reference = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = coverage(np.stack([reference[0], -reference[0]]), reference, k=1)
    assert found.value == pytest.approx(2 / 6)  # 0 and 10 degrees have it within 10 degrees
    alone = coverage(reference[:2], reference, np.array([0, 1, -1, -1, -1, -1]), k=1)
    assert alone.value == pytest.approx(3 / 6)  # 0 by 10, 10 by 0, and 20 by 10
    assert coverage(reference, reference, k=1).value == 1


def test_a_selection_without_a_topic_does_not_cover_it() -> None:
    reference, topic = cloud(400, [0, 1, 2, 3])
    missing, _ = cloud(400, [0, 1, 2], 1)
    found = coverage(missing, reference)
    assert 0.65 < found.value < 0.8
    assert found.influence[topic == 3].max() < 0
    whole = coverage(cloud(400, [0, 1, 2, 3], 2)[0], reference)
    assert difference(whole, found, paired=True).low > 0.1


def test_own_rows() -> None:
    ids, wanted = np.array(["b", "a", "c"], object), np.array(["c", "x", "b"], object)
    assert own_rows(ids, wanted).tolist() == [2, -1, 0]
    assert own_rows(ids[:0], wanted).tolist() == [-1, -1, -1]


# --- topics


def test_the_lost_topic_is_named_and_an_even_thinning_loses_none() -> None:
    rng = np.random.default_rng(0)
    clusters = rng.integers(4, size=800)
    tokens = rng.integers(50, 150, size=800)
    labels = pl.DataFrame({"cluster": [0, 1, 2, 3], "label": ["sea", "sums", "code", "law"]})
    several = pl.DataFrame({"cluster": range(8), "label": list("abcdefgh")})
    kept = (clusters != 2) | (rng.random(800) < 0.1)
    found = retention(clusters, tokens, kept, labels)
    assert found.filter("lost")["label"].to_list() == ["code"]
    assert found["share"][0] == pytest.approx(
        tokens[kept & (clusters == 2)].sum() / tokens[clusters == 2].sum()
    )
    even = retention(clusters, tokens, rng.random(800) < 0.1, labels)
    assert not even["lost"].any()
    chance = np.array([0.4, 0.4, 0.22, 0.4])[clusters]
    third = retention(clusters, tokens, np.random.default_rng(1).random(800) < chance, labels)
    assert third["share"].min() < 0.25 and not third["lost"].any(), "more than half of the others"
    nothing = retention(clusters, tokens, np.zeros(800, bool), labels)
    assert nothing["share"].sum() == 0
    assert nothing["lost"].all()  # nothing is left of any of them
    harsh = retention(np.repeat(np.arange(8), 40), np.ones(320), np.arange(320) < 20, several)
    assert harsh.filter("lost")["cluster"].to_list() == [1, 2, 3, 4, 5, 6, 7], "0 kept half"
    few = retention(np.array([0, 1, 1, 1]), np.ones(4), np.array([False, True, True, True]), labels)
    assert not few["lost"].any()  # one document says nothing
    assert retention(np.zeros(0, int), np.zeros(0), np.zeros(0, bool), labels).height == 0


def test_impossible_retention_is_refused() -> None:
    labels = pl.DataFrame({"cluster": [0], "label": ["a"]})
    with pytest.raises(ConfigError):
        retention(np.zeros(1, int), np.ones(1), np.ones(1, bool), labels, lost=1.5)
    with pytest.raises(DataError):
        retention(np.zeros(2, int), np.ones(1), np.ones(1, bool), labels)


# --- overlap


def test_overlap_sees_which_source_lies_inside_which() -> None:
    wide, inside = cloud(300, [0, 1, 2, 3]), cloud(200, [0, 1], 5)
    far = cloud(200, [6, 7], 6)
    parts = {"wide": wide, "inside": inside, "far": far}
    found = overlap(
        {k: v[0] for k, v in parts.items()}, {k: v[1] for k, v in parts.items()}, threshold=0.8
    )
    near = {(r["source"], r["other"]): r for r in found.iter_rows(named=True)}
    assert near["inside", "wide"]["near_low"] > near["wide", "inside"]["near_high"]
    assert near["far", "wide"]["near"] == 0 < near["far", "wide"]["near_high"]
    assert near["inside", "wide"]["clusters"] == pytest.approx(0.5, abs=0.08)
    assert near["inside", "wide"]["clusters"] == near["wide", "inside"]["clusters"]
    assert near["far", "wide"]["clusters"] == 0
    assert set(found["n"]) == {200}
    with pytest.raises(DataError, match="two sources"):
        overlap({"a": wide[0]}, {"a": wide[1]})


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_cluster_overlap_is_one_minus_total_variation(one: list[int], other: list[int]) -> None:
    found = cluster_overlap(np.array(one), np.array(other))
    p, q = (np.bincount(v, minlength=6) / len(v) for v in (one, other))
    assert found.value == pytest.approx(1 - np.abs(p - q).sum() / 2)
    assert 0 <= found.low <= found.value <= found.high <= 1


# --- marks


def test_words_that_mark_a_selection() -> None:
    rng = np.random.default_rng(0)
    plain = ["river", "stone", "market", "lamp", "green"]
    texts = [" ".join(rng.choice(plain, 12)) for _ in range(400)]
    selected = np.arange(400) < 150
    for k in range(150):
        texts[k] += " theorem theorem theorem" if k % 2 else ""
    texts[399] += " shout" * 500  # one witness, however loud
    found = marking_words(texts, selected)
    assert found["word"].to_list() == ["theorem"]
    row = found.row(0, named=True)
    assert row["low"] > 1
    assert (row["selected"], row["rest"]) == pytest.approx((0.5, 0))


def test_log_odds_by_hand() -> None:
    """2 of 3 against 1 of 3 documents with a prior of 100 x 3/6 = 50."""
    texts = ["fox", "fox", "cat", "fox", "cat", "cat"]
    found = marking_words(texts * 60, np.array([True] * 3 + [False] * 3)[np.arange(360) % 6])
    y, o, n, a = 120, 60, 180, 50
    delta = np.log((y + a) / (n + 100 - y - a)) - np.log((o + a) / (n + 100 - o - a))
    row = found.filter(pl.col("word") == "fox").row(0, named=True)
    assert row["log_odds"] == pytest.approx(delta)
    variance = 1 / (y + a) + 1 / (n + 100 - y - a) + 1 / (o + a) + 1 / (n + 100 - o - a)
    assert row["z"] == pytest.approx(delta / variance**0.5)


def test_no_word_marks_a_random_half() -> None:
    rng = np.random.default_rng(3)
    texts = [
        " ".join(f"word{'abcdefghij'[k]}" for k in rng.integers(10, size=6)) for _ in range(300)
    ]
    hits = [marking_words(texts, rng.random(300) < 0.5).height for _ in range(40)]
    assert np.mean(np.array(hits) > 0) <= 0.1


def test_shifted_signals() -> None:
    rng = np.random.default_rng(1)
    selected = np.arange(600) % 3 == 0
    columns = {
        "length": rng.normal(size=600) + 1.0 * selected,
        "noise": rng.normal(size=600),
        "missing": np.full(600, np.nan),
        "flat": np.ones(600),
    }
    found = shifted_signals(columns, selected)
    assert found["signal"].to_list()[0] == "length"
    assert "missing" not in found["signal"]
    row = {r["signal"]: r for r in found.iter_rows(named=True)}
    assert row["length"]["low"] > 0.7
    assert row["noise"]["low"] < 0.5 < row["noise"]["high"]
    assert row["flat"]["superiority"] == 0.5
    for bad in (np.zeros(600, bool), np.ones(600, bool)):
        with pytest.raises(DataError, match="one of the two is empty"):
            shifted_signals(columns, bad)


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=15),
    st.lists(st.integers(0, 6), min_size=2, max_size=15),
)
def test_superiority_equals_all_pairs(one: list[int], two: list[int]) -> None:
    a, b = np.array(one, float), np.array(two, float)
    pairs = (a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean()
    found = superiority(a, b)
    assert found.value == pytest.approx(pairs)
    assert found.value + superiority(b, a).value == pytest.approx(1)
    assert 0 <= found.low <= found.value <= found.high <= 1


# --- two samples


def test_two_samples_of_one_source_cannot_be_told_apart() -> None:
    found = [
        two_sample(cloud(150, [0, 1, 2], 2 * k)[0], cloud(150, [0, 1, 2], 2 * k + 1)[0])
        for k in range(30)
    ]
    assert np.mean([f.p <= 0.05 for f in found]) <= 0.2
    assert np.mean([f.auc.low <= 0.5 <= f.auc.high for f in found]) > 0.8
    assert np.mean([f.auc.value for f in found]) == pytest.approx(0.5, abs=0.03)


def test_two_sources_are_told_apart_and_how_well() -> None:
    apart = two_sample(cloud(200, [0, 1])[0], cloud(300, [2, 3], 1)[0])
    assert apart.p == pytest.approx(1 / 201)
    assert apart.auc.low > 0.9
    assert apart.auc.n == 400
    mixed = two_sample(cloud(200, [0, 1, 2])[0], cloud(200, [0, 1, 3], 1)[0])
    assert 0.55 < mixed.auc.value < apart.auc.low


def test_two_sample_of_nothing_much() -> None:
    few = two_sample(cloud(3, [0])[0], cloud(4, [1])[0])
    assert (few.auc.low, few.auc.high, few.p) == (0, 1, 1)
    x = np.tile(cloud(1, [0])[0], (30, 1))
    same = two_sample(x, x)
    assert same.auc.value == 0.5
    assert same.p > 0.5
    with pytest.raises(DataError, match="not finite"):
        two_sample(x, np.full((30, 16), np.inf))
    with pytest.raises(DataError, match="at least two"):
        two_sample(x, x[:1])


def test_an_estimate_of_an_empty_measure() -> None:
    empty = Measured(0.0, np.zeros(0), np.zeros(0, int), 0, "", "share")
    assert (empty.estimate().low, empty.estimate().high) == (0, 1)
