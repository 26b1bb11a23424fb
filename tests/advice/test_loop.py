"""The loop over planted worlds: a law with a known optimum plays the trainer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.advice.design.design import design_mixtures
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.loop.of_recipe import LoopSettings, require_second
from lab.advice.loop.record import (
    Record,
    Round,
    Wanted,
    keep_confirmed,
    read_record,
    trajectory,
    write_record,
)
from lab.advice.loop.rounds import Trained, first_round, judge, run_loop
from lab.advice.loop.stopping import is_resolved, odds_needed, runs_lacking, verdict_of
from lab.advice.loop.terms import Terms, looks_of
from lab.advice.optimising.optimise import optimise
from lab.advice.simplex import divergence
from lab.core.errors import Cancelled, ConfigError
from lab.core.progress import Progress

KL = 0.005


class Trainer:
    """Trains by asking the planted truth; stops itself after `patience` rounds."""

    def __init__(self, world: object, noise: float, seed: int, patience: int = 1000) -> None:
        self.world, self.noise, self.seed, self.patience = world, noise, seed, patience
        self.runs: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}
        self.asked: list[str] = []

    def __call__(self, wanted: Sequence[Wanted], progress: Progress) -> Trained:
        if self.patience == 0:
            raise Cancelled("Stopped on request.")
        self.patience -= 1
        for run in wanted:
            self.asked.append(run.name)
            shares = np.array([run.weights[n] for n in self.world.sources])  # type: ignore[attr-defined]
            # the same run again is the same run: its luck is that of its name and seed
            rng = np.random.default_rng([self.seed, run.seed, *run.name.encode()])
            values = self.world.truth.predict(shares[None, :])[0, 0]  # type: ignore[attr-defined]
            noisy = values + rng.normal(0, self.noise, values.shape)
            self.runs[run.name, run.seed] = (shares, noisy)
        return Trained(float(len(wanted)))

    def refit(self) -> Fit:
        weights, values = (np.stack(x) for x in zip(*self.runs.values(), strict=True))
        ids = {"run": [f"{name}-{seed}" for name, seed in self.runs]}
        sources = self.world.sources  # type: ignore[attr-defined]
        return fit_table(
            pl.DataFrame(ids | {n: weights[:, j] for j, n in enumerate(sources)}),
            pl.DataFrame(ids | {f"m{t}": values[:, t] for t in range(values.shape[1])}),
            laws=["log_linear"],
        )


def regret(world: object, proposal: dict[str, float]) -> float:
    """Share of what the best mixture gains over natural that the proposal leaves."""
    natural = np.array(list(world.natural.values()))  # type: ignore[attr-defined]
    count = world.truth.metrics  # type: ignore[attr-defined]
    blend, free = np.full(count, 1 / count), np.ones_like(natural)
    found = optimise(world.truth, blend, natural, free, KL, world.sources)  # type: ignore[attr-defined]
    rows = np.stack([natural, found.mixtures[0], np.array(list(proposal.values()))])
    cost = world.cost(rows) + KL * divergence(rows, natural)  # type: ignore[attr-defined]
    return float((cost[2] - cost[1]) / (cost[0] - cost[1]))


def opening(world: object, count: int, seed: int = 0) -> list[Wanted]:
    return first_round(design_mixtures(world.natural, count, seed), 0)  # type: ignore[attr-defined]


def terms(world: object, budget: float = 60.0) -> Terms:
    targets = tuple(f"m{t}" for t in range(world.truth.metrics))  # type: ignore[attr-defined]
    return Terms(world.natural, budget, kl=KL, targets=targets, replicates=20)  # type: ignore[attr-defined]


def test_it_finds_the_planted_optimum_with_fewer_runs_than_a_sweep(
    planted: Callable, tmp_path: Path
) -> None:
    """Five sources, noise a tenth of the gain; 3(m + 1) = 18 runs are the usual advice."""
    runs, lost = [], []
    for seed in range(3):
        world = planted(5, 2, 0.0, seed)
        trainer = Trainer(world, 0.02, seed)
        done = run_loop(
            tmp_path / str(seed), terms(world), opening(world, 8), trainer, trainer.refit
        )
        assert (done.record.ended, done.advice.verdict) == ("resolved", "better")
        runs.append(done.record.runs)
        lost.append(regret(world, done.advice.proposal))
    assert np.mean(runs) < 18
    assert np.mean(lost) < 0.03


def test_a_stopped_loop_goes_on_where_it_was(planted: Callable, tmp_path: Path) -> None:
    world = planted(4, 2, 0.0, 2)
    whole, first, second = (Trainer(world, 0.05, 9, patience) for patience in (1000, 2, 1000))
    at_once = run_loop(tmp_path / "a", terms(world), opening(world, 7), whole, whole.refit)
    with pytest.raises(Cancelled):
        run_loop(tmp_path / "b", terms(world), opening(world, 7), first, first.refit)
    left = read_record(tmp_path / "b")
    assert len(left.rounds) == 3 and left.rounds[-1].open and not left.ended
    second.runs = dict(first.runs)  # what was trained is on the disk
    resumed = run_loop(tmp_path / "b", terms(world), [], second, second.refit)
    assert [r.wanted for r in resumed.record.rounds] == [r.wanted for r in at_once.record.rounds]
    assert resumed.advice.proposal == at_once.advice.proposal
    assert not set(second.asked) & set(first.asked), "nothing is trained twice"


def test_the_budget_ends_it_and_more_budget_goes_on(planted: Callable, tmp_path: Path) -> None:
    world = planted(5, 2, 0.0, 1)
    trainer = Trainer(world, 0.3, 0)  # so noisy that little is ever resolved
    short = run_loop(tmp_path, terms(world, 11.0), opening(world, 8), trainer, trainer.refit)
    assert (short.record.ended, short.record.runs, short.record.minutes) == ("budget", 11, 11.0)
    more = run_loop(tmp_path, terms(world, 14.0), [], trainer, trainer.refit)
    assert more.record.runs == 14
    assert more.record.rounds[:2] == short.record.rounds[:2]


@pytest.mark.parametrize(("minutes", "match"), [(7.9, "does not pay"), (0.0, "above zero")])
def test_a_budget_too_small_is_said_before_anything_is_trained(
    planted: Callable, tmp_path: Path, minutes: float, match: str
) -> None:
    world = planted(5, 2, 0.0, 1)
    trainer = Trainer(world, 0.1, 0)
    with pytest.raises(ConfigError, match=match):
        run_loop(tmp_path, terms(world, minutes), opening(world, 8), trainer, trainer.refit)
    assert not trainer.asked and not read_record(tmp_path).rounds


def test_what_is_asked_for_again_is_a_repeat_under_another_seed(
    planted: Callable, tmp_path: Path
) -> None:
    world = planted(3, 2, 0.0, 0)
    trainer = Trainer(world, 0.15, 3)
    done = run_loop(tmp_path, terms(world, 14.0), opening(world, 6), trainer, trainer.refit)
    wanted = [run for r in done.record.rounds for run in r.wanted]
    keys = [(tuple(run.weights.values()), run.seed) for run in wanted]
    assert len(set(keys)) == len(keys)
    rows = np.array([list(run.weights.values()) for run in wanted])
    assert (rows.sum(axis=1) == 1).all()
    apart = np.abs(rows[:, None] - rows[None]).sum(axis=2) / 2
    assert not ((apart > 0) & (apart < 0.01)).any(), "a near-twin is made a repeat"


def judged(verdict: str, worth: float = 0.0, odds: float = 0.96, needed: float = 0.95) -> Round:
    return Round(
        (), 1.0, verdict, odds, needed, gain=(1.0, 0.5, 1.5), worth=worth, evidence=12, distance=0.1
    )


@pytest.mark.parametrize(
    ("rounds", "resolved"),
    [
        ([judged("better")], False),
        ([judged("unresolved"), judged("better")], False),
        ([judged("better"), judged("better")], True),
        ([judged("better"), judged("better", 0.011)], False),
        ([judged("same", 1.0), judged("same", 1.0)], True),
        ([judged("better"), judged("same")], False),
        ([judged("unresolved"), judged("unresolved")], False),
        ([judged("better", odds=0.94), judged("better")], False),
        ([judged("better"), judged("better", odds=0.94)], False),
        ([judged("better", odds=0.94), judged("better", odds=0.94, needed=0.93)], True),
        ([judged("unmet"), judged("unmet")], False),
    ],
)
def test_resolved_means_twice_the_same_and_nothing_worth_a_run(
    rounds: list[Round], resolved: bool
) -> None:
    assert is_resolved(Record(tuple(rounds))) is resolved


def test_a_better_that_its_looks_do_not_bear_out_is_unresolved() -> None:
    lucky = Record((judged("unresolved"), judged("better")))
    assert verdict_of(lucky) == "unresolved"
    assert verdict_of(Record((judged("better"), judged("better")))) == "better"
    assert verdict_of(Record((judged("better"),))) == "better", "the only look there was"
    assert verdict_of(Record((judged("better"), judged("same")))) == "same"
    assert runs_lacking(judged("better", odds=0.96)) == 1, "only the second look is missing"
    # odds of .9 are 1.2816 standard errors, .95 are 1.6449: 12 (1.6449 / 1.2816)^2 - 12 = 7.8
    assert runs_lacking(judged("better", odds=0.9)) == 8
    assert runs_lacking(judged("unresolved", odds=0.4)) == 12 * 9


def test_the_boundary_holds_luck_to_a_tenth_over_all_looks() -> None:
    """Against other draws: natural as good as the proposal, odds looked at after every round."""
    rng = np.random.default_rng(5)
    for looks in (range(8, 41, 2), range(7, 24, 2), range(11, 49)):
        needed = NormalDist().inv_cdf(odds_needed(looks))
        steps = np.sqrt(np.diff(looks, prepend=0))
        scores = np.cumsum(rng.standard_normal((20_000, len(looks))) * steps, axis=1)
        beyond = scores / np.sqrt(looks) >= needed
        passed = beyond[:, 1:] & beyond[:, :-1]
        assert passed.any(axis=1).mean() == pytest.approx(0.1, abs=0.01)
    assert odds_needed([12]) == 0.9, "one look is a plain test"
    assert odds_needed([8, 10]) == 0.9, "two that must agree are stricter than one"


def test_more_looks_ask_for_more() -> None:
    few, many = odds_needed(range(8, 14, 2)), odds_needed(range(8, 100, 2))
    assert 0.9 <= few < many < 0.99
    seen = [8, 10, 12, 14, 16]
    assert odds_needed([8, *seen]) == odds_needed(seen), "nothing new was seen"


@settings(max_examples=60, deadline=None)
@given(
    evidence=st.lists(st.integers(5, 80), min_size=1, max_size=6),
    left=st.floats(0, 1e6),
    batch=st.integers(1, 8),
    together=st.integers(1, 8),
)
def test_looks_to_come_are_those_the_minutes_pay_for(
    evidence: list[int], left: float, batch: int, together: int
) -> None:
    rounds = tuple(replace(judged("better"), evidence=n, minutes=0.0) for n in evidence)
    asked = Terms({}, 5.0 + left, reserve=5.0, batch=batch, together=together)
    looks = looks_of(Record(rounds), asked)
    assert looks[: len(evidence)] == evidence
    ahead = looks[len(evidence) :]
    assert ahead == [evidence[-1] + batch * (k + 1) for k in range(len(ahead))]
    cost = batch / min(batch, together)
    assert len(ahead) == 100 or len(ahead) * cost <= left + 1e-6 < (len(ahead) + 1) * cost + 2e-6


def test_the_size_that_confirms_is_another_one() -> None:
    with pytest.raises(ConfigError, match="another size"):
        require_second(LoopSettings(60.0, size="nano", confirm="nano"))
    require_second(LoopSettings(60.0, size="nano", confirm="micro"))
    require_second(LoopSettings(60.0))


def test_minutes_in_reserve_are_not_spent(planted: Callable, tmp_path: Path) -> None:
    world = planted(5, 2, 0.0, 1)
    trainer = Trainer(world, 0.3, 0)
    asked = replace(terms(world, 15.0), reserve=4.0)
    done = run_loop(tmp_path, asked, opening(world, 8), trainer, trainer.refit)
    assert (done.record.ended, done.record.minutes) == ("budget", 11.0)
    with pytest.raises(ConfigError, match="confirmation"):
        run_loop(tmp_path / "b", replace(asked, reserve=15.0), [], trainer, trainer.refit)


def test_the_advice_carries_the_loops_verdict(planted: Callable, tmp_path: Path) -> None:
    """Noise alone: whatever a single look says, the loop's advice says what its looks bear out."""
    world = planted(3, 2, 0.0, 4)
    trainer = Trainer(world, 2.0, 1)
    done = run_loop(tmp_path, terms(world, 12.0), opening(world, 7), trainer, trainer.refit)
    lucky = replace(done.advice, verdict="better", p_better=0.91)
    last = replace(done.record.rounds[-1], verdict="better", p_better=0.91, needed=0.94)
    once = replace(done, advice=lucky, record=done.record.with_last(last))
    told = once.stands(lucky)
    assert (once.verdict, told.verdict) == ("unresolved", "unresolved")
    assert told.run_more > 0 and "0.940" in told.notes[-1]


def test_the_record_survives_the_disk(tmp_path: Path) -> None:
    wanted = (Wanted("a", {"x": 0.25, "y": 0.75}, 3, "nano"),)
    rounds = (replace(judged("better", 0.5), wanted=wanted, failed=("r",)), Round(wanted))
    record = replace(read_record(tmp_path), rounds=rounds, ended="budget")
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    (row,) = trajectory(record.rounds)
    assert (row["runs"], row["verdict"], row["low"]) == (1, "better", 0.5)
    assert (row["needed"], row["distance"]) == (0.95, 0.1)
    keep_confirmed(tmp_path, {"verdict": "holds"})
    assert read_record(tmp_path) == replace(record, confirmed={"verdict": "holds"})


def test_going_on_forgets_what_a_second_size_said(planted: Callable, tmp_path: Path) -> None:
    world = planted(3, 2, 0.0, 0)
    trainer = Trainer(world, 0.3, 3)
    run_loop(tmp_path, terms(world, 9.0), opening(world, 7), trainer, trainer.refit)
    keep_confirmed(tmp_path, {"verdict": "holds"})
    run_loop(tmp_path, terms(world, 11.0), [], trainer, trainer.refit)
    assert read_record(tmp_path).confirmed is None


def test_what_the_current_mixture_holds_of_unused_sources_is_said(planted: Callable) -> None:
    world = planted(3, 12, 0.01, 0)
    table = world.ratios.with_columns(new=pl.lit(0.0))
    fit = fit_table(table, world.metrics, laws=["log_linear"])
    asked = replace(terms(world), natural=dict(world.natural) | {"new": 0.1})
    current = {"s0": 0.3, "s1": 0.3, "new": 0.4, "elsewhere": 1.0}
    _, advice = judge(replace(asked, current=current), fit)
    assert any(note.startswith("40.0% of the current mixture") for note in advice.notes)
    assert advice.p_current is not None
    _, alone = judge(replace(asked, current={"new": 1.0}), fit)
    assert alone.p_current is None and not alone.current
