import math
from pathlib import Path

from lab.core.quota import least_quota, processor_quota


def test_the_least_quota_of_a_group_and_those_above_it_holds(tmp_path: Path) -> None:
    inner = tmp_path / "pod" / "container"
    inner.mkdir(parents=True)
    assert least_quota(tmp_path, "pod/container") == math.inf  # no group says anything
    (inner / "cpu.max").write_text("max 100000\n")
    assert least_quota(tmp_path, "pod/container") == math.inf
    (tmp_path / "pod" / "cpu.max").write_text("150000 100000\n")
    assert least_quota(tmp_path, "pod/container") == 1.5
    (inner / "cpu.max").write_text("400000 100000\n")
    assert least_quota(tmp_path, "pod/container") == 1.5
    assert least_quota(inner, "") == 4.0  # a container that sees its own group as the root
    assert least_quota(inner, "pod/container") == 4.0  # and a path of its host's


def test_there_is_some_quota_here() -> None:
    assert processor_quota() > 0
