import os
from pathlib import Path

import pytest

from lab.proxy.metrics import LINES, MetricsFile, is_logged, read_lines

LINE = {"step": 1, "tokens": 10, "loss": 2.5, "losses": {"a": 2.0}, "lr": 0.1, "grad_norm": 1.0}


def test_lines_come_back_as_columns(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "m", 0)
    file.append(LINE)
    file.append(LINE | {"step": 2, "losses": {"a": 1.0, "b": 3.0}})
    frame = read_lines(tmp_path / "m", ["a", "b"])
    assert frame["step"].to_list() == [1, 2]
    assert frame["loss.a"].to_list() == [2.0, 1.0]
    assert frame["loss.b"].to_list() == [None, 3.0]
    file.close()


def test_a_half_written_line_is_not_read(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "m", 0)
    file.append(LINE)
    file.handle.write(b'{"step": 2, "lo')
    file.handle.flush()
    assert read_lines(tmp_path / "m", ["a"]).height == 1
    file.close()


def test_a_run_that_has_not_begun_has_no_lines(tmp_path: Path) -> None:
    frame = read_lines(tmp_path / "absent", ["a"])
    assert frame.height == 0
    assert "loss.a" in frame.columns


def test_a_resumed_file_forgets_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "m", 0)
    file.append(LINE)
    length = file.sync()
    file.append(LINE | {"step": 2})
    file.close()
    again = MetricsFile(tmp_path / "m", length)
    again.append(LINE | {"step": 2, "loss": 9.0})
    again.close()
    frame = read_lines(tmp_path / "m", ["a"])
    assert frame["step"].to_list() == [1, 2]
    assert frame["loss"].to_list() == [2.5, 9.0]


def test_a_file_that_lost_its_end_is_continued_after_the_last_whole_line(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "m", 0)
    file.append(LINE)
    file.append(LINE | {"step": 2})
    length = file.sync()
    file.close()
    os.truncate(tmp_path / "m", length - 5)
    again = MetricsFile(tmp_path / "m", length)
    again.append(LINE | {"step": 3})
    again.close()
    assert read_lines(tmp_path / "m", ["a"])["step"].to_list() == [1, 3]


def test_nan_never_reaches_the_file(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "m", 0)
    with pytest.raises(ValueError, match="not JSON compliant"):
        file.append({"loss": float("nan")})
    file.close()


@pytest.mark.parametrize("steps", [1, 7, LINES, LINES + 1, 10 * LINES + 3])
def test_long_runs_log_fewer_steps_but_always_the_ends(steps: int) -> None:
    logged = [step for step in range(1, steps + 1) if is_logged(step, steps)]
    assert logged[0] == 1
    assert logged[-1] == steps
    assert min(steps, LINES // 2) <= len(logged) <= LINES + 2
