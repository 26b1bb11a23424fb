"""Phases: refused where runs did not vary them, recovered where a truth was planted."""

import numpy as np
import polars as pl
import pytest

from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.optimising.phases import advise_phases, phase_ratios, phases_of
from lab.core.errors import ConfigError

NATURAL = {"web": 0.6, "books": 0.3, "code": 0.1}
SLOPES = np.array([-1.2, 0.4, 0.2, 0.8, -2.0, 0.3])  # web early, books late


def swarm(count: int, late: float, seed: int = 0, noise: float = 0.002) -> Fit:
    """Two phases, .8 and .2; `late` scales what the second phase's weights matter."""
    rng = np.random.default_rng(seed)
    pairs = rng.dirichlet(np.ones(3), (count, 2))
    runs = {
        f"r{k}": [
            ("broad", 0.8, dict(zip(NATURAL, pair[0].tolist(), strict=True))),
            ("sharpen", 0.2, dict(zip(NATURAL, pair[1].tolist(), strict=True))),
        ]
        for k, pair in enumerate(pairs)
    }
    ratios = phase_ratios(runs)
    z = ratios.drop("run").to_numpy()
    slopes = np.where(np.arange(6) < 3, SLOPES, SLOPES * late)
    loss = 1 + 0.5 * np.exp(z @ slopes) + rng.normal(0, noise, count)
    metrics = pl.DataFrame({"run": ratios["run"], "loss": loss})
    return fit_table(ratios, metrics, laws=["log_linear"])


def test_columns_are_phase_and_source_and_sum_to_the_shares() -> None:
    fit = swarm(30, 5.0)
    phases = phases_of(fit)
    assert (phases.names, phases.sources) == (("broad", "sharpen"), ("web", "books", "code"))
    assert phases.shares == pytest.approx((0.8, 0.2))
    assert fit.sources[phases.columns[1][1]] == "sharpen:books"


def test_a_planted_order_is_found_and_what_it_is_worth() -> None:
    """Web lowers the loss early, books late: with no pull all of each, as slopes say."""
    advice = advise_phases(swarm(60, 5.0), NATURAL, kl=0.0, replicates=40)
    assert advice.weights["broad"]["web"].value == pytest.approx(1, abs=0.02)
    assert advice.weights["sharpen"]["books"].value == pytest.approx(1, abs=0.02)
    for weights in advice.weights.values():
        assert sum(w.value for w in weights.values()) == pytest.approx(1)
    assert advice.verdict == "better"

    def cost(early: list[float], late: list[float]) -> float:
        z = np.array([0.8 * e for e in early] + [0.2 * x for x in late])
        return float(1 + 0.5 * np.exp(z @ np.where(np.arange(6) < 3, SLOPES, SLOPES * 5)))

    grid = [[a / 50, b / 50, 1 - (a + b) / 50] for a in range(51) for b in range(51 - a)]
    tied = min(cost(w, w) for w in grid)
    worth = tied - cost([1, 0, 0], [0, 1, 0])
    assert advice.order.low <= worth <= advice.order.high
    assert advice.order.value == pytest.approx(worth, abs=0.02)


def test_caps_bind_the_whole_run() -> None:
    """Books at most .1 of the whole: half of the second phase."""
    advice = advise_phases(swarm(60, 5.0), NATURAL, caps={"books": 0.1}, kl=0.0, replicates=20)
    assert advice.weights["sharpen"]["books"].value == pytest.approx(0.5, abs=0.01)
    whole = 0.8 * advice.weights["broad"]["books"].value
    whole += 0.2 * advice.weights["sharpen"]["books"].value
    assert whole <= 0.1 + 1e-4
    assert advice.tied["books"] <= 0.1 + 1e-9


def test_where_order_does_not_matter_none_is_claimed() -> None:
    claimed = []
    for seed in range(4):
        fit = swarm(24, 1.0, seed, noise=0.01)
        z = fit.weights
        totals = z[:, :3] + z[:, 3:]
        rng = np.random.default_rng(seed)
        loss = 1 + 0.5 * np.exp(totals @ SLOPES[:3]) + rng.normal(0, 0.01, len(z))
        ratios = pl.DataFrame({"run": fit.runs} | {n: z[:, j] for j, n in enumerate(fit.sources)})
        metrics = pl.DataFrame({"run": fit.runs, "loss": loss})
        again = fit_table(ratios, metrics, laws=["log_linear"])
        advice = advise_phases(again, NATURAL, kl=0.02, replicates=40)
        claimed.append(advice.verdict == "better" and advice.order.low > 0.01)
    assert sum(claimed) == 0


def refit(ratios: pl.DataFrame) -> Fit:
    loss = np.random.default_rng(0).normal(2, 0.1, ratios.height)
    return fit_table(ratios, pl.DataFrame({"run": ratios["run"], "loss": loss}), laws=["linear"])


def test_refusals_in_words() -> None:
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(3), 20)
    whole = pl.DataFrame({"run": range(20)} | {n: weights[:, j] for j, n in enumerate(NATURAL)})
    with pytest.raises(ConfigError, match="predicts the same for every order"):
        advise_phases(refit(whole), NATURAL)
    same = [dict(zip(NATURAL, row.tolist(), strict=True)) for row in weights]
    alike = phase_ratios({f"r{k}": [("a", 0.5, w), ("b", 0.5, w)] for k, w in enumerate(same)})
    with pytest.raises(ConfigError, match="No run varied the weights between its phases"):
        advise_phases(refit(alike), NATURAL)
    shares = rng.uniform(0.3, 0.7, 20)
    split = phase_ratios(
        {
            f"r{k}": [("a", s, same[k]), ("b", 1 - s, same[k - 1])]
            for k, s in enumerate(shares.tolist())
        }
    )
    with pytest.raises(ConfigError, match="different shares of training"):
        advise_phases(refit(split), NATURAL)
    lacking = phase_ratios(
        {f"r{k}": [("a", 0.5, same[k]), ("b", 0.5, {"web": 1.0})] for k in range(20)}
    )
    with pytest.raises(ConfigError, match="in every one of two phases") as caught:
        advise_phases(refit(lacking), NATURAL)
    assert caught.value.value["not in all"] == ["books", "code"]
