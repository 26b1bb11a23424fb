"""Gaussian process, trees and their combination: agreement with peers, slopes, refusals."""

import json

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from lab.advice.laws import AUTO, LAWS, candidates, get_law, restore
from lab.advice.laws.gp import features
from lab.advice.laws.marginal_likelihood import objective
from lab.core.errors import DataError

REGRESSORS = ("gp", "combined", "lightgbm")


def runs(count: int = 50, metrics: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(4), count)
    slopes = np.array([[0.5, -2.0, 0.3, -1.0], [-1.0, 0.4, -0.2, 1.0]])[:metrics]
    noise = rng.normal(0, 0.01, (count, metrics))
    return weights, 1 + np.exp(weights @ slopes.T) + np.sqrt(weights[:, :1]) + noise


def test_which_laws_are_convex_and_which_auto_weighs() -> None:
    weights, values = runs(60)
    convex = {name: law.fit(weights, values).convex for name, law in LAWS.items()}
    assert [name for name, yes in convex.items() if yes] == [
        "linear", "log_linear", "power_law", "ces",
    ]  # fmt: skip
    assert candidates("auto") == AUTO == tuple(name for name in LAWS if name != "lightgbm")
    assert candidates("gp") == ("gp",)


@pytest.mark.parametrize("name", REGRESSORS)
def test_parameters_survive_json_and_columns_stand_alone(name: str) -> None:
    weights, values = runs()
    unseen = np.random.default_rng(1).dirichlet(np.ones(4), 20)
    fitted = get_law(name).fit(weights, values)
    again = restore(json.loads(json.dumps(fitted.mapping(), allow_nan=False)))
    assert (again.predict(unseen) == fitted.predict(unseen)).all()
    turned = fitted.take([1, 0, 1]).predict(unseen)
    assert turned == pytest.approx(fitted.predict(unseen)[:, [1, 0, 1]], abs=1e-12)
    alone = get_law(name).fit(weights, values[:, [1]]).predict(unseen)
    assert alone[:, 0] == pytest.approx(fitted.predict(unseen)[:, 1], abs=1e-9)


@pytest.mark.parametrize("name", ["gp", "combined"])
def test_slope_is_the_derivative_for_replicates_too(name: str) -> None:
    weights, values = runs()
    law = get_law(name)
    one = law.fit(weights, values)
    noisy = np.tile(values, (1, 3)) + np.random.default_rng(2).normal(0, 0.02, (50, 6))
    fitted = law.fit(weights, noisy, None, one.take([0, 1] * 3))
    points, step = np.random.default_rng(3).dirichlet(np.ones(4), 6), 1e-6
    points[0] = [0.0, 0.5, 0.5, 0.0]  # slopes stay finite where a source is absent
    cost, slope = fitted.at(points)
    for column in range(6):
        assert cost[column] == pytest.approx(fitted.predict(points[[column]])[0, column])
        for source in range(4):
            moved = points[[column]].repeat(2, axis=0)
            moved[:, source] += (0, step)
            low, high = fitted.predict(moved)[:, column]
            assert (high - low) / step == pytest.approx(slope[column, source], rel=2e-3, abs=1e-4)


def test_the_marginal_likelihoods_gradient() -> None:
    rng = np.random.default_rng(0)
    inputs, values = rng.normal(size=(25, 3)), rng.normal(size=25)
    for theta in rng.normal(0, 0.5, (4, 5)):
        error = check_grad(
            lambda t: objective(t, inputs, values)[0],
            lambda t: objective(t, inputs, values)[1],
            theta,
        )
        assert error < 1e-4


def test_the_process_predicts_as_scikit_learn_does_with_its_scales() -> None:
    weights, values = runs()
    unseen = np.random.default_rng(1).dirichlet(np.ones(4), 30)
    fitted = get_law("gp").fit(weights, values[:, :1])
    logs = (np.log(values[:, 0] - fitted.floor) - fitted.centre) / fitted.spread
    kernel = Matern(length_scale=fitted.length[0], length_scale_bounds="fixed", nu=2.5)
    peer = GaussianProcessRegressor(kernel, alpha=fitted.noise[0], optimizer=None)
    latent = peer.fit(features(weights), logs).predict(features(unseen))
    expected = fitted.floor + np.exp(fitted.centre + fitted.spread * latent)
    assert fitted.predict(unseen)[:, 0] == pytest.approx(expected, abs=1e-8)


def test_a_counted_run_is_a_repeated_run_and_an_uncounted_one_is_not_there() -> None:
    weights, values = runs(40, 1)
    law = get_law("gp")
    kept = law.fit(weights, values)
    counts = np.random.default_rng(4).integers(0, 3, (40, 1)).astype(float)
    rows = np.repeat(np.arange(40), counts[:, 0].astype(int))
    counted = law.fit(weights, values, counts, kept).predict(weights)
    repeated = law.fit(weights[rows], values[rows], None, kept).predict(weights)
    assert counted == pytest.approx(repeated, abs=1e-6)


def test_duplicated_runs_and_constant_metrics_do_no_harm() -> None:
    weights, values = runs(20)
    twice = np.vstack([weights, weights]), np.vstack([values, values])
    assert np.isfinite(get_law("gp").fit(*twice).predict(weights)).all()
    flat = get_law("gp").fit(weights, np.full((20, 1), 2.5)).predict(weights)
    assert flat == pytest.approx(2.5)


def test_the_combination_is_the_mean_of_its_parts() -> None:
    weights, values = runs()
    parts = [get_law(name).fit(weights, values).predict(weights) for name in ("ces", "gp")]
    both = get_law("combined").fit(weights, values).predict(weights)
    assert both == pytest.approx(np.mean(parts, axis=0), abs=1e-12)


def test_trees_are_refused_where_they_would_be_a_constant() -> None:
    law = get_law("lightgbm")
    with pytest.raises(DataError, match="Too few runs for gradient-boosted trees") as caught:
        law.fit(*runs(39))
    assert caught.value.value == "39 runs to fit"
    assert "train 1 more" in caught.value.next_step
    fitted = law.fit(*runs(40))
    assert np.ptp(fitted.predict(runs(40)[0]), axis=0).min() > 0.1
    cost, slope = fitted.at(runs(2)[0])
    assert cost == pytest.approx(np.diag(fitted.predict(runs(2)[0])))
    assert not slope.any()
