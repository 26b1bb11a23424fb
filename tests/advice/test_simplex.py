"""The geometry of capped mixtures, by hand and by invariants."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lab.advice.simplex import (
    distribution,
    divergence,
    fill,
    nearest_distances,
    require_feasible,
    supply_caps,
    variation,
    vector,
)
from lab.core.errors import ConfigError

SHARES = arrays(np.float64, 5, elements=st.floats(0, 10))


def test_fill_by_hand() -> None:
    target, caps = np.array([[6.0, 3.0, 1.0]]), np.array([0.5, 0.3, 1.0])
    # .6 is cut to .5; what is left, .5, goes 3 : 1 to the others; .375 is cut to .3; .2 remains
    assert fill(target, caps)[0] == pytest.approx([0.5, 0.3, 0.2])


def test_fill_uses_a_source_of_no_target_only_when_it_must() -> None:
    target = np.array([[1.0, 0.0, 0.0]])
    assert fill(target, np.array([1.0, 1.0, 1.0]))[0].tolist() == [1.0, 0.0, 0.0]
    assert fill(target, np.array([0.6, 1.0, 1.0]))[0] == pytest.approx([0.6, 0.2, 0.2])


@given(target=SHARES, caps=arrays(np.float64, 5, elements=st.floats(0, 1)))
def test_fill_is_a_mixture_below_the_caps_in_the_targets_order(
    target: np.ndarray, caps: np.ndarray
) -> None:
    assume(target.max() > 1e-3 and caps.sum() > 1)
    mixture = fill(target[None, :], caps)[0]
    assert mixture.sum() == pytest.approx(1)
    assert (mixture <= caps + 1e-12).all()
    assert (mixture >= 0).all()
    free = mixture < caps - 1e-9
    ratio = mixture[free & (target > 1e-6)] / target[free & (target > 1e-6)]
    assert ratio == pytest.approx(ratio[:1].repeat(len(ratio)), rel=1e-6)


def test_distances_by_hand() -> None:
    corners = np.eye(3)
    assert variation(corners, corners)[0].tolist() == [0, 1, 1]
    assert nearest_distances(np.array([[1.0, 0], [0.9, 0.1], [0, 1]])) == pytest.approx(
        [0.1, 0.1, 0.9]
    )
    uniform = np.full(4, 0.25)
    assert divergence(np.array([1.0, 0, 0, 0]), uniform) == pytest.approx(np.log(4))
    assert divergence(uniform, np.array([1.0, 0, 0, 0])) == np.inf


def test_supply_caps_by_hand() -> None:
    caps = supply_caps({"web": 1000, "books": 50}, budget=1000, repeat_cap=4)
    assert caps == {"web": 1.0, "books": pytest.approx(0.2)}


def test_infeasible_caps_say_by_how_much() -> None:
    with pytest.raises(ConfigError) as caught:
        require_feasible(np.array([0.3, 0.2]), ["web", "books"])
    assert "0.5 of the budget" in caught.value.what
    assert "2-fold" in caught.value.next_step
    require_feasible(np.array([0.5, 0.5]), ["web", "books"])


@pytest.mark.parametrize(
    ("shares", "match"),
    [
        ({"web": 1.0}, "no value"),
        ({"web": 1.0, "books": 1.0, "boks": 1.0}, "Unknown source 'boks'"),
        ({"web": -1.0, "books": 2.0}, "not negative"),
        ({"web": float("nan"), "books": 2.0}, "must be numbers"),
    ],
)
def test_shares_that_cannot_be_used(shares: dict[str, float], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        vector(shares, ["web", "books"], "natural")


@pytest.mark.parametrize("total", [0.0, float("inf")])
def test_a_distribution_needs_a_sum(total: float) -> None:
    with pytest.raises(ConfigError, match="no usable sum"):
        distribution({"web": total, "books": 0.0}, ["web", "books"], "natural")
