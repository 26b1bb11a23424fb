import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.core import quota
from lab.core.engine import Engine, cores, each_share, run_shards, running_on
from lab.core.errors import Cancelled, ConfigError, JobLost, ShareDone
from lab.core.progress import Progress, Report


def on(workers: int, *arguments: Any, **options: Any) -> list[Any]:
    with running_on(Engine(workers=workers)):
        return run_shards(*arguments, **options)


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
    assert on(1, square, range(9)) == [n * n for n in range(9)]
    assert on(3, square, range(9)) == [n * n for n in range(9)]


def test_several_workers_are_other_processes() -> None:
    assert os.getpid() not in on(2, whoami, [1, 2])
    assert on(1, whoami, [1, 2]) == [os.getpid()] * 2


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_in_a_shard_is_raised_here(workers: int) -> None:
    with pytest.raises(ValueError, match="shard 3"):
        on(workers, broken, range(6))


def test_progress_reaches_the_total() -> None:
    seen: list[Report] = []
    on(1, square, range(4), progress=Progress(seen.append), message="squares")
    assert (seen[-1].done, seen[-1].total, seen[-1].message) == (4, 4, "squares")


def test_a_wish_to_stop_ends_running_shards() -> None:
    asked = time.monotonic() + 1.5
    progress = Progress(should_stop=lambda: time.monotonic() > asked)
    started = time.monotonic()
    with pytest.raises(Cancelled):
        on(2, sleep, [1, 2], progress=progress)
    assert time.monotonic() - started < 25, "must not wait for the shards"


def die(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_killed_worker_is_said_in_words() -> None:
    with pytest.raises(JobLost, match="fewer --workers"):
        on(2, die, [1, 2])


def announce(folder: str) -> int:
    Path(folder, str(os.getpid())).touch()
    return sleep(0)


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom tests.core.test_engine import announce, on\n"
        "if __name__ == '__main__': on(2, announce, sys.argv[1:] * 2)\n"
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


def test_few_tasks_stay_in_this_process_unless_workers_are_asked_for() -> None:
    assert run_shards(whoami, [1, 2, 3], processes_from=4) == [os.getpid()] * 3
    with running_on(Engine(workers=2)):
        assert os.getpid() not in run_shards(whoami, [1, 2, 3], processes_from=4)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError), running_on(Engine("abacus")):
        pass


@pytest.mark.parametrize(("limit", "expected"), [("5000", 1), ("150000", 2), ("max", 8)])
def test_a_container_has_as_many_cores_as_its_quota(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(quota, "CGROUPS", tmp_path)
    (tmp_path / "cpu.max").write_text(f"{limit} 100000\n")
    assert cores() == expected


def touch(path: str) -> None:
    Path(path).touch()


def test_the_shares_of_a_job_array_do_every_part_once_whatever_is_done_by_then(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "part-3"  # a workspace may be called so
    folder.mkdir()
    paths = [str(folder / f"part-{k:05d}.parquet") for k in range(7)]
    done = []
    for own in range(3):
        with running_on(Engine(share=(own, 3))), pytest.raises(ShareDone, match="without --shard"):
            run_shards(touch, [p for p in paths if not Path(p).exists()], message="touched")
        done.append(len(list(folder.iterdir())))
    assert done == [3, 5, 7]


def test_a_share_is_done_of_every_step_before_it_stops() -> None:
    seen = []

    def step(k: int) -> int:
        seen.append(k)
        if k == 1:
            raise ShareDone("share")
        return k

    with pytest.raises(ShareDone):
        each_share(partial(step, k) for k in range(3))
    assert seen == [0, 1, 2]
    assert each_share(partial(step, k) for k in (0, 2)) == [0, 2]
