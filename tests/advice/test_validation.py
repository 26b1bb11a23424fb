"""Decision accuracy by hand, and what a second size must say about a proposal."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lab.advice.evidence.evidence import Evidence
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.proposing.advise import Advice, advise
from lab.advice.proposing.store import latest_validation, save, save_validation
from lab.advice.proposing.validation import (
    count_pairs,
    read_validation,
    share_of,
    spread,
    validate,
    validation_mapping,
    validation_mixtures,
)
from lab.core.errors import DataError
from lab.core.workspace import create
from lab.mixture.recipe import Mixture, Phase, Recipe


def test_decision_accuracy_by_hand() -> None:
    """Three mixtures, two seeds. Predicted 1 < 2 < 3; means 1, 5, 4: of three pairs two agree.

    Within mixtures the squares are 2 (.1^2) each, so the pooled SD is sqrt(.06 / 3) = .1414 and,
    with t_3 = 3.182, a difference of two means of two is resolved above .45: all three are.
    """
    predicted = np.array([1.0, 2.0, 3.0])
    costs = np.array([0.9, 1.1, 4.9, 5.1, 3.9, 4.1])
    group = np.array([0, 0, 1, 1, 2, 2])
    means, counts, sd, t = spread(costs, group)
    assert means == pytest.approx([1, 5, 4]) and counts.tolist() == [2, 2, 2]
    assert (sd, t) == (pytest.approx(np.sqrt(0.02)), pytest.approx(3.182, abs=1e-3))
    assert count_pairs(predicted, costs, group) == (3, 2, 2, 1)
    found = share_of(3, 2, 2, 1)
    assert (found.value, found.low, found.high) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert found.n == 3


def test_pairs_inside_the_noise_widen_the_interval() -> None:
    costs = np.array([0.0, 2.0, 1.1, 3.1, 9.0, 11.0])  # means 1, 2.1, 10; SD sqrt(2)
    group = np.array([0, 0, 1, 1, 2, 2])
    counted = count_pairs(np.array([1.0, 2.0, 3.0]), costs, group)
    assert counted == (3, 3, 2, 0), "1 against 2.1 is not resolved"
    found = share_of(*counted)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 2 / 3, 1.0))


def test_without_repeats_nothing_can_be_said() -> None:
    with pytest.raises(DataError, match="two seeds"):
        spread(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 2]))


@pytest.fixture(scope="module")
def advised(planted: Callable) -> tuple[object, Fit, Advice]:
    world = planted(3, 20, 0.01, 0)
    fit = fit_table(world.ratios, world.metrics, laws=["log_linear"])
    return world, fit, advise(fit, world.natural, kl=0.01, replicates=20)


def second_size(
    world: object, advice: Advice, seeds: int, noise: float, flip: bool = False
) -> Evidence:
    """The planted world at a size where everything is half as good, or turned over."""
    rows, values, names = [], [], []
    rng = np.random.default_rng(1)
    for name, shares in validation_mixtures(advice).items():
        for seed in range(seeds):
            row = np.array([shares[s] for s in world.sources])  # type: ignore[attr-defined]
            cost = world.truth.predict(row[None, :])[0, 0]  # type: ignore[attr-defined]
            rows.append(row)
            values.append((-cost if flip else 2 * cost) + rng.normal(0, noise, 3))
            names.append(f"{name}-{seed}")
    weights, scores = np.stack(rows), np.stack(values)
    ids = {"run": names, "name": names}
    sources = world.sources  # type: ignore[attr-defined]
    return Evidence(
        pl.DataFrame(ids | {s: weights[:, j] for j, s in enumerate(sources)}),
        pl.DataFrame({"run": names} | {f"m{t}": scores[:, t] for t in range(3)}),
        (), ("m0", "m1", "m2"), "micro", 1000, (),
    )  # fmt: skip


def test_a_proposal_that_holds_and_one_that_fails(advised: tuple[object, Fit, Advice]) -> None:
    world, fit, advice = advised
    found = validate(fit, advice, second_size(world, advice, 2, 0.001))
    assert (found.verdict, found.overall.value, found.overall.n) == ("holds", 1.0, 9)
    assert set(found.rows["mixture"]) == {"proposal", "natural", "uniform"}
    assert found.rows["runs"].to_list() == [2] * 9
    natural, best = world.natural, advice.proposal  # type: ignore[attr-defined]
    rows = np.array([[w[s] for s in world.sources] for w in (natural, best)])  # type: ignore[attr-defined]
    gain = 2 * np.subtract(*world.cost(rows))  # type: ignore[attr-defined]
    assert found.gain.value == pytest.approx(gain, abs=0.005)
    turned = validate(fit, advice, second_size(world, advice, 2, 0.001, flip=True))
    assert (turned.verdict, turned.overall.value) == ("fails", 0.0)
    noisy = validate(fit, advice, second_size(world, advice, 2, 10.0))
    assert noisy.verdict == "unresolved"
    assert noisy.overall.high - noisy.overall.low > 0.6


def test_what_is_missing_is_said(advised: tuple[object, Fit, Advice]) -> None:
    world, fit, advice = advised
    whole = second_size(world, advice, 2, 0.001)
    kept = ~whole.ratios["run"].str.starts_with("natural")
    partial = replace(whole, ratios=whole.ratios.filter(kept), metrics=whole.metrics.filter(kept))
    with pytest.raises(DataError, match="no run of the natural mixture"):
        validate(fit, advice, partial)
    other = replace(whole, metrics=whole.metrics.rename({f"m{t}": f"x{t}" for t in range(3)}))
    with pytest.raises(DataError, match="was not scored"):
        validate(fit, advice, other)
    strange = replace(whole, ratios=whole.ratios.with_columns(audio=pl.lit(0.5)))
    with pytest.raises(DataError, match="does not know"):
        validate(fit, advice, strange)


def test_it_is_stored_with_the_advice_and_gone_with_the_next(
    advised: tuple[object, Fit, Advice], tmp_path: object
) -> None:
    world, fit, advice = advised
    ws = create(tmp_path / "w")  # type: ignore[operator]
    phases = (Phase("all", 1.0, dict(advice.proposal)),)
    recipe = Recipe("mine", "t", dict.fromkeys(advice.proposal, ()), Mixture(1000, phases))
    found = validate(fit, advice, second_size(world, advice, 2, 0.001))
    text = json.dumps(validation_mapping(found), allow_nan=False)
    assert json.dumps(validation_mapping(read_validation(json.loads(text)))) == text
    assert latest_validation(ws, "mine") is None
    save(ws, fit, advice, recipe)
    save_validation(ws, found, recipe)
    read = latest_validation(ws, "mine")
    assert read is not None and read.overall == found.overall
    assert latest_validation(ws, "other") is None
