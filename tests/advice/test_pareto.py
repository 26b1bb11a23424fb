"""The front between groups: its ends, its order, and that nothing on a grid dominates it."""

import numpy as np
import pytest

from lab.advice.fitting.fit import fit_table
from lab.advice.optimising.pareto import lattice
from lab.advice.proposing.advise import advise
from lab.core.errors import ConfigError
from tests.advice.conftest import plant


def test_lattices_of_weights() -> None:
    assert lattice(2)[:, 0].tolist() == [k / 8 for k in range(9)]
    assert len(lattice(3)) == 15
    assert len(lattice(4)) == 4 + 6 + 1
    for groups in (2, 3, 4):
        assert lattice(groups).sum(axis=1) == pytest.approx(1)


def test_no_mixture_gains_more_on_both_groups() -> None:
    world = plant(3, 40, 0.002, 4)
    fit = fit_table(world.ratios, world.metrics, laws=["log_linear"])
    groups = {"left": ["m0"], "right": ["m1", "m2"]}
    advice = advise(fit, world.natural, groups=groups, kl=0.0, replicates=20, count=0)
    front = advice.front
    assert front["weight_left"].is_sorted()
    ends = front["gain_left"].to_list(), front["gain_right"].to_list()
    assert ends[0][-1] == pytest.approx(max(ends[0]), abs=0.05)
    assert ends[1][0] == pytest.approx(max(ends[1]), abs=0.05)
    assert (front["low_left"] <= front["high_left"]).all()
    spread = fit.costs.std(axis=0)
    parts = [(a, b, 100 - a - b) for a in range(101) for b in range(101 - a)]

    def standard(mixtures: np.ndarray) -> np.ndarray:
        costs = fit.surface.predict(mixtures)[0] / spread
        return np.stack([costs[:, 0], costs[:, 1:].mean(axis=1)], axis=1)

    own = standard(front.select(fit.sources).to_numpy())
    grid = standard(np.array(parts) / 100)
    for point in own:
        assert not (grid < point - 2e-3).all(axis=1).any()


@pytest.mark.parametrize(
    ("groups", "match"),
    [
        ({"one": ["m0"]}, "two groups"),
        ({"one": ["m0"], "two": []}, "no metric"),
        ({"one": ["m0"], "two": ["m7"]}, "Unknown metric"),
    ],
)
def test_refusals(groups: dict[str, list[str]], match: str) -> None:
    world = plant(3, 12, 0.01, 0)
    fit = fit_table(world.ratios, world.metrics, laws=["log_linear"])
    with pytest.raises(ConfigError, match=match):
        advise(fit, world.natural, groups=groups, replicates=20, count=0)
