"""What may be optimised for: metrics that failed the signal gate are refused, by name or not."""

import numpy as np
import polars as pl
import pytest

from lab.advice.fitting.fit import fit_table
from lab.advice.proposing.from_runs import admitted, foreseeable, unforeseen
from lab.core.errors import ConfigError
from lab.evaluation.gate.criteria import DEFAULT, FAILED, PASSED, UNKNOWN, Criterion
from lab.evaluation.gate.gate import Gate, GateRow
from lab.evaluation.runs.metrics import Metric


def row(on: str, state: str) -> GateRow:
    first = Criterion("signal to noise", state, 1.0, 0.5, 2.0, 5.0, f"{on} is {state}", "more runs")
    metric = Metric("benchmark", on, "gold_bpb", "bits/byte", "lower")
    return GateRow(metric, 12, 20, None, None, None, None, (first,))


GATE = Gate(
    "nano", 1000, (row("good", PASSED), row("noise", FAILED), row("new", UNKNOWN)), DEFAULT, ()
)
GOOD, NOISE, NEW, OTHER = (f"benchmark/{on}/gold_bpb" for on in ("good", "noise", "new", "other"))


def test_a_failed_metric_is_refused_by_name_with_its_reason() -> None:
    with pytest.raises(ConfigError, match="cannot be optimised for") as caught:
        admitted(GATE, (NOISE,), named=True)
    assert "noise is failed" in str(caught.value)
    assert caught.value.next_step.endswith(GOOD)


def test_by_default_failed_metrics_are_left_out_and_named() -> None:
    kept, notes = admitted(GATE, (GOOD, NOISE, NEW), named=False)
    assert kept == (GOOD, NEW)
    assert any(NOISE in note and "Failed the signal gate" in note for note in notes)
    assert any(NEW in note for note in notes)
    assert any("more runs" in note for note in notes)


def test_if_all_failed_there_is_nothing_to_fit() -> None:
    with pytest.raises(ConfigError, match="No metric passed"):
        admitted(GATE, (NOISE,), named=False)


def test_what_could_not_be_judged_is_fitted_with_a_warning() -> None:
    kept, notes = admitted(GATE, (NEW,), named=True)
    assert kept == (NEW,) and "may be noise" in notes[0]
    assert admitted(GATE, (OTHER,), named=True) == ((OTHER,), []), "not scored: the fit says so"


def test_the_target_leaves_out_what_no_law_predicts() -> None:
    """`sum` follows the weights, `luck` is drawn; alone it is all there is to aim at."""
    rng = np.random.default_rng(0)
    weights = rng.dirichlet((1, 1, 1), 24)
    runs = [f"r{k}" for k in range(24)]
    ratios = pl.DataFrame({"run": runs, **dict(zip("abc", weights.T, strict=True))})
    luck = rng.permutation(np.tile([1.0, -1.0], 12))
    metrics = pl.DataFrame({"run": runs, "sum": 3 - weights[:, 0], "luck": luck})
    fit = fit_table(ratios, metrics, laws=["linear"])
    assert (foreseeable(fit), unforeseen(fit)) == (["sum"], ["luck"])
    alone = fit_table(ratios, metrics.drop("sum"), laws=["linear"])
    assert alone.scores["skill"][0] <= 0
    assert foreseeable(alone) == unforeseen(alone) == ["luck"]
