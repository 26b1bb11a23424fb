"""Threshold and weight in one problem, on truths where the best cut is known."""

import numpy as np
import polars as pl
import pytest

from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.fitting.surface import Surface
from lab.advice.laws.power_law import PowerLawFit
from lab.advice.optimising.pools import Pool
from lab.advice.optimising.supply import Supply, worn
from lab.advice.optimising.thresholds import baseline_words, choose_cuts
from lab.core.errors import ConfigError

USEFUL = [1.0, 2.0, 3.0, 1.5]  # web, web cut at 2, web cut at 4, books: tighter is better text
POOLS = [
    Pool("web@0", "web", 0, 1000.0),
    Pool("web@2", "web", 2, 300.0),
    Pool("web@4", "web", 4, 30.0),
    Pool("books", "books", 0, 200.0),
]
NATURAL = {"web": 0.8, "books": 0.2}


@pytest.fixture(scope="module")
def fit() -> Fit:
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(4, 0.7), 60)
    loss = 1 + (weights @ USEFUL) ** -0.5 + rng.normal(0, 2e-4, 60)
    ids = {"run": [f"r{k}" for k in range(60)]}
    ratios = pl.DataFrame(ids | {p.name: weights[:, j] for j, p in enumerate(POOLS)})
    return fit_table(ratios, pl.DataFrame(ids | {"loss": loss}), laws=["power_law"])


def brute_force(budget: float, cap: float) -> tuple[str, float]:
    """Of the planted law: every cut, weights in steps of 1/500."""
    law = PowerLawFit(np.ones(1), np.ones(1), np.array([0.5]), np.array([USEFUL]))
    supply = Supply(np.array([p.unique for p in POOLS]), budget, cap)
    natural = np.array([0.4, 0.2, 0.2, 0.2])
    truth = worn(Surface(((0,),), (law,), 1), supply, natural)
    best = []
    for j in range(3):
        shares = np.zeros((501, 4))
        shares[:, j] = np.linspace(0, 1, 501)
        shares[:, 3] = 1 - shares[:, j]
        shares = shares[(shares <= supply.caps + 1e-9).all(axis=1)]
        if len(shares):
            best.append((float(truth.predict(shares)[0, :, 0].min()), POOLS[j].name))
    return min(best)[1], min(best)[0]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(60.0, "web@4"), (700.0, "web@2"), (3500.0, "web@0")],
)
def test_the_best_cut_loosens_as_the_budget_grows(fit: Fit, budget: float, expected: str) -> None:
    found = choose_cuts(fit, POOLS, NATURAL, budget, 4.0, kl=0.0)
    name, cost = brute_force(budget, 4.0)
    assert name == expected
    assert found.cuts == {"web": expected, "books": "books"}
    assert found.cost == pytest.approx(cost, abs=2e-3)
    assert found.bound <= found.cost + 1e-6
    assert found.p_same >= 0.8
    weights = {name: w.value for name, w in found.weights.items()}
    assert sum(weights.values()) == pytest.approx(1)
    pool = next(p for p in POOLS if p.name == expected)
    assert weights["web"] <= 4 * pool.unique / budget + 1e-6
    assert found.table["chosen_by"].sum() == pytest.approx(1)
    assert found.table["cost"].is_sorted()


def test_the_relaxation_respects_nested_supply(fit: Fit) -> None:
    """A document of the innermost pool is in all three: its epochs add up."""
    budget, cap = 700.0, 4.0
    found = choose_cuts(fit, POOLS, NATURAL, budget, cap, kl=0.05)
    epochs = sum(found.graded[p.name] * budget / p.unique for p in POOLS[:3])
    assert epochs <= cap * (1 + 1e-4)
    assert sum(found.graded.values()) == pytest.approx(1)
    assert found.bound <= found.cost + 1e-6


def test_cuts_that_leave_too_little_are_left_out_and_said(fit: Fit) -> None:
    found = choose_cuts(fit, POOLS, NATURAL, 1500.0, 4.0, kl=0.0)
    assert found.table["web"].to_list().count("web@4") == 0
    assert "1 of 3 combinations" in found.notes[0]
    with pytest.raises(ConfigError, match="No choice of thresholds fills the budget") as caught:
        choose_cuts(fit, POOLS, NATURAL, 10_000.0, 4.0)
    assert "0.48" in caught.value.what  # 4 (1000 + 200) / 10000


@pytest.mark.parametrize(
    ("now", "budget", "compared", "today"),
    [
        (None, 60.0, "web@0", False),
        ({"web": "web@2"}, 60.0, "web@2", True),
        ({"web": "web@3"}, 60.0, "web@0", False),  # no run had it
        ({"web": "web@4"}, 1500.0, "web@0", False),  # too little text
    ],
)
def test_what_gains_are_over_is_said(
    fit: Fit, now: dict[str, str] | None, budget: float, compared: str, today: bool
) -> None:
    found = choose_cuts(fit, POOLS, NATURAL, budget, 4.0, now=now)
    assert (found.compared, found.today) == ({"web": compared, "books": "books"}, today)
    said = baseline_words(found.compared, found.today)
    assert said == "natural under " + ("the thresholds of today" if today else f"{compared}, books")


def test_refusals(fit: Fit) -> None:
    with pytest.raises(ConfigError, match="'web@4' of the fit is no pool"):
        choose_cuts(fit, [*POOLS[:2], POOLS[3]], NATURAL, 100.0, 4.0)
    with pytest.raises(ConfigError, match="No run was trained on pool"):
        choose_cuts(fit, [*POOLS, Pool("web@5", "web", 5, 1.0)], NATURAL, 100.0, 4.0)
    swapped = [POOLS[0], Pool("web@2", "web", 2, 20.0), POOLS[2], POOLS[3]]
    with pytest.raises(ConfigError, match="cannot leave more text"):
        choose_cuts(fit, swapped, NATURAL, 100.0, 4.0)
