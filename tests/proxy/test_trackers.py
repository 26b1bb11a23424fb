"""Trackers with the real packages, read back with their own readers; absent ones are skipped."""

import getpass
import importlib.util
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zlib import crc32

import pytest

from lab.core.errors import ConfigError, DependencyMissing, LabError
from lab.core.files import write_json
from lab.proxy.runs import load_run
from lab.proxy.sizes import ProxySize
from lab.proxy.trackers import (
    TRACKERS,
    numbers,
    open_tracker,
    require_tracker,
    send_run,
    send_scores,
    track_run,
)

KINDS = TRACKERS[1:]
TINY = ProxySize("tiny", 32, 2, 2, 64, 4, 1e-2, 10_000, warmup_steps=5, sequence_length=32)


def installed(kind: str) -> bool:
    return importlib.util.find_spec(kind) is not None


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The folder of a finished run of ten steps with scores, under a name of its own."""
    name = f"run-{crc32(request.node.nodeid.encode())}"
    run = tmp_path / "w" / "runs" / name
    write_json(
        run / "run.json",
        {
            "id": name,
            "created": "2026-01-01T00:00:00+00:00",
            "recipe": "half and half",
            "recipe_id": "0",
            "size": "tiny",
            "tokens": 1280,
            "seed": 3,
            "steps": 10,
            "hyperparameters": asdict(TINY),
            "tokenizer": {"name": "bytes", "id": "0", "vocab_size": 257, "eot_id": 0},
            "sources": ["even", "odd"],
            "mapping": {
                "sources": {"even": {"filters": [{"where": "text ~ 'secret words'"}]}},
                "mixture": {"phases": [{"name": "all", "weights": {"even": 0.75, "odd": 0.25}}]},
            },
        },
    )
    (run / "metrics.jsonl").write_text("".join(json.dumps(line(k)) + "\n" for k in range(1, 11)))
    write_scores(run, 0.5)
    return run


def line(step: int) -> dict[str, object]:
    return {
        "step": step,
        "tokens": step * 128,
        "loss": 8.0 / step,
        "losses": {"even": 4.0 / step, "odd": 12.0 / step},
        "lr": 0.25,
        "grad_norm": 0.5,
        "tokens_per_second": 1024.0,
        "seconds": step * 0.5,
        "cpu_share": 1.0,
    }


def write_scores(run: Path, value: float) -> None:
    row = {"scope": "benchmark", "on": "facts", "metric": "accuracy", "value": value}
    write_json(run / "scores" / "summary.json", {"metrics": [row]})


def read_tensorboard(run: Path, tag: str) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run.parents[1] / "trackers" / "tensorboard" / run.name))
    found.Reload()
    return [(event.step, event.value) for event in found.Scalars(tag)]


def read_trackio(run: Path, tag: str) -> list[tuple[int, float]]:
    from trackio.sqlite_storage import SQLiteStorage

    logs = SQLiteStorage.get_logs("mixlab", run.name)
    return [(row["step"], row[tag]) for row in logs if tag in row]


def leveldb_log(content: bytes) -> Iterator[bytes]:
    """The records of W&B's file: LevelDB's log format after a header of seven bytes."""
    whole, place = b"", 7
    while place + 7 <= len(content):
        left = 32768 - place % 32768
        if left < 7:  # the end of a block is padding
            place += left
            continue
        size, part = struct.unpack("<HB", content[place + 4 : place + 7])
        whole += content[place + 7 : place + 7 + size]
        place += 7 + size
        if part in (1, 4):  # full, last
            yield whole
            whole = b""


def read_wandb(run: Path, tag: str) -> list[tuple[int, float]]:
    from wandb.proto import wandb_internal_pb2

    found = []
    for path in sorted((run.parents[1] / "trackers" / "wandb" / run.name).rglob("run-*.wandb")):
        for data in leveldb_log(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            items = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            if tag in items:
                found.append((int(items["_step"]), float(items[tag])))
    return found


def read_mlflow(run: Path, tag: str) -> list[tuple[int, float]]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{run.parents[1] / 'trackers' / 'mlflow' / 'mlflow.db'}")
    group = client.get_experiment_by_name("mixlab")
    (found,) = client.search_runs([group.experiment_id], f"tags.mixlab = '{run.name}'")
    return [(m.step, m.value) for m in client.get_metric_history(found.info.run_id, tag)]


READERS: dict[str, Callable[[Path, str], list[tuple[int, float]]]] = {
    "tensorboard": read_tensorboard,
    "trackio": read_trackio,
    "wandb": read_wandb,
    "mlflow": read_mlflow,
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    if not installed(request.param):
        pytest.skip(f"{request.param} is not installed: it is an extra")
    return str(request.param)


EXPECTED = [(k, 8.0 / k) for k in range(1, 11)]


def close_to(found: list[tuple[int, float]], wanted: list[tuple[int, float]]) -> bool:
    """Same steps in the same order; TensorBoard keeps float32."""
    return [s for s, _ in found] == [s for s, _ in wanted] and [
        v for _, v in found
    ] == pytest.approx([v for _, v in wanted], rel=1e-6)


@pytest.mark.filterwarnings("ignore")  # of the packages, not of ours
def test_a_resumed_run_sends_every_step_once(kind: str, folder: Path) -> None:
    run = load_run(folder)
    first = open_tracker(kind, run)
    for step in range(1, 7):
        first.log(step, numbers(line(step)))
    first.close()
    second = open_tracker(kind, run)  # resumed from the checkpoint of step 3
    for step in range(4, 11):
        second.log(step, numbers(line(step)))
    second.close()
    assert close_to(READERS[kind](folder, "loss"), EXPECTED)
    assert close_to(READERS[kind](folder, "loss/odd"), [(s, 1.5 * v) for s, v in EXPECTED])
    assert not (folder / "log.txt").exists()


@pytest.mark.filterwarnings("ignore")
def test_what_was_missed_can_be_sent_later_and_only_that(kind: str, folder: Path) -> None:
    sender = open_tracker(kind, load_run(folder))
    for step in range(1, 5):
        sender.log(step, numbers(line(step)))
    sender.close()
    assert send_run(folder, kind) == {"lines": 6, "scores": 1}
    assert send_run(folder, kind) == {"lines": 0, "scores": 0}
    write_scores(folder, 0.75)  # scored again, with another result
    assert send_run(folder, kind) == {"lines": 0, "scores": 1}
    assert close_to(READERS[kind](folder, "loss"), EXPECTED)
    scores = READERS[kind](folder, "scores/benchmark/facts/accuracy")
    assert [value for _, value in scores] == [0.5, 0.75]
    assert {step for step, _ in scores} == {10}


@pytest.mark.filterwarnings("ignore")
def test_a_line_that_a_kill_cut_off_is_left_out(kind: str, folder: Path) -> None:
    with (folder / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"step": 11, "lo')
    assert send_run(folder, kind) == {"lines": 10, "scores": 1}
    assert close_to(READERS[kind](folder, "loss"), EXPECTED)


@pytest.mark.filterwarnings("ignore")
def test_nothing_of_the_machine_or_the_texts_is_sent(kind: str, folder: Path) -> None:
    send_run(folder, kind)
    places = [folder.parents[1] / "trackers" / kind]
    if kind == "trackio":
        places.append(Path(os.environ["TRACKIO_DIR"]))
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    sent = [path for path in files if path.suffix != ".log" and "logs" not in path.parts]
    assert sent
    machine = [socket.gethostname()] if len(socket.gethostname()) > 5 else []
    if kind != "mlflow":  # whose database names the folder that it was made in
        machine.append(str(Path.cwd()))
    for secret in (*machine, f"/home/{getpass.getuser()}", "secret words"):
        for path in sent:
            assert secret.encode() not in path.read_bytes(), (path, secret)
            assert secret not in path.name


OPEN_MLFLOW = """
import sys
from pathlib import Path
from lab.proxy.tracker_kinds import MLflow
folder = Path(sys.argv[1])
folder.mkdir(parents=True)
tracker = MLflow(folder, folder.name, {})
tracker.log(1, {"loss": 1.0})
tracker.close()
"""


def test_runs_that_are_first_at_the_same_time_share_one_experiment(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is an extra")
    names = [f"run-{k}" for k in range(3)]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_MLFLOW, str(tmp_path / "trackers" / "mlflow" / name)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    said = [process.communicate()[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 3, said
    for name in names:
        assert read_mlflow(tmp_path / "runs" / name, "loss") == [(1, 1.0)]


@pytest.mark.filterwarnings("ignore")
def test_a_server_is_not_told_a_folder_of_this_machine(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow", reason="mlflow is an extra")
    asked: dict[str, str] = {}

    class Nothing(BaseHTTPRequestHandler):
        """A server that has nothing of what it is asked for."""

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked[self.path.partition("?")[0]] = self.rfile.read(length).decode()
            said = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "nothing here"}'
            self.send_response(404)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        open_tracker("mlflow", load_run(folder)).close()
        server.shutdown()
    (created,) = [body for path, body in asked.items() if path.endswith("experiments/create")]
    assert json.loads(created)["name"] == "mixlab"
    assert str(folder.parents[1]) not in created


def test_nothing_is_sent_unless_asked(folder: Path) -> None:
    for name in ("", "none"):
        sender = open_tracker(name, load_run(folder))
        sender.log(1, {"loss": 1.0})
        sender.close()
        send_scores(folder)
    assert not (folder.parents[1] / "trackers").exists()


def test_scores_follow_the_run_to_its_tracker(folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    track_run(folder, "tensorboard")
    send_scores(folder)
    assert read_tensorboard(folder, "scores/benchmark/facts/accuracy") == [(10, 0.5)]


def test_the_description_reads_as_a_table(folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    send_run(folder, "tensorboard")
    found = EventAccumulator(str(folder.parents[1] / "trackers" / "tensorboard" / folder.name))
    found.Reload()
    (text,) = found.Tensors("config/text_summary")
    said = text.tensor_proto.string_val[0].decode()
    assert "| recipe | half and half |" in said
    assert "| weight/all/even | 0.75 |" in said
    assert "| size/learning_rate | 0.01 |" in said


def test_a_full_disk_is_noted_once_and_training_goes_on(folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    if not Path("/dev/full").exists():
        pytest.skip("no device here that is always full")
    sender = open_tracker("tensorboard", load_run(folder))
    sender.log(1, {"loss": 1.0})
    where = folder.parents[1] / "trackers" / "tensorboard" / folder.name
    with Path("/dev/full").open("wb", buffering=0) as full:
        sender.tracker.records.close()
        sender.tracker.records._writer = full
        for step in range(2, 6):
            sender.log(step, {"loss": 1.0})
    sender.close()
    note = (folder / "log.txt").read_text()
    assert note.count("tracker tensorboard") == 1
    assert "No space left" in note
    assert where.is_dir()


def test_a_tracker_that_cannot_open_is_noted_and_training_goes_on(folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    (folder.parents[1] / "trackers").write_text("a file stands where the folder should be")
    sender = open_tracker("tensorboard", load_run(folder))
    sender.log(1, {"loss": 1.0})
    sender.close()
    assert (folder / "log.txt").read_text().count("\n") == 1
    with pytest.raises(LabError):  # asked for by name, the fault is an answer
        send_run(folder, "tensorboard")


def test_a_name_that_is_no_tracker_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="Unknown tracker"):
        require_tracker("tensorbord")
    with pytest.raises(ConfigError, match="Name a tracker"):
        send_run(folder, "none")


def test_a_missing_package_is_named_with_its_cure(folder: Path) -> None:
    absent = [kind for kind in KINDS if not installed(kind)]
    if not absent:
        pytest.skip("all trackers are installed here")
    with pytest.raises(DependencyMissing, match=rf"pip install 'mixlab\[{absent[0]}\]'"):
        require_tracker(absent[0])
    sender = open_tracker(absent[0], load_run(folder))  # a run that moved here goes on without
    sender.log(1, {"loss": 1.0})
    assert "pip install" in (folder / "log.txt").read_text()
