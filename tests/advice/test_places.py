"""Sizes for next runs: the correlations that are promised are those that a draw has."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.advice.proposing.places import (
    OLMIX,
    agreement_of,
    parse_place,
    places_of,
    seen_of_difference,
)
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.proxy.sizes import SIZES

UNIT = st.floats(0.2, 0.99)


@given(here=UNIT, there=UNIT)
@settings(deadline=None, max_examples=40)
def test_a_run_correlates_with_the_target_as_was_said(here: float, there: float) -> None:
    """By hand: of T = C + D with var C = 1, var D = 1 / here^2 - 1, the run shows C + g D + e."""
    part, further = seen_of_difference(there, here)
    difference = 1 / here**2 - 1
    covariance = 1 + part * difference
    variance = 1 + part**2 * difference + further
    assert covariance / np.sqrt(variance * (1 + difference)) == pytest.approx(there, abs=1e-9)
    assert 0 <= part <= 1 and further >= 0
    assert not (part and further), "more of D, or more noise"


def test_the_target_itself_shows_all_of_the_difference() -> None:
    assert seen_of_difference(1.0, 0.6) == pytest.approx((1.0, 0.0))
    assert seen_of_difference(1.0, 1.0) == (0.0, 0.0)


def test_assumed_agreement_is_olmixs_and_never_falls_with_size() -> None:
    assert [agreement_of(n) for n, _ in OLMIX] == [rho for _, rho in OLMIX]
    rising = [agreement_of(n) for n in np.geomspace(1e2, 1e10, 50)]
    assert rising == sorted(rising) and rising[0] >= 0.3 and rising[-1] == 0.89


def test_places_are_the_fits_size_first_then_the_next_or_those_asked_for(
    plain_workspace: Workspace,
) -> None:
    own, larger = places_of(plain_workspace, 300, "nano", 50_000)
    assert (own.size, own.tokens, larger.size) == ("nano", 50_000, "micro")
    assert larger.tokens == SIZES["micro"].default_tokens
    assert own.minutes < larger.minutes and own.agreement < larger.agreement
    asked = places_of(plain_workspace, 300, "nano", 50_000, ["small", "nano:0.5", "micro:0.9"])
    assert [place.size for place in asked] == ["nano", "small", "micro"]
    assert (asked[0].agreement, asked[2].agreement) == (0.5, 0.9)
    (last,) = places_of(plain_workspace, 300, list(SIZES)[-1], 50_000)
    assert last.size == "125m"


@pytest.mark.parametrize("text", ["nana", "micro:0", "micro:1.2", "micro:much"])
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_place(text)
