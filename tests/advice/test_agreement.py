"""Agreement of a cheap predictor with real runs, against hand-counted orders."""

import numpy as np
import pytest

from lab.advice.cheap.agreement import agreement_table, chance, spearman_estimate

ORDER = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def test_five_in_perfect_order_are_one_order_in_120_and_not_certain() -> None:
    found = spearman_estimate(10 + ORDER, ORDER**3, 0.9)
    assert found.value == pytest.approx(1.0)
    assert 0.2 < found.low < 0.6 and found.high == 1.0
    assert chance(10 + ORDER, ORDER**3) == pytest.approx(1 / 120)


def test_rho_by_hand_and_its_interval_narrows_with_more_mixtures() -> None:
    swapped = np.array([2.0, 1.0, 3.0, 4.0, 5.0])  # d^2 = 1 + 1: rho = 1 - 12 / 120
    found = spearman_estimate(ORDER, swapped, 0.9)
    assert found.value == pytest.approx(0.9)
    assert found.low < 0 < found.high < 1
    assert chance(ORDER, swapped) == pytest.approx(5 / 120)  # itself and one swap of neighbours
    rng = np.random.default_rng(0)
    many = np.arange(60.0)
    noisy = spearman_estimate(many, many + rng.normal(0, 8, 60), 0.9)
    assert noisy.high - noisy.low < 0.1
    worst = spearman_estimate(ORDER, -ORDER, 0.9)
    assert (worst.value, worst.low) == (pytest.approx(-1.0), -1.0)


def test_few_mixtures_tell_nothing_and_constants_have_no_order() -> None:
    three = spearman_estimate(ORDER[:3], ORDER[:3], 0.9)
    assert (three.low, three.high) == (-1.0, 1.0)
    predicted = np.stack([ORDER, np.ones(5)], axis=1)
    measured = np.stack([ORDER[::-1], ORDER], axis=1)
    table = agreement_table(["reversed", "constant"], predicted, measured)
    assert table["rho"].to_list() == [pytest.approx(-1.0), None]
    assert table["regret"].to_list() == [4.0, None]  # its favourite costs 5, the best costs 1
    assert table["chance"][0] == 1.0
    assert agreement_table(["m"], np.empty((0, 1)), np.empty((0, 1)))["rho"].to_list() == [None]
