"""Reading and measuring at scale: documents per second and peak memory, 100,000 against 1,000,000.

    python tests/benchmarks/add_documents.py [--documents N ...] [--folder DIR] [--no-measure]

Each step runs in a process of its own on one core, so that its peak resident memory is its own.
Generated documents have about 1 kB of text and four other columns, as JSONL.zst. Linear means that
the last column (CPU time a document) stays near 1; bounded means that the peak does not grow.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

STEPS = ("add", "measure")


def generate(path: Path, documents: int, seed: int = 0) -> None:
    """Write documents of 60-280 invented words in sentences and lines, one in fifty not English."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghiklmnoprstuvw"))
    lengths = rng.integers(2, 10, 20_000)
    words = ["".join(rng.choice(letters, n)) for n in lengths] + ["the", "of", "and", "that"] * 500
    with pa.CompressedOutputStream(str(path), "zstd") as sink:
        for number in range(documents):
            picked = rng.integers(0, len(words), rng.integers(60, 280))
            chosen = [words[k] for k in picked]
            chosen[::12] = [f"{word}.\n" for word in chosen[::12]]
            text = " ".join(chosen) + (" größer été" if number % 50 == 0 else "")
            row = {
                "id": f"doc-{number}",
                "text": text,
                "url": f"https://example.org/{number % 997}/{number}",
                "date": f"2026-{number % 12 + 1:02d}-01",
                "score": round(number / 7, 3),
            }
            sink.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def child(step: str, root: Path, path: Path) -> None:
    """Run one step and print its documents, seconds and peak memory as JSON."""
    from lab.core.workspace import create
    from lab.corpus.sources import add_source, get_source
    from lab.curation.measure import measure

    ws = create(root)
    begun, cpu = time.perf_counter(), time.process_time()
    if step == "add":
        add_source(ws, "generated", [str(path)], id_column="id")
    else:
        measure(ws, "generated", workers=1)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    documents = get_source(ws, "generated").counts["documents"]
    figures = {"documents": documents, "seconds": seconds, "cpu": cpu, "peak_gb": peak}
    print(json.dumps(figures))


def run(step: str, root: Path, path: Path) -> dict[str, float]:
    """The figures of one step, run in a process bound to one core."""
    command = [sys.executable, __file__, "--child", step, str(root), str(path)]
    threads = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Print one line per size and step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-measure", action="store_true")
    parser.add_argument("--child", nargs=3)
    options = parser.parse_args()
    if options.child:
        step, root, path = options.child
        child(step, Path(root), Path(path))
        return
    folder = options.folder or Path(tempfile.mkdtemp(prefix="add-documents-"))
    folder.mkdir(parents=True, exist_ok=True)
    first: dict[str, float] = {}
    print(" documents     step   docs/s  docs/CPU-s  peak GB  ratio")
    for documents in options.documents:
        path, root = folder / f"{documents}.jsonl.zst", folder / f"w{documents}"
        generate(path, documents)
        for step in STEPS[: 1 if options.no_measure else 2]:
            got = run(step, root, path)
            cost = got["cpu"] / got["documents"]
            ratio = cost / first.setdefault(step, cost)
            speed = f"{got['documents'] / got['seconds']:>8,.0f} {1 / cost:>11,.0f}"
            peak = f"{got['peak_gb']:>8.2f}"
            print(f"{documents:>10,} {step:>8} {speed} {peak} {ratio:>6.2f}", flush=True)
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
