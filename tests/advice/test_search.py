"""Laws with several valleys: the search against a grid, and never worse than what it sampled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from lab.advice.optimising.optimise import Limits, optimise, stated
from lab.advice.optimising.region import simplex
from lab.advice.optimising.search import sample

NAMES = ["a", "b", "c"]


@dataclass(frozen=True, slots=True)
class Valleys:
    """Cost = level . p - sum of Gaussian valleys; the second metric is the share of a."""

    centres: np.ndarray
    depths: np.ndarray
    numbers: tuple[int, ...] = (0, 1)
    convex: bool = False
    replicates: int = 1

    @property
    def metrics(self) -> int:
        return len(self.numbers)

    def predict(self, weights: np.ndarray) -> np.ndarray:
        apart = ((weights[:, None, :] - self.centres) ** 2).sum(axis=2)
        cost = -(self.depths * np.exp(-apart / 0.02)).sum(axis=1)
        return np.stack([cost, weights[:, 0]], axis=1)[None, :, list(self.numbers)]

    def each(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        away = points[:, None, :] - self.centres
        pull = self.depths * np.exp(-(away**2).sum(axis=2) / 0.02)
        slope = (2 * pull[:, :, None] * away / 0.02).sum(axis=1)
        both = np.stack([slope, np.tile([1.0, 0, 0], (len(points), 1))], axis=1)
        return self.predict(points)[0], both[:, list(self.numbers)]

    def only(self, metrics: Sequence[int]) -> "Valleys":
        return Valleys(self.centres, self.depths, tuple(self.numbers[t] for t in metrics))


def planted_valleys(seed: int) -> Valleys:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 5))
    return Valleys(rng.dirichlet(np.ones(3), count), rng.uniform(0.5, 1.0, count))


def everything() -> np.ndarray:
    parts = [(a, b, 200 - a - b) for a in range(201) for b in range(201 - a)]
    return np.array(parts) / 200


@pytest.mark.parametrize("seed", range(30))
def test_the_deepest_valley_of_a_grid_is_found(seed: int) -> None:
    world, natural = planted_valleys(seed), np.full(3, 1 / 3)
    best = optimise(world, np.array([1.0, 0]), natural, np.ones(3), 0.0, NAMES)
    assert not best.exact
    assert best.cost[0] <= world.predict(everything())[0, :, 0].min() + 1e-3
    problem = stated(world, np.array([1.0, 0]), natural, simplex(np.ones(3), NAMES), 0.0)
    drawn, _ = sample(problem, np.random.default_rng(0))
    assert best.cost[0] <= world.predict(drawn)[0, 0, 0] + 1e-12


@pytest.mark.parametrize("seed", range(8))
def test_guards_and_caps_hold_in_the_search_too(seed: int) -> None:
    world, natural = planted_valleys(seed), np.full(3, 1 / 3)
    caps, limits = np.array([1.0, 0.5, 1.0]), Limits((1,), np.array([[0.3]]), np.ones(1))
    best = optimise(world, np.array([1.0, 0]), natural, caps, 0.0, NAMES, limits=limits)
    point = best.mixtures[0]
    assert point.sum() == pytest.approx(1)
    assert point[0] <= 0.3 + 1e-4 and point[1] <= 0.5 + 1e-9
    allowed = everything()
    allowed = allowed[(allowed[:, 0] <= 0.3) & (allowed[:, 1] <= 0.5)]
    assert best.cost[0] <= world.predict(allowed)[0, :, 0].min() + 2e-3
