"""Does the order hold? Pairs planted to hold, to flip and to stay open."""

from pathlib import Path

import pytest

from lab.core.errors import ConfigError
from lab.core.estimate import Estimate
from lab.core.workspace import create
from lab.evaluation.comparing.scale import PairAtSizes, Scale, agreement, scale
from lab.evaluation.comparing.verdicts import Difference
from lab.evaluation.runs.metrics import Metric

GOLD = Metric("benchmark", "facts", "gold_bpb", "bits/byte", "lower")


def row(value: float, half: float) -> Difference:
    """b - a with an interval; below zero B is better."""
    estimate = Estimate(value, value - half, value + half, 100)
    zero = Estimate(0, 0, 0, 100)
    better = "B better" if value < 0 else "A better"
    verdict = better if estimate.resolved else "unresolved"
    return Difference(
        GOLD, "a", "b", zero, zero, estimate, None, 3, True, 0.01, None, 0.5, verdict, "because"
    )


def pair(name: str, small: tuple[float, float], large: tuple[float, float]) -> PairAtSizes:
    return PairAtSizes(GOLD, "a", name, row(*small), row(*large))


HOLDS = pair("b", (-1, 0.1), (-0.5, 0.1))
FLIPS = pair("c", (-1, 0.1), (0.5, 0.1))
OPEN = pair("d", (-1, 0.1), (0.1, 0.5))  # the sign turns, inside the noise
LIKELY = pair("e", (-1, 0.1), (-0.1, 0.5))


def test_pairs_hold_flip_or_stay_open() -> None:
    assert [p.verdict for p in (HOLDS, FLIPS, OPEN, LIKELY)] == [
        "holds", "flips", "unresolved", "unresolved",
    ]  # fmt: skip


def test_agreement_and_its_bounds_by_hand() -> None:
    found = agreement("nano", "micro", [HOLDS, FLIPS, OPEN, LIKELY])
    assert (found.agreement.value, found.tau) == (0.5, 0.0)  # the same sign in two of four
    assert (found.agreement.low, found.agreement.high) == (0.25, 0.75)
    assert found.verdict == "another order at micro: a, c flip beyond noise"
    assert Scale(("nano", "micro"), (found,), (), ()).warnings == [
        "facts gold_bpb: another order at micro: a, c flip beyond noise"
    ]


def test_inside_the_noise_nothing_is_said() -> None:
    found = agreement("nano", "micro", [OPEN])
    assert (found.agreement.low, found.agreement.high) == (0, 1)
    assert found.verdict == "unresolved: 1 of 1 pairs are inside the noise"
    assert agreement("nano", "micro", [HOLDS]).verdict == "the order holds"


def test_missing_runs_are_named_with_their_command(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    found = scale(ws, ["a", "b"], ["nano", "micro"])
    assert found.missing[0] == ("a", "nano", "mixlab train a --size nano --seeds 2")
    assert len(found.missing) == 4 and not found.rows
    assert "Two sizes" in found.notes[0]
    with pytest.raises(ConfigError, match="two recipes"):
        scale(ws, ["a", "a"])
    with pytest.raises(ConfigError, match="Unknown proxy size"):
        scale(ws, ["a", "b"], ["nanoo"])
