"""How a gap moves: planted gains; the noise of seeds and items cancels in each run's gain."""

import numpy as np
import pytest

from lab.evaluation.comparing.after_training import GapsAfter, gap, summed_up
from lab.evaluation.runs.metrics import Metric, Scored

BPB = Metric("benchmark", "facts", "gold_bpb", "bits/byte", "lower")


def scored(table: np.ndarray) -> Scored:
    return Scored(BPB, [table], table.shape[1])


def four(gap_before: float, gap_after: float, seeds: int = 3, noise: float = 0.01) -> list[Scored]:
    """A, B, A', B' of 3 seeds and 200 items: items differ by much, gains by `noise`."""
    rng = np.random.default_rng(4)
    items = rng.normal(3.0, 1.0, (1, 200)) + rng.normal(0, 0.2, (seeds, 1))
    a = items + rng.normal(0, noise, (seeds, 200))
    b = items + gap_before + rng.normal(0, noise, (seeds, 200))
    later_a = a - 1.0 + rng.normal(0, noise, (seeds, 200))
    later_b = later_a + gap_after + rng.normal(0, noise, (seeds, 200))
    return [scored(table) for table in (a, b, later_a, later_b)]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0.5, 0.2, "narrowed"),
        (0.5, 0.0, "closed"),
        (0.2, 0.5, "widened"),
        (0.0, 0.5, "widened"),
        (0.3, -0.2, "reversed"),
        (0.3, 0.3, "unresolved"),
    ],
)
def test_planted_gaps_are_named(before: float, after: float, verdict: str) -> None:
    found = gap(four(before, after), 3)
    assert found.before.value == pytest.approx(before, abs=0.02)
    assert found.after.value == pytest.approx(after, abs=0.02)
    assert found.moved.value == pytest.approx(after - before, abs=0.02)
    assert found.moved.low <= found.moved.value <= found.moved.high
    assert found.verdict == verdict


def test_one_seed_says_nothing_of_how_a_gap_moves() -> None:
    assert gap(four(0.5, 0.1, seeds=1), 1).verdict == "unresolved"


def test_moved_is_the_difference_of_the_two_gaps_exactly() -> None:
    """By hand: A 1, 3; B 2, 4 (gap 1); A' 1, 1; B' 1.5, 1.5 (gap .5); moved -.5."""
    tables = [[[1.0, 3.0]] * 2, [[2.0, 4.0]] * 2, [[1.0, 1.0]] * 2, [[1.5, 1.5]] * 2]
    found = gap([scored(np.array(table)) for table in tables], 2)
    assert (found.before.value, found.after.value, found.moved.value) == (1.0, 0.5, -0.5)


def test_one_line_sums_up_and_the_table_has_a_row_a_metric() -> None:
    rows = (gap(four(0.5, 0.2), 3), gap(four(0.3, 0.3), 3))
    line = summed_up(rows, "sft")
    assert line.startswith("After sft the gap in benchmark facts gold_bpb went from +0.5")
    assert line.endswith("Of 2 gaps: 1 narrowed, 1 unresolved.")
    found = GapsAfter(rows, line, ())
    assert found.table()["verdict"].to_list() == ["narrowed", "unresolved"]
    assert found.frame()["moved"].to_list() == [row.moved.value for row in rows]
