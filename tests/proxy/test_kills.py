"""A few kills of what `tests/benchmarks/kills.py` does two hundred times."""

from pathlib import Path

import pytest

from tests.benchmarks.kills import measure


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a dozen processes import torch, on a machine that may be busy
def test_kills_lose_nothing_that_was_finished_and_change_no_bit(tmp_path: Path) -> None:
    tally = measure(6, seed=1, runs=2, tokens=10_000, root=tmp_path)
    assert sum(tally.kills.values()) >= 6
    assert tally.faults == []
    assert tally.remains == 0
