"""The knowledge gradient against answers by hand, and what it must and must not ask for."""

from collections.abc import Callable

import numpy as np
import pytest

from lab.advice.fitting.fit import fit_table
from lab.advice.fitting.surface import Surface
from lab.advice.laws.log_linear import LogLinearFit
from lab.advice.proposing.advise import advise
from lab.advice.proposing.next_runs import Known, covariance_of, next_runs
from lab.advice.proposing.places import Place

NAMES = ["a", "b"]
EVEN = np.array([0.5, 0.5])
BLEND = np.array([1.0])


def worlds(slopes: list[float]) -> Surface:
    """Worlds whose cost is exp(slope of a times the share of a)."""
    count = len(slopes)
    t = np.stack([np.array(slopes), np.zeros(count)], axis=1)
    return Surface(((0,),), (LogLinearFit(np.zeros(count), np.zeros(count), t),), count)


def corners(slopes: list[float]) -> np.ndarray:
    """The best mixture of every world: all of a, or all of b."""
    return np.array([[1.0, 0.0] if slope < 0 else [0.0, 1.0] for slope in slopes])


def ask(slopes: list[float], noise: float, **more: object) -> dict[str, float]:
    table = next_runs(
        worlds(slopes), BLEND, EVEN, 0.0, EVEN, corners(slopes), NAMES, 1, noise=noise, **more
    )  # type: ignore[arg-type]
    return table.row(0, named=True)


def test_a_noiseless_run_is_worth_what_perfect_knowledge_is() -> None:
    """Half of the worlds like a, half b. Today's best is a mean of both; told the world, each
    chooses its corner: the gain by hand is the mean of the best costs less the best mean."""
    slopes = [-0.5] * 50 + [0.5] * 50
    gain = ask(slopes, noise=1e-6)["expected_gain"]
    shares = np.array([0.5, 0.0, 1.0, 0.25, 0.75])
    costs = np.exp(np.array(slopes)[:, None] * shares)
    by_hand = costs.mean(axis=0).min() - costs.min(axis=1).mean()
    assert gain == pytest.approx(by_hand, rel=0.02)


def test_nothing_is_gained_where_worlds_agree_or_noise_is_all() -> None:
    assert ask([-0.5] * 60, noise=0.1)["expected_gain"] == pytest.approx(0, abs=1e-12)
    split = [-0.5] * 50 + [0.5] * 50
    quiet, loud = ask(split, noise=0.05)["expected_gain"], ask(split, noise=5.0)["expected_gain"]
    assert quiet > 0.05 and loud < 0.1 * quiet


def test_seeing_something_is_never_worse_than_seeing_nothing() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        decided = rng.normal(size=(30, 7))
        root = rng.normal(size=(7, 7)) * rng.uniform(0, 2)
        known = Known.before(decided, root @ root.T)
        for part in (0.0, 1.0):
            run = known.run(int(rng.integers(7)), part, rng.uniform(0.01, 5))
            assert known.decision_value(decided, run) <= decided.mean(axis=0).min() + 1e-12
            known = known.after(run)


def test_minutes_choose_the_size() -> None:
    """A size ten times cheaper is asked for if it agrees, and not if it says nothing."""
    split = [-0.5] * 50 + [0.5] * 50
    here = Place("micro", 10.0)
    near, far = Place("nano", 1.0, 0.95), Place("nano", 1.0, 0.02)
    chosen = ask(split, noise=0.05, places=(here, near))
    assert (chosen["size"], chosen["minutes"]) == ("nano", 1.0)
    assert chosen["per_minute"] == pytest.approx(chosen["expected_gain"])
    chosen = ask(split, noise=0.05, places=(here, far))
    assert (chosen["size"], chosen["minutes"]) == ("micro", 10.0)


def test_a_larger_size_is_asked_for_once_the_small_one_has_nothing_left_to_say() -> None:
    places = (Place("nano", 1.0, 0.7), Place("micro", 4.0, 0.89))
    split, same = [-0.5] * 50 + [0.5] * 50, [-0.5] * 99 + [-0.4]
    assert ask(split, noise=0.05, places=places)["size"] == "nano"
    assert ask(same, noise=0.01, places=places)["size"] == "micro"
    flat = ask([0.0] * 99 + [1e-9], noise=0.05, places=places)
    assert flat["size"] == "nano" and flat["expected_gain"] < 1e-9, "nothing varies"


def test_a_larger_run_is_worth_what_the_normal_distribution_says() -> None:
    """Two mixtures, one world: D decides alone. A noiseless run of one at the target tells its D
    exactly and, by the correlation, part of the other's; the gain by hand is E max(0, Z)."""
    points = np.array([[1.0, 0.0], [0.0, 1.0]])
    places = (Place("nano", 1.0, 0.5), Place("base", 1.0, 1.0))
    covariance = covariance_of(points, 0.2, 1.0, places[0])
    variance = 0.2**2 * (1 / 0.5**2 - 1)
    alike = (1 + np.sqrt(6)) * np.exp(-np.sqrt(6))  # Matern at a distance of sqrt(2)
    assert covariance == pytest.approx(variance * np.array([[1, alike], [alike, 1]]))
    costs = np.zeros((400, 2))
    known = Known.before(costs, covariance)
    run = known.run(0, 1.0, 0.0)
    difference = (1 - alike) * np.sqrt(variance)  # SD of what the difference is found to be
    by_hand = difference / np.sqrt(2 * np.pi)
    assert -known.decision_value(costs, run) == pytest.approx(by_hand, rel=0.2)
    left = known.after(run).covariance
    assert left[0, 0] == pytest.approx(0, abs=1e-9)
    assert left[1, 1] == pytest.approx(variance * (1 - alike**2))


def test_the_second_run_is_worth_what_it_adds(planted: Callable) -> None:
    world = planted(4, 14, 0.05, 3)
    advice = advise(
        fit_table(world.ratios, world.metrics, laws=["log_linear"]),
        world.natural, kl=0.01, replicates=60, count=6,
    )  # fmt: skip
    runs = advice.next_runs
    shares = runs.select(world.sources).to_numpy()
    assert runs.height == 6
    assert len(np.unique(shares.round(2), axis=0)) == 6
    assert runs["expected_gain"][3:].mean() < runs["expected_gain"][0]
