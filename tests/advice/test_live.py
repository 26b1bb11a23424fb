"""Predictions while a weight moves are those of the fit, and their intervals its replicates'."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.advice.fitting.bootstrap import bootstrap
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.fitting.surface import Surface
from lab.advice.laws.log_linear import LogLinearFit
from lab.advice.proposing.live import (
    LiveSurface,
    keep_replicates,
    live_surface,
    moved,
    sorted_quantiles,
    triangle,
    with_replicates,
)
from lab.core.errors import ConfigError
from lab.core.workspace import create

SOURCES = ("web", "books", "code")


@pytest.fixture(scope="module")
def fit() -> Fit:
    """Twelve runs of three sources with a loss of two and an accuracy that points up."""
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(3), 12)
    loss = 2 + np.exp(weights @ [-1.0, 0.3, 0.8]) + rng.normal(0, 0.01, 12)
    right = 0.3 + 0.4 * weights[:, 1] + rng.normal(0, 0.01, 12)
    runs = [f"r{k}" for k in range(12)]
    return fit_table(
        pl.DataFrame({"run": runs, **dict(zip(SOURCES, weights.T, strict=True))}),
        pl.DataFrame({"run": runs, "loss": loss, "other": loss**2, "right": right}),
        higher=["right"],
    )


@pytest.fixture(scope="module")
def live(fit: Fit) -> LiveSurface:
    return with_replicates(fit, bootstrap(fit, 50))


MIXTURES = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.8, 0.1]])


def test_values_are_those_of_the_fit_and_intervals_quantiles(live: LiveSurface) -> None:
    found = live.predict(MIXTURES)
    np.testing.assert_array_equal(found.value, live.fit.predict(MIXTURES))
    worlds = live.posterior.predict(MIXTURES) * live.fit.signs
    np.testing.assert_allclose(found.low, np.quantile(worlds, 0.05, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.high, np.quantile(worlds, 0.95, axis=0), rtol=1e-12)


def test_differences_are_taken_inside_each_replicate(live: LiveSurface) -> None:
    reference = np.array([0.4, 0.4, 0.2])
    here, there = live.against(MIXTURES, [reference])
    np.testing.assert_array_equal(here.value, live.predict(MIXTURES).value)
    worlds = live.posterior.predict(MIXTURES) - live.posterior.predict(reference[None])
    expected = np.quantile(worlds * live.fit.signs, [0.05, 0.95], axis=0)
    np.testing.assert_allclose([there.low, there.high], expected, rtol=1e-9, atol=1e-12)
    itself = live.against(reference[None], [reference])[1]
    assert not np.abs([itself.value, itself.low, itself.high]).any()


@pytest.mark.parametrize("metric", ["loss", "right"])
def test_one_metric_alone_predicts_the_same(live: LiveSurface, metric: str) -> None:
    column = live.fit.metrics.index(metric)
    one, all_of_them = live.only(metric).predict(MIXTURES), live.predict(MIXTURES)
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(
            getattr(one, name)[:, 0], getattr(all_of_them, name)[:, column], rtol=1e-12
        )
    with pytest.raises(ConfigError, match="lots"):
        live.only("lots")


def test_stored_replicates_predict_the_same_to_the_last_bit(fit: Fit, tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    assert live_surface(ws, fit) is None
    first = keep_replicates(ws, fit, 20)
    again = keep_replicates(ws, fit, 20)
    assert again.mapping() == first.mapping() and again.replicates == first.replicates == 20
    assert len(list((ws.artifacts / "replicates").iterdir())) == 1
    read = live_surface(ws, fit)
    assert read is not None
    made = bootstrap(fit, 20)
    np.testing.assert_array_equal(read.posterior.predict(MIXTURES), made.predict(MIXTURES))


def test_support_is_the_distance_to_the_nearest_run(live: LiveSurface) -> None:
    distance, run = live.support(live.fit.weights[3:4])
    assert distance[0] == 0 and run[0] == 3
    corner, _ = live.support(np.array([[0.0, 0.0, 1.0]]))
    assert corner[0] == pytest.approx(1 - live.fit.weights[:, 2].max())
    apart = np.abs(live.fit.weights[:, None] - live.fit.weights[None]).sum(axis=2) / 2
    assert live.usual == pytest.approx(np.median(np.sort(apart, axis=1)[:, 1]))


def test_what_no_run_bounds_is_not_told_out_of_all_proportion() -> None:
    """Two worlds of a source that no run used much: in one it ruins the loss, e^40 times over."""
    slopes = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 40.0]])
    weights = np.random.default_rng(0).dirichlet([4.0, 4.0, 0.2], 12)
    laws = [LogLinearFit(np.zeros(k), np.zeros(k), slopes[:k]) for k in (1, 2)]
    losses = laws[0].predict(weights)
    fit = fit_table(
        pl.DataFrame({"run": list("abcdefghijkl"), **dict(zip("xyz", weights.T, strict=True))}),
        pl.DataFrame({"run": list("abcdefghijkl"), "loss": losses[:, 0]}),
        laws=["linear"],
    )
    fit = replace(fit, surface=Surface(((0,),), (laws[0],), 1))
    live = with_replicates(fit, Surface(((0,),), (laws[1],), 2))
    told, (_, apart) = live.predict(np.eye(3)), live.against(np.eye(3), [np.eye(3)[0]])
    assert told.value[2, 0] == pytest.approx(min(np.exp(2), 3 * losses.max()))
    assert told.high[2, 0] <= 3 * losses.max() and apart.high[2, 0] <= 3 * losses.max()
    assert told.high[1, 0] == pytest.approx(np.e), "what lies within is told as it is"


@given(st.integers(1, 40), st.integers(0, 100))
def test_quantiles_are_numpys(worlds: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(worlds, 2, 3))
    levels = [0.05, 0.5, 0.95]
    np.testing.assert_allclose(
        sorted_quantiles(values, levels), np.quantile(values, levels, axis=0), rtol=1e-9
    )


def test_a_moved_weight_scales_the_others_and_spares_locked_ones() -> None:
    weights = np.array([0.5, 0.3, 0.2])
    found = moved(weights, [0, 1, 2], 0, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(found, [[0, 0.6, 0.4], weights, [1, 0, 0]])
    locked = moved(weights, [0, 1], 0, np.array([0.0, 0.7, 1.0]))
    np.testing.assert_allclose(locked, [[0, 0.8, 0.2], [0.7, 0.1, 0.2], [0.8, 0, 0.2]])
    alone = moved(weights, [0], 0, np.array([0.9]))
    np.testing.assert_allclose(alone, [weights])
    from_corner = moved(np.array([1.0, 0, 0]), [0, 1, 2], 0, np.array([0.4]))
    np.testing.assert_allclose(from_corner, [[0.4, 0.3, 0.3]])


def test_a_triangle_covers_two_weights_with_the_rest_in_proportion() -> None:
    grid = triangle(np.array([0.1, 0.2, 0.3, 0.4]), [0, 1, 2], (0, 1), 3)
    assert grid.shape == (10, 4)
    np.testing.assert_allclose(grid.sum(axis=1), 1)
    np.testing.assert_allclose(grid[:, 3], 0.4)
    np.testing.assert_allclose(grid[1], [0, 0.2, 0.4, 0.4])
    np.testing.assert_allclose(grid[-1], [0.6, 0, 0, 0.4])
