"""Advice on planted worlds: the optimum is found, intervals hold it, doubt is said."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from lab.advice.fitting.bootstrap import bootstrap
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.optimising.optimise import optimise
from lab.advice.proposing.advise import Advice, advise
from lab.core.errors import ConfigError


def fitted(world: object, **options: object) -> Fit:
    return fit_table(world.ratios, world.metrics, **options)  # type: ignore[attr-defined]


def true_optimum(world: object, kl: float) -> np.ndarray:
    """Of the planted surface itself, by the optimiser that `test_optimise` checks by grid."""
    natural = np.array(list(world.natural.values()))  # type: ignore[attr-defined]
    truth = world.truth  # type: ignore[attr-defined]
    blend = np.full(truth.metrics, 1 / truth.metrics)
    names = world.sources  # type: ignore[attr-defined]
    return optimise(truth, blend, natural, np.ones_like(natural), kl, names).mixtures[0]


def shares(advice: Advice) -> np.ndarray:
    return np.array(list(advice.proposal.values()))


def test_a_planted_optimum_is_recovered(planted: Callable) -> None:
    world = planted(4, 60, 0.005, 0)
    advice = advise(fitted(world), world.natural, kl=0.02, replicates=100)
    assert shares(advice).sum() == pytest.approx(1)
    assert shares(advice) == pytest.approx(true_optimum(world, 0.02), abs=0.05)
    assert (advice.verdict, advice.run_more) == ("better", 0)
    gain = world.cost(np.array(list(world.natural.values()))[None]) - world.cost(
        shares(advice)[None]
    )
    assert advice.gain.low <= gain[0] <= advice.gain.high
    assert advice.gain.resolved


def test_intervals_hold_the_true_optimum_as_often_as_they_say(planted: Callable) -> None:
    held = []
    for seed in range(10):
        world = planted(4, 20, 0.02, seed)
        advice = advise(fitted(world, laws=["log_linear"]), world.natural, kl=0.02, replicates=100)
        truth = true_optimum(world, 0.02)
        for value, name in zip(truth, world.sources, strict=True):
            interval = advice.weights[name]
            held.append(interval.low - 1e-3 <= value <= interval.high + 1e-3)
    assert 0.8 <= np.mean(held) <= 0.99


def test_where_mixtures_make_no_difference_it_rarely_claims_one(planted: Callable) -> None:
    """The best of a noisy fit flatters itself: taken at its word, about 40 % would be claimed."""
    advised = []
    for seed in range(20):
        world = planted(3, 12, 0.0, seed)
        loss = 2 + np.random.default_rng(seed).normal(0, 0.05, 12)
        metrics = pl.DataFrame({"run": world.metrics["run"], "loss": loss})
        fit = fit_table(world.ratios, metrics)
        advised.append(advise(fit, world.natural, kl=0.01, replicates=50, count=0))
    assert np.mean([a.verdict == "better" for a in advised]) <= 0.1
    assert np.mean([a.gain.low <= 0 <= a.gain.high for a in advised]) >= 0.7
    for advice in advised:
        if advice.verdict == "unresolved":
            assert advice.p_better < 0.9
            assert 1 <= advice.run_more <= 9 * 12


def test_the_more_noise_the_less_is_claimed_and_the_more_is_asked_for(planted: Callable) -> None:
    odds, asked = [], []
    for noise in (0.005, 0.1, 0.5):
        worlds = [planted(3, 12, noise, seed) for seed in range(3)]
        advised = [advise(fitted(w), w.natural, kl=0.01, replicates=40, count=0) for w in worlds]
        odds.append(np.mean([a.p_better for a in advised]))
        asked.append(np.mean([a.run_more for a in advised]))
    assert odds == sorted(odds, reverse=True)
    assert asked[0] == 0
    assert min(asked[1:]) > 0


def test_a_heavy_kl_keeps_the_natural_mixture(planted: Callable) -> None:
    world = planted(3, 30, 0.01, 0)
    advice = advise(fitted(world), world.natural, kl=1000, replicates=20)
    assert advice.verdict == "same"
    assert shares(advice) == pytest.approx(list(world.natural.values()), abs=1e-3)


def test_caps_hold_in_the_proposal_and_in_every_interval(planted: Callable) -> None:
    world = planted(4, 40, 0.01, 1)
    free = advise(fitted(world), world.natural, kl=0.0, replicates=40)
    largest = max(free.proposal, key=free.proposal.__getitem__)
    advice = advise(fitted(world), world.natural, caps={largest: 0.2}, kl=0.0, replicates=40)
    assert advice.proposal[largest] == pytest.approx(0.2)
    assert advice.weights[largest].high <= 0.2 + 1e-9
    assert sum(advice.proposal.values()) == pytest.approx(1)
    assert advice.free[largest] > 0.2
    assert (advice.next_runs[largest] <= 0.2 + 1e-9).all()


def test_one_target_among_several_and_its_direction(planted: Callable) -> None:
    world = planted(3, 40, 0.005, 3)
    metrics = world.metrics.select("run", "m0", good=-pl.col("m1"))
    fit = fit_table(world.ratios, metrics, higher=["good"])
    with pytest.raises(ConfigError, match="has no unit"):
        advise(fit, world.natural)
    advice = advise(fit, world.natural, targets=["good"], kl=0.0, replicates=40)
    row = advice.scores.filter(pl.col("metric") == "good").row(0, named=True)
    assert row["better"] == "higher"
    assert row["proposal"] > row["natural"]
    assert row["gain"] == pytest.approx(row["proposal"] - row["natural"])
    assert row["proposal_low"] <= row["proposal"] <= row["proposal_high"]
    everything = np.random.default_rng(0).dirichlet(np.ones(3), 2000)
    best = world.truth.predict(everything)[0][:, 1].min()
    assert world.truth.predict(shares(advice)[None])[0][0, 1] <= best + 0.02


def test_sources_without_runs_stay_out_of_the_advice(planted: Callable) -> None:
    world = planted(3, 30, 0.01, 0)
    fit = fit_table(world.ratios.with_columns(audio=pl.lit(0.0)), world.metrics)
    natural = {name: share * 0.9 for name, share in world.natural.items()} | {"audio": 0.1}
    advice = advise(fit, natural, caps={"audio": 0.5}, replicates=20)
    assert "audio" not in advice.proposal
    assert sum(advice.natural.values()) == pytest.approx(1)
    assert any(note.startswith("10.0% of the natural mixture") for note in advice.notes)


def test_next_runs_are_mixtures_worth_running(planted: Callable) -> None:
    world = planted(5, 18, 0.03, 5)
    advice = advise(fitted(world), world.natural, kl=0.01, replicates=100, count=4)
    runs = advice.next_runs
    assert runs["run"].to_list() == ["next-1", "next-2", "next-3", "next-4"]
    assert (runs["expected_gain"] >= 0).all() and runs["expected_gain"][0] > 0
    mixtures = runs.select(world.sources).to_numpy()
    assert mixtures.sum(axis=1) == pytest.approx(1)
    apart = np.abs(mixtures[:, None] - mixtures[None]).sum(axis=2) / 2 + np.eye(4)
    assert apart.min() >= 0.02


def test_running_what_is_suggested_narrows_the_proposal(planted: Callable) -> None:
    """Twelve suggested runs help the weights at least as much as twelve drawn at random."""
    rng = np.random.default_rng(0)
    widths: dict[str, list[float]] = {"before": [], "suggested": [], "random": []}
    for seed in range(12):  # of three the means are in any order
        world = planted(4, 14, 0.02, seed)
        fit = fitted(world, laws=["log_linear"])
        advice = advise(fit, world.natural, kl=0.02, replicates=60, count=12, path=())
        suggested = advice.next_runs.select(world.sources).to_numpy()
        drawn = rng.dirichlet(np.ones(4), len(suggested))
        widths["before"].append(width(advice))
        for kind, extra in (("suggested", suggested), ("random", drawn)):
            more = with_runs(world, extra, np.random.default_rng(seed))
            fit = fit_table(*more, laws=["log_linear"])
            found = advise(fit, world.natural, kl=0.02, replicates=60, path=())
            widths[kind].append(width(found))
    mean = {kind: float(np.mean(values)) for kind, values in widths.items()}
    assert mean["suggested"] < mean["before"]
    assert mean["suggested"] < 1.15 * mean["random"]


def width(advice: Advice) -> float:
    return float(np.mean([e.high - e.low for e in advice.weights.values()]))


def with_runs(
    world: object, weights: np.ndarray, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    ratios, metrics = world.ratios, world.metrics  # type: ignore[attr-defined]
    values = world.truth.predict(weights)[0]  # type: ignore[attr-defined]
    values = values + rng.normal(0, 0.02, values.shape)
    ids = {"run": [f"x{k}" for k in range(len(weights))]}
    new = ids | {name: weights[:, j] for j, name in enumerate(ratios.columns[1:])}
    scored = ids | {name: values[:, t] for t, name in enumerate(metrics.columns[1:])}
    return (
        pl.concat([ratios, pl.DataFrame(new)]),
        pl.concat([metrics, pl.DataFrame(scored)]),
    )


def test_far_from_the_runs_is_shown(planted: Callable) -> None:
    world = planted(3, 40, 0.01, 0)
    near = world.ratios.with_columns(
        *(pl.col(n) * 0.1 + pl.lit(world.natural[n]) * 0.9 for n in world.sources)
    )
    weights = near.select(world.sources).to_numpy()
    values = world.truth.predict(weights)[0] + np.random.default_rng(0).normal(0, 1e-3, (40, 3))
    metrics = pl.DataFrame({"run": near["run"]} | {f"m{t}": values[:, t] for t in range(3)})
    advice = advise(fit_table(near, metrics), world.natural, kl=0.0, replicates=20)
    assert advice.distances["free"] > 5 * advice.distances["runs"]


def test_same_seed_same_advice(planted: Callable) -> None:
    world = planted(3, 20, 0.02, 0)
    fit = fitted(world)
    one, two = (advise(fit, world.natural, replicates=30, seed=7) for _ in range(2))
    assert one.weights == two.weights
    assert one.next_runs.equals(two.next_runs)


def test_replicates_spread_as_the_noise_does(planted: Callable) -> None:
    """The standard deviation of replicates is that of fits to fresh runs of the same design."""
    point = np.array([[0.4, 0.3, 0.3]])
    world = planted(3, 40, 0.0, 6)
    weights = world.ratios.select(world.sources).to_numpy()
    truth = world.truth.predict(weights)[0]
    rng = np.random.default_rng(0)
    fresh, spread = [], []
    for number in range(30):
        values = truth + rng.normal(0, 0.02, truth.shape)
        columns = {f"m{t}": values[:, t] for t in range(3)}
        metrics = pl.DataFrame({"run": world.ratios["run"]} | columns)
        fit = fit_table(world.ratios, metrics, laws=["log_linear"])
        fresh.append(fit.predict(point)[0])
        if number < 5:
            spread.append(bootstrap(fit, 60, number).predict(point)[:, 0].std(axis=0))
    ratio = np.mean(spread, axis=0) / np.std(fresh, axis=0)
    assert ratio == pytest.approx(1.15, abs=0.4)
