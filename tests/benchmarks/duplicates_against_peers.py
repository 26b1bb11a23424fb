"""Speed and memory of our MinHash-LSH beside datatrove's and datasketch's, one core each, one run.

    peers/bin/pip install -r tests/benchmarks/requirements-peers.txt
    python tests/benchmarks/duplicates_against_peers.py --data DIR --peers peers/bin/python
    python tests/benchmarks/duplicates_against_peers.py --generate 1_000_000

DIR holds corpora as Parquet or JSONL (.zst) with a column `text`. Documents of 700 to 20,000
characters are drawn with a seed, and a tenth of them again with a word changed in a hundred. All
three look for the same: 14 bands of 8 rows over 5-word shingles. CPU seconds per document:

- ours, end to end: reading Parquet, keys, candidates, true similarity, groups, all stored;
- datasketch: MinHash (`update_batch` of the shingles) and MinHashLSH, queried and inserted;
- datatrove: the signature stage alone, without its buckets and clusters, which flatters it.

With --generate, ours alone on generated documents of 200 words, a tenth of them edited copies:
documents a second, groups, and the peak memory of this process and its workers.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import polars as pl
import real_texts

from lab.core.artifacts import Artifact, build, write_part
from lab.core.engine import Engine, running_on
from lab.core.schema import content_hash
from lab.core.workspace import Workspace, create
from lab.curation.duplicates import MinHash
from lab.curation.duplicates.find import group_documents

WANTED = {"datatrove": 50, "datasketch": 15}
PART = 10_000  # documents a part
VOCABULARY = 50_000


def with_copies(folder: Path, documents: int) -> list[str]:
    """A seeded sample of texts from all files of a folder, and edited copies of a tenth."""
    drawn = real_texts.read(folder, documents)
    rng = np.random.default_rng(0)
    for k in range(0, len(drawn) - 1, 10):
        words = drawn[k].split(" ")
        for at in rng.choice(len(words), len(words) // 100, replace=False):
            words[at] = "edited"
        drawn[k + 1] = " ".join(words)
    return drawn


def store(ws: Workspace, name: str, texts: Callable[[int, int], list[str]], count: int) -> Artifact:
    """Documents as an artifact, part by part."""

    def make(folder: Path) -> dict[str, int]:
        for number, start in enumerate(range(0, count, PART)):
            batch = texts(start, min(start + PART, count))
            frame = pl.DataFrame(
                {
                    "id": [f"{name}/{start + k:09d}" for k in range(len(batch))],
                    "text": batch,
                    "source": [name] * len(batch),
                    "content_hash": [content_hash(text) for text in batch],
                    "heldout": [False] * len(batch),
                }
            )
            write_part(frame, folder / f"part-{number:05d}.parquet")
        return {}

    return build(ws, "documents", 1, {"source": name, "count": count}, [], make)


def generated(start: int, stop: int) -> list[str]:
    """Texts of 200 random words; every tenth is its neighbour with two words changed."""
    rng = np.random.default_rng(start)
    names = np.array([f"w{k:05d}" for k in range(VOCABULARY)])
    words = names[rng.integers(0, VOCABULARY, (stop - start, 200))]
    words[1::10] = words[0::10][: len(words[1::10])]
    words[1::10, 50] = "edited"
    words[1::10, 150] = "twice"
    return [" ".join(row) for row in words.tolist()]


def peer_seconds(peers: Path, name: str, texts: list[str], folder: Path) -> float:
    """CPU seconds of a peer on `texts`, in the peers' environment."""
    path = folder / f"{name}.parquet"
    pl.DataFrame({"text": texts}).write_parquet(path)
    script = Path(__file__).with_name("minhash_of_peers.py")
    done = subprocess.run([peers, script, name, path], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def search(ws: Workspace, found: Artifact) -> Artifact:
    with running_on(Engine(workers=1)):
        return group_documents(ws, [found], MinHash(14, 8))


def compare(folder: Path, documents: int, peers: Path) -> bool:
    """Print the three speeds; True if ours reaches both ratios."""
    texts = with_copies(folder, documents)
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(texts)} documents, mean {size / len(texts) / 1e3:.2f} kB")
    root = Path(tempfile.mkdtemp())
    warm = create(root / "warm")
    search(warm, store(warm, "a", lambda a, b: texts[a:b], 200))
    rates = {}
    for k in range(2):
        ws = create(root / f"ws{k}")
        found = store(ws, "a", lambda a, b: texts[a:b], len(texts))
        rates["ours"] = max(
            rates.get("ours", 0.0),
            len(texts) / seconds(lambda ws=ws, found=found: search(ws, found)),
        )
    some = texts[:500]
    rates["datatrove"] = len(some) / peer_seconds(peers, "datatrove", some, root)
    rates["datasketch"] = len(texts) / peer_seconds(peers, "datasketch", texts, root)
    shutil.rmtree(root)
    for name, rate in rates.items():
        print(f"  {name:12s} {rate:9.0f} docs/s/core")
    reached = True
    for name, wanted in WANTED.items():
        ratio = rates["ours"] / rates[name]
        reached &= ratio >= wanted
        print(f"  ratio to {name} {ratio:.1f}  (at least {wanted} wanted)")
    return reached


def generate(count: int) -> bool:
    """Print speed and peak memory on `count` generated documents; True if under 4 GB."""
    root = Path(tempfile.mkdtemp())
    ws = create(root / "ws")
    found = store(ws, "a", generated, count)
    before = peak()
    spent = seconds(lambda: search(ws, found))
    artifact = search(ws, found)
    disk = sum(f.stat().st_size for f in ws.artifacts.rglob("*") if f.is_file()) / 1e9
    print(f"{count} documents: {count / spent:.0f} docs/s/core, {spent:.1f} s CPU")
    print(f"  copies found {artifact.manifest['near_copies']}, planted {len(range(1, count, 10))}")
    print(f"  peak memory {peak():.2f} GB (before the search {before:.2f}), on disk {disk:.2f} GB")
    shutil.rmtree(root)
    return peak() < 4


def peak() -> float:
    """Largest resident memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--peers", type=Path, help="Python of the peers' environment")
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--generate", type=int, default=0)
    arguments = parser.parse_args()
    reached = True
    if arguments.data:
        reached &= compare(arguments.data, arguments.documents, arguments.peers)
    if arguments.generate:
        reached &= generate(arguments.generate)
    raise SystemExit(0 if reached else 1)


if __name__ == "__main__":
    main()
