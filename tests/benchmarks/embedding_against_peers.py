"""Documents a second: the lab's encoders against plain `SentenceTransformer.encode`, in one run.

    python -m tests.benchmarks.embedding_against_peers FILE... [--documents 512] [--repeats 3]

FILE holds real texts (JSON lines, also .zst, or Parquet, column `text`). They are cut to 500 to
1,300 characters, about 200 word pieces. Ways take turns in every round, on one thread each, and the
best processor time of a way counts: on a shared machine wall time says more of the neighbours.

    plain    SentenceTransformer.encode with its defaults (fp32, batches of 32, sorted by length)
    lab      `encoder.Encoder`: bf16 where the processor multiplies it, batches of 8
    static   `static.StaticEncoder`, once after distilling it, which is timed apart

Prints documents per processor second, the ratio to plain, the smallest and the mean cosine to plain
(same dimensions only) and the overlap of the ten nearest neighbours with plain's.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import zstandard

from lab.diversity.embedding.encoder import load_encoder
from lab.diversity.embedding.static import distil, load_static, overlap


def read_texts(paths: list[Path], count: int) -> list[str]:
    """Texts of 500 to 1,300 characters from the files in turn."""
    rng = np.random.default_rng(0)
    columns = [column(path) for path in paths]
    found: list[str] = []
    for row in range(max(map(len, columns))):
        for texts in columns:
            length = int(rng.integers(500, 1300))
            if row < len(texts) and len(texts[row]) >= length:
                found.append(texts[row][:length])
    return found[:count]


def column(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return pl.read_parquet(path, columns=["text"])["text"].to_list()
    raw = path.read_bytes()
    if path.suffix == ".zst":
        raw = zstandard.ZstdDecompressor().stream_reader(raw).read()
    return [json.loads(line)["text"] for line in raw.decode("utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--documents", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    texts = read_texts(options.files, options.documents)
    full = load_encoder()
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        distil(Path(folder))
        print(f"distilled in {time.process_time() - started:.1f} processor seconds")
        static = load_static(Path(folder))
    ways: dict[str, Callable[[], Any]] = {
        "plain": lambda: full.model.encode(
            texts, normalize_embeddings=True, show_progress_bar=False
        ),
        "lab": lambda: full.encode(texts),
        "static": lambda: static.encode(texts),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    vectors = {}
    for _ in range(options.repeats):
        for name, way in ways.items():
            started = time.process_time()
            vectors[name] = np.asarray(way(), np.float32)
            times[name].append(time.process_time() - started)
    print(f"{len(texts)} documents, {np.mean([len(t) for t in texts]):.0f} characters")
    for name, found in vectors.items():
        best = min(times[name])
        line = f"{name:8} {len(texts) / best:9.1f} documents a processor second"
        line += f", {min(times['plain']) / best:6.2f} times plain"
        line += f", {min(times['lab']) / best:6.2f} times lab"
        if found.shape == vectors["plain"].shape:
            cosines = (unit(found) * unit(vectors["plain"])).sum(axis=1)
            line += f", cosine {cosines.min():.5f} at least, {cosines.mean():.5f} on average"
        line += f", overlap of 10 neighbours {overlap(unit(found), unit(vectors['plain'])):.3f}"
        print(line)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


if __name__ == "__main__":
    main()
