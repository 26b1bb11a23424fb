"""The gate: verdicts from planted runs, and what each open question asks for."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from score_frames import points, write_scored

from lab.core.errors import ConfigError, DataError
from lab.core.workspace import Workspace, create
from lab.evaluation.gate.criteria import Thresholds
from lab.evaluation.gate.gate import GateRow, gate, judge

SETTLE = dict.fromkeys(("noise", "mixtures", "snapshots", "sizes"), "do it")
BPB, WEB = ("benchmark", "facts", "gold_bpb"), ("heldout", "web", "bpb")
ACCURACY = ("benchmark", "facts", "accuracy")


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def judged(frame: pl.DataFrame, others: pl.DataFrame | None = None, **limits: float) -> GateRow:
    return judge(frame, frame.clear() if others is None else others, Thresholds(**limits), SETTLE)


def state(row: GateRow, name: str) -> str:
    return next(c.state for c in row.criteria if c.name == name)


LOUD = {"a": [1.0, 1.01], "b": [1.2, 1.21], "c": [1.4, 1.41], "d": [1.6, 1.61]}
QUIET = {"a": [1.0, 1.4], "b": [1.1, 1.3], "c": [1.2, 1.2], "d": [1.0, 1.5]}


def test_a_metric_that_tells_mixtures_apart_passes() -> None:
    row = judged(points(LOUD))
    assert row.passed and row.verdict == "passed"
    # noise^2 = 4 x 2 x .005^2/4; means .2 apart: variance .0667
    assert row.noise_seeds is not None and row.noise_seeds.sd == pytest.approx(0.01 / np.sqrt(2))
    assert row.snr == pytest.approx(np.sqrt(0.2**2 * 5 / 3 / 5e-5 - 0.5))
    assert "signal to noise 37" in row.reason


def test_a_metric_of_noise_fails_with_the_reason() -> None:
    row = judged(points(QUIET))
    assert row.verdict == "failed" and not row.passed
    assert row.reason == "mixtures differ by no more than repeats of one"


def test_thresholds_can_be_moved() -> None:
    assert judged(points(LOUD), snr=100).reason.endswith("below 100")
    assert judged(points(LOUD), snr=30).passed
    with pytest.raises(ConfigError, match="out of range"):
        Thresholds(ranks=2)


def test_the_spread_between_mixtures_is_never_taken_for_noise() -> None:
    """Twelve mixtures, one seed each: nothing says what is noise, however far they lie apart."""
    row = judged(points({f"m{k}": [1.0 + k] for k in range(12)}))
    assert row.verdict == "not judged"
    assert row.noise_seeds is row.noise_checkpoints is row.snr is row.signal is None
    assert row.reason == "noise unknown: 0 degrees of freedom, 3 needed"
    assert "do it" in row.settle


def test_noise_of_checkpoints_alone_can_fail_a_metric_and_not_pass_it() -> None:
    values = {f"m{k}": [1.0 + k / 10] for k in range(4)}
    bend = {f"m{k}-0": [(0.9, 1.02 + k / 10), (0.95, 1.0 + k / 10)] for k in range(4)}
    row = judged(points(values, curves=bend))
    assert row.noise_seeds is None
    # three points 1.02, 1.00, 1.00: residuals of their line are .01/3 x (1, -2, 1)
    assert row.noise_checkpoints is not None
    assert row.noise_checkpoints.sd == pytest.approx(np.sqrt(6) * 0.01 / 3)
    assert row.noise_checkpoints.df == 4
    assert row.verdict == "not judged" and row.reason.startswith("signal to noise at most 16")
    alike = {f"m{k}": [1.0 + k / 1000] for k in range(4)}
    assert judged(points(alike, curves=bend)).verdict == "failed"


def test_too_few_mixtures_or_repeats_are_not_judged() -> None:
    two = judged(points({"a": [1, 1.01, 1.02], "b": [2, 2.01, 2.02]}))
    assert (two.verdict, two.reason) == ("not judged", "2 mixtures: 3 needed to see a spread")
    thin = judged(points({"a": [1, 1.01], "b": [2], "c": [3]}))
    assert thin.reason == "noise unknown: 1 degrees of freedom, 3 needed"
    assert thin.noise_seeds is not None and thin.noise_seeds.df == 1
    assert thin.signal is thin.snr_range is None, "by a noise too poor for the ratio"
    copies = judged(points({"a": [1, 1], "b": [2, 2], "c": [3, 3]}))
    assert "copies" in copies.reason and copies.verdict == "not judged"


def test_one_noise_serves_every_question() -> None:
    """A wild checkpoint noise of one degree of freedom neither hides four repeats nor enters SD."""
    values = {m: [0.5 + (v - 1) / 100 for v in scores] for m, scores in LOUD.items()}
    wild = {"a-0": [(0.9, 0.1), (0.95, 0.9)]}
    row = judged(points(values, metric="accuracy", curves=wild, chance=0.25, n=10_000))
    assert row.noise_checkpoints is not None and row.noise_checkpoints.df == 1
    assert row.noise_seeds is not None and row.noise_checkpoints.sd > 100 * row.noise_seeds.sd
    assert state(row, "signal to noise") == state(row, "distance from chance") == "passed"
    assert row.snr is not None and row.signal == pytest.approx(row.snr * row.noise_seeds.sd)


def test_a_metric_that_gets_worse_with_training_fails_even_with_signal() -> None:
    rising = [(0.25, 0.5), (0.5, 0.6), (0.75, 0.7), (0.9, 0.8)]  # bits per byte go up
    row = judged(points(LOUD, curves={f"{m}-{k}": rising for m in LOUD for k in (0, 1)}))
    assert (state(row, "signal to noise"), state(row, "monotonicity")) == ("passed", "failed")
    assert row.verdict == "failed" and "does not improve with training" in row.reason
    falling = [(0.25, 4.0), (0.5, 3.0), (0.75, 2.0), (0.9, 1.9)]
    better = judged(points(LOUD, curves={f"{m}-{k}": falling for m in LOUD for k in (0, 1)}))
    assert better.passed


def test_accuracy_at_chance_fails_however_well_it_separates() -> None:
    values = {m: [0.2 + (v - 1) / 100 for v in scores] for m, scores in LOUD.items()}
    row = judged(points(values, metric="accuracy", chance=0.25))
    assert state(row, "signal to noise") == "passed"
    assert row.verdict == "failed" and "from chance (0.250), below 3" in row.reason
    far = {m: [v / 2 for v in scores] for m, scores in LOUD.items()}
    assert judged(points(far, metric="accuracy", chance=0.25)).passed


def test_ranks_fail_only_where_the_interval_says_so() -> None:
    values = {f"m{k}": [1.0 + k / 10, 1.001 + k / 10] for k in range(12)}
    turned = {f"m{k}": [2.0 - k / 10] for k in range(12)}
    here = points(values)
    assert state(judged(here, points(values, size="micro")), "rank stability") == "passed"
    worse = judged(here, points(turned, size="micro"))
    assert worse.verdict == "failed" and "another order" in worse.reason
    few = {m: v for m, v in turned.items() if m in ("m0", "m1", "m2")}
    assert state(judged(here, points(few, size="micro")), "rank stability") == "not measured"


def test_runs_of_a_workspace_are_read_with_their_snapshots(ws: Workspace) -> None:
    for k, recipe in enumerate(("a", "b", "c")):
        for seed in (0, 1):
            score = 1 + k / 5 + seed / 1000
            late = {step: {BPB: score + (100 - step) / 100} for step in (25, 50, 75, 90, 95)}
            write_scored(ws, recipe, seed, {BPB: score, WEB: 2 * score}, snapshots=late)
    found = gate(ws)
    row = {r.metric.on: r for r in found.rows}
    assert row["facts"].passed and row["facts"].mixtures == 3 and row["facts"].runs == 6
    rho = next(c.value for c in row["facts"].criteria if c.name == "monotonicity")
    assert rho == pytest.approx(1)
    assert row["facts"].noise_checkpoints is not None
    assert row["facts"].noise_checkpoints.sd == pytest.approx(0, abs=1e-9)
    assert {r.metric.on for r in found.rows if r.passed} == {"facts", "web"}
    assert found.frame().height == 2 and found.to_json()["thresholds"]["snr"] == 5
    assert any("one size only" in note for note in found.notes)


def test_only_one_budget_and_only_pretraining_count(ws: Workspace) -> None:
    for seed in (0, 1, 2):
        write_scored(ws, "a", seed, {BPB: 1.0 + seed / 100})
    write_scored(ws, "a", 7, {BPB: 9.0}, tokens=5000)
    write_scored(ws, "a", 8, {BPB: 9.0}, stage="sft", id="tuned")
    write_scored(ws, "a", 9, {BPB: 9.0}, hyperparameters={"hidden": 1}, id="other-preset")
    [row] = gate(ws).rows
    assert (row.runs, gate(ws).tokens) == (3, 1000)
    assert gate(ws, tokens=5000).rows[0].runs == 1
    with pytest.raises(DataError, match="No finished and scored run"):
        gate(ws, size="base")


def test_scores_of_other_items_are_left_out_and_named(ws: Workspace) -> None:
    for seed in (0, 1, 2):
        write_scored(ws, "a", seed, {BPB: 1.0 + seed / 100})
    write_scored(ws, "b", 0, {BPB: 9.0}, items="older")
    found = gate(ws)
    assert found.rows[0].runs == 3
    assert any("1 of 4 runs" in note and "facts" in note for note in found.notes)


def test_repeats_are_of_one_mixture_under_one_supply(ws: Workspace) -> None:
    """Runs that match the target's repetition are no repeats of runs that do not, nor beside them:
    what the match changes is no difference between mixtures.
    """
    for seed in (0, 1):
        write_scored(ws, "a", seed, {BPB: 1.0}, repetition={"match": True})
        write_scored(ws, "a", seed + 2, {BPB: 2.0}, repetition={"match": False})
    [row] = gate(ws).rows
    assert (row.mixtures, row.runs) == (1, 2)
    assert row.noise_seeds is not None and row.noise_seeds.sd == 0


def test_mixtures_without_the_text_do_not_make_a_metric_fail() -> None:
    """Facts improve only where facts are read: the worse half of mixtures says nothing of that."""
    learns = [(0.25, 1.9), (0.5, 1.7), (0.75, 1.5), (0.9, 1.4)]
    forgets = [(0.25, 1.3), (0.5, 1.35), (0.75, 1.38), (0.9, 1.4)]
    curves = {f"{m}-{k}": learns if m in "ab" else forgets for m in LOUD for k in (0, 1)}
    assert state(judged(points(LOUD, curves=curves)), "monotonicity") == "passed"


def test_choosing_the_better_half_does_not_make_noise_monotone() -> None:
    rng = np.random.default_rng(3)
    shares = (0.25, 0.5, 0.75, 0.9, 0.95)
    values = {f"m{k}": [float(rng.normal()), float(rng.normal())] for k in range(20)}
    curves = {
        f"{m}-{k}": [(s, float(rng.normal())) for s in shares] for m in values for k in (0, 1)
    }
    assert state(judged(points(values, curves=curves)), "monotonicity") == "failed"
