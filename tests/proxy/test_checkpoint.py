"""Checkpoints that the disk has damaged, on real files of a real run."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import Cancelled
from lab.core.progress import Progress
from lab.proxy.checkpoint import SNAPSHOT_AT, checkpoints, snapshot_steps
from lab.proxy.runs import read_metrics, read_status, run_state
from lab.proxy.train import train

MakeRun = Callable[..., Path]
STEPS = 16


def stop_after(calls: int) -> Progress:
    asked = iter(range(10**9))
    return Progress(should_stop=lambda: next(asked) >= calls)


def stopped(folder: Path, *stops: int) -> list[Path]:
    for stop in stops:
        with pytest.raises(Cancelled):
            train(folder, stop_after(stop), device="cpu")
    return checkpoints(folder / "checkpoint")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(bytes(content))


def later(path: Path) -> None:
    path.write_text(path.read_text().replace('"step": 11', '"step": 12'))


DAMAGE = {
    "weights cut off": ("model.safetensors", cut, "cut off"),
    "one bit of a moment": ("optimiser.safetensors", flip, "optimiser.safetensors has been"),
    "weights gone": ("model.safetensors", Path.unlink, "model.safetensors is missing"),
    "state gone": ("state.json", Path.unlink, "state.json is missing"),
    "state cut off": ("state.json", cut, "not JSON"),
    "state empty": ("state.json", lambda path: path.write_text("[]"), "changed"),
    "another step": ("state.json", later, "state.json has been changed"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_costs_the_way_from_the_one_before(
    make_run: MakeRun, name: str
) -> None:
    file, damage, said = DAMAGE[name]
    whole, hurt = make_run("whole", steps=STEPS), make_run("hurt", steps=STEPS)
    train(whole, device="cpu")
    old, new = stopped(hurt, 6, 5)
    assert (old.name, new.name) == ("step-00000006", "step-00000011")
    damage(new / file)
    assert stopped(hurt, 2)[-1].name == "step-00000008"  # from 6, not from 11 or 0
    [note] = read_status(hurt)["notes"]
    assert said in note
    assert "step-00000011 is damaged" in note
    assert "went on from step 6" in note
    train(hurt, device="cpu")
    model = Path("model", "model.safetensors")
    assert (whole / model).read_bytes() == (hurt / model).read_bytes()
    assert read_metrics(hurt)["step"].to_list() == list(range(1, STEPS + 1))


def test_without_a_sound_checkpoint_the_run_begins_again(make_run: MakeRun) -> None:
    whole, hurt = make_run("whole", steps=STEPS), make_run("hurt", steps=STEPS)
    train(whole, device="cpu")
    for path in stopped(hurt, 6, 5):
        cut(path / "optimiser.safetensors")
    train(hurt, device="cpu")
    assert len(read_status(hurt)["notes"]) == 2
    model = Path("model", "model.safetensors")
    assert (whole / model).read_bytes() == (hurt / model).read_bytes()


def test_the_last_two_checkpoints_are_kept_until_the_run_is_done(make_run: MakeRun) -> None:
    folder = make_run(steps=STEPS)
    names = [path.name for path in stopped(folder, 3, 3, 3)]
    assert names == ["step-00000006", "step-00000009"]
    train(folder, device="cpu")
    assert run_state(folder) == "done"
    assert not (folder / "checkpoint").exists()


def test_a_state_that_was_put_back_by_hand_is_used(make_run: MakeRun, tmp_path: Path) -> None:
    """A checkpoint is its folder: a copy of it is worth as much."""
    folder = make_run(steps=STEPS)
    [path] = stopped(folder, 6)
    shutil.move(path, tmp_path / "kept")
    shutil.copytree(tmp_path / "kept", path)
    assert stopped(folder, 1)[-1].name == "step-00000007"
    assert read_status(folder)["notes"] == []


def test_snapshot_steps_by_hand() -> None:
    assert snapshot_steps(100) == [25, 50, 75, 90, 95]
    assert snapshot_steps(4) == [1, 2, 3]
    assert snapshot_steps(1) == []


@given(st.integers(1, 10**7))
def test_snapshots_lie_inside_the_run_and_ascend(steps: int) -> None:
    found = snapshot_steps(steps)
    assert found == sorted(set(found))
    assert all(0 < step < steps for step in found)
    if steps >= 40:
        assert len(found) == len(SNAPSHOT_AT)
