"""Seconds of processor time to score the same items, here and by lm-evaluation-harness, and sums.

    python -m tests.benchmarks.scoring_against_harness HARNESS_PYTHON BENCHMARKS CORPORA
        [--items N] [--size S] [--rounds K]

HARNESS_PYTHON can import lm_eval (`make harness` makes one), BENCHMARKS holds `arc_easy.parquet`,
CORPORA texts for a tokenizer. One checkpoint of size S on V = 4,096 with drawn weights (speed does
not depend on them; they are drawn wide enough for sums to differ by nats); the same N items of
ARC-Easy without shots, with five shots and as letters, and of the sample world. Both sides score
the same exported texts with one thread in the same environment, alternately, K times; the least of
each is taken, since other programs on the machine only add. Both begin with a loaded model: the
harness is timed over `simple_evaluate` (it builds its requests from the texts; no bootstrap), ours
over reading the benchmark and `score_items`. Sums must agree to 1e-3 nats; the largest difference
is printed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.corpus.tokenizer import train_tokenizer
from lab.corpus.world.benchmarks import build_benchmarks
from lab.evaluation.benchmarks.harness import export_task
from lab.evaluation.benchmarks.registry import Choice, add_benchmark
from lab.proxy.environment import worker_environment
from lab.proxy.inputs import write_tokenizer
from tests.benchmarks.real_texts import read

ROOT = Path(__file__).parents[2]
OURS = """
import json, sys, time, torch
from pathlib import Path
from lab.core.workspace import Workspace, open_workspace
from lab.evaluation.runs.checkpoints import load_model
from lab.evaluation.runs.material import read_benchmark
from lab.evaluation.scoring.scores import score_items
torch.set_num_threads(1)
ws = open_workspace(Path(sys.argv[1]))
model, tokenizer = load_model(Path(sys.argv[2]))
found = {}
for name in sys.argv[4:]:
    start = time.process_time()
    _, items, table = read_benchmark(ws, name)
    scores = score_items(model, tokenizer, items, table=table)
    found[name] = {"cpu_seconds": time.process_time() - start, "nats": scores["nats"].to_list()}
Path(sys.argv[3]).write_text(json.dumps(found))
"""


def make_checkpoint(ws: Workspace, size: str, corpora: Path, folder: Path) -> None:
    """A model of `size` with drawn weights and a tokenizer trained on `corpora`."""
    import torch

    from lab.proxy.model import build_model
    from lab.proxy.sizes import get_size

    texts = folder / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in read(corpora, 600)))
    add_source(ws, "texts", [str(texts)])
    train_tokenizer(ws, "v4k", 4096)
    shape = get_size(size)
    model = build_model(shape, 4096, 0, seed=0)
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.06, generator=generator)
    write_tokenizer(ws, "v4k", shape.sequence_length, folder / "model")
    model.save_pretrained(folder / "model")


def make_benchmarks(ws: Workspace, benchmarks: Path, count: int, scratch: Path) -> list[str]:
    """Register the items; names of the benchmarks."""
    arc = pl.read_parquet(benchmarks / "arc_easy.parquet")
    shots = arc.filter(split="train").head(20)
    items = pl.concat([arc.filter(split="test").head(count), shots])
    items.select("question", "choices", "answer_index", "split").write_ndjson(scratch / "a.jsonl")
    for name, choice in {
        "arc_easy": Choice(template="arc", split="test"),
        "arc_easy_5_shots": Choice(template="arc", split="test", shots=5),
        "arc_easy_letters": Choice(template="arc", split="test", form="letters"),
    }.items():
        add_benchmark(ws, name, scratch / "a.jsonl", choice=choice)
    world = [item for part in build_benchmarks(0).values() for item in part]
    keys = ("question", "choices", "answer_index")
    rows = [{key: item[key] for key in keys} for item in world]
    path = scratch / "world.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[:count]))
    add_benchmark(ws, "sample_world", path)
    return ["arc_easy", "arc_easy_5_shots", "arc_easy_letters", "sample_world"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("python")
    parser.add_argument("benchmarks", type=Path)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--size", default="micro")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measure(options, Path(scratch))


def measure(options: argparse.Namespace, scratch: Path) -> None:
    """Make everything, run both sides in turn, print a line a benchmark."""
    ws = create(scratch / "w")
    folder, tasks = scratch / "run", scratch / "tasks"
    folder.mkdir()
    tasks.mkdir()
    make_checkpoint(ws, options.size, options.corpora, folder)
    names = make_benchmarks(ws, options.benchmarks, options.items, scratch)
    for name in names:
        export_task(ws, name, tasks)
    environment = os.environ | worker_environment(1) | {"PYTHONPATH": str(ROOT)}
    environment["HF_HOME"] = str(scratch / "hf")
    ours, theirs = scratch / "ours.json", scratch / "theirs.json"
    script = ROOT / "tests" / "harness" / "score_tasks.py"
    here = [sys.executable, "-c", OURS, str(ws.root), str(folder), str(ours), *names]
    there = [options.python, str(script), str(folder / "model"), str(tasks), str(theirs)]
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for command in (here, there):
            subprocess.run(command, check=True, env=environment, capture_output=True)
        mine, other = json.loads(ours.read_text()), json.loads(theirs.read_text())
        for name in names:
            seconds[name].append((mine[name]["cpu_seconds"], other[name]["cpu_seconds"]))
    for name in names:
        report(name, seconds[name], mine[name]["nats"], other[name]["nats"])


def report(
    name: str, seconds: list[tuple[float, float]], mine: list[list[float]], other: list[list[float]]
) -> None:
    """One line: items, seconds of both, ratio, largest difference of sums."""
    least = np.asarray(seconds).min(0)
    difference = np.abs(np.concatenate(mine) - np.concatenate(other)).max()
    print(
        f"{name:20} {len(mine):5,} items  ours {least[0]:6.2f} s  harness {least[1]:6.2f} s  "
        f"ratio {least[1] / least[0]:5.2f}  largest difference {difference:.1e} nats",
        flush=True,
    )


if __name__ == "__main__":
    main()
