"""What is said of a worker that ended badly."""

from pathlib import Path

import pytest

from lab.proxy import failure
from lab.proxy.failure import last_words, memory_kills


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.write_text("an older attempt\nThis failed.\n")
    return path


def test_an_error_speaks_for_itself(log: Path) -> None:
    assert last_words(log, 17, 1, 0) == "This failed."
    assert "status 3 and said nothing" in last_words(log, 30, 3, 0)


def test_a_signal_is_named_with_its_likely_cause_even_where_the_log_says_something(
    log: Path,
) -> None:
    words = last_words(log, 17, -9, memory_kills())
    assert "signal 9 (SIGKILL)" in words and "fewer --workers" in words and "This failed." in words
    assert "disk" in last_words(log, 30, -7, 0)
    assert "signal 77 (unknown)" in last_words(log, 30, -77, 0)


def test_the_kernels_count_of_kills_turns_the_guess_into_evidence(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = tmp_path / "vmstat", tmp_path / "memory.events"
    counters[0].write_text("nr_free_pages 12\noom_kill 3\n")
    counters[1].write_text("oom 2\noom_kill 1\noom_group_kill 0\n")
    monkeypatch.setattr(failure, "COUNTERS", counters)
    assert memory_kills() == 4
    assert "The kernel killed a process" in last_words(log, 30, -9, 3)
    assert "Most likely" in last_words(log, 30, -9, 4)


def test_a_log_that_is_not_there_is_no_second_failure(tmp_path: Path) -> None:
    assert "said nothing" in last_words(tmp_path / "none", 0, 1, 0)
