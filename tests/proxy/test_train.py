import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from lab.core.errors import Cancelled, LabError, WorkspaceError
from lab.core.files import read_json, write_json
from lab.core.lock import hold
from lab.core.progress import Progress
from lab.proxy import train as training
from lab.proxy.environment import pick_device, worker_environment
from lab.proxy.runs import load_run, read_metrics, read_status, run_state
from lab.proxy.sizes import ProxySize
from lab.proxy.train import train

MakeRun = Callable[..., Path]


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def snapshots(folder: Path) -> dict[str, bytes]:
    return {p.parent.name: p.read_bytes() for p in folder.glob("snapshots/*/model.safetensors")}


def stop_after(calls: int) -> Progress:
    """Asks to stop at the `calls`-th question."""
    asked = iter(range(10**9))
    return Progress(should_stop=lambda: next(asked) >= calls)


def test_a_run_learns_and_says_so(make_run: MakeRun) -> None:
    folder = make_run(steps=120)
    assert run_state(folder) == "prepared"
    train(folder, device="cpu")
    metrics = read_metrics(folder)
    assert metrics["step"].to_list() == list(range(1, 121))
    assert metrics["tokens"][-1] == load_run(folder).tokens
    assert metrics["loss"][0] == pytest.approx(np.log(257), abs=0.2)
    assert metrics["loss"][-10:].mean() < 2.5  # the source's own entropy is about 2
    assert metrics["loss.even"].null_count() == 0  # three of the four sequences of each batch
    by_source = 0.75 * metrics["loss.even"] + 0.25 * metrics["loss.odd"]
    assert (by_source - metrics["loss"]).abs().max() < 1e-4
    status = read_status(folder)
    assert (status["state"], status["step"], status["threads"]) == ("done", 120, 1)
    assert run_state(folder) == "done"
    assert not (folder / "checkpoint").exists()


def test_the_model_folder_opens_with_transformers(make_run: MakeRun) -> None:
    folder = make_run(steps=3)
    train(folder, device="cpu")
    model = AutoModelForCausalLM.from_pretrained(folder / "model", local_files_only=True)
    stored = load_file(folder / "model" / "model.safetensors")
    assert torch.equal(model.lm_head.weight, stored["model.embed_tokens.weight"])
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    assert "mixlab" not in (folder / "model" / "config.json").read_text()
    tokenizer = AutoTokenizer.from_pretrained(folder / "model", local_files_only=True)
    ids = tokenizer("naïve 42\n")["input_ids"]
    assert tokenizer.decode(ids) == "naïve 42\n"
    assert len(ids) == len("naïve 42\n".encode())  # bytes, and nothing added at the ends
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (0, 0)
    assert model.config.bos_token_id == model.config.eos_token_id == 0


def test_stopped_and_resumed_ends_with_the_same_bits(make_run: MakeRun) -> None:
    whole, parts = make_run("whole", steps=40), make_run("parts", steps=40)
    train(whole, device="cpu")
    for stop in (7, 20):
        with pytest.raises(Cancelled):
            train(parts, stop_after(stop), device="cpu")
        assert run_state(parts) == "interrupted"
        assert not (parts / "model").exists()
    train(parts, device="cpu")
    assert weights(whole) == weights(parts)
    assert snapshots(whole) == snapshots(parts)
    same = ["step", "tokens", "loss", "lr", "grad_norm", "loss.even", "loss.odd"]
    assert read_metrics(whole).select(same).equals(read_metrics(parts).select(same))
    seconds = read_metrics(parts)["seconds"].to_list()
    assert seconds == sorted(seconds)


def start_training(folder: Path) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from pathlib import Path; from lab.proxy.train import train; "
        "train(Path(sys.argv[1]), device='cpu', checkpoint_seconds=0.2)"
    )
    environment = os.environ | worker_environment(1)
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], env=environment)


def wait_for_step(folder: Path, step: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and read_metrics(folder).height < step:
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be killed"


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_ends_with_the_same_bits(make_run: MakeRun) -> None:
    whole, killed = make_run("whole", steps=600), make_run("killed", steps=600)
    train(whole, device="cpu")
    process = start_training(killed)
    wait_for_step(killed, int(np.random.default_rng().integers(80, 300)), process)
    assert run_state(killed) == "running"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run_state(killed) == "interrupted"
    train(killed, device="cpu")
    assert weights(whole) == weights(killed)
    assert snapshots(whole) == snapshots(killed)
    metrics = read_metrics(killed)
    assert metrics["step"].to_list() == list(range(1, 601))
    assert metrics["loss"].equals(read_metrics(whole)["loss"])


def test_a_broken_checkpoint_folder_is_never_taken_for_a_whole_one(make_run: MakeRun) -> None:
    """What a kill leaves while a checkpoint is written: a folder under a temporary name."""
    whole, cut = make_run("whole", steps=20), make_run("cut", steps=20)
    train(whole, device="cpu")
    with pytest.raises(Cancelled):
        train(cut, stop_after(8), device="cpu")
    half = cut / "checkpoint" / ".step-00000012.abcd.tmp"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    train(cut, device="cpu")
    assert weights(whole) == weights(cut)


def test_muon_stopped_and_resumed_ends_with_the_same_bits(
    make_run: MakeRun, tiny: ProxySize
) -> None:
    size = replace(tiny, optimiser="muon", muon_rate=0.02)
    whole, parts = (make_run(name, steps=24, size=size) for name in ("whole", "parts"))
    train(whole, device="cpu")
    for stop in (5, 9):
        with pytest.raises(Cancelled):
            train(parts, stop_after(stop), device="cpu")
    train(parts, device="cpu")
    assert weights(whole) == weights(parts)


def test_a_failure_before_the_first_step_leaves_what_is_known(make_run: MakeRun) -> None:
    folder = make_run(steps=20)
    with pytest.raises(Cancelled):
        train(folder, stop_after(8), device="cpu", threads=2)
    before = read_status(folder)
    with pytest.raises(LabError, match="not here"):
        train(folder, device="tpu")
    after = read_status(folder)
    assert (after["state"], after["step"], after["threads"]) == ("failed", 8, 2)
    assert "not here" in after["error"]
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed == {"state", "updated", "error"}
    train(folder, device="cpu")
    assert read_status(folder)["error"] == ""


def test_half_a_model_that_a_kill_left_goes(make_run: MakeRun) -> None:
    folder = make_run(steps=3)
    (folder / ".model.0123abcd.tmp").mkdir()
    train(folder, device="cpu")
    assert not (folder / ".model.0123abcd.tmp").exists()


def test_training_a_done_run_changes_nothing(make_run: MakeRun) -> None:
    folder = make_run(steps=3)
    train(folder, device="cpu")
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}
    train(folder, device="cpu")
    assert before == {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_two_processes_never_train_one_run(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "PATIENCE", 0.0)
    folder = make_run(steps=3)
    other = hold(folder / "training.json", "training", 0.0, training.BUSY)
    with other, pytest.raises(WorkspaceError, match="Another process"):
        train(folder, device="cpu")
    train(folder, device="cpu")


def test_snapshots_are_the_weights_on_the_way(make_run: MakeRun) -> None:
    folder = make_run(steps=20)
    left = folder / "snapshots" / ".step-00000005.abcd.tmp"  # by a process that was killed
    left.mkdir(parents=True)
    train(folder, device="cpu")
    names = [path.name for path in sorted((folder / "snapshots").iterdir())]
    assert names == [f"step-{step:08d}" for step in (5, 10, 15, 18, 19)]
    stored = load_file(folder / "snapshots" / names[-1] / "model.safetensors")
    final = load_file(folder / "model" / "model.safetensors")
    assert {n: w.shape for n, w in stored.items()} == {n: w.shape for n, w in final.items()}
    distance = {name: (final[name] - weight).abs().max() for name, weight in stored.items()}
    assert 0 < max(distance.values()) < 0.01  # one step, at the end of the decay


def test_snapshots_can_be_left_out(make_run: MakeRun) -> None:
    folder = make_run(steps=8)
    spec = read_json(folder / "run.json")
    write_json(folder / "run.json", spec | {"snapshots": False})
    train(folder, device="cpu")
    assert not (folder / "snapshots").exists()


def test_a_wall_clock_that_runs_backwards_changes_nothing(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(training, "STATUS_SECONDS", 0.0)
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    folder = make_run(steps=20)
    seen: list[dict[str, object]] = []

    def look() -> bool:
        seen.append(read_status(folder))
        return False

    train(folder, Progress(should_stop=look), device="cpu")
    left = [float(str(status["eta"])) for status in seen if status.get("eta") is not None]
    assert len(left) > 10
    assert min(left) >= 0
    assert all(float(str(status["tokens_per_second"])) >= 0 for status in seen if status)
    seconds = read_metrics(folder)["seconds"].to_list()
    assert seconds == sorted(seconds)
    assert read_metrics(folder)["tokens_per_second"].min() > 0


def test_seeds_give_other_models(make_run: MakeRun) -> None:
    one, two = make_run("one", steps=3, seed=0), make_run("two", steps=3, seed=1)
    train(one, device="cpu")
    train(two, device="cpu")
    assert weights(one) != weights(two)


def test_a_device_that_is_not_here_is_named() -> None:
    with pytest.raises(LabError, match="not here"):
        pick_device("tpu")
    assert pick_device("cpu").type == "cpu"
