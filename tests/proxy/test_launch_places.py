"""How many runs at once, on which GPU, and what Slurm is asked for."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.core.engine import Engine, running_on
from lab.core.errors import ConfigError
from lab.proxy import launch
from lab.proxy.launch import LocalLauncher, gpu_places, open_launcher, visible_gpus
from lab.proxy.slurm import Work, read_options

MakeRun = Callable[..., Path]


def test_places_go_round_all_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-abc")
    assert gpu_places(1.0) == ["2", "GPU-abc"]
    assert gpu_places(0.5) == ["2", "GPU-abc", "2", "GPU-abc"]
    assert len(gpu_places(1 / 3)) == 6  # 0.333... fits three times
    assert len(gpu_places(0.4)) == 4  # two each, a fifth of each is left


@pytest.mark.parametrize(("hidden", "left"), [("-1", []), ("1,-1,0", ["1"]), ("0, 1", ["0", "1"])])
def test_minus_one_ends_the_list_of_gpus_as_it_does_for_cuda(
    monkeypatch: pytest.MonkeyPatch, hidden: str, left: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert visible_gpus() == left


def test_a_worker_gets_a_gpu_and_gives_it_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    given: list[str | None] = []

    def sleeper(folder: Path, arguments: Any, threads: int, gpu: str | None = None) -> Any:
        given.append(gpu)
        return subprocess.Popen(["sleep", "60"])

    monkeypatch.setattr(launch, "start_worker", sleeper)
    launcher = LocalLauncher(Engine(workers=8, gpus=0.5))
    assert launcher.slots == 4  # not eight: what fits on the GPUs
    handles = [launcher.start(tmp_path, [], 1) for _ in range(4)]
    assert given == ["0", "1", "0", "1"]
    assert launcher.exit_status(handles[1]) is None
    launcher.stop(handles[1])
    handles[1].wait()
    assert launcher.exit_status(handles[1]) == -signal.SIGTERM
    handles[1] = launcher.start(tmp_path, [], 1)
    assert given[4] == "1"
    for handle in handles:
        handle.kill()
        handle.wait()


def test_gpus_that_are_not_there_or_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(ConfigError, match="No GPU is visible"):
        LocalLauncher(Engine(gpus=0.5))
    with pytest.raises(ConfigError, match="one GPU at most"), running_on(Engine(gpus=2)):
        pass


def test_options_of_slurm_are_read_from_the_address() -> None:
    text = "partition=cpu, time=90,mem=4,qos=low"
    local, options = read_options(Engine("slurm", address=text, gpus=1))
    assert not local
    assert options == {
        "slurm_partition": "cpu",
        "timeout_min": 90,
        "mem_gb": 4,
        "slurm_qos": "low",
        "gpus_per_node": 1,
    }
    assert read_options(Engine("slurm", address="local,time=2")) == (True, {"timeout_min": 2})
    with pytest.raises(ConfigError, match="key=value"):
        read_options(Engine("slurm", address="partition"))
    with pytest.raises(ConfigError, match="whole GPUs"):
        read_options(Engine("slurm", gpus=0.5))


def test_what_slurm_does_not_have_is_said_in_words(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    for address in ("partition=cpu", "local,colour=red"):
        launcher = Engine("slurm", address=address)
        with pytest.raises(ConfigError, match="cannot be used this way"):
            open_launcher(launcher, tmp_path, 2)


def test_a_job_that_sbatch_refuses_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("submitit")
    for name in ("sbatch", "srun"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\necho 'error: invalid partition: moon' >&2\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    launcher = open_launcher(Engine("slurm", address="partition=moon"), tmp_path / "w", 2)
    with pytest.raises(ConfigError, match="invalid partition: moon"):
        launcher.start(tmp_path, [], 1)


def test_a_job_before_its_limit_ends_its_worker_and_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("submitit")
    work = Work()
    work.process = subprocess.Popen(["sleep", "60"])
    again = work.checkpoint("folder", [], 1)
    assert work.process.returncode == -signal.SIGTERM
    assert isinstance(again.function, Work)
    assert again.args == ("folder", [], 1)
