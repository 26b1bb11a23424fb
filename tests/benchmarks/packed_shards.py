"""What sharing packed rows saves: time and disk of preparing the runs of a sweep, with and without.

    python tests/benchmarks/packed_shards.py [--runs 12] [--tokens 1500000] [--sources 6]

The runs of a sweep differ in weights only (drawn from a flat Dirichlet). Each is packed alone,
into a folder of its own, as before there was a cache; then with one. Both are asked in turn, run by
run, and the ratio of the sums is what to report; seconds depend on the machine and its load. Disk
is what the folders and the cache hold, each file counted once however many links it has. The last
figure is what reading costs training: batches of 4 x 257 tokens, against slices of one array.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lab.proxy.packing import Cache, PhasePlan, pack
from lab.proxy.shards import batches, open_rows

WIDTH, BATCH = 256, 4


def corpora(sources: int, tokens: int) -> dict:
    """Documents of 50 to 1,500 tokens, `tokens` in all of each source."""
    rng = np.random.default_rng(0)
    out = {}
    for k in range(sources):
        lengths = rng.integers(50, 1500, tokens // 775)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        out[f"s{k}"] = [(rng.integers(1, 4096, offsets[-1]).astype(np.uint16), offsets)]
    return out


def used(*folders: Path) -> int:
    """Bytes of the files in `folders`, each counted once."""
    files = [p.stat() for folder in folders for p in folder.rglob("*") if p.is_file()]
    return sum({s.st_ino: s.st_size for s in files}.values())


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of `work`."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Pack, add up, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=1_500_000)
    parser.add_argument("--sources", type=int, default=6)
    options = parser.parse_args()
    tokens = corpora(options.sources, options.tokens)
    rng = np.random.default_rng(1)
    rows = {name: np.arange(len(parts[0][1]) - 1) for name, parts in tokens.items()}
    sequences = options.tokens // WIDTH
    spent = {"alone": np.zeros(2), "shared": np.zeros(2)}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        cache = Cache(root / "cache", {name: name for name in tokens})
        for run in range(options.runs):
            weights = dict(zip(tokens, rng.dirichlet(np.ones(len(tokens))).tolist(), strict=True))
            plan = [PhasePlan("all", 1.0, weights, rows)]
            for way, shared in (("alone", None), ("shared", cache)):
                folder = root / way / str(run)
                spent[way] += timed(
                    lambda folder=folder, plan=plan, shared=shared: pack(
                        folder, plan, tokens, sequences=sequences, sequence_length=WIDTH,
                        eot_id=0, seed=0, cache=shared,
                    )
                )  # fmt: skip
        alone, shared_bytes = used(root / "alone"), used(root / "shared", root / "cache")
        for way, (wall, cpu) in spent.items():
            speed = options.runs * sequences * WIDTH / cpu / 1e6
            print(f"{way:7} {wall:6.2f} s wall {cpu:6.2f} s CPU, {speed:6.1f}M tokens a CPU-second")
        print(f"disk    {alone / 1e6:.1f} MB alone, {shared_bytes / 1e6:.1f} MB shared")
        wall, cpu = spent["alone"] / spent["shared"]
        print(f"ratio   wall {wall:.2f}, CPU {cpu:.2f}, disk {alone / shared_bytes:.2f}")
        data = root / "shared" / "0"
        table = open_rows(data).rows(0, sequences).astype(np.uint16)
        _, own = timed(lambda: [b.rows for b, _ in batches(data, BATCH)])
        _, plain = timed(
            lambda: [table[k : k + BATCH].astype(np.int64) for k in range(0, sequences, BATCH)]
        )
        count = sequences / BATCH
        print(
            f"reading {1e6 * own / count:.0f} us a batch, {1e6 * plain / count:.0f} us of one array"
        )


if __name__ == "__main__":
    main()
