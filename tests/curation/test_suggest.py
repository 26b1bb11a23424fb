"""Suggested thresholds: planted differences are found, their absence too."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError
from lab.curation.effect.suggest import k_sigma, reference_cuts, token_share, written
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule


def test_k_sigma_hand_computed():
    frame = pl.DataFrame({"v": [0.0] * 50 + [10.0] * 50 + [100.0], "same": [3] * 101})
    (rule,) = k_sigma(frame, ["v", "same"], k=2)
    values = frame["v"].to_numpy()
    exact = values.mean() + 2 * values.std()
    assert rule == Rule("v", max=27.23) and 27.22 < exact < 27.23, "rounded up to four digits"
    assert rule.min is None, "a bound below every document drops nothing"
    assert fail_mask(frame, [rule]).to_list() == [0] * 100 + [1]
    assert k_sigma(frame.clear(), ["v"]) == ()


def test_k_sigma_refuses_what_was_not_measured():
    with pytest.raises(DataError, match="no value of v"):
        k_sigma(pl.DataFrame({"v": [1.0, None]}), ["v"])
    with pytest.raises(ConfigError, match="Unknown signal"):
        k_sigma(pl.DataFrame({"v": [1.0]}), ["w"])


@settings(deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=40), st.floats(1, 4))
def test_k_sigma_drops_at_most_what_chebyshev_allows(values, k):
    frame = pl.DataFrame({"v": values})
    dropped = (fail_mask(frame, k_sigma(frame, ["v"], k)) != 0).sum()
    assert dropped <= len(values) / k**2 + 1e-9


@pytest.fixture(scope="module")
def corpora() -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pool is the reference and one document in ten with a high `noise` and a low `short`."""
    rng = np.random.default_rng(5)
    bad = np.arange(6000) % 10 == 0
    pool = pl.DataFrame(
        {
            "tokens": rng.integers(50, 1500, 6000),
            "noise": np.where(bad, rng.normal(8, 1, 6000), rng.normal(0, 1, 6000)),
            "short": np.where(bad, rng.integers(0, 10, 6000), rng.integers(20, 40, 6000)),
            "alike": rng.random(6000),
        }
    )
    good = pl.DataFrame(
        {
            "tokens": rng.integers(50, 1500, 3000),
            "noise": rng.normal(0, 1, 3000),
            "short": rng.integers(20, 40, 3000),
            "alike": rng.random(3000),
        }
    )
    return pool, good


def test_a_planted_difference_is_found_and_ranked(corpora):
    pool, good = corpora
    found = {s.signal: s for s in reference_cuts(pool, good, ["alike", "noise", "short"])}
    assert list(found)[-1] == "alike"
    noise, short = found["noise"], found["short"]
    assert noise.rule is not None and short.rule is not None
    assert noise.rule.min is None and 2 < noise.rule.max < 6
    assert short.rule.max is None and 9 < short.rule.min <= 20
    for suggestion in (noise, short):
        bad = pool["tokens"].gather_every(10).sum() / pool["tokens"].sum()
        assert suggestion.pool.low < bad < suggestion.pool.high
        assert suggestion.reference.share < 0.01
        assert suggestion.pool.share == pytest.approx(bad, abs=0.01)
    assert found["alike"].rule is None or found["alike"].pool.share < 0.02
    assert found["alike"].distance < 0.05 < noise.distance


def test_the_loss_is_kept(corpora):
    pool, good = corpora
    shifted = pool.with_columns(pl.col("alike") * 1.5)
    for loss in (0.0, 0.02, 0.2):
        (found,) = reference_cuts(shifted, good, ["alike"], loss=loss, ratio=1.2)
        assert found.reference.share <= loss
        if found.rule is not None:
            gone = fail_mask(shifted, [found.rule]).to_numpy() != 0
            tokens = shifted["tokens"].to_numpy()
            assert found.pool.share == pytest.approx(tokens[gone].sum() / tokens.sum())


def test_distance_is_wassersteins_in_units_of_the_spread():
    step = pl.DataFrame({"tokens": [1, 1, 1, 1], "v": [0.0, 1.0, 2.0, 3.0]})
    further = step.with_columns(pl.col("v") + 1)
    (found,) = reference_cuts(further, step, ["v"])
    spread = np.subtract(*np.quantile([0, 1, 1, 2, 2, 3, 3, 4], [0.75, 0.25]))
    assert found.distance == pytest.approx(1 / spread)
    thousandfold = [f.with_columns(pl.col("v") * 1000) for f in (further, step)]
    assert reference_cuts(*thousandfold, ["v"])[0].distance == pytest.approx(found.distance)
    assert reference_cuts(step, step, ["v"])[0].distance == 0


def test_nothing_to_compare():
    empty = pl.DataFrame(schema={"tokens": pl.Int64, "v": pl.Float64})
    (found,) = reference_cuts(empty, empty, ["v"])
    assert (found.distance, found.rule) == (0.0, None)
    constant = pl.DataFrame({"tokens": [1, 2], "v": [5, 5]})
    (found,) = reference_cuts(constant, constant, ["v"])
    assert (found.distance, found.rule) == (0.0, None)


def test_intervals_are_wilsons_for_equal_documents():
    share = token_share(np.arange(100) < 10, np.full(100, 7.0))
    assert (share.share, share.low, share.high) == pytest.approx((0.1, 0.0552, 0.1744), abs=1e-4)
    uneven = token_share(np.arange(100) < 10, np.r_[np.full(99, 1.0), 500.0])
    assert uneven.high - uneven.low > 0.5, "one document holds most tokens"
    assert token_share(np.zeros(0, bool), np.zeros(0)).high == 1


@given(st.floats(-1e9, 1e9), st.sampled_from(["min", "max"]))
def test_a_suggested_number_is_short_and_no_stricter(value, side):
    short = written(value, side)
    assert float(f"{short:.4g}") == short
    assert short <= value if side == "min" else short >= value
    assert abs(short - value) <= max(1e-3 * abs(value), 5e-324)
