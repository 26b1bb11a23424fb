"""A loop killed at random moments and continued: nothing lost or trained twice, same answer."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.advice.loop.record import read_record
from lab.core.files import read_json

SCRIPT = Path(__file__).with_name("loop_process.py")
KILLS = 8


def begin(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-W", "error", str(SCRIPT), str(folder)])


def trained(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "runs").glob("*.json")}


def started(folder: Path, process: subprocess.Popen[bytes], before: int) -> None:
    """Wait until the process has trained something, or has ended."""
    deadline = time.monotonic() + 300
    while process.poll() is None and len(trained(folder)) <= before:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
def test_a_loop_killed_at_random_moments_decides_the_same(tmp_path: Path) -> None:
    calm, shaken = tmp_path / "calm", tmp_path / "shaken"
    for folder in (calm, shaken):
        (folder / "runs").mkdir(parents=True)
    assert begin(calm).wait(timeout=300) == 0
    chance, kept, kills = random.Random(0), {}, 0
    while kills < KILLS:
        process = begin(shaken)
        started(shaken, process, len(kept))
        time.sleep(chance.uniform(0, 0.25))
        ended = process.poll() is not None
        process.kill()
        assert process.wait() in (0, -9)
        now = trained(shaken)
        assert kept.items() <= now.items(), "a finished run was lost or trained again"
        kept, kills = now, kills + 1
        if ended:
            break
    assert begin(shaken).wait(timeout=300) == 0
    assert kills >= 3
    assert kept.items() <= trained(shaken).items()
    there, here = (read_record(folder / "loop") for folder in (calm, shaken))
    assert [r.wanted for r in here.rounds] == [r.wanted for r in there.rounds]
    assert here.rounds == there.rounds and here.ended == there.ended == "resolved"
    assert trained(shaken).keys() == trained(calm).keys()
    assert read_json(shaken / "decision.json") == read_json(calm / "decision.json")
