"""Nearest neighbours of a document among a million: time and recall of the index and of exact.

    python -m tests.benchmarks.nearest_at_a_million [--points 1000000] [--folder DIR]

Vectors [n, 384] are generated in 50 parts, in 20,000 groups of near texts, written as embeddings
are, indexed as the job does, and asked for through `nearest.top` with the vectors mapped: what the
page does. Prints the build, the size of the file, and per limit the median and 95th percentile of
queries, with the share of the exact nearest found. The first query of a process opens and maps the
file, and is given apart.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, write_part
from lab.diversity.embedding.index import FILE, all_ids, build_index, gather, open_vectors
from lab.diversity.embedding.nearest import exact_top, top

PARTS, GROUPS, WIDTH, QUERIES = 50, 20_000, 384, 200


def generate(folder: Path, points: int) -> Artifact:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(GROUPS, WIDTH)).astype(np.float32)
    for number, rows in enumerate(np.array_split(np.arange(points), PARTS)):
        noise = rng.normal(size=(len(rows), WIDTH)).astype(np.float32)
        x = centres[rng.integers(GROUPS, size=len(rows))] + 0.7 * noise
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        path = folder / f"part-{number:05d}.parquet"
        write_array(path.with_suffix(".embeddings.npy"), x.astype(np.float16))
        write_part(pl.DataFrame({"id": [f"a/{row}" for row in rows]}), path)
    return Artifact(folder, {})


def measure(stored: Artifact, points: int) -> None:
    started = time.perf_counter()
    about = build_index(stored.path)["index"]
    size = (stored.path / FILE).stat().st_size / 1e6
    print(
        f"index: {time.perf_counter() - started:.0f} s, {size:.0f} MB, recall {about['recall']:.3f}"
    )
    parts = open_vectors(stored.path)
    rows = np.random.default_rng(1).choice(points, QUERIES, replace=False)
    queries = gather(parts, rows)
    started = time.perf_counter()
    all_ids(stored.path)
    top(stored, "a", queries[0], 10)
    print(f"first query, with ids and index opened: {1e3 * (time.perf_counter() - started):.0f} ms")
    for limit in (10, 100, 1000):
        times, hits = [], 0
        for query in queries:
            started = time.perf_counter()
            found = top(stored, "a", query, limit)
            times.append(1e3 * (time.perf_counter() - started))
            if limit == 10:
                exact = all_ids(stored.path).gather(exact_top(stored, query, limit)[0])
                hits += len(set(found["id"]) & set(exact))
        said = f", recall {hits / (limit * QUERIES):.3f}" if limit == 10 else ""
        middle, late = np.quantile(times, [0.5, 0.95])
        print(f"limit {limit:5}: median {middle:.1f} ms, 95 % {late:.1f} ms{said}")
    started = time.perf_counter()
    exact_top(stored, queries[0], 10)
    print(f"exact: {1e3 * (time.perf_counter() - started):.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        measure(generate(options.folder, options.points), options.points)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(generate(Path(folder), options.points), options.points)


if __name__ == "__main__":
    main()
