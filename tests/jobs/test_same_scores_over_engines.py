"""One sweep through every engine: the same models and the same scores, byte for byte.

In the group of the other Ray tests, so that one test process owns the cluster.
"""

import json
import shutil
from pathlib import Path

import pytest

from lab.core.engine import Engine, running_on
from lab.core.workspace import Workspace, open_workspace
from lab.proxy.record import last_record
from lab.proxy.runs import run_folders
from lab.proxy.sweep import run_many
from tests.conftest import WORDS

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.slow]

ENGINES = {
    "local": Engine(workers=2),
    "ray": Engine("ray", workers=2),
    "slurm": Engine("slurm", workers=2, address="local,time=10"),
}
NEEDS = {"ray": "ray", "slurm": "submitit"}


@pytest.fixture(scope="module")
def prepared(plain_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two prepared runs of different mixtures, and a benchmark."""
    from lab.evaluation.benchmarks.registry import add_benchmark
    from lab.mixture.parsing import parse_recipe
    from lab.proxy.runs import prepare_run

    root = tmp_path_factory.mktemp("engines")
    shutil.copytree(plain_workspace.root, root / "prepared")
    ws = open_workspace(root / "prepared")
    rows = [
        {"question": WORDS[k % 9], "choices": WORDS[k % 7 : k % 7 + 3], "answer": k % 3}
        for k in range(40)
    ]
    path = root / "items.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    add_benchmark(ws, "words", path)
    for name, share in (("even", 0.5), ("long", 0.9)):
        weights = {"short": 1 - share, "long": share}
        body = {"tokens": 100_000, "phases": [{"name": "all", "weights": weights}]}
        recipe = {"name": name, "tokenizer": "plain", "sources": {"short": {}, "long": {}}}
        prepare_run(ws, parse_recipe(recipe | {"mixture": body}, name), tokens=16_384)
    return ws


def results(ws: Workspace) -> dict[str, bytes]:
    files = [*ws.runs.glob("*/scores/*.parquet"), *ws.runs.glob("*/model/*.safetensors")]
    summaries = ws.runs.glob("*/scores/summary.json")
    return {str(p.relative_to(ws.root)): p.read_bytes() for p in [*files, *summaries]}


def test_local_ray_and_submitit_give_the_same_models_and_scores(
    prepared: Workspace, tmp_path: Path
) -> None:
    found = {}
    for name, engine in ENGINES.items():
        if name in NEEDS:
            pytest.importorskip(NEEDS[name])
        shutil.copytree(prepared.root, tmp_path / name)
        ws = open_workspace(tmp_path / name)
        with running_on(engine):
            after = "lab.evaluation.runs.evaluate:evaluate_run"
            swept = run_many(run_folders(ws), device="cpu", after=after)
        assert not swept.failed
        record = last_record(ws)
        assert record is not None
        assert (record.engine, record.workers) == (engine.name, 2)
        found[name] = results(ws)
    assert len(found["local"]) == 2 * 4
    assert found["ray"] == found["local"]
    assert found["slurm"] == found["local"]
    assert not list((tmp_path / "slurm" / "cache" / "submitit").glob("*/*.pkl"))
