"""Repetition inside the objective: by hand, against a grid, against the law it comes from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.advice.fitting.surface import Surface
from lab.advice.laws.linear import LinearFit
from lab.advice.laws.power_law import PowerLawFit
from lab.advice.optimising.optimise import optimise
from lab.advice.optimising.supply import Supply, Worn, supply_of, supply_table, worn
from lab.advice.simplex import divergence
from lab.core.errors import ConfigError
from lab.mixture.repetition import R_STAR, effective_tokens
from tests.advice.conftest import plant

NAMES = ["web", "books", "code"]


def power(usefulness: list[float], alpha: float = 0.5) -> Surface:
    law = PowerLawFit(np.array([1.0]), np.ones(1), np.array([alpha]), np.array([usefulness]))
    return Surface(((0,),), (law,), 1)


def test_effective_shares_by_hand() -> None:
    supply = Supply(np.array([100.0, 10.0, 0.0]), budget=100.0, repeat_cap=4)
    assert supply.caps.tolist() == [1.0, 0.4, 0.0]
    share, worth = supply.effective(np.array([0.6, 0.4, 0.0]))
    four = 1 + R_STAR * (1 - np.exp(-3 / R_STAR))  # 3.726 in the table of the paper
    assert share == pytest.approx([0.6, 0.1 * four, 0.0])
    assert four == pytest.approx(3.726, abs=1e-3)
    assert worth[:2] == pytest.approx([1.0, np.exp(-3 / R_STAR)])
    table = supply_table(supply, NAMES, np.array([0.6, 0.4, 0.0]))
    assert table["epochs"].to_list() == pytest.approx([0.6, 4.0, 0.0])
    assert table["value"][1] == pytest.approx(four / 4)
    assert table["value"][2] is None


def test_with_a_useless_source_it_is_the_data_constrained_law() -> None:
    """cost = 1 + (a . D' / R)^-alpha, D' of the ledger's formula."""
    useful, natural = np.array([1.0, 3.0, 1e-9]), np.full(3, 1 / 3)
    supply = Supply(np.array([50.0, 5.0, 1000.0]), budget=100.0)
    response = worn(power(useful.tolist()), supply, natural)
    mixtures = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    effective = effective_tokens(supply.unique, 100.0 * mixtures) / 100.0
    expected = 1 + (effective @ useful) ** -0.5
    assert response.predict(mixtures)[0, :, 0] == pytest.approx(expected, rel=1e-6)


def test_nothing_changes_where_nothing_repeats_or_runs_were_matched() -> None:
    surface, natural = plant(3, 6, 0.0, 0).truth, np.full(3, 1 / 3)
    mixtures = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    plenty = worn(surface, Supply(np.full(3, 10.0), 1.0), natural)
    assert plenty.predict(mixtures) == pytest.approx(surface.predict(mixtures))
    assert worn(surface, Supply(np.full(3, 0.01), 1.0, matched=True), natural) is surface
    assert worn(surface, None, natural) is surface


def test_a_scarce_source_gets_less_than_the_law_alone_would_give_it() -> None:
    """Books are worth three of web until they wear out: raw shares say books alone."""
    surface, natural = power([1.0, 3.0, 0.1]), np.full(3, 1 / 3)
    supply = Supply(np.array([1000.0, 1.0, 1000.0]), budget=100.0)
    blind = optimise(surface, np.ones(1), natural, np.ones(3), 0.0, NAMES)
    assert blind.mixtures[0] == pytest.approx([0, 1, 0], abs=1e-6)
    aware = optimise(worn(surface, supply, natural), np.ones(1), natural, np.ones(3), 0.0, NAMES)
    # where the next token of books, worn to exp(-(e - 1) / R*), is worth .9 of 2.9 of one of web:
    # (3 - .1) exp(-(e - 1) / R*) = 1 - .1
    epochs = 1 + R_STAR * np.log(2.9 / 0.9)
    assert aware.mixtures[0] == pytest.approx([1 - epochs / 100, epochs / 100, 0], abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kl", [0.0, 0.02])
def test_no_mixture_on_a_grid_is_better_when_worn(seed: int, kl: float) -> None:
    world = plant(3, 6, 0.0, seed)
    natural = np.array(list(world.natural.values()))
    supply = Supply(np.array([5.0, 1.0, 20.0]), budget=100.0, repeat_cap=30.0)
    response = worn(world.truth, supply, natural)
    blend = np.full(3, 1 / 3)
    caps = np.array([0.7, 0.3, 1.0])
    best = optimise(response, blend, natural, caps, kl, world.sources)
    parts = [(a, b, 100 - a - b) for a in range(101) for b in range(101 - a)]
    everything = np.array(parts) / 100
    everything = everything[(everything <= caps).all(axis=1)]
    value = response.predict(everything)[0] @ blend + kl * divergence(everything, natural)
    assert best.cost[0] + kl * best.divergence[0] <= value.min() + 1e-6
    assert best.gap[0] <= 1e-6


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), scarce=st.floats(0.005, 0.5))
def test_slopes_are_those_of_the_cost_and_wear_never_helps(seed: int, scarce: float) -> None:
    world = plant(4, 4, 0.0, seed)
    natural = np.array(list(world.natural.values()))
    response = worn(world.truth, Supply(np.full(4, scarce), 1.0), natural)
    assert isinstance(response, Worn)
    points = np.random.default_rng(seed).dirichlet(np.ones(4) * 2, 1)
    cost, slope = response.each(points)
    assert cost[0] == pytest.approx(response.predict(points)[0, 0])
    assert (cost[0] >= world.truth.predict(points)[0, 0] - 1e-12).all()
    move = np.array([1.0, -1.0, 0.5, -0.5]) * 1e-6
    change = (response.predict(points + move) - response.predict(points - move))[0, 0] / 2
    assert slope[0] @ move == pytest.approx(change, rel=1e-3, abs=1e-11)


def test_refusals() -> None:
    with pytest.raises(ConfigError, match="must be positive"):
        supply_of(NAMES, dict.fromkeys(NAMES, 1.0), 0.0)
    with pytest.raises(ConfigError, match="no value"):
        supply_of(NAMES, {"web": 1.0}, 10.0)
    law = LinearFit(np.zeros(1), np.ones((1, 3)), np.ones(1, dtype=bool))
    only = Surface(((0,),), (law,), 1)
    with pytest.raises(ConfigError, match=r"'books'.*0\.01") as caught:
        caps = Supply(np.array([30.0, 1.0, 40.0]), 100.0, 1.0).caps
        optimise(only, np.ones(1), np.full(3, 1 / 3), caps, 0.0, NAMES)
    assert "0.29 too little" in caught.value.what
    assert "'books' to 0.3" in caught.value.next_step
