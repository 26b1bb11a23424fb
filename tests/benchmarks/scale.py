"""Add, measure, filter, dedup at scale: cost a document and peak memory, 0.1, 1 and 10 million.

    python tests/benchmarks/scale.py [--documents N ...] [--folder DIR] [--workers 2] [--words 50]

Each step runs in a process of its own with `--workers` shard processes. Memory is the proportional
set size of that process and its children together, sampled five times a second. Generated
documents have `--words` words in sentences drawn from a pool; one in twenty is an earlier one with
a sentence exchanged. Linear means that the last column (CPU time a document against the first
size) stays near 1; bounded means that the peak does not reach the machine's memory.

`filter` judges eight rules and the duplicates and makes the ledger, as `mixlab ledger` does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa

STEPS = ("add", "tokens", "measure", "dedup", "filter")
FILE_DOCUMENTS = 500_000
RULES = [
    {"signal": "gopher.word_count", "min": 20, "max": 100000},
    {"signal": "gopher.mean_word_length", "min": 3, "max": 10},
    {"signal": "gopher.alpha_words", "min": 0.6},
    {"signal": "fineweb.line_punct", "min": 0.1},
    {"signal": "fineweb.short_lines", "max": 0.9},
    {"signal": "repetition.dup_lines", "max": 0.3},
    {"signal": "basic.digit_share", "max": 0.2},
    {"signal": "basic.uppercase_share", "max": 0.3},
]


def sentences(rng: np.random.Generator, count: int = 50_000) -> list[str]:
    """A pool of sentences of 6 to 14 invented words."""
    letters = np.array(list("abcdefghiklmnoprstuvw"))
    words = np.array(
        ["".join(rng.choice(letters, n)) for n in rng.integers(2, 10, 20_000)]
        + ["the", "of", "and", "that", "to", "be"] * 400
    )
    picked = rng.integers(0, len(words), (count, 14))
    return [
        " ".join(words[row[:n]]).capitalize() + "."
        for row, n in zip(picked, rng.integers(6, 15, count), strict=True)
    ]


def generate(folder: Path, documents: int, words: int) -> None:
    """Write JSONL.zst files of `documents` documents into `folder`; 5 microseconds a document."""
    rng = np.random.default_rng(0)
    pool = sentences(rng)
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, documents, FILE_DOCUMENTS):
        count = min(FILE_DOCUMENTS, documents - start)
        drawn = rng.integers(0, len(pool), (count, max(words // 10, 2)))
        copies = np.flatnonzero(rng.random(count) < 0.05)
        copies = copies[copies > 0]
        drawn[copies, :-1] = drawn[rng.integers(0, copies), :-1]
        with pa.CompressedOutputStream(str(folder / f"{start:09d}.jsonl.zst"), "zstd") as sink:
            for number, row in enumerate(drawn.tolist(), start=start):
                text = "\\n".join(pool[k] for k in row)  # plain ASCII: no JSON escapes needed
                sink.write(f'{{"id":"d{number}","text":"{text}"}}\n'.encode())


def child(step: str, root: Path, data: Path, workers: int) -> None:
    """Run one step and print its seconds and CPU seconds (children included) as JSON."""
    begun = time.perf_counter()
    perform(step, root, data, workers)
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    print(json.dumps({"seconds": time.perf_counter() - begun, "cpu": cpu}))


def perform(step: str, root: Path, data: Path, workers: int) -> None:
    """One step on the workspace at `root`."""
    from lab.core.engine import Engine, running_on
    from lab.core.progress import SILENT
    from lab.core.workspace import create
    from lab.corpus.sources import add_source
    from lab.jobs import actions

    ws = create(root)
    if step == "add":
        add_source(ws, "generated", [str(data)], id_column="id")
        actions.run_action(ws, "tokenizer", {"name": "small"}, SILENT)
    elif step == "tokens":
        from lab.corpus.tokens import count_tokens

        with running_on(Engine(workers=workers)):
            count_tokens(ws, "generated", "small")
    elif step == "measure":
        actions.run_action(ws, "measure", {"workers": workers}, SILENT)
    elif step == "dedup":
        actions.run_action(ws, "dedup", {"workers": workers}, SILENT)
    else:
        from lab.mixture.ledger import compute_ledger
        from lab.mixture.parsing import parse_recipe

        mapping = {
            "name": "scale",
            "sources": {"generated": {"filters": RULES}},
            "dedup": {"exact": True, "minhash": {}},
            "mixture": {"tokens": 10**9, "phases": [{"name": "all", "weights": {"generated": 1}}]},
        }
        ledger = compute_ledger(ws, parse_recipe(mapping, "scale"))
        print(ledger.sources.to_dicts(), file=sys.stderr)


def run(step: str, root: Path, data: Path, workers: int) -> dict[str, float]:
    """The figures of one step, run in a process of its own, with the peak of its whole tree."""
    command = [sys.executable, __file__, "--child", step, str(root), str(data), str(workers)]
    threads = {name: str(workers) for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS")}
    process = subprocess.Popen(
        command, env=os.environ | threads, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak = [0]
    watch = threading.Thread(target=sample_memory, args=(process.pid, peak), daemon=True)
    watch.start()
    output, errors = process.communicate()
    if process.returncode:
        sys.exit(errors)
    figures: dict[str, float] = json.loads(output.splitlines()[-1])
    return figures | {"peak_gb": peak[0] / 1e9}


def sample_memory(pid: int, peak: list[int]) -> None:
    """Keep the largest proportional set size of a process and its children in `peak`, in bytes."""
    try:
        root = psutil.Process(pid)
        while root.is_running():
            total = 0
            for process in [root, *root.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue  # it ended between the two calls
            peak[0] = max(peak[0], total)
            time.sleep(0.2)
    except psutil.Error:
        return


def main() -> None:
    """Print one line per size and step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--words", type=int, default=50)
    parser.add_argument("--child", nargs=4)
    options = parser.parse_args()
    if options.child:
        step, root, data, workers = options.child
        child(step, Path(root), Path(data), int(workers))
        return
    folder = options.folder or Path(tempfile.mkdtemp(prefix="scale-"))
    first: dict[str, float] = {}
    print(" documents     step    seconds  docs/CPU-s  peak GB  cost ratio")
    for documents in options.documents:
        data, root = folder / f"data-{documents}", folder / f"w-{documents}"
        generate(data, documents, options.words)
        for step in STEPS:
            got = run(step, root, data, options.workers)
            cost = got["cpu"] / documents
            ratio = cost / first.setdefault(step, cost)
            print(
                f"{documents:>10,} {step:>8} {got['seconds']:>10,.1f} {1 / cost:>11,.0f} "
                f"{got['peak_gb']:>8.2f} {ratio:>11.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
