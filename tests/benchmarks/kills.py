"""Kill training, sweep and scoring at random moments; nothing finished may be lost, no bit changed.

    python -m tests.benchmarks.kills --kills 200

Tiny runs are prepared once and finished undisturbed: the reference. Then copies of the same
workspace are worked on by sweeps of two workers, one thread each, that write a checkpoint a second.
For each kill one of four phases is drawn, (a worker that starts, trains, or scores; the sweep
itself), a moment in it, and SIGKILL or SIGTERM; a sweep that has ended or died is started again.
Once all runs of a copy are done, another copy begins, until the kills are spent.

What is checked:

    finished  a model that was written is never written again (its file keeps its time), and what
              was scored stays scored, with the same hash
    bits      every model, snapshot and score file equals the reference byte for byte, and so do
              steps and losses of metrics.jsonl
    strays    once a sweep is gone, so are its workers, at the latest after `PATIENCE` seconds
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from lab.core.engine import Engine, running_on
from lab.core.errors import Cancelled
from lab.core.files import read_json, write_json
from lab.core.progress import Progress
from lab.core.workspace import Workspace, create, open_workspace
from lab.proxy.record import list_records

ROOT = Path(__file__).parents[2]
PHASES = ("starting", "training", "scoring", "sweep")
PATIENCE = 90.0  # seconds for workers to notice that their sweep is gone
WEIGHTS = ({"short": 0.5, "long": 0.5}, {"short": 0.8, "long": 0.2}, {"short": 0.1, "long": 0.9})
AFTER = "lab.evaluation.runs.evaluate:evaluate_run"


def prepare(root: Path, runs: int, tokens: int) -> Workspace:
    """A workspace with prepared runs of different mixtures and lengths, and two benchmarks."""
    from lab.corpus.sources import add_source
    from lab.evaluation.benchmarks.registry import add_benchmark
    from lab.jobs.actions import run_action
    from lab.mixture.parsing import parse_recipe
    from lab.proxy.runs import prepare_run
    from tests.conftest import WORDS, plain_texts, write_jsonl

    ws = create(root / "prepared", heldout_share=0.05)
    for seed, (name, words) in enumerate((("short", 60), ("long", 600))):
        texts = plain_texts(300_000 // words // 5, words, seed)
        add_source(ws, name, [str(write_jsonl(root / f"{name}.jsonl", texts))])
    run_action(ws, "tokenizer", {"name": "plain", "vocab_size": 512}, Progress())
    run_action(ws, "measure", {"workers": 1}, Progress())
    for name, shift in (("words", 0), ("others", 5)):
        rows = [
            {"question": WORDS[(k + shift) % 27], "choices": WORDS[k % 7 : k % 7 + 4], "answer": 1}
            for k in range(400)
        ]
        path = root / f"{name}.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)))
        add_benchmark(ws, name, path)
    for k in range(runs):
        mixture = {"tokens": 1_000_000, "phases": [{"name": "all", "weights": WEIGHTS[k % 3]}]}
        body = {"name": f"r{k}", "tokenizer": "plain", "sources": {"short": {}, "long": {}}}
        recipe = parse_recipe(body | {"mixture": mixture}, f"r{k}")
        prepare_run(ws, recipe, size="nano", tokens=tokens * (k + 2) // 2, seed=k)
    return ws


def sweep(root: Path) -> None:
    """One sweep over all runs of a workspace; SIGTERM asks it to stop. The process to be killed."""
    from lab.proxy.runs import run_folders
    from lab.proxy.sweep import run_many

    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    folders = run_folders(open_workspace(root))
    progress = Progress(should_stop=lambda: bool(asked))
    with running_on(Engine(workers=2)):
        try:
            run_many(folders, device="cpu", after=AFTER, checkpoint_seconds=1.0, progress=progress)
        except Cancelled:
            sys.exit(130)


def start_sweep(root: Path) -> psutil.Popen:
    """`sweep` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.kills", "--sweep", str(root)]
    with (root / "sweep.log").open("ab") as log:
        return psutil.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def workers(root: Path) -> dict[Path, psutil.Process]:
    """Live workers on runs of this workspace, by the run's folder, whoever their parent is."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "lab.proxy.worker" in words:
            folder = Path(words[words.index("lab.proxy.worker") + 1])
            if folder.is_relative_to(root):
                found[folder] = process
    return found


def phase_of(folder: Path, process: psutil.Process) -> str:
    """What a worker is at, from the locks it holds."""
    for name, phase in (("training", "training"), ("after", "scoring")):
        path = folder / f"{name}.json"
        try:
            if json.loads(path.read_text())["pid"] == process.pid:
                return phase
        except (OSError, json.JSONDecodeError):
            continue
    return "starting"


def complete(folder: Path) -> bool:
    """Whether nothing is left to do on a run."""
    path = folder / "status.json"
    status = read_json(path) if path.is_file() else {}
    return status.get("state") == "done" and status.get("after") == AFTER


def folders_of(root: Path) -> list[Path]:
    """Folders of the runs."""
    return sorted(path.parent for path in root.glob("runs/[!.]*/run.json"))


def fingerprint(root: Path) -> dict[str, str]:
    """Every result by path: hashes of weights and scores, steps and losses of the metrics."""
    found = {}
    for folder in folders_of(root):
        for path in sorted([*folder.rglob("*.safetensors"), *folder.rglob("*.parquet")]):
            if "checkpoint" not in path.parts:
                key = str(path.relative_to(root))
                found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        summary = folder / "scores" / "summary.json"
        found[str(summary.relative_to(root))] = summary.read_text()
        lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
        found[f"{folder.name} losses"] = repr([(x["step"], x["loss"], x["losses"]) for x in lines])
    return found


def finished_work(root: Path) -> dict[str, object]:
    """What must stay as it is: when each model was written, the hash of each thing scored."""
    found: dict[str, object] = {}
    for folder in folders_of(root):
        model = folder / "model" / "model.safetensors"
        if model.is_file():
            found[str(model)] = model.stat().st_mtime_ns
        summary = folder / "scores" / "summary.json"
        if summary.is_file():
            known = read_json(summary)
            for part in ("benchmarks", "heldout"):
                found |= {f"{summary} {n}": e["hash"] for n, e in known[part].items()}
    return found


@dataclass
class Tally:
    """What happened so far."""

    rng: np.random.Generator
    seconds: dict[str, float]
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    copies: int = 0
    sweeps: int = 0
    started: int = 0  # workers
    remains: int = 0  # half-written folders and files that a kill left behind

    def check(self, what: str, holds: bool) -> None:
        """Note a fault unless `holds`."""
        if not holds:
            self.faults.append(f"copy {self.copies}: {what}")


def disturb(root: Path, process: psutil.Popen, tally: Tally, phase: str, number: int) -> bool:
    """Wait for `phase` and a moment in it, then send the signal; False if the sweep ended first."""
    victim = process
    while phase != "sweep":
        if process.poll() is not None:
            return False
        there = [p for f, p in workers(root).items() if phase_of(f, p) == phase]
        if there:
            victim = there[int(tally.rng.integers(len(there)))]
            break
        time.sleep(0.02)
    time.sleep(tally.rng.uniform(0, tally.seconds[phase]))
    if process.poll() is not None or not victim.is_running():
        return False
    victim.send_signal(number)
    tally.kills[phase, signal.Signals(number).name] += 1
    return True


def work_through(root: Path, tally: Tally, kills: int) -> None:
    """Sweep one copy to its end under kills, and check after every death of the sweep."""
    known: dict[str, object] = {}
    while not all(map(complete, folders_of(root))):
        process = start_sweep(root)
        tally.sweeps += 1
        while process.poll() is None and sum(tally.kills.values()) < kills:
            phase = PHASES[int(tally.rng.integers(4))]
            number = signal.SIGKILL if tally.rng.random() < 0.6 else signal.SIGTERM
            if disturb(root, process, tally, phase, number) and phase == "sweep":
                process.wait(300)
            now = finished_work(root)
            lost = [key for key, value in known.items() if now.get(key) != value]
            tally.check(f"finished work lost or redone: {lost}", not lost)
            known |= now
        process.wait(900)
        tally.check("workers outlive their sweep", wait_for_none(root))


def wait_for_none(root: Path) -> bool:
    """Whether no worker is left after `PATIENCE` seconds at most."""
    deadline = time.monotonic() + PATIENCE
    while workers(root) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not workers(root)


def measure(kills: int, seed: int, runs: int, tokens: int, root: Path) -> Tally:
    """Reference, then copies under kills; the tally is written to `root`/tally.json as it grows."""
    ws = prepare(root, runs, tokens)
    shutil.copytree(ws.root, root / "reference")
    process, seconds = start_sweep(root / "reference"), Counter[str]()
    while process.poll() is None:
        time.sleep(0.05)
        for folder, worker in workers(root / "reference").items():
            seconds[phase_of(folder, worker)] += 0.05
    assert all(map(complete, folders_of(root / "reference"))), "the reference did not finish"
    reference = fingerprint(root / "reference")
    each = {phase: seconds[phase] / runs for phase in PHASES}
    each["sweep"] = sum(each.values()) / 2
    tally = Tally(np.random.default_rng(seed), each)
    while sum(tally.kills.values()) < kills and not tally.faults:
        copy = root / f"copy-{tally.copies}"
        shutil.copytree(ws.root, copy)
        work_through(copy, tally, kills)
        ended = fingerprint(copy)
        changed = [key for key in reference.keys() | ended if reference.get(key) != ended.get(key)]
        tally.check(f"differs from the reference: {changed}", not changed)
        tally.started += sum(sum(r.attempts.values()) for r in list_records(open_workspace(copy)))
        tally.remains += sum(1 for _ in leftovers(copy))
        tally.copies += 1
        write_json(root / "tally.json", report(tally))
        if not tally.faults:
            shutil.rmtree(copy)
    return tally


def leftovers(root: Path) -> Iterator[Path]:
    """Temporary files and folders in the runs of a copy that is done."""
    return (path for path in (root / "runs").rglob(".*") if path.suffix == ".tmp")


def report(tally: Tally) -> dict[str, object]:
    """The tally as JSON."""
    return {
        "kills": {f"{phase} {name}": n for (phase, name), n in sorted(tally.kills.items())},
        "total": sum(tally.kills.values()),
        "workspaces finished": tally.copies,
        "sweeps started": tally.sweeps,
        "workers started": tally.started,
        "half-written files left": tally.remains,
        "seconds of a phase": {k: round(v, 1) for k, v in tally.seconds.items()},
        "faults": tally.faults,
    }


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=60_000, help="of the shortest run")
    parser.add_argument("--folder", type=Path, help="kept; default: a temporary one")
    parser.add_argument("--sweep", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sweep:
        sweep(options.sweep)
        return
    root = options.folder or Path(tempfile.mkdtemp(prefix="kills-"))
    root.mkdir(parents=True, exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    tally = measure(options.kills, options.seed, options.runs, options.tokens, root.resolve())
    print(json.dumps(report(tally), indent=1))
    sys.exit(1 if tally.faults else 0)


if __name__ == "__main__":
    main()
