"""Tokens per second of proxy training, with its share of the machine's matrix-multiply peak.

    python tests/benchmarks/training_throughput.py [SIZE ...] [--steps N]

For every size the real worker trains a prepared run on made-up tokens: as one process with one
thread, as two of these side by side (a sweep on two cores), and as one process with two threads.
The last line of a size is what the sweep keeps of twice one core's speed.

Peaks are measured in the same call with the same number of threads: bfloat16 and float32 products
of 2,048 x 2,048 matrices, and one of the shape of the logits. Floating-point operations are 6 N a
token, N with the tied embedding counted once (that is the logits); attention scores and the
optimiser are left out, so the share is a lower bound.

Other programs on the machine lower the wall-clock figures, hence the load and a second pair of
columns: tokens per CPU-second against the peak per CPU-second. Those vary less, but with two
threads they forgive time spent waiting.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from lab.core.files import write_json
from lab.proxy.environment import worker_environment
from lab.proxy.packing import PhasePlan, pack
from lab.proxy.runs import read_metrics, read_status
from lab.proxy.sizes import SIZES, ProxySize

VOCABULARY = 4096
WARM = 0.25  # share of the steps before measuring begins
PEAK = """
import sys, time, torch
torch.set_num_threads(int(sys.argv[1]))
def best(dtype, n, k, m):
    a, b = torch.randn(n, k).to(dtype), torch.randn(k, m).to(dtype)
    wall, cpu = [], []
    for _ in range(12):
        start, spent = time.perf_counter(), time.process_time(); a @ b
        wall.append(time.perf_counter() - start); cpu.append(time.process_time() - spent)
    return (2e-9 * n * k * m / min(times) for times in (wall, cpu))
for shape in ((torch.bfloat16, 2048, 2048, 2048), (torch.float32, 2048, 2048, 2048),
              (torch.bfloat16, 2048, 128, 4096)):
    print(*best(*shape))
"""


def prepare(folder: Path, size: ProxySize, steps: int) -> None:
    """A run on Zipf-distributed tokens, without tokenizer files: it is never finished."""
    rng = np.random.default_rng(0)
    flat = np.minimum(rng.zipf(1.3, 400_000), VOCABULARY - 1).astype(np.uint16)
    tokens = {"a": [(flat, np.arange(0, len(flat) + 1, 400))]}
    pack(
        folder / "data",
        [PhasePlan("all", 1.0, {"a": 1.0}, {"a": np.arange(len(flat) // 400)})],
        tokens,
        sequences=steps * size.batch,
        sequence_length=size.sequence_length,
        eot_id=0,
        seed=0,
    )
    (folder / "tokenizer").mkdir()
    spec = dict.fromkeys(("id", "recipe", "recipe_id", "created"), "benchmark")
    shape = {"size": size.name, "steps": steps, "tokens": steps * size.tokens_per_step, "seed": 0}
    end = {"vocab_size": VOCABULARY, "eot_id": 0}
    more = {"hyperparameters": asdict(size), "tokenizer": end, "sources": ["a"]}
    write_json(folder / "run.json", spec | shape | more)


def start(arguments: list[str], threads: int) -> subprocess.Popen[str]:
    environment = os.environ | worker_environment(threads)
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )


def peaks(processes: int, threads: int) -> np.ndarray:
    """GFLOP [bfloat16, float32, logits] a second of all processes together, and a CPU-second."""
    started = [start(["-c", PEAK, str(threads)], threads) for _ in range(processes)]
    outputs = [np.array(process.communicate()[0].split(), float) for process in started]
    both = np.array(outputs).reshape(processes, 3, 2)
    return np.stack([both[:, :, 0].sum(0), both[:, :, 1].mean(0)], axis=1)


def measure(size: ProxySize, steps: int, processes: int, threads: int) -> dict[str, float | str]:
    """Speed of `processes` runs side by side, summed, over the steps after the first quarter."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / f"run{k}" for k in range(processes)]
        for folder in folders:
            prepare(folder, size, steps)
        module = ["-m", "lab.proxy.worker"]
        more = ["--threads", str(threads), "--device", "cpu"]
        for process in [start([*module, str(f), *more], threads) for f in folders]:
            assert process.wait() == 0
        wall = cpu = 0.0
        for folder in folders:
            lines = read_metrics(folder)
            late = lines.filter(lines["step"] > WARM * steps)
            seconds = late["tokens"].diff() / late["tokens_per_second"]
            wall += late["tokens_per_second"].median()
            cpu += (seconds * late["cpu_share"]).sum() / (late["tokens"][-1] - late["tokens"][0])
        precision = read_status(folders[0])["precision"]
    return {
        "tokens_per_second": wall,
        "tokens_per_cpu_second": processes / cpu,
        "precision": precision,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", default=["nano", "micro", "mini"])
    parser.add_argument("--steps", type=int, default=120)
    options = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ways = {"1 x 1 thread": (1, 1), "2 x 1 thread": (2, 1), "1 x 2 threads": (1, 2)}
    top = {way: peaks(*shape) for way, shape in ways.items()}
    for way, peak in top.items():
        kinds = zip(("bfloat16", "float32", "logits-shaped"), peak, strict=True)
        said = [f"{kind} {wall:.0f} ({cpu:.0f})" for kind, (wall, cpu) in kinds]
        print(f"{way}: peak GFLOP a second (a CPU-second): {', '.join(said)}")
    columns = f"{'tok/s':>8} {'tok/CPU-s':>10} {'of peak':>10} {'by CPU-s':>10}"
    print(f"\n{'size':6} {'N':>6} {'way':14} {columns}")
    rows = []
    for name in options.sizes:
        size = SIZES[name]
        count = size.parameters(VOCABULARY)
        for way, shape in ways.items():
            found = measure(size, options.steps, *shape)
            wall, cpu = top[way][0 if found["precision"] == "bfloat16" else 1] * 1e9
            share = 6 * count * float(found["tokens_per_second"]) / wall
            cpu_share = 6 * count * float(found["tokens_per_cpu_second"]) / cpu
            rows.append({"size": name, "way": way, "share": share, "cpu_share": cpu_share, **found})
            print(
                f"{name:6} {count / 1e6:5.2f}M {way:14} {found['tokens_per_second']:8,.0f} "
                f"{found['tokens_per_cpu_second']:10,.0f} {share:10.1%} {cpu_share:10.1%}",
                flush=True,
            )
        one, two = rows[-3], rows[-2]
        kept = float(two["tokens_per_second"]) / float(one["tokens_per_second"]) / 2
        spent = float(two["tokens_per_cpu_second"]) / float(one["tokens_per_cpu_second"])
        print(f"{name:6} two runs keep {kept:.1%} of twice one; by CPU-seconds {spent:.1%}")
    print(f"\nload after: {os.getloadavg()[0]:.1f}")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
