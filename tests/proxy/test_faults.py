import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lab.core.errors import Cancelled, DataError
from lab.core.progress import Progress
from lab.proxy.checkpoint import checkpoints
from lab.proxy.environment import worker_environment
from lab.proxy.runs import read_status, run_state
from lab.proxy.sizes import ProxySize
from lab.proxy.train import train

MakeRun = Callable[..., Path]


def stop_after(calls: int) -> Progress:
    asked = iter(range(10**9))
    return Progress(should_stop=lambda: next(asked) >= calls)


def test_a_loss_that_is_no_number_stops_the_run(make_run: MakeRun, tiny: ProxySize) -> None:
    wild = replace(tiny, learning_rate=1e30, clip=1e30)
    folder = make_run(steps=30, size=wild)
    with pytest.raises(DataError, match="no longer a number") as caught:
        train(folder, device="cpu")
    error = caught.value
    assert "step 2 of 30" in error.where
    assert "learning rate" in error.where
    assert "rows 4 to 7 in training order" in error.next_step
    assert "of 'even' begins" in error.next_step  # the draw is 3 of `even` to 1 of `odd`
    assert "of 'odd' begins" in error.next_step
    assert run_state(folder) == "failed"
    assert "no longer a number" in read_status(folder)["error"]


def test_the_last_good_checkpoint_stays(make_run: MakeRun) -> None:
    """Weights that a bad disk or a bad step has spoilt after it never replace it."""
    folder = make_run(steps=30)
    with pytest.raises(Cancelled):
        train(folder, stop_after(6), device="cpu")
    spec = (folder / "run.json").read_text()
    (folder / "run.json").write_text(
        spec.replace('"learning_rate": 0.01', '"learning_rate": 1e300')
    )
    with pytest.raises(DataError, match="no longer a number"):
        train(folder, device="cpu", checkpoint_seconds=0.0)
    [good] = checkpoints(folder / "checkpoint")
    assert good.name == "step-00000006"
    assert all(torch.isfinite(w).all() for w in load_file(good / "model.safetensors").values())
    (folder / "run.json").write_text(spec)
    train(folder, device="cpu")
    assert run_state(folder) == "done"


HUNGRY = """
import resource, sys, psutil
from pathlib import Path
from lab.core.errors import LabError
from lab.proxy.train import train
limit = psutil.Process().memory_info().vms + 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    train(Path(sys.argv[1]), device="cpu")
except LabError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_too_little_memory_says_what_to_lower(make_run: MakeRun, tiny: ProxySize) -> None:
    """1,024 rows of 256 tokens need half a gigabyte for the scores of one layer alone."""
    folder = make_run(steps=1, size=replace(tiny, batch=1024, sequence_length=256))
    done = subprocess.run(
        [sys.executable, "-c", HUNGRY, str(folder)],
        env=os.environ | worker_environment(1),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "There is not enough memory to train this run." in done.stdout
    assert "--workers" in done.stdout
    assert "smaller --size" in done.stdout
    assert "batch 1024 x 256 tokens" in done.stdout
    assert run_state(folder) == "failed"
    assert "not enough memory" in read_status(folder)["error"]
