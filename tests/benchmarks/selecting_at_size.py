"""Selecting at size: time and memory of one method of each kind, and what blocks cost.

    python tests/benchmarks/selecting_at_size.py size [N] [METHOD ...]    # default 200,000
    python tests/benchmarks/selecting_at_size.py blocks [N]               # default 20,000

Vectors are generated: topics of unlike size about a common mean, a fifth of them near copies of
another, 384 dimensions, float16 parts on disk as `mixlab embed` leaves them. `size` runs every
method in a process of its own on one core and reports seconds, the peak of its own memory (RssAnon,
without mapped pages of the file, which the system may drop) and the peak of all of it. `blocks`
compares the choice made in blocks of 2,048 with the choice of one block of all N, by what each
method maximises, at 10 % and 50 % of the tokens.
"""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl

from lab.core.arrays import write_array
from lab.core.artifacts import write_part
from lab.core.engine import Engine, running_on
from lab.diversity.embedding.stored import unit
from lab.diversity.selecting import blocks
from lab.diversity.selecting.choose import choose
from lab.diversity.selecting.vectors import Stored

DIMENSIONS, SHARD = 384, 50_000
KINDS = ("random", "semdedup", "d4", "clusters", "mmr", "quality-diversity", "dpp", "facility")


def planted(n: int, seed: int, topics: int = 200) -> np.ndarray:
    """n unit vectors; every fifth is a near copy (cosine about .98) of the one before it."""
    rng = np.random.default_rng(seed)
    shape = np.random.default_rng(99)
    centres = shape.normal(size=(topics, DIMENSIONS)) + 0.6
    sizes = shape.dirichlet(np.full(topics, 0.5))
    x = centres[rng.choice(topics, n, p=sizes)] + 1.1 * rng.normal(size=(n, DIMENSIONS))
    copies = np.arange(5, n, 5)
    x[copies] = x[copies - 1] + 0.3 * rng.normal(size=(len(copies), DIMENSIONS))
    return unit(x)


def write_planted(folder: Path, n: int) -> None:
    """Parts of an embeddings artifact."""
    for k, start in enumerate(range(0, n, SHARD)):
        x = planted(min(SHARD, n - start), k)
        write_array(folder / f"part-{k:05}.embeddings.npy", x.astype(np.float16))
        ids = pl.DataFrame({"id": [f"s/{i}" for i in range(start, start + len(x))]})
        write_part(ids, folder / f"part-{k:05}.parquet")


def others(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens, keys and quality."""
    rng = np.random.default_rng(7)
    return rng.integers(20, 800, n), rng.permutation(n), rng.uniform(size=n)


def status(field: str) -> float:
    """A line of /proc/self/status in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return float("nan")


def one(folder: Path, n: int, method: str, workers: str) -> None:
    """Run one method, watching memory ten times a second."""
    import sklearn.cluster  # noqa: F401  # its 100 MB are no cost of the method

    peak, stop = [status("RssAnon")], threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            peak[0] = max(peak[0], status("RssAnon"))

    started_at = peak[0]
    threading.Thread(target=watch, daemon=True).start()
    tokens, keys, quality = others(n)
    started = time.perf_counter()
    engine = Engine(workers=int(workers)) if workers else Engine(workers=1)
    with running_on(engine):
        found = choose(
            method, Stored(folder, np.arange(n)), tokens, keys,
            budget=int(tokens.sum() // 2),
            quality=quality if method == "quality-diversity" else None,
        )  # fmt: skip
    seconds = time.perf_counter() - started
    stop.set()
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{method:18} {n:>9,} documents {seconds:8.1f} s {n / seconds:9,.0f} a second   own memory "
        f"{started_at:5.0f} -> {peak[0]:6.0f} MB, with mapped pages {whole:6.0f} MB, "
        f"{len(found.rows):,} kept",
        flush=True,
    )


def size(n: int, methods: list[str]) -> None:
    """Each method in a process of its own."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_planted(folder, n)
        for method in methods:
            command = [sys.executable, __file__, "one", str(folder), str(n), method]
            subprocess.run([*command, os.environ.get("WORKERS", "")], check=True)


def objectives(x: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    """What the methods maximise, of one choice among all x."""
    own = x[chosen]
    served = nearest = 0.0
    for start in range(0, len(x), 1000):
        served += float(np.maximum((x[start : start + 1000] @ own.T).max(axis=1), 0).sum())
    for start in range(0, len(own), 1000):
        product = own[start : start + 1000] @ own.T
        product[np.arange(len(product)), start + np.arange(len(product))] = -1
        top = product.max(axis=1)
        nearest += float((1 - top).sum())
    close = sum(
        int(((own[s : s + 1000] @ own.T) > 0.95).sum()) for s in range(0, len(own), 1000)
    ) - len(own)
    kernel = np.exp((own @ own.T - 1) / 0.5).astype(np.float64)
    kernel[np.diag_indices(len(own))] = 1
    volume = float(np.linalg.slogdet(kernel)[1]) if len(own) <= 6000 else float("nan")
    return {
        "facility": served, "dispersion": nearest / len(own), "log det": volume,
        "close pairs": close / 2,
    }  # fmt: skip


def compare(n: int) -> None:
    """One block of all against blocks of 2,048."""
    x = planted(n, 0)
    _, keys, quality = others(n)
    tokens = np.ones(n, np.int64)  # one size of set, so that objectives are comparable
    for share in (0.1, 0.5):
        for method in ("random", "mmr", "quality-diversity", "dpp", "facility"):
            if method == "dpp" and share > 0.1:
                continue  # n k^2 of one block: hours
            found = {}
            for block in (2048, n):
                blocks.BLOCK = block
                scores = quality if method == "quality-diversity" else None
                started = time.perf_counter()
                rows = choose(method, x, tokens, keys, budget=int(share * n), quality=scores).rows
                found[block] = objectives(x, rows) | {"seconds": time.perf_counter() - started}
            words = ", ".join(
                f"{name} {found[2048][name]:.5g} of {found[n][name]:.5g} "
                f"({found[2048][name] / found[n][name] if found[n][name] else float('nan'):.4f})"
                for name in found[n]
            )
            print(f"{method:18} {share:.0%} of {n:,}: {words}", flush=True)


def main() -> None:
    """Choose what to measure."""
    what, *rest = sys.argv[1:] or ["size"]
    if what == "one":
        one(Path(rest[0]), int(rest[1]), rest[2], rest[3])
    elif what == "blocks":
        compare(int(rest[0]) if rest else 20_000)
    else:
        size(int(rest[0]) if rest else 200_000, rest[1:] or list(KINDS))


if __name__ == "__main__":
    main()
