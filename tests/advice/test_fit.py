"""Fits judge themselves on runs they did not see, and refuse what cannot be fitted."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from lab.advice.fitting.crossval import fold_of
from lab.advice.fitting.fit import fit_table
from lab.advice.fitting.learning import learning_curve
from lab.advice.fitting.predict import half_width, predict_table
from lab.advice.fitting.scores import optimism, regret, spearman
from lab.advice.proposing.from_runs import unforeseen
from lab.core.errors import ConfigError, DataError


def test_the_law_that_made_the_runs_is_chosen_and_its_error_is_the_noise(
    planted: Callable,
) -> None:
    world = planted(4, 80, 0.01, 0)
    fit = fit_table(world.ratios, world.metrics)
    assert fit.scores.filter("chosen")["law"].to_list() == ["log_linear"] * 3
    chosen = fit.scores.filter("chosen")
    assert chosen["rmse"].to_numpy() == pytest.approx(0.01, rel=0.3)
    assert (chosen["rho"] > 0.9).all()
    unseen = np.random.default_rng(9).dirichlet(np.ones(4), 100)
    assert fit.predict(unseen) == pytest.approx(world.truth.predict(unseen)[0], abs=0.02)
    assert fit.notes == ()


def test_repeats_of_a_mixture_share_a_fold() -> None:
    weights = np.repeat(np.random.default_rng(0).dirichlet(np.ones(3), 12), 4, axis=0)
    fold = fold_of(weights, 5, seed=0).reshape(12, 4)
    assert (fold == fold[:, :1]).all()
    assert sorted(set(fold[:, 0].tolist())) == [0, 1, 2, 3, 4]


def test_noise_alone_has_no_skill_and_is_named(planted: Callable) -> None:
    world = planted(3, 40, 0.01, 1)
    noise = np.random.default_rng(0).normal(size=(40, 30))
    columns = {f"n{t}": noise[:, t] for t in range(30)}
    metrics = pl.DataFrame({"run": world.metrics["run"]} | columns)
    fit = fit_table(world.ratios, metrics, laws=["linear", "log_linear", "power_law", "ces"])
    skill = fit.scores.filter("chosen")["skill"]
    assert skill.mean() < 0
    assert (skill > 0.1).mean() < 0.1
    named = next(note for note in fit.notes if note.startswith("No law predicts"))
    poor = unforeseen(fit)
    assert poor == [f"n{t}" for t in range(30) if skill[t] <= 0]
    assert poor[0] in named


def test_metrics_where_more_is_better_keep_their_direction(planted: Callable) -> None:
    world = planted(3, 40, 0.005, 2)
    flipped = world.metrics.select("run", accuracy=-pl.col("m0"), loss=pl.col("m0"))
    fit = fit_table(world.ratios, flipped, higher=["accuracy"])
    unseen = np.random.default_rng(1).dirichlet(np.ones(3), 20)
    values = fit.predict(unseen)
    assert values[:, 0] == pytest.approx(-values[:, 1], abs=1e-9)
    assert fit.scores["better"].unique().sort().to_list() == ["higher", "lower"]


def test_a_source_that_no_run_used_is_left_out_and_named(planted: Callable) -> None:
    world = planted(3, 20, 0.01, 0)
    fit = fit_table(world.ratios.with_columns(audio=pl.lit(0.0)), world.metrics)
    assert (fit.sources, fit.unseen) == (("s0", "s1", "s2"), ("audio",))
    assert "No run used audio: nothing can be said about it." in fit.notes


def test_sources_that_always_move_together_are_noticed() -> None:
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 1, 20)
    ratios = pl.DataFrame({"run": range(20), "a": a, "b": (1 - a) * 0.25, "c": (1 - a) * 0.75})
    fit = fit_table(ratios, pl.DataFrame({"run": range(20), "loss": a**2 + 1}))
    assert any("vary in 2 of 3 independent ways" in note for note in fit.notes)


def test_too_few_mixtures_are_refused_however_often_repeated(planted: Callable) -> None:
    world = planted(4, 5, 0.01, 0)
    ratios = pl.concat([world.ratios.with_columns(run=pl.col("run") + f"-{k}") for k in range(4)])
    metrics = pl.concat([world.metrics.with_columns(run=pl.col("run") + f"-{k}") for k in range(4)])
    with pytest.raises(DataError, match="Too few different mixtures to fit 4 sources") as caught:
        fit_table(ratios, metrics)
    assert caught.value.value == "5 mixtures in 20 runs"
    assert "at least 1 more" in caught.value.next_step
    assert "15 in all" in caught.value.next_step
    enough = planted(4, 6, 0.01, 0)
    assert len(fit_table(enough.ratios, enough.metrics).runs) == 6


def test_other_refusals(planted: Callable) -> None:
    world = planted(3, 12, 0.01, 0)
    with pytest.raises(DataError, match="same in every run") as caught:
        fit_table(world.ratios, world.metrics.with_columns(flat=pl.lit(2.5)))
    assert "'flat'" in caught.value.where
    with pytest.raises(ConfigError, match="Unknown metric 'm9'"):
        fit_table(world.ratios, world.metrics, only=["m9"])
    with pytest.raises(ConfigError, match="Unknown law"):
        fit_table(world.ratios, world.metrics, laws=["forest"])
    single = world.ratios.select("run", web=pl.lit(1.0))
    with pytest.raises(DataError, match="one and the same source"):
        fit_table(single, world.metrics)


def test_a_broken_column_that_is_not_asked_for_does_no_harm(planted: Callable) -> None:
    world = planted(3, 12, 0.01, 0)
    metrics = world.metrics.with_columns(broken=pl.lit(float("nan")))
    assert fit_table(world.ratios, metrics, only=["m1"]).metrics == ("m1",)


def test_spearman_agrees_with_scipy_and_survives_constants() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 9, 60).astype(float), rng.normal(size=60)
    rho, low, high = spearman(one, other + 0.2 * one)
    assert rho == pytest.approx(spearmanr(one, other + 0.2 * one).statistic)
    assert low < rho < high
    assert spearman(one, np.ones(60)) == (0.0, -1.0, 1.0)


def test_prediction_intervals(planted: Callable) -> None:
    world = planted(4, 60, 0.02, 0)
    fit = fit_table(world.ratios, world.metrics)
    unseen = planted(4, 300, 0.02, 0)
    ratios = unseen.ratios.slice(60)
    found = predict_table(fit, ratios, "m0", level=0.9)
    assert found.columns == ["run", "m0", "low", "high"]
    truth = unseen.metrics.slice(60)["m0"]
    assert 0.8 <= truth.is_between(found["low"], found["high"]).mean() <= 0.98
    assert half_width(np.arange(1.0, 10.0), 0.9) == 9
    assert half_width(-np.arange(1.0, 20.0), 0.9) == 18


def test_predictions_for_what_was_not_fitted_are_refused(planted: Callable) -> None:
    world = planted(3, 20, 0.01, 0)
    fit = fit_table(world.ratios, world.metrics)
    with pytest.raises(DataError, match="lacks sources"):
        predict_table(fit, world.ratios.drop("s2"), "m0")
    other = world.ratios.with_columns(s0=pl.col("s0") / 2, extra=pl.col("s0") / 2)
    with pytest.raises(DataError, match="no fitted run used"):
        predict_table(fit, other, "m0")
    with pytest.raises(ConfigError, match="Unknown metric"):
        predict_table(fit, world.ratios, "m7")
    with pytest.raises(DataError, match="names the mixtures"):
        predict_table(fit, world.ratios.drop("run"), "m0")


def test_regret_and_optimism_by_hand() -> None:
    costs = np.array([1.0, 2.0, 3.0, 4.0])
    fold = np.array([0, 0, 1, 1])
    assert regret(costs, costs, fold) == 0
    assert regret(np.array([2.0, 1.0, 3.0, 4.0]), costs, fold) == 0.5  # 1 lost in one fold of two
    predictions = np.arange(20.0)
    actual = predictions + np.where(predictions < 2, 3.0, 0.0)
    assert optimism(predictions, actual) == 3.0


def test_the_choice_is_crossed_and_shown(planted: Callable) -> None:
    """What is scored as `auto` never comes from a law chosen with the rows it predicts."""
    world = planted(4, 40, 0.02, 3)
    fit = fit_table(world.ratios, world.metrics)
    auto = fit.scores.filter(law="auto")
    assert auto.height == 3
    assert not auto["chosen"].any()
    assert auto["rmse"].to_numpy() == pytest.approx(
        np.sqrt(((fit.heldout - fit.costs) ** 2).mean(axis=0))
    )
    least = fit.scores.filter("chosen")["rmse"]
    assert (auto["rmse"] >= least - 1e-12).all()
    assert "gp" not in fit.scores.filter("chosen")["law"].to_list()


def test_a_learning_curve_rises_where_runs_are_too_few(planted: Callable) -> None:
    world = planted(4, 60, 0.05, 0)
    curve = learning_curve(fit_table(world.ratios, world.metrics, laws=["log_linear"]))
    assert curve.columns == ["k", "rho", "low", "high"]
    assert curve["k"].to_list() == [12, 21, 33, 48]
    assert curve["rho"][-1] > curve["rho"][0]
    assert ((curve["low"] <= curve["rho"]) & (curve["rho"] <= curve["high"])).all()
    few = planted(4, 7, 0.05, 0)
    assert learning_curve(fit_table(few.ratios, few.metrics, laws=["linear"])).is_empty()


BAD = {
    "no sum of one": (pl.col("s0") + 0.2, pl.col("m0")),
    "a source alone": (None, pl.col("m0")),
    "constant": (pl.col("s0"), pl.lit(2.5).alias("m0")),
    "not a number": (pl.col("s0"), pl.lit(float("nan")).alias("m0")),
    "negative": (-pl.col("s0"), pl.col("m0")),
}


@pytest.mark.parametrize("bad", [*BAD, "named twice", "too few"])
def test_a_refusal_says_what_where_with_which_value_and_what_to_do(
    planted: Callable, bad: str
) -> None:
    world = planted(3, 12, 0.01, 0)
    ratios, metrics = world.ratios, world.metrics.select("run", "m0")
    if bad == "named twice":
        ratios = pl.concat([ratios, ratios.head(1)])
    elif bad == "too few":
        ratios = ratios.head(4)
    else:
        source, metric = BAD[bad]
        ratios = ratios.select("run", web=pl.lit(1.0)) if source is None else ratios
        ratios = ratios if source is None else ratios.with_columns(source)
        metrics = metrics.with_columns(metric)
    with pytest.raises(DataError) as caught:
        fit_table(ratios, metrics, laws=["linear"])
    error = caught.value
    assert str(error) and error.where and error.value is not None and error.next_step
