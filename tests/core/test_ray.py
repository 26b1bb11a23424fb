"""The Ray engine on a real local cluster: two nodes, four worker processes, the same functions.

One group, so that one test process owns the cluster.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.core.engine import Engine, run_shards, running_on
from lab.core.errors import Cancelled, ConfigError, DataError, JobLost
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace, create
from lab.corpus import documents as reading
from lab.corpus.sources import add_source, documents
from lab.diversity.embedding.external import import_vectors
from lab.diversity.selecting import blocks
from lab.jobs.actions import run_action
from tests.conftest import plain_texts, write_jsonl

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.slow]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a cluster of two nodes with two processors each."""
    from ray.cluster_utils import Cluster

    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1]), os.environ.get("PYTHONPATH", "")])
    before, os.environ["PYTHONPATH"] = os.environ.get("PYTHONPATH"), path
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    cluster.add_node(num_cpus=2)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def on_cluster(address: str) -> Iterator[None]:
    with running_on(Engine("ray", address=address)):
        yield


def place(_: int) -> tuple[str, int]:
    import time

    time.sleep(0.3)
    return ray.get_runtime_context().get_node_id(), os.getpid()


def refuse(n: int) -> int:
    raise DataError("This shard is bad.", value=n, next_step="look at it")


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait(_: int) -> None:
    import time

    time.sleep(60)


def test_shards_run_in_several_processes_on_both_nodes(on_cluster: None) -> None:
    places = run_shards(place, range(12))
    assert len({node for node, _ in places}) == 2
    assert len({pid for _, pid in places}) >= 3
    assert os.getpid() not in {pid for _, pid in places}


def test_an_error_arrives_as_itself(on_cluster: None) -> None:
    with pytest.raises(DataError, match="look at it"):
        run_shards(refuse, [1])


def test_a_dead_worker_is_said_in_words(on_cluster: None) -> None:
    with pytest.raises(JobLost, match="finished shards are kept"):
        run_shards(die, [1])


def test_a_wish_to_stop_is_noticed(on_cluster: None) -> None:
    with pytest.raises(Cancelled):
        run_shards(wait, [1, 2], progress=Progress(should_stop=lambda: True))


def test_an_address_without_a_cluster_is_refused() -> None:
    ray.shutdown()
    nowhere = Engine("ray", address="127.0.0.1:1")
    with running_on(nowhere), pytest.raises(ConfigError, match="ray start"):
        run_shards(place, [1])


ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("measure", {}),
    ("edit", {"edits": ["c4-lines", "mask-pii"]}),
    ("dedup", {"lines": True}),
]


MAPPED: list[tuple[str, dict[str, Any]]] = [
    ("map", {"encoder": "mine", "clusters": 4}),
    ("select", {"source": "s", "method": "mmr", "keep": 0.5, "encoder": "mine"}),
]


def build(root: Path, run: Callable[[Workspace, str, dict[str, Any]], None]) -> dict[str, bytes]:
    """A workspace of six parts that `run` fills; the bytes of every file but the manifests."""
    ws = create(root / "w", heldout_share=0.0)
    texts = [*plain_texts(120, 60, 3), *plain_texts(40, 60, 3)]
    add_source(ws, "s", [str(write_jsonl(root / "s.jsonl", texts))])
    run_action(ws, "tokenizer", {"name": "small", "vocab_size": 300}, SILENT)
    for name, params in ACTIONS:
        run(ws, name, params)
    files = sorted(p for p in ws.artifacts.rglob("*") if p.suffix in (".parquet", ".npy"))
    return {str(p.relative_to(ws.root)): p.read_bytes() for p in files}


def test_a_map_and_a_selection_are_the_same_on_ray(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PART_DOCUMENTS", 30)
    monkeypatch.setattr(blocks, "BLOCK", 40)
    ways: dict[str, dict[str, Any]] = {
        "here": {"workers": 1},
        "processes": {"workers": 2},
        "ray": {"engine": "ray", "address": address},
    }
    made = {}
    for way, engine in ways.items():
        ws = create(tmp_path / way / "w", heldout_share=0.0)
        path = write_jsonl(tmp_path / way / "s.jsonl", plain_texts(160, 60, 3))
        add_source(ws, "s", [str(path)])
        run_action(ws, "tokenizer", {"name": "small", "vocab_size": 300}, SILENT)
        run_action(ws, "measure", {}, SILENT)
        count = documents(ws, "s").scan().collect().height
        np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(count, 8)))
        import_vectors(ws, "s", tmp_path / "v.npy", encoder="mine")
        for name, params in MAPPED:
            run_action(ws, name, params | engine, SILENT)
        files = [p for step in ("map", "selections") for p in (ws.artifacts / step).rglob("*.*")]
        plain = [p for p in files if p.suffix in (".parquet", ".npy", ".safetensors")]
        made[way] = {str(p.relative_to(ws.root)): p.read_bytes() for p in plain}
    assert len([name for name in made["here"] if "/map/" in name and "part-" in name]) == 6
    assert made["ray"] == made["here"] == made["processes"]


def test_ray_processes_and_job_arrays_write_the_same_bytes(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PART_DOCUMENTS", 30)

    def array(ws: Workspace, name: str, params: dict[str, Any]) -> None:
        from lab.core.errors import ShareDone

        for own in (1, 0):
            with pytest.raises(ShareDone):
                run_action(ws, name, params | {"shard": f"{own}/2"}, SILENT)
        run_action(ws, name, params, SILENT)

    ways = {
        "here": lambda ws, name, params: run_action(ws, name, params | {"workers": 1}, SILENT),
        "processes": lambda ws, name, params: run_action(ws, name, params | {"workers": 2}, SILENT),
        "ray": lambda ws, name, params: run_action(
            ws, name, params | {"engine": "ray", "address": address}, SILENT
        ),
        "array": array,
    }
    made = {}
    for way, run in ways.items():
        (tmp_path / way).mkdir()
        made[way] = build(tmp_path / way, run)
    assert sum("signals" in name for name in made["here"]) == 6
    for way in ("processes", "ray", "array"):
        assert made[way] == made["here"], way
