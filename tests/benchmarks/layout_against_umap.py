"""A layout of 50,000 vectors: the lab's against umap-learn's defaults, time and neighbour recall.

    python -m tests.benchmarks.layout_against_umap [--points 50000] [--texts FILE...]

FILE holds real texts (JSON lines, also .zst, or Parquet, column `text`): pieces of 900 characters,
at most 12,000 of a file, under the static encoder. Without it 300 planted groups of 384 dimensions,
each of its own dimension of about 20, are generated. Both compile on a small input first, which is
not timed. Peer: `UMAP(metric="cosine")`, all else as it comes (approximate neighbours, all threads,
no seed). The lab: the reducer on at most ANCHORS points and all others placed, with 20,000 anchors
and with fewer. Prints seconds, trustworthiness and recall at 15 neighbours.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lab.diversity.embedding.static import distil, load_static
from lab.diversity.layout.quality import recall, trust
from lab.diversity.layout.reducer import fit_reducer, place
from tests.benchmarks.embedding_against_peers import column


def generate(n: int, d: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres, group = rng.normal(size=(300, d)), rng.integers(300, size=n)
    own = rng.normal(size=(300, 20, d)) / np.sqrt(d)
    x = centres[group] * 0.8 + np.einsum("nk,nkd->nd", rng.normal(size=(n, 20)), own[group])
    return unit(x + 0.3 * rng.normal(size=(n, d)))


def read(files: list[Path], n: int) -> np.ndarray:
    pieces: list[str] = []
    for file in files:
        cut = [text[k : k + 900] for text in column(file) for k in range(0, len(text), 900)]
        pieces += [piece for piece in cut if len(piece) > 300][:12_000]
    drawn = np.random.default_rng(0).permutation(len(pieces))[:n]
    with tempfile.TemporaryDirectory() as folder:
        distil(Path(folder))
        return unit(load_static(Path(folder)).encode([pieces[k] for k in drawn]))


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def lab(x: np.ndarray, anchors: int) -> np.ndarray:
    rows = np.sort(np.random.default_rng(0).permutation(len(x))[:anchors])
    reducer, places = fit_reducer(x[rows], 0)
    found = np.empty((len(x), 2), np.float32)
    found[rows] = places
    rest = np.setdiff1d(np.arange(len(x)), rows)
    if len(rest):
        found[rest] = place(x[rest], reducer)
    return found


def peer(x: np.ndarray) -> np.ndarray:
    from umap import UMAP

    return UMAP(metric="cosine").fit_transform(x)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--texts", type=Path, nargs="+")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    x = read(options.texts, options.points) if options.texts else generate(options.points, 384)
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "umap-learn": peer,
        "lab, 20,000 anchors": lambda v: lab(v, 20_000),
        "lab, 10,000 anchors": lambda v: lab(v, 10_000),
        "lab, 5,000 anchors": lambda v: lab(v, 5_000),
    }
    small = generate(4500, 16)
    for way in ways.values():
        way(small)  # compiles
    for name, way in ways.items():
        started, used = time.perf_counter(), time.process_time()
        places = way(x)
        seconds, used = time.perf_counter() - started, time.process_time() - used
        kept, near = trust(x, places, 0), recall(x, places, 0)
        assert kept is not None
        assert near is not None
        print(
            f"{name:20} {seconds:7.1f} s, {used:7.1f} processor s, trustworthiness "
            f"{kept['value']:.3f}, recall {near['value']:.3f} ({near['low']:.3f} to "
            f"{near['high']:.3f}), n = {len(x):,}",
            flush=True,
        )


if __name__ == "__main__":
    main()
