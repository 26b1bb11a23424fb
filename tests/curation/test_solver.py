"""The threshold that keeps N tokens, alone and beside other rules."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.curation.effect.solver import threshold_for_amount, threshold_for_tokens
from lab.curation.filters.mask import resolve_rules
from lab.curation.filters.rule import Rule


def test_hand_computed_threshold():
    cut = threshold_for_tokens([1, 2, 2, 3], [10, 10, 10, 10], keep=0.5)
    assert (cut.threshold, cut.documents, cut.tokens, cut.share) == (2.0, 3, 30, 0.75)
    assert threshold_for_tokens([1, 2, 2, 3], [10] * 4, keep=0.25).threshold == 3.0
    assert threshold_for_tokens([1, 2, 2, 3], [10] * 4, keep=0.25, side="max").threshold == 1.0
    assert threshold_for_tokens([1, 2, 2, 3], [10] * 4, keep=1).threshold == 1.0


@pytest.mark.parametrize("keep", [0, -1, 1.01, math.nan, 0.76])
def test_a_share_that_cannot_be_kept(keep):
    with pytest.raises(ConfigError, match="No threshold keeps"):
        threshold_for_tokens([1, 2, math.nan, 3], [10] * 4, keep)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 100)), min_size=1, max_size=30),
    st.floats(0.01, 1),
    st.sampled_from(["min", "max"]),
)
def test_the_threshold_is_the_strictest_that_keeps_enough(pairs, keep, side):
    value, weight = np.array(pairs, np.float64).T
    if weight.sum() == 0:
        return
    cut = threshold_for_tokens(value, weight.astype(np.int64), keep, side)
    sign = 1 if side == "min" else -1
    kept = weight[sign * value >= sign * cut.threshold].sum()
    assert kept == cut.tokens >= keep * weight.sum() * (1 - 1e-9)
    stricter = weight[sign * value > sign * cut.threshold].sum()
    assert stricter < keep * weight.sum()


def test_given_the_other_rules():
    others = np.array([True, False, True, True])
    values, tokens = [1, 2, 3, 4], [10, 100, 10, 10]
    cut = threshold_for_amount(values, tokens, 20, others=others)
    assert (cut.threshold, cut.documents, cut.tokens, cut.share) == (3.0, 2, 20, 20 / 130)
    assert cut.percentile == pytest.approx(100 * 2 / 3)  # two of the four documents lie below
    assert threshold_for_amount(values, tokens, 21, others=others).threshold == 1.0
    assert threshold_for_amount(values, tokens, 11, "max", others).threshold == 3.0


@pytest.mark.parametrize("amount", [0, -5, 31, math.nan])
def test_what_cannot_be_reached_says_what_can(amount):
    others = np.array([True, False, True, True])
    with pytest.raises(ConfigError, match="No threshold keeps") as error:
        threshold_for_amount([1, 2, 3, 4], [10, 100, 10, 10], amount, others=others)
    assert "from 1 to 30 tokens (23.1% of all)" in error.value.next_step


def test_no_documents():
    with pytest.raises(ConfigError, match="No threshold keeps"):
        threshold_for_amount([], [], 1)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.integers(1, 100), st.booleans()), min_size=1, max_size=30
    ),
    st.floats(0.01, 1),
    st.sampled_from(["min", "max"]),
)
def test_the_percentile_resolves_to_the_threshold(rows, part, side):
    value, weight, passes = np.array(rows).T
    others = passes.astype(bool)
    if not others.any():
        return
    amount = part * weight[others].sum()
    cut = threshold_for_amount(value.astype(np.float64), weight, amount, side, others)
    rule = Rule("v", **{f"{side}_percentile": cut.percentile})
    found = resolve_rules(pl.DataFrame({"v": value}), [rule])[0]
    assert (found.min if side == "min" else found.max) == cut.threshold
    sign = 1 if side == "min" else -1
    assert weight[others & (sign * value >= sign * cut.threshold)].sum() == cut.tokens >= amount
    assert weight[others & (sign * value > sign * cut.threshold)].sum() < amount
