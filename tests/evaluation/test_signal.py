"""Signal and noise: answers computed by hand, simulated swarms, and traps of released code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.evaluation.statistics.signal import (
    Curve,
    chance_distance,
    checkpoint_noise,
    larger,
    monotonicity,
    range_to_noise,
    rank_stability,
    seed_noise,
    signal,
    signal_to_noise,
)


def arrays(*groups: list[float]) -> list[np.ndarray]:
    return [np.array(group) for group in groups]


def test_seed_noise_is_pooled_within_mixtures_by_hand() -> None:
    noise = seed_noise(arrays([1, 3], [10, 10, 13]))
    assert noise is not None
    # squares about the own mean: 1 + 1 and 1 + 1 + 4, over 1 + 2 degrees of freedom
    assert (noise.sd, noise.df) == (pytest.approx(np.sqrt(8 / 3)), 3)
    assert noise.low / noise.sd == pytest.approx(0.5665, abs=1e-4)  # chi-square tables, 3 df
    assert noise.high / noise.sd == pytest.approx(3.7287, abs=1e-3)
    assert seed_noise(arrays([1], [2])) is None


def test_checkpoint_noise_is_about_each_runs_own_line() -> None:
    share = np.array([0.25, 0.9, 0.95, 1.0])
    rising = Curve(share, np.array([-9.0, 1.0, 2.0, 3.0]))  # on a line from .9 on
    bent = Curve(share, np.array([0.0, 1.0, 4.0, 1.0]))  # residuals of the line: -1, 2, -1
    assert checkpoint_noise([rising], 0.9).sd == pytest.approx(0, abs=1e-9)  # type: ignore[union-attr]
    noise = checkpoint_noise([rising, bent], 0.9)
    assert noise is not None
    assert (noise.sd, noise.df) == (pytest.approx(np.sqrt(6 / 2)), 2)
    assert checkpoint_noise([Curve(share[2:], share[2:])], 0.9) is None
    whole_steps = np.array([105, 111, 117]) / 117
    assert checkpoint_noise([Curve(whole_steps, bent.score[1:])], 0.9) is not None


def test_signal_is_corrected_for_the_noise_of_the_means_by_hand() -> None:
    groups = arrays([0, 2], [4, 6], [8, 10])
    noise = seed_noise(groups)
    assert noise is not None
    assert noise.sd**2 == pytest.approx(2)  # 3 x (1 + 1) over 3
    # means 1, 5, 9: variance 16; each mean carries 2/2 of noise
    assert signal(groups, noise) == pytest.approx(np.sqrt(15))
    found = signal_to_noise(groups, noise)
    assert found.value == pytest.approx(np.sqrt(15 / 2))
    assert found.low < found.value < found.high
    assert range_to_noise(groups, noise) == pytest.approx(8 / np.sqrt(2))


def test_mixtures_that_differ_by_less_than_repeats_have_no_signal() -> None:
    groups = arrays([0, 4], [1, 3], [2, 2.1])
    noise = seed_noise(groups)
    assert noise is not None
    assert signal(groups, noise) == 0
    assert signal_to_noise(groups, noise).value == 0


@pytest.mark.parametrize("truth", [0.0, 2.0, 5.0, 12.0])
def test_a_simulated_swarm_gives_its_snr_and_the_interval_covers(truth: float) -> None:
    rng = np.random.default_rng(int(truth))
    values, covered = [], 0
    for _ in range(300):
        means = rng.normal(0, truth, 40)
        groups = [rng.normal(mean, 1, 1) for mean in means] + [rng.normal(0, 1, 9)]
        noise = seed_noise(groups)
        assert noise is not None
        found = signal_to_noise(groups, noise)
        values.append(found.value)
        covered += found.low <= truth <= found.high
    if truth:
        assert np.median(values) == pytest.approx(truth, rel=0.12)
    else:
        assert np.median(values) < 0.5
    assert covered / 300 > 0.91


def test_the_readmes_trap_noise_across_mixtures_is_the_same_for_any_metric() -> None:
    """`snr_simple.py` flattens mixes and checkpoints: range/SD then says 3-6 of pure noise too."""
    rng = np.random.default_rng(0)
    flat, ours = [], []
    for strength in (0.0, 1.0, 30.0):
        groups = [rng.normal(m, 1, 5) for m in rng.normal(0, strength, 25)]
        every = np.concatenate(groups)
        means = [g.mean() for g in groups]
        flat.append((max(means) - min(means)) / every.std())
        noise = seed_noise(groups)
        assert noise is not None
        ours.append(signal_to_noise(groups, noise).value)
    assert max(flat) / min(flat) < 3
    assert ours[0] < 0.5 and 0.6 < ours[1] < 1.4 and ours[2] > 20


def test_the_range_grows_with_the_number_of_mixtures_and_the_snr_does_not() -> None:
    rng = np.random.default_rng(1)
    few = [rng.normal(0, 1, 4) for _ in range(4)]
    many = [rng.normal(0, 1, 4) for _ in range(200)]
    ranges, ratios = [], []
    for groups in (few, many):
        noise = seed_noise(groups)
        assert noise is not None
        ranges.append(range_to_noise(groups, noise))
        ratios.append(signal_to_noise(groups, noise).value)
    assert ranges[1] > 1.5 * ranges[0]
    assert ratios[1] < 0.5


def test_the_larger_noise_counts() -> None:
    small, large = seed_noise(arrays([1, 1.1])), seed_noise(arrays([1, 3]))
    assert larger(small, large) is larger(large, small) is large
    assert larger(None, small) is small
    assert larger(None, None) is None


def test_monotonicity_is_spearman_over_training_and_a_flat_run_counts_as_none() -> None:
    share = np.array([0.25, 0.5, 0.75, 1.0])
    up, down = Curve(share, share**3), Curve(share, -share)
    flat = Curve(share, np.ones(4))
    assert monotonicity([up], 4).value == 1  # type: ignore[union-attr]
    found = monotonicity([up, down, flat, up], 4)
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(0.25), 4)
    swapped = Curve(share, np.array([1.0, 3, 2, 4]))
    assert monotonicity([swapped], 4).value == pytest.approx(0.8)  # type: ignore[union-attr]
    assert monotonicity([Curve(share[2:], share[2:])], 4) is None


def test_distance_from_chance_uses_the_larger_of_guessing_and_training_noise() -> None:
    groups = arrays([0.25, 0.27], [0.40, 0.44])
    found, sd = chance_distance(groups, None, 0.25, 300)
    assert (found, sd) == (pytest.approx(6.8), pytest.approx(0.025))  # sqrt(.25 x .75/300)
    noise = seed_noise(arrays([0.2, 0.4]))
    found, sd = chance_distance(groups, noise, 0.25, 300)
    assert found == pytest.approx(0.17 / (0.2 / np.sqrt(2)))


def test_rank_stability_by_hand() -> None:
    found = rank_stability(np.array([1.0, 2, 3, 4, 5, 6]), np.array([1.0, 2, 3, 4, 6, 5]))
    assert found.value == pytest.approx(13 / 15)  # 14 of 15 pairs agree
    half = 1.959964 * np.sqrt(0.437 / 2)
    assert found.low == pytest.approx(np.tanh(np.arctanh(13 / 15) - half))
    assert rank_stability(np.arange(6.0), np.ones(6)).value == 0


@given(
    st.lists(st.lists(st.floats(-5, 5), min_size=2, max_size=4), min_size=2, max_size=6),
    st.floats(0.1, 100),
    st.floats(-50, 50),
)
def test_the_snr_has_no_unit(groups: list[list[float]], scale: float, shift: float) -> None:
    first = arrays(*groups)
    noise = seed_noise(first)
    assert noise is not None
    if noise.sd < 1e-3:
        return
    other = [scale * g + shift for g in first]
    moved = seed_noise(other)
    assert moved is not None
    one, two = signal_to_noise(first, noise), signal_to_noise(other, moved)
    assert two.value == pytest.approx(one.value, rel=1e-4, abs=1e-3)
