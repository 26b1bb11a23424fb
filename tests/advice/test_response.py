"""Parts of a surface predict what the whole does, and regions keep what they promise."""

import numpy as np
import pytest

from lab.advice.fitting.surface import Surface
from lab.advice.laws.linear import LinearFit
from lab.advice.laws.log_linear import LogLinearFit
from lab.advice.optimising.projection import project
from lab.advice.optimising.region import product, simplex
from lab.advice.optimising.supply import Supply, worn
from lab.core.errors import ConfigError


def two_laws(replicates: int = 4) -> Surface:
    """Metrics 0 and 2 log-linear, metric 1 linear, by replicate."""
    rng = np.random.default_rng(0)
    two, one = 2 * replicates, replicates
    exponential = LogLinearFit(rng.random(two), rng.random(two), rng.normal(0, 1, (two, 3)))
    line = LinearFit(rng.random(one), rng.random((one, 3)), np.zeros(one, dtype=bool))
    return Surface(((0, 2), (1,)), (exponential, line), replicates)


@pytest.mark.parametrize("aged", [False, True])
def test_parts_predict_as_the_whole(aged: bool) -> None:
    supply = Supply(np.array([5.0, 1.0, 3.0]), 20.0) if aged else None
    whole = worn(two_laws(), supply, np.full(3, 1 / 3))
    points = np.random.default_rng(1).dirichlet(np.ones(3), 4)
    costs = whole.predict(points)
    cost, slope = whole.each(points)
    assert cost == pytest.approx(costs[np.arange(4), np.arange(4)])
    few = whole.only([2, 1])
    assert few.predict(points) == pytest.approx(costs[:, :, [2, 1]])
    assert few.each(points)[1] == pytest.approx(slope[:, [2, 1]])
    first = whole.first(2)
    assert (first.replicates, first.metrics, first.convex) == (2, 3, True)
    assert first.predict(points) == pytest.approx(costs[:2])
    blend = np.array([0.2, 0.5, 0.3])
    assert whole.at(points, blend)[0] == pytest.approx(cost @ blend)


def test_two_blocks_are_filled_apart() -> None:
    region = product(np.array([0.3, 1, 1, 0.05, 1, 1]), (0.6, 0.4), list("abcdef"))
    mixture = region.fill(np.array([[9.0, 2, 1, 8, 1, 1]]))[0]
    # block one: a is capped at .3, the rest .3 goes 2 : 1; block two: d at .05, .35 halved
    assert mixture == pytest.approx([0.3, 0.2, 0.1, 0.05, 0.175, 0.175])
    slope = np.array([[-1.0, 0, 0, -1, -2, 0]])
    start = np.array([[0.0, 0.3, 0.3, 0, 0, 0.4]])
    assert region.certificate(start, slope)[0] == pytest.approx(0.3 + 2 * 0.4)
    with pytest.raises(ConfigError, match="No mixture fits"):
        product(np.array([0.1, 0.1, 1, 1]), (0.5, 0.5), list("abcd"))


def test_order_survives_targets_beyond_the_range_of_floats() -> None:
    """After a is full, b must come before c although both are far below a float's least."""
    region = simplex(np.array([0.4, 0.4, 1.0]), list("abc"))
    mixture = region.nearest(np.array([[0.0, -2000.0, -9000.0]]))[0]
    assert mixture == pytest.approx([0.4, 0.4, 0.2])


@pytest.mark.parametrize("seed", range(40))
def test_the_projection_is_nearest_of_a_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logs, rows = rng.normal(0, 2, (1, 3)), rng.normal(0, 1, (1, 2, 3))
    inside = rng.dirichlet(np.ones(3))
    caps = np.maximum(inside * 1.2, 0.4)
    bounds = (rows @ inside) + 0.01
    region = simplex(caps, list("abc"))
    found, prices = project(region, logs, rows, bounds, np.zeros((1, 2)), np.full((1, 1), 1e6))
    assert (rows[0] @ found[0] <= bounds[0] + 1e-8).all()
    assert (prices >= 0).all()
    parts = [(a, b, 200 - a - b) for a in range(201) for b in range(201 - a)]
    grid = np.array(parts) / 200
    allowed = (grid <= caps).all(axis=1) & (grid @ rows[0].T <= bounds[0]).all(axis=1)

    def apart(mixtures: np.ndarray) -> np.ndarray:
        return (mixtures * (np.log(np.maximum(mixtures, 1e-300)) - logs)).sum(axis=1)

    if allowed.any():
        assert apart(found)[0] <= apart(grid[allowed]).min() + 1e-9


def test_a_constraint_that_cannot_hold_is_given_up_at_its_price() -> None:
    region = simplex(np.ones(2), ["a", "b"])
    rows, bounds = np.array([[[1.0, 1.0]]]), np.array([[0.5]])
    logs = np.log([[0.7, 0.3]])
    found, prices = project(region, logs, rows, bounds, np.zeros((1, 1)), np.full((1, 1), 7.0))
    assert found[0] == pytest.approx([0.7, 0.3])
    assert prices[0, 0] == pytest.approx(7.0)
