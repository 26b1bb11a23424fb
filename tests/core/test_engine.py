import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lab.core.engine import run_shards
from lab.core.errors import Cancelled, ConfigError, DependencyMissing, JobLost
from lab.core.progress import Progress, Report


def square(n: int) -> int:
    return n * n


def whoami(_: int) -> int:
    return os.getpid()


def broken(n: int) -> int:
    if n == 3:
        raise ValueError("shard 3")
    return n


def sleep(_: int) -> int:
    time.sleep(30)
    return 0


def test_results_keep_their_order_on_any_number_of_workers() -> None:
    assert run_shards(square, range(9), workers=1) == [n * n for n in range(9)]
    assert run_shards(square, range(9), workers=3) == [n * n for n in range(9)]


def test_several_workers_are_other_processes() -> None:
    assert os.getpid() not in run_shards(whoami, [1, 2], workers=2)
    assert run_shards(whoami, [1, 2], workers=1) == [os.getpid()] * 2


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_in_a_shard_is_raised_here(workers: int) -> None:
    with pytest.raises(ValueError, match="shard 3"):
        run_shards(broken, range(6), workers=workers)


def test_progress_reaches_the_total() -> None:
    seen: list[Report] = []
    run_shards(square, range(4), workers=1, progress=Progress(seen.append), message="squares")
    assert (seen[-1].done, seen[-1].total, seen[-1].message) == (4, 4, "squares")


def test_a_wish_to_stop_ends_running_shards() -> None:
    asked = time.monotonic() + 1.5
    progress = Progress(should_stop=lambda: time.monotonic() > asked)
    started = time.monotonic()
    with pytest.raises(Cancelled):
        run_shards(sleep, [1, 2], workers=2, progress=progress)
    assert time.monotonic() - started < 25, "must not wait for the shards"


def die(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_killed_worker_is_said_in_words() -> None:
    with pytest.raises(JobLost, match="fewer --workers"):
        run_shards(die, [1, 2], workers=2)


def announce(folder: str) -> int:
    Path(folder, str(os.getpid())).touch()
    return sleep(0)


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom lab.core.engine import run_shards\n"
        "from tests.core.test_engine import announce\n"
        "if __name__ == '__main__': run_shards(announce, sys.argv[1:] * 2, workers=2)\n"
    )
    (tmp_path / "program.py").write_text(program)
    seen = tmp_path / "pids"
    seen.mkdir()
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(seen)],
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    while len(list(seen.iterdir())) < 2:
        assert parent.poll() is None
        time.sleep(0.05)
    workers = [psutil.Process(int(path.name)) for path in seen.iterdir()]
    parent.kill()
    parent.wait()
    gone, alive = psutil.wait_procs(workers, timeout=20)
    assert len(gone) == 2, alive


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError):
        run_shards(square, [1], engine="abacus")


def test_ray_runs_the_same_function_or_says_how_to_get_it() -> None:
    try:
        import ray
    except ImportError:
        with pytest.raises(DependencyMissing, match=r"mixlab\[ray\]"):
            run_shards(square, [1, 2], engine="ray")
    else:
        assert run_shards(square, range(5), engine="ray") == [0, 1, 4, 9, 16]
        ray.shutdown()
