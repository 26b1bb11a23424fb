"""Guards against a grid of all mixtures; what is said where none can be met."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.advice.fitting.fit import fit_table
from lab.advice.fitting.surface import Surface
from lab.advice.laws.linear import LinearFit
from lab.advice.optimising.guards import Guard, limits_from
from lab.advice.optimising.optimise import Limits, optimise
from lab.advice.proposing.advise import advise
from lab.advice.simplex import divergence
from lab.core.errors import ConfigError
from tests.advice.conftest import plant

UNIT = np.array([0.2, 0.2])
FIRST = np.array([1.0, 0.0, 0.0])


def grid(steps: int) -> np.ndarray:
    parts = [(a, b, steps - a - b) for a in range(steps + 1) for b in range(steps + 1 - a)]
    return np.array(parts) / steps


def linear(*slopes: tuple[float, ...]) -> Surface:
    """A surface of linear metrics with these slopes by source."""
    law = LinearFit(
        np.zeros(len(slopes)), np.array(slopes, dtype=float), np.zeros(len(slopes), dtype=bool)
    )
    return Surface((tuple(range(len(slopes))),), (law,), 1)


def test_a_binding_guard_by_hand() -> None:
    """Metric 0 wants all of source a, metric 1 suffers by a: 1 at most .3, so a = .3."""
    surface = linear((-1.0, 0.0), (1.0, 0.0))
    limits = Limits((1,), np.array([[0.3]]), np.array([0.5]))
    half = np.array([0.5, 0.5])
    best = optimise(surface, np.array([1.0, 0]), half, np.ones(2), 0.0, ["a", "b"], limits=limits)
    assert best.mixtures[0] == pytest.approx([0.3, 0.7], abs=1e-6)
    assert best.excess[0, 0] == pytest.approx(0, abs=1e-6)
    # one unit is .5 of metric 1, hence .5 more of a, hence .5 less of metric 0
    assert best.prices[0, 0] == pytest.approx(0.5, abs=1e-4)
    assert best.exact
    assert best.gap[0] <= 1e-6


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kl", [0.0, 0.01])
@pytest.mark.parametrize("epsilon", [0.0, -0.1])
def test_no_guarded_mixture_on_a_grid_is_better(seed: int, kl: float, epsilon: float) -> None:
    world = plant(3, 6, 0.0, seed)
    natural = np.array(list(world.natural.values()))
    bounds = world.truth.predict(natural[None])[0, 0, 1:] + epsilon
    limits = Limits((1, 2), bounds[None], UNIT)
    best = optimise(world.truth, FIRST, natural, np.ones(3), kl, world.sources, limits=limits)
    everything = grid(200)
    costs = world.truth.predict(everything)[0]
    excess = np.maximum(0, (costs[:, 1:] - bounds) / UNIT)
    own = np.maximum(best.excess[0], 0)
    if (excess == 0).all(axis=1).any():
        objective = costs[:, 0] + kl * divergence(everything, natural)
        value = best.cost[0] + kl * best.divergence[0]
        assert own.max() <= 1e-5
        assert value <= objective[(excess == 0).all(axis=1)].min() + 1e-6
    else:
        assert own.max() > 1e-5
        assert (own**2).sum() <= (excess**2).sum(axis=1).min() + 1e-6


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sources=st.integers(2, 7),
    epsilon=st.floats(-0.3, 0.3),
    cap=st.floats(0.5, 1.0),
)
def test_a_mixture_below_the_caps_that_meets_the_guard_or_says_so(
    seed: int, sources: int, epsilon: float, cap: float
) -> None:
    world = plant(sources, 4, 0.0, seed)
    natural, caps = np.array(list(world.natural.values())), np.full(sources, cap)
    bound = world.truth.predict(natural[None])[0, 0, 1:2] + epsilon
    limits = Limits((1,), bound[None], UNIT[:1])
    best = optimise(world.truth, FIRST, natural, caps, 0.02, world.sources, limits=limits)
    point = best.mixtures[0]
    assert point.sum() == pytest.approx(1, abs=1e-9)
    assert (point >= 0).all() and (point <= caps + 1e-9).all()
    excess = (world.truth.predict(point[None])[0, 0, 1] - bound[0]) / UNIT[0]
    assert best.excess[0, 0] == pytest.approx(excess, abs=1e-9)
    if excess > 1e-5:  # then no mixture at all meets it: the least of that metric lies above
        alone = np.array([0.0, 1.0, 0.0])
        least = optimise(world.truth, alone, natural, caps, 0.0, world.sources)
        assert least.cost[0] - least.gap[0] > bound[0]


def test_advice_under_a_guard_keeps_it_and_pays_for_it(planted: Callable) -> None:
    world = planted(4, 60, 0.003, 1)
    fit = fit_table(world.ratios, world.metrics, laws=["log_linear"])
    options = {"targets": ["m0"], "kl": 0.0, "replicates": 30, "count": 0}
    free = advise(fit, world.natural, **options)
    worst = free.scores.sort("gain").row(0, named=True)
    assert worst["gain"] < 0
    guard = Guard(worst["metric"], "natural", -worst["gain"] / 2)
    held = advise(fit, world.natural, guards=[guard], **options)
    row = held.guards.row(0, named=True)
    assert row["met"]
    assert row["low"] <= row["worse"] <= row["high"]
    assert 0.05 <= row["p_met"] <= 0.95  # it binds, so the truth keeps it about every other time
    assert held.gain.value < free.gain.value
    assert row["price"] > 0
    pair = np.array([list(held.proposal.values()), list(world.natural.values())])
    truth = world.truth.predict(pair)[0][:, int(guard.metric[1])]
    assert truth[0] - truth[1] == pytest.approx(guard.epsilon, abs=0.02)


def test_guards_that_exclude_each_other_are_explained() -> None:
    """a is good for m1 and bad for m2 and the other way round: both cannot gain .2."""
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(3), 20)
    values = weights @ np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.5, 0.5]])
    names = ["a", "b", "c"]
    ratios = pl.DataFrame({"run": range(20)} | {n: weights[:, j] for j, n in enumerate(names)})
    metrics = pl.DataFrame({"run": range(20)} | {f"m{t}": values[:, t] for t in range(3)})
    fit = fit_table(ratios, metrics, laws=["linear"])
    natural = dict.fromkeys(names, 1 / 3)  # m1 = m2 = .5 there
    guards = [Guard("m1", "natural", -0.2), Guard("m2", "natural", -0.1)]
    advice = advise(fit, natural, targets=["m0"], guards=guards, replicates=20, count=0)
    assert advice.verdict == "unmet"
    assert advice.guards["met"].to_list() == [False, False]
    said = " ".join(advice.trade)
    assert "No mixture meets all guards" in said
    # m1 <= .3 leaves m2 = 1 - m1 >= .7 on a-b, c at .5 each does not help: .3 above .4
    assert "misses by 0.3" in said and "epsilon of 0.2 (now -0.1)" in said
    alone = advise(fit, natural, targets=["m0"], guards=[Guard("m1", "natural", -0.7)],
                   replicates=20, count=0)  # fmt: skip
    assert "no mixture in reach meets this guard" in " ".join(alone.trade)
    assert "epsilon of -0.5 or more (now -0.7)" in " ".join(alone.trade)


def test_baselines_and_refusals(planted: Callable) -> None:
    world = planted(3, 20, 0.01, 0)
    fit = fit_table(world.ratios, world.metrics, laws=["log_linear"])
    natural = np.array(list(world.natural.values()))
    only = Guard("m1", {"s0": 2.0}, 0.1)
    limits = limits_from(fit, fit.surface, [only], natural)
    assert limits is not None
    expected = fit.surface.predict(np.array([[1.0, 0, 0]]))[0, 0, 1] + 0.1
    assert limits.bounds[0, 0] == pytest.approx(expected)
    for guards, match in (
        ([Guard("m9")], "Unknown metric"),
        ([Guard("m1"), Guard("m1", epsilon=1.0)], "Two guards"),
        ([Guard("m1", epsilon=float("nan"))], "needs an epsilon"),
        ([Guard("m1", "uniform")], "unknown baseline"),
        ([Guard("m1", {"web": 1.0})], "Unknown source"),
    ):
        with pytest.raises(ConfigError, match=match):
            advise(fit, world.natural, guards=guards, replicates=20)
