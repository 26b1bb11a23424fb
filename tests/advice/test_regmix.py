"""Published runs: rank correlation with unseen mixtures at 1M, 60M and 1B parameters.

The figures were recomputed from RegMix's files by independent implementations (scikit-learn's
LinearRegression, L-BFGS with restarts); the fits see runs of 1M and nothing else. Those of the CES
law, the Gaussian process and their combination are this project's own, see
`tests/benchmarks/advice_on_published_runs.py`.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from lab.advice.fitting.fit import fit_table
from lab.advice.fitting.predict import predict_table
from lab.advice.laws import get_law
from lab.advice.proposing.advise import advise

Tables = Callable[[str], tuple[pl.DataFrame, pl.DataFrame]]
UNSEEN = ("test_1m", "test_60m", "test_1B")
COVERED = ["arxiv", "wikipedia_en", "dm_mathematics", "pile_cc", "hackernews"]
# Token shares of the Pile in RegMix's synthesize_mixture.py, in the order of the columns
PILE = (
    0.113285, 0.079609, 0.003913, 0.185376, 0.051081, 0.015963, 0.101751, 0.003708, 0.066529,
    0.001751, 0.027085, 0.236869, 0.01184346, 0.007930, 0.008033, 0.038826, 0.046447,
)  # fmt: skip


def arrays(regmix: Tables, name: str, normalise: bool = True) -> tuple[np.ndarray, np.ndarray]:
    ratios, metrics = regmix(name)
    weights = ratios.drop("run").to_numpy()
    total = weights.sum(axis=1, keepdims=True) if normalise else 1.0
    return weights / total, metrics["pile_cc"].to_numpy()


def rhos(regmix: Tables, law: str, rows: np.ndarray, normalise: bool = True) -> list[float]:
    weights, losses = arrays(regmix, "train_1m", normalise)
    fitted = get_law(law).fit(weights[rows], losses[rows, None])
    found = []
    for name in UNSEEN:
        unseen, truth = arrays(regmix, name, normalise)
        found.append(spearmanr(fitted.predict(unseen)[:, 0], truth).statistic)
    return found


@pytest.mark.parametrize(
    ("law", "published", "tolerance", "normalise"),
    [
        # the published linear figures are of the rounded rows as they are; see the README there
        ("linear", (0.9021, 0.8933, 0.8766), 0.001, False),
        ("log_linear", (0.962, 0.957, 0.985), 0.006, True),
        ("power_law", (0.970, 0.964, 0.990), 0.005, True),
        ("lightgbm", (0.990, 0.986, 0.962), 0.005, True),
        # ours: the first figures are what was measured when the laws were designed
        ("ces", (0.987, 0.985, 0.991), 0.003, True),
        ("gp", (0.995, 0.991, 0.970), 0.004, True),
        ("combined", (0.9933, 0.9905, 0.9850), 0.002, True),
    ],
)
def test_512_runs(
    regmix: Tables, law: str, published: tuple[float, ...], tolerance: float, normalise: bool
) -> None:
    assert rhos(regmix, law, np.arange(512), normalise) == pytest.approx(published, abs=tolerance)


@pytest.mark.parametrize(
    ("law", "runs", "subsets", "published", "tolerance"),
    [
        # means over random subsets; only those of the power law are known by their rows
        ("power_law", 64, 3, (0.959, 0.955, 0.987), 0.005),
        ("log_linear", 54, 5, (0.920, None, 0.968), 0.03),
        ("log_linear", 128, 5, (0.949, None, 0.979), 0.01),
        ("linear", 128, 5, (0.876, None, 0.860), 0.02),
        # ours, and no worse than what the issue asks for at 32 and 64 runs
        ("ces", 64, 3, (0.98, 0.98, 0.985), 0.01),
        ("combined", 32, 3, (0.971, 0.967, 0.971), 0.015),
        ("combined", 64, 3, (0.988, 0.984, 0.981), 0.006),
    ],
)
def test_mean_over_subsets(
    regmix: Tables,
    law: str,
    runs: int,
    subsets: int,
    published: tuple[float | None, ...],
    tolerance: float,
) -> None:
    drawn = [np.random.default_rng(s).choice(512, runs, replace=False) for s in range(subsets)]
    mean = np.mean([rhos(regmix, law, rows) for rows in drawn], axis=0)
    for found, figure in zip(mean, published, strict=True):
        assert figure is None or found == pytest.approx(figure, abs=tolerance)


def test_fit_says_what_it_renormalised_and_prefers_the_power_law(regmix: Tables) -> None:
    ratios, metrics = regmix("train_1m")
    laws = ["linear", "log_linear", "power_law"]
    fit = fit_table(ratios, metrics, only=["pile_cc"], laws=laws)
    assert fit.notes == ("303 of 512 rows of weights summed to 0.996-1.003 and were renormalised.",)
    scores = {row["law"]: row for row in fit.scores.iter_rows(named=True)}
    assert scores["power_law"]["chosen"]
    assert scores["linear"]["rmse"] > 1.5 * scores["power_law"]["rmse"]
    # held out, rank correlation is what unseen mixtures of the same size later show (.970)
    assert scores["power_law"]["rho"] == pytest.approx(0.970, abs=0.012)


@pytest.mark.parametrize("laws", [["power_law"], ["ces", "gp", "combined"]])
def test_intervals_cover_unseen_runs(regmix: Tables, laws: list[str]) -> None:
    ratios, metrics = regmix("train_1m")
    unseen, truth = regmix("test_1m")
    covered = []
    for seed in range(3):
        rows = np.random.default_rng(seed).choice(512, 64, replace=False).tolist()
        fit = fit_table(ratios[rows], metrics[rows], laws=laws, only=COVERED)
        for metric in fit.metrics:
            found = predict_table(fit, unseen, metric)
            covered.append(truth[metric].is_between(found["low"], found["high"]).mean())
    assert 0.85 <= np.mean(covered) <= 0.95


def test_auto_takes_the_combination_on_the_evidence_of_64_runs(regmix: Tables) -> None:
    ratios, metrics = regmix("train_1m")
    rows = np.random.default_rng(0).choice(512, 64, replace=False).tolist()
    fit = fit_table(ratios[rows], metrics[rows], only=["pile_cc"])
    assert fit.scores.filter("chosen")["law"].to_list() == ["combined"]
    rho = dict(fit.scores.select("law", "rho").iter_rows())
    assert rho["combined"] > rho["power_law"] > rho["linear"]


def test_proposal_from_64_runs(regmix: Tables) -> None:
    """RegMix's notebook puts .89 on Pile-CC; here the KL to the Pile holds it a little lower."""
    ratios, metrics = regmix("train_1m")
    rows = np.random.default_rng(0).choice(512, 64, replace=False).tolist()
    fit = fit_table(ratios[rows], metrics[rows], only=["pile_cc"])
    natural = dict(zip(fit.sources, PILE, strict=True))
    advice = advise(fit, natural, replicates=100)
    assert advice.verdict == "better"
    assert advice.weights["pile_cc"].low < 0.89 < advice.weights["pile_cc"].high + 0.05
    assert advice.free["pile_cc"] > advice.proposal["pile_cc"] > 0.6
    # predicted below most observed losses of unseen mixtures; the KL costs it the first place
    predicted = advice.scores["proposal"][0]
    assert (regmix("test_1m")[1]["pile_cc"] < predicted).mean() < 0.1
