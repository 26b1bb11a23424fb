"""The optimiser against a grid of all mixtures, against SLSQP, and its own certificate."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize

from lab.advice.fitting.surface import Surface
from lab.advice.optimising.optimise import kl_path, optimise
from lab.advice.simplex import divergence
from lab.core.errors import ConfigError


def grid(steps: int) -> np.ndarray:
    """All mixtures of three sources in steps of 1 / steps."""
    parts = [(a, b, steps - a - b) for a in range(steps + 1) for b in range(steps + 1 - a)]
    return np.array(parts) / steps


@pytest.mark.parametrize("kl", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("cap", [1.0, 0.45])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_mixture_on_a_grid_is_better(
    planted: Callable, kl: float, cap: float, seed: int
) -> None:
    world = planted(3, 6, 0.0, seed)
    natural, caps = np.array(list(world.natural.values())), np.array([1.0, cap, 1.0])
    blend = np.full(3, 1 / 3)
    best = optimise(world.truth, blend, natural, caps, kl, world.sources)
    everything = grid(200)
    allowed = everything[(everything <= caps).all(axis=1)]
    objective = world.cost(allowed) + kl * divergence(allowed, natural)
    found = best.cost[0] + kl * best.divergence[0]
    assert found <= objective.min() + 1e-7
    assert found == pytest.approx(objective.min(), abs=1e-3)
    assert best.mixtures[0] == pytest.approx(allowed[objective.argmin()], abs=0.02)


@pytest.mark.parametrize("kl", [0.0, 0.01, 1.0])
def test_agrees_with_slsqp_on_many_sources(planted: Callable, kl: float) -> None:
    world = planted(9, 12, 0.0, 3)
    natural, caps = np.array(list(world.natural.values())), np.full(9, 0.3)

    def objective(point: np.ndarray) -> float:
        point = np.maximum(point, 1e-12)
        return float(world.cost(point[None])[0] + kl * (point * np.log(point / natural)).sum())

    peer = minimize(
        objective,
        np.minimum(natural, 0.3) / np.minimum(natural, 0.3).sum(),
        method="SLSQP",
        bounds=[(1e-12, 0.3)] * 9,
        constraints=[{"type": "eq", "fun": lambda p: p.sum() - 1}],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    best = optimise(world.truth, np.full(3, 1 / 3), natural, caps, kl, world.sources)
    assert objective(best.mixtures[0]) <= peer.fun + 1e-6
    assert best.gap[0] <= 1e-6


def test_all_replicates_at_once_are_each_alone(planted: Callable) -> None:
    worlds = [planted(4, 8, 0.0, seed) for seed in range(6)]
    natural, caps, blend = np.full(4, 0.25), np.ones(4), np.full(3, 1 / 3)
    laws = [world.truth.laws[0] for world in worlds]
    kind = type(laws[0])
    parts = ((law.offset, law.bias, law.slope) for law in laws)
    joined = kind(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    together = optimise(
        Surface(((0, 1, 2),), (joined,), 6), blend, natural, caps, 0.02, list("abcd")
    )
    for number, world in enumerate(worlds):
        alone = optimise(world.truth, blend, natural, caps, 0.02, list("abcd"))
        assert together.mixtures[number] == pytest.approx(alone.mixtures[0], abs=1e-4)


def test_the_path_leads_from_the_optimum_to_the_reference(planted: Callable) -> None:
    world = planted(5, 8, 0.0, 1)
    natural = np.array(list(world.natural.values()))
    path = kl_path(world.truth, np.full(3, 1 / 3), natural, np.ones(5), world.sources, (0, 0.1, 50))
    assert path["cost"].is_sorted()
    assert path["divergence"].is_sorted(descending=True)
    assert path.select(world.sources).row(2) == pytest.approx(natural, abs=0.01)


def test_a_source_that_only_hurts_gets_nothing_and_caps_still_fill(planted: Callable) -> None:
    world = planted(3, 6, 0.0, 0)
    law = world.truth.laws[0]
    bad = type(law)(law.offset, law.bias, np.array([[-3.0, 25.0, 0.0]] * 3))
    surface = Surface(((0, 1, 2),), (bad,), 1)
    blend = np.full(3, 1 / 3)
    free = optimise(surface, blend, np.full(3, 1 / 3), np.ones(3), 0.0, list("abc"))
    assert free.mixtures[0] == pytest.approx([1, 0, 0], abs=1e-6)
    caps = np.array([0.4, 1.0, 0.4])
    held = optimise(surface, blend, np.full(3, 1 / 3), caps, 0.0, list("abc"))
    assert held.mixtures[0] == pytest.approx([0.4, 0.2, 0.4], abs=1e-6)


def test_refusals(planted: Callable) -> None:
    world = planted(3, 6, 0.0, 0)
    blend, flat, free = np.full(3, 1 / 3), np.full(3, 1 / 3), np.ones(3)
    with pytest.raises(ConfigError, match="No mixture fits"):
        optimise(world.truth, blend, flat, np.full(3, 0.3), 0.0, world.sources)
    with pytest.raises(ConfigError, match="not be negative"):
        optimise(world.truth, blend, flat, free, -1.0, world.sources)
    with pytest.raises(ConfigError, match="gives these sources nothing") as caught:
        optimise(world.truth, blend, np.array([0.5, 0.5, 0]), free, 0.1, world.sources)
    assert caught.value.value == ["s2"]
