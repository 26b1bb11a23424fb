"""MixMin on unigram models: the planted mixture comes back, and the certificate holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.advice.cheap.mixmin import Target, blended, costs, mixmin, resampled, target_cost
from lab.advice.optimising.region import Region, simplex
from lab.core.errors import ConfigError, DataError

LN2 = float(np.log(2))


def everything(count: int) -> Region:
    return simplex(np.ones(count), names(count))


def names(count: int) -> list[str]:
    return [f"s{j}" for j in range(count)]


def unigrams(sources: int, words: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(words, 0.3), sources)


def test_disjoint_sources_get_the_shares_of_the_text_that_only_they_can_write() -> None:
    """Hand-computed: of ten pieces one source explains seven, the other three, so p = (.7, .3)
    and the cost is the models' own plus the entropy of the choice."""
    logs = np.array([[-4.0, -np.inf]] * 7 + [[-np.inf, -6.0]] * 3)
    target = Target("t", logs, np.full(10, 0.1))
    found = mixmin(target, names(2), everything(2))
    assert found.weights == pytest.approx([0.7, 0.3], abs=1e-3)
    entropy = -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    assert found.cost == pytest.approx(0.7 * 4 + 0.3 * 6 + entropy, abs=1e-5)
    assert 0 <= found.gap <= 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_the_mixture_that_wrote_the_text_is_recovered_from_documents(seed: int) -> None:
    truth = np.array([0.5, 0.3, 0.15, 0.05])
    models = unigrams(4, 60, seed)
    rng = np.random.default_rng(seed)
    wrote = rng.choice(4, 4000, p=truth)
    documents = np.array([rng.multinomial(20, models[k]) for k in wrote])
    target = Target("t", documents @ np.log(models.T), np.full(4000, 1 / (4000 * 20 * LN2)))
    found = mixmin(target, names(4), everything(4))
    assert found.weights == pytest.approx(truth, abs=0.03)
    spread = resampled(target, names(4), everything(4), found, 10, seed=99)
    assert spread.shape == (10, 4)
    assert spread.std(axis=0).max() < 0.02
    assert spread.sum(axis=1) == pytest.approx(np.ones(10))


def test_exact_expectations_make_the_truth_the_optimum_of_tokens_too() -> None:
    """With every word at its true frequency the cost is cross-entropy, least at the truth."""
    truth, models = np.array([0.6, 0.0, 0.4]), unigrams(3, 40, 5)
    frequency = truth @ models
    target = Target("t", np.log(models.T), frequency / LN2)
    found = mixmin(target, names(3), everything(3))
    assert found.weights == pytest.approx(truth, abs=5e-3)
    assert found.cost == pytest.approx(-(frequency * np.log2(frequency)).sum(), abs=1e-6)


@given(st.integers(0, 10_000))
def test_no_mixture_beats_the_certificate_and_the_cost_is_convex(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sources = int(rng.integers(2, 6))
    target = Target("t", rng.normal(-30, 8, (40, sources)), rng.uniform(0.1, 1, 40))
    caps = np.maximum(rng.uniform(0.2, 1.0, sources), 1.2 / sources)
    region = simplex(np.minimum(caps, 1.0), names(sources))
    found = mixmin(target, names(sources), region)
    others = region.fill(rng.dirichlet(np.ones(sources), 50))
    values = target_cost(target, others)
    assert (values >= found.cost - found.gap - 1e-9).all()
    assert found.gap <= 1e-6 * target.prices.sum() + 1e-12
    assert (found.weights <= region.caps + 1e-9).all()
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.cost == pytest.approx(target_cost(target, found.weights[None])[0], rel=1e-9)
    middle = target_cost(target, (others[:25] + others[25:]) / 2)
    assert (middle <= (values[:25] + values[25:]) / 2 + 1e-9).all()


def test_order_of_sources_scale_of_prices_and_a_common_factor_change_nothing() -> None:
    rng = np.random.default_rng(3)
    logs, prices = rng.normal(-300, 20, (60, 4)), rng.uniform(0.5, 1.5, 60)
    plain = mixmin(Target("t", logs, prices), names(4), everything(4))
    order = np.array([2, 0, 3, 1])
    turned = mixmin(Target("t", logs[:, order], prices), names(4), everything(4))
    assert turned.weights == pytest.approx(plain.weights[order], abs=1e-3)
    louder = mixmin(Target("t", logs, 1000 * prices), names(4), everything(4))
    assert louder.weights == pytest.approx(plain.weights, abs=1e-3)
    rarer = mixmin(Target("t", logs - 5000.0, prices), names(4), everything(4))
    assert rarer.weights == pytest.approx(plain.weights, abs=1e-3)
    assert rarer.cost == pytest.approx(plain.cost + 5000 * prices.sum())


def test_at_a_corner_the_cost_is_that_of_the_source_alone() -> None:
    rng = np.random.default_rng(0)
    first = Target("a", rng.normal(-200, 50, (30, 3)), rng.uniform(0.1, 1, 30))
    second = Target("b", rng.normal(-2000, 90, (20, 3)), rng.uniform(0.1, 1, 20))
    alone = costs([first, second], np.eye(3))
    assert alone[:, 0] == pytest.approx(-(first.prices @ first.logs))
    assert alone[:, 1] == pytest.approx(-(second.prices @ second.logs))
    half = blended([first, second], np.array([0.5, 0.5]))
    assert target_cost(half, np.eye(3)) == pytest.approx(alone.mean(axis=1))


def test_a_source_that_is_capped_at_zero_stays_out_even_if_it_alone_fits() -> None:
    logs = np.array([[-5.0, -2000.0, -2100.0]] * 6)  # the others underflow beside the first
    region = simplex(np.array([0.0, 0.7, 1.0]), names(3))
    found = mixmin(Target("t", logs, np.ones(6)), names(3), region)
    assert found.weights == pytest.approx([0.0, 0.7, 0.3], abs=1e-3)
    assert found.cost == pytest.approx(6 * (2000 - np.log(0.7)), rel=1e-6)


def test_probability_zero_is_allowed_where_another_source_has_it_and_refused_where_none_has() -> (
    None
):
    logs = np.array([[-np.inf, -3.0], [-2.0, -np.inf]])
    target = Target("t", logs, np.ones(2))
    assert mixmin(target, names(2), everything(2)).weights == pytest.approx([0.5, 0.5], abs=1e-3)
    assert np.isinf(target_cost(target, np.eye(2))).all()
    none = Target("t", np.array([[-np.inf, -np.inf], [-2.0, -1.0]]), np.ones(2))
    with pytest.raises(DataError, match="probability zero under every"):
        mixmin(none, names(2), everything(2))
    with pytest.raises(DataError, match="probability zero"):
        mixmin(target, names(2), simplex(np.array([0.0, 1.0]), names(2)))


def test_damaged_models_one_source_and_no_text_are_refused() -> None:
    broken = Target("t", np.array([[np.nan, -1.0], [-1.0, -1.0]]), np.ones(2))
    with pytest.raises(DataError, match="no usable probabilities") as caught:
        mixmin(broken, names(2), everything(2))
    assert caught.value.value == ["s0"]
    with pytest.raises(ConfigError, match="two sources"):
        mixmin(Target("t", -np.ones((3, 1)), np.ones(3)), names(1), everything(1))
    with pytest.raises(ConfigError, match="no text"):
        blended([], np.ones(0))
