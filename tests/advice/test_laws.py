"""Laws recover what was planted, agree with peers, and fit many columns as they fit one."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LinearRegression

from lab.advice.laws import LAWS, get_law, restore
from lab.advice.laws.ces import CesFit
from lab.advice.laws.linear import LinearFit
from lab.advice.laws.log_linear import LogLinearFit
from lab.advice.laws.power_law import PowerLawFit
from lab.core.errors import ConfigError

TRUTHS = {
    "linear": LinearFit(np.array([2.0]), np.array([[0.5, -1.0, 0.1, 0.0]]), np.array([True])),
    "log_linear": LogLinearFit(
        np.array([1.5]), np.array([0.0]), np.array([[0.3, -2.0, 0.5, -1.0]])
    ),
    "power_law": PowerLawFit(
        np.array([1.0]), np.array([1.0]), np.array([0.5]), np.array([[0.2, 3.0, 0.5, 1.0]])
    ),
    "ces": CesFit(
        PowerLawFit(
            np.array([1.0]), np.array([1.0]), np.array([0.5]), np.array([[0.2, 3.0, 0.5, 1.0]])
        )
    ),
}


def mixtures(count: int, sources: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(sources), count)


@pytest.mark.parametrize("name", TRUTHS)
def test_recovers_a_planted_law_exactly(name: str) -> None:
    seen, unseen = mixtures(60), mixtures(50, seed=1)
    fitted = get_law(name).fit(seen, TRUTHS[name].predict(seen))
    assert fitted.predict(unseen) == pytest.approx(TRUTHS[name].predict(unseen), abs=2e-3)


@pytest.mark.parametrize("name", TRUTHS)
def test_columns_are_independent_and_counts_are_repeats(name: str) -> None:
    weights = mixtures(40)
    rng = np.random.default_rng(2)
    values = TRUTHS[name].predict(weights) + rng.normal(0, 0.02, (40, 3))
    law = get_law(name)
    together = law.fit(weights, values).predict(weights)
    for column in range(3):
        alone = law.fit(weights, values[:, [column]]).predict(weights)[:, 0]
        assert together[:, column] == pytest.approx(alone, abs=1e-9)
    counts = rng.integers(0, 3, (40, 1)).astype(float)
    rows = np.repeat(np.arange(40), counts[:, 0].astype(int))
    counted = law.fit(weights, values[:, :1], counts).predict(weights)
    repeated = law.fit(weights[rows], values[rows, :1]).predict(weights)
    assert counted == pytest.approx(repeated, abs=2e-3)


@pytest.mark.parametrize("name", TRUTHS)
def test_a_warm_start_ends_where_a_cold_one_does(name: str) -> None:
    weights = mixtures(60)
    values = TRUTHS[name].predict(weights) + np.random.default_rng(3).normal(0, 0.02, (60, 2))
    law = get_law(name)
    cold = law.fit(weights, values)
    warm = law.fit(weights, values, None, law.fit(weights, values + 0.01))
    assert warm.predict(weights) == pytest.approx(cold.predict(weights), abs=2e-3)


@pytest.mark.parametrize("name", TRUTHS)
def test_slope_is_the_derivative(name: str) -> None:
    weights = mixtures(50)
    fitted = get_law(name).fit(weights, TRUTHS[name].predict(weights))
    point, step = mixtures(1, seed=5), 1e-6
    cost, slope = fitted.at(point)
    assert cost[0] == pytest.approx(fitted.predict(point)[0, 0])
    for source in range(4):
        moved = point.copy()
        moved[0, source] += step
        rise = (fitted.predict(moved)[0, 0] - cost[0]) / step
        assert rise == pytest.approx(slope[0, source], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", TRUTHS)
def test_parameters_survive_as_plain_values(name: str) -> None:
    weights = mixtures(30)
    fitted = get_law(name).fit(weights, TRUTHS[name].predict(weights))
    again = restore(fitted.mapping())
    assert (again.predict(weights) == fitted.predict(weights)).all()


@pytest.mark.parametrize("name", TRUTHS)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-50, 50))
@settings(max_examples=15, deadline=None)
def test_ranking_does_not_depend_on_a_metrics_unit(name: str, scale: float, shift: float) -> None:
    weights = mixtures(40)
    values = TRUTHS[name].predict(weights)
    # shifted below zero in part: positive runs of a law whose floor is negative are no loss
    assume(shift >= 0 or (values * scale + shift).min() <= 0)
    found = get_law(name).fit(weights, values * scale + shift).predict(weights)
    assert (found - shift) / scale == pytest.approx(values, abs=0.02)


def test_linear_is_ordinary_least_squares() -> None:
    rng = np.random.default_rng(0)
    weights, values = mixtures(30), rng.normal(size=(30, 2))
    peer = LinearRegression().fit(weights, values)
    found = get_law("linear").fit(weights, values)
    assert found.predict(mixtures(9, seed=1)) == pytest.approx(peer.predict(mixtures(9, seed=1)))


def test_log_linear_reaches_the_optimum_that_lbfgs_finds() -> None:
    rng = np.random.default_rng(1)
    weights = mixtures(50)
    values = TRUTHS["log_linear"].predict(weights)[:, 0] + rng.normal(0, 0.05, 50)

    def huber(residual: np.ndarray) -> float:
        size = np.abs(residual)
        return float(np.where(size <= 0.02, size**2 / 2, 0.02 * (size - 0.01)).sum())

    def loss(theta: np.ndarray) -> float:
        return huber(theta[0] + np.exp(weights @ theta[1:]) - values)

    starts = [np.append(c, rng.normal(0, 0.5, 4)) for c in (0.5, 1.0, 1.5)]
    peer = min(minimize(loss, s, method="L-BFGS-B", options={"maxiter": 500}).fun for s in starts)
    found = get_law("log_linear").fit(weights, values[:, None]).predict(weights)[:, 0]
    assert huber(found - values) <= peer * 1.001


def test_log_linear_shrugs_off_a_broken_run() -> None:
    weights = mixtures(40)
    values = TRUTHS["log_linear"].predict(weights)
    broken = values.copy()
    broken[7] += 3.0  # a diverged run
    robust = get_law("log_linear").fit(weights, broken).predict(weights)
    assert np.median(np.abs(robust - values)) < 0.02


def test_an_unknown_law_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Unknown law") as caught:
        get_law("loglinear")
    assert "log_linear" in str(caught.value)


def single_sources(m: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Few and odd runs: every source alone, and half alone with half of a common mixture. Of one
    metric all sources but the first are bad, so nearly nothing bounds what they cost apart.
    """
    rng = np.random.default_rng(seed)
    common = rng.dirichlet(np.full(m, 4.0))
    weights = np.vstack([np.eye(m), (np.eye(m) + common) / 2])
    useful = np.append(1.0, np.full(m - 1, 0.02))
    values = 0.3 + 0.5 * (weights @ useful + 1e-3) ** -0.4
    return weights, values[:, None] * np.exp(rng.normal(0, 0.15, (2 * m, 3)))


@pytest.mark.parametrize("name", [law for law in LAWS if law != "lightgbm"])
@pytest.mark.parametrize("seed", range(3))
def test_no_mixture_is_predicted_a_negative_loss(name: str, seed: int) -> None:
    """Each source is left out once: what single runs say least about is where fits run away."""
    weights, values = single_sources(seed=seed)
    m = weights.shape[1]
    columns = np.repeat(values, m, axis=1)
    counts = np.tile(1.0 - np.vstack([np.eye(m), np.eye(m)]), (1, 3))
    fitted = get_law(name).fit(weights, columns, counts)
    assert fitted.predict(np.vstack([weights, mixtures(200, m)])).min() >= 0


def test_a_floor_holds_only_where_every_run_is_positive() -> None:
    """The negative of an accuracy has no floor at zero, nor has a loss of mixed signs."""
    weights = mixtures(40)
    values = TRUTHS["linear"].predict(weights) - 1.8
    assert values.min() < 0 < values.max()
    for name in ("linear", "log_linear", "power_law"):
        found = get_law(name).fit(weights, values).predict(weights)
        assert found == pytest.approx(values, abs=0.05)
    weights, values = mixtures(60), TRUTHS["linear"].predict(mixtures(60)) - 1.0
    corner = get_law("linear").fit(weights, values)
    assert values.min() > 0 and corner.predict(10 * np.eye(4)).min() == 0
    cost, slope = corner.at(np.array([[0.0, 10.0, 0.0, 0.0]]))
    assert cost[0] == 0 and not slope.any()


def test_runs_that_say_nothing_of_a_source_leave_it_like_the_others() -> None:
    """Column 3 is never used: its prediction lies between those of the others."""
    weights = mixtures(30, 3)
    values = PowerLawFit(*(np.array(v) for v in ([1.0], [1.0], [0.5], [[0.5, 2.0, 1.0]])))
    seen = values.predict(weights)
    for name in ("log_linear", "power_law", "ces"):
        found = get_law(name).fit(np.column_stack([weights, np.zeros(30)]), seen)
        alone = found.predict(np.eye(4))[:, 0]
        assert alone[:3].min() < alone[3] < alone[:3].max()
