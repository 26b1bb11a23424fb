"""Intervals of crossed seeds and items: by hand, against known tests, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lab.evaluation.statistics.noise import (
    Array,
    half_width,
    holm,
    linearise,
    p_value,
    seed_share,
    split_difference,
    split_variance,
)

DRAWS = 4000


def test_the_parts_by_hand() -> None:
    table = np.array([[1.0, 2.0, 3.0], [2.0, 5.0, 5.0]])
    parts = split_variance([table])
    assert parts.value == 3.0
    assert parts.seed == pytest.approx(((2 - 3) ** 2 + (4 - 3) ** 2) / 1 / 2)
    assert parts.item == pytest.approx(np.var([1.5, 3.5, 4.0], ddof=1) / 3)
    rest = table - [[2], [4]] - [[1.5, 3.5, 4.0]] + 3
    assert parts.rest == pytest.approx((rest**2).sum() / (1 * 2) / 6)
    assert (parts.seed_df, parts.item_df) == (1, 2)


def test_without_seeds_it_is_the_t_interval_of_the_items() -> None:
    scores = np.random.default_rng(0).normal(1, 2, (1, 30))
    parts = split_variance([scores])
    low, high = stats.t.interval(0.95, 29, scores.mean(), stats.sem(scores[0]))
    assert half_width(parts) == pytest.approx((high - low) / 2)
    assert np.isnan(parts.seed)
    assert p_value(parts) == pytest.approx(stats.ttest_1samp(scores[0], 0).pvalue)


def test_without_item_differences_it_is_the_t_interval_of_the_seeds() -> None:
    means = np.array([0.3, 0.5, 0.1, 0.4])
    parts = split_variance([np.repeat(means[:, None], 50, 1)])
    low, high = stats.t.interval(0.95, 3, means.mean(), stats.sem(means))
    assert half_width(parts) == pytest.approx((high - low) / 2)
    assert p_value(parts) == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    assert seed_share(parts) == 1.0


def test_unpaired_seeds_without_item_differences_are_welchs_test() -> None:
    a, b = np.array([0.3, 0.5, 0.1]), np.array([0.9, 0.7, 0.8, 0.85])
    tables = [np.repeat(x[:, None], 20, 1) for x in (a, b)]
    parts = split_difference([tables[0]], [tables[1]], paired=False)
    expected = stats.ttest_ind(b, a, equal_var=False)
    assert p_value(parts) == pytest.approx(expected.pvalue)


@given(st.integers(1, 5), st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_the_interval_holds_zero_exactly_when_p_is_large(seeds: int, items: int, seed: int) -> None:
    table = np.random.default_rng(seed).normal(0.3, 1, (seeds, items))
    parts = split_variance([table])
    assert (half_width(parts) < abs(parts.value)) == (p_value(parts) < 0.05)
    assert half_width(parts, 0.99) >= half_width(parts, 0.95)
    narrowest = stats.t.ppf(0.975, items - 1) * np.sqrt(parts.item)
    assert half_width(parts) >= narrowest * (1 - 1e-12)


def test_equal_runs_have_no_difference() -> None:
    table = np.random.default_rng(0).normal(0, 1, (3, 20))
    parts = split_difference([table], [table.copy()], paired=True)
    assert (parts.value, half_width(parts), p_value(parts)) == (0, 0, 1)


def test_one_item_tells_nothing_of_items() -> None:
    assert half_width(split_variance([np.array([[1.0], [2.0]])])) == np.inf


def test_ratios_are_sums_over_sums_and_their_error_is_the_jackknifes() -> None:
    rng = np.random.default_rng(1)
    size = rng.integers(100, 5000, 400).astype(float)
    nats = size * rng.normal(1.2, 0.2, 400) + rng.normal(0, 50, 400)
    parts = split_variance([linearise(nats[None], size)])
    assert parts.value == pytest.approx(nats.sum() / size.sum())
    left_out = (nats.sum() - nats) / (size.sum() - size)
    jackknife = 399 / 400 * ((left_out - left_out.mean()) ** 2).sum()
    assert parts.item == pytest.approx(jackknife, rel=0.02)


def test_items_of_one_question_count_as_one() -> None:
    rng = np.random.default_rng(2)
    question = np.repeat(rng.normal(0, 1, 50), 4)  # four equal items a question
    items = split_variance([question[None]])
    clusters = split_variance([linearise(4 * question[None, ::4], np.full(50, 4.0))])
    assert clusters.value == pytest.approx(items.value)
    assert clusters.item / items.item == pytest.approx(4, rel=0.05)


def test_a_mean_of_benchmarks_shares_seeds_but_not_items() -> None:
    rng = np.random.default_rng(3)
    tables = [rng.normal(0, 1, (3, n)) for n in (30, 300)]
    mean, each = split_variance(tables), [split_variance([t]) for t in tables]
    assert mean.value == pytest.approx((each[0].value + each[1].value) / 2)
    assert mean.item == pytest.approx((each[0].item + each[1].item) / 4)
    assert mean.rest == pytest.approx((each[0].rest + each[1].rest) / 4)
    rows = (tables[0].mean(1) + tables[1].mean(1)) / 2
    assert mean.seed == pytest.approx(rows.var(ddof=1) / 3)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def planted(
    rng: np.random.Generator, seeds: int, seed_sd: float, rest_sd: float, gain: float
) -> tuple[Array, Array]:
    """Tables [draws, seeds, 80] of two groups: same items, item-wise differences, common seeds."""
    items = rng.normal(0, 2, (DRAWS, 1, 80))
    common = rng.normal(0, 1, (DRAWS, seeds, 1))
    tables = [
        items
        + rng.normal(mean, 0.5, (DRAWS, 1, 80))
        + common
        + rng.normal(0, seed_sd, (DRAWS, seeds, 1))
        + rng.normal(0, rest_sd, (DRAWS, seeds, 80))
        for mean in (0.0, gain)
    ]
    return tables[0], tables[1]


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize(("seed_sd", "most"), [(1.0, 0.98), (0.3, 0.98), (0.1, 0.99), (0.0, 0.995)])
def test_intervals_cover_the_planted_difference(seeds: int, seed_sd: float, most: float) -> None:
    """Seeds of the same number share a large effect, which pairing removes.

    Where seeds hardly matter, few of them cannot show it: the interval is then too wide, never too
    narrow.
    """
    rng = np.random.default_rng([seeds, int(10 * seed_sd)])
    a, b = planted(rng, seeds, seed_sd, rest_sd=0.5, gain=0.7)
    parts = split_difference([a], [b], paired=True)
    covered = np.mean(np.abs(parts.value - 0.7) <= half_width(parts))
    assert 0.935 <= covered <= most


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("seed_sd", [0.0, 0.1, 1.0])
def test_no_difference_is_rarely_resolved(seeds: int, paired: bool, seed_sd: float) -> None:
    rng = np.random.default_rng([seeds, paired, int(10 * seed_sd)])
    a, b = planted(rng, seeds, seed_sd, rest_sd=1.0, gain=0.0)
    assert np.mean(p_value(split_difference([a], [b], paired=paired)) < 0.05) <= 0.06


def test_counting_items_only_would_resolve_noise() -> None:
    """What the crossed interval is for: the usual error bar, without seeds, errs often."""
    a, b = planted(np.random.default_rng(9), 3, seed_sd=0.3, rest_sd=0.5, gain=0.0)
    parts = split_difference([a], [b], paired=True)
    assert np.mean(np.abs(parts.value) > 1.96 * np.sqrt(parts.item)) > 0.3
    assert np.mean(np.abs(parts.value) > half_width(parts)) <= 0.06


def test_accuracy_of_right_and_wrong_answers_is_covered_too() -> None:
    """Zeros and ones instead of normal values; truth is a mean over very many."""
    rng = np.random.default_rng(4)

    def answers(count: int, seeds: int, items: int, gain: float) -> Array:
        skill = rng.normal(0, 1.5, (count, 1, items)) + gain
        luck = rng.normal(0, 0.2, (count, seeds, 1)) + rng.normal(0, 0.5, (count, seeds, items))
        return (rng.random((count, seeds, items)) < 1 / (1 + np.exp(-skill - luck))) * 1.0

    truth = answers(1, 2000, 2000, 0.4).mean()
    for seeds in (2, 3, 5):
        parts = split_variance([answers(2000, seeds, 100, 0.4)])
        covered = np.mean(np.abs(parts.value - truth) <= half_width(parts))
        assert 0.92 <= covered <= 0.995
