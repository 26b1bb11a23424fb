"""Which configuration of a preset learns most in the CPU time that the preset takes today.

    python tests/benchmarks/preset_search.py FOLDER CANDIDATE ... [--preset nano] [--on world]
        [--seeds 0 1 2] [--budget 1.0] [--processes 2]
    python tests/benchmarks/preset_search.py FOLDER --table [--preset nano] [--on world]

A CANDIDATE is `key=value,key=value` over the fields of `ProxySize`, in short `d` hidden, `L`
layers, `h` heads, `f` feed-forward, `b` batch, `S` sequence length, `lr`, `mu` (Muon at this rate),
`decay`, `wd`, `warmup`; `V` picks the tokenizer's vocabulary, `schedule=cosine` and
`precision=float32` replace parts of the loop. An empty one, `""`, is the preset as it is.

Equal time, whatever else the machine does: the budget is what the preset costs with its default
tokens (times --budget). A candidate gets as many tokens as it manages in that time, from the ratio
of its speed to the preset's, taken from interleaved stretches of steps in one process
(`process_time`, one thread, least of each): load slows both alike.

`--on world`: the sample world, all seven sources with the weights of WORLD, held-out text and all
benchmarks. `--on corpora`: the text of shared/data (--corpora DIR), equal weights, held-out text
alone. FOLDER keeps the two workspaces, and `results.jsonl`, to which every finished run adds a
line; what stands there is not run again, so a search can be stopped and gone on with. Cost: at
`nano` 75 CPU-seconds of training a run, 6 for the ratio, 10 for the scores.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import torch

from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, list_sources
from lab.corpus.tokenizer import list_tokenizers, train_tokenizer
from lab.evaluation.runs.evaluate import evaluate_run
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.proxy import session
from lab.proxy import train as training
from lab.proxy.environment import pick_precision, worker_environment
from lab.proxy.model import build_model, next_token_loss
from lab.proxy.optimiser import build_optimiser, set_rates
from lab.proxy.runs import prepare_run
from lab.proxy.sizes import SIZES, ProxySize

WORLD = {
    "web": 0.1, "forum": 0.03, "encyclopaedia": 0.32, "code": 0.04, "web_rewritten": 0.03,
    "textbooks": 0.24, "exercises": 0.24,
}  # fmt: skip
SHORT = {
    "d": "hidden", "L": "layers", "h": "heads", "f": "feed_forward", "b": "batch", "lr":
    "learning_rate", "S": "sequence_length", "decay": "decay_share", "wd": "weight_decay",
    "warmup": "warmup_steps",
}  # fmt: skip
SHOWN = ("facts", "reasoning", "facts_twin", "reasoning_twin")
ROUNDS = 6  # of the speed probe
STRETCH = 8192  # tokens of one stretch


def parse(preset: ProxySize, text: str) -> tuple[ProxySize, dict[str, str]]:
    """The candidate's shape, and what else it asks for."""
    given = dict(part.split("=") for part in text.split(",") if part)
    more = {key: given.pop(key) for key in ("V", "schedule", "precision") if key in given}
    if "mu" in given:
        given |= {"optimiser": "muon", "muon_rate": given.pop("mu")}
    kinds = {field.name: type(getattr(preset, field.name)) for field in fields(preset)}
    named = {SHORT.get(key, key): value for key, value in given.items()}
    return replace(preset, **{key: kinds[key](value) for key, value in named.items()}), more


def prepare_world(folder: Path, vocabulary: int) -> tuple[Workspace, Recipe]:
    """The sample workspace, its tokenizer of this size, and a mix of all its sources."""
    from lab.jobs.sample import build_sample

    ws = create(folder / "world")
    if not (ws.root / "world" / "done.json").is_file():
        build_sample(ws)
    return ws, mix(ws, WORLD, vocabulary)


def prepare_corpora(folder: Path, vocabulary: int, data: Path) -> tuple[Workspace, Recipe]:
    """A workspace of all corpora in `data`, mixed equally."""
    ws = create(folder / "corpora")
    known = {source.name for source in list_sources(ws)}
    for path in sorted(data.iterdir()):
        name = path.name.split(".")[0]
        if name not in known:
            add_source(ws, name, [str(path)], kind="other", id_column="id")
    names = [source.name for source in list_sources(ws)]
    return ws, mix(ws, dict.fromkeys(names, 1 / len(names)), vocabulary)


def mix(ws: Workspace, weights: dict[str, float], vocabulary: int) -> Recipe:
    """A recipe of one phase without filters."""
    tokenizer = f"bpe-{vocabulary}"
    if tokenizer not in list_tokenizers(ws):
        train_tokenizer(ws, tokenizer, vocab_size=vocabulary)
    phase = Phase("all", 1.0, weights)
    return Recipe("search", tokenizer, dict.fromkeys(weights, ()), Mixture(2_000_000, (phase,)))


def stretch_of(size: ProxySize, vocabulary: int, precision: torch.dtype):
    """A function that trains on STRETCH made-up tokens and returns CPU seconds a token."""
    model = build_model(size, vocabulary, 0, seed=0)
    model.set_attn_implementation("mixlab_causal")
    optimiser = build_optimiser(model, size)
    set_rates(optimiser, size, 0.1)
    generator = torch.Generator().manual_seed(0)
    shape = (size.batch, size.sequence_length + 1)
    rows = torch.randint(0, vocabulary, shape, generator=generator)
    steps = max(1, STRETCH // size.tokens_per_step)

    def stretch() -> float:
        start = time.process_time()
        for _ in range(steps):
            next_token_loss(model, rows, precision)[0].backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), size.clip)
            optimiser.step()
        return (time.process_time() - start) / (steps * size.tokens_per_step)

    return stretch


def speed_ratio(preset: ProxySize, size: ProxySize, more: dict[str, str], base: int) -> float:
    """Tokens per CPU-second of a candidate over those of the preset with `base` vocabulary."""
    native = pick_precision(torch.device("cpu"))
    precision = torch.float32 if more.get("precision") == "float32" else native
    one = stretch_of(preset, base, native)
    two = stretch_of(size, int(more.get("V", base)), precision)
    one(), two()
    pairs = [(one(), two()) for _ in range(ROUNDS)]
    return min(a for a, _ in pairs) / min(b for _, b in pairs)


def costs_alike(preset: ProxySize, size: ProxySize, more: dict[str, str]) -> bool:
    """Whether a candidate differs from the preset in rates and schedules only."""
    rates = ("learning_rate", "muon_rate", "decay_share", "warmup_steps", "weight_decay", "clip")
    alike = {name: getattr(preset, name) for name in (*rates, "beta1", "beta2")}
    return replace(size, **alike) == preset and not more.keys() & {"V", "precision"}


def cosine(size: ProxySize, step: int, steps: int) -> float:
    """Warm-up, then a cosine to a tenth of the peak, as in GPT-3."""
    warmup = max(1, min(size.warmup_steps, steps // 10))
    done = max(0.0, (step - warmup) / max(1, steps - warmup))
    return min((step + 1) / warmup, 0.1 + 0.45 * (1 + math.cos(math.pi * done)))


def run(options: argparse.Namespace, candidate: str, seed: int) -> None:
    """Prepare, train and score one candidate; append a line to the results."""
    torch.set_num_threads(1)
    preset = SIZES[options.preset]
    size, more = parse(preset, candidate)
    ratio = known_ratio(options, candidate)
    if ratio is None:
        ratio = (
            1.0
            if costs_alike(preset, size, more)
            else speed_ratio(preset, size, more, options.vocabulary)
        )
    vocabulary = int(more.get("V", options.vocabulary))
    if options.on == "world":
        ws, recipe = prepare_world(options.folder, vocabulary)
    else:
        ws, recipe = prepare_corpora(options.folder, vocabulary, options.corpora)
    if more.get("schedule") == "cosine":
        training.schedule = cosine
    if more.get("precision") == "float32":
        session.pick_precision = lambda device: torch.float32
    SIZES["candidate"] = replace(size, name="candidate")
    tokens = round(options.budget * preset.default_tokens * ratio)
    folder = prepare_run(
        ws, recipe, size="candidate", tokens=tokens, seed=seed, repetition=False, snapshots=False
    )
    start = time.process_time()
    training.train(folder, device="cpu")
    spent = time.process_time() - start
    scores = evaluate_run(ws, folder)
    metrics = scores.metrics.select("scope", "on", "metric", "value", "se").rows()
    line = {
        "preset": options.preset, "on": options.on, "candidate": candidate, "seed": seed,
        "budget": options.budget, "ratio": ratio, "tokens": tokens, "cpu_seconds": spent,
        "parameters": size.parameters(vocabulary), "metrics": metrics, "size": asdict(size),
    }  # fmt: skip
    with (options.folder / "results.jsonl").open("a") as handle:
        handle.write(json.dumps(line) + "\n")
    shutil.rmtree(folder)


def results(options: argparse.Namespace) -> list[dict]:
    """The finished runs of this preset and budget, on either text."""
    path = options.folder / "results.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    wanted = (options.preset, options.budget)
    return [line for line in lines if (line["preset"], line["budget"]) == wanted]


def known_ratio(options: argparse.Namespace, candidate: str) -> float | None:
    """The speed of the candidate from an earlier run, so that all seeds see as many tokens."""
    found = [line["ratio"] for line in results(options) if line["candidate"] == candidate]
    return found[0] if found else None


def table(options: argparse.Namespace) -> None:
    """Print a row per candidate: mean over seeds, with their standard deviation."""
    here = [line for line in results(options) if line["on"] == options.on]
    columns = [("bpb", "accuracy")]
    if options.on == "world":
        columns += [(name, "accuracy") for name in SHOWN]
        columns += [(name, "gold_bpb") for name in SHOWN[:2]]
    heads = [on if metric == "accuracy" else f"{on} bpb" for on, metric in columns]
    print(f"{'candidate':36} {'n':>2} {'Mtok':>5} {'CPU s':>6}  {'  '.join(heads)}")
    rows = []
    for name in dict.fromkeys(line["candidate"] for line in here):
        lines = [line for line in here if line["candidate"] == name]
        cells = [cell([pick(line, *column) for line in lines]) for column in columns]
        spent = statistics.mean(line["cpu_seconds"] for line in lines)
        size = f"{len(lines):2} {lines[0]['tokens'] / 1e6:5.2f} {spent:6.1f}"
        rows.append((cells[0], f"{name or '(preset)':36} {size}  {'  '.join(cells)}"))
    for _, row in sorted(rows):
        print(row)


def pick(line: dict, on: str, metric: str = "accuracy") -> float:
    """One number of a result."""
    key = ("heldout", "(mean)", "bpb") if on == "bpb" else (on, metric)
    return next(row[3] for row in line["metrics"] if tuple(row[:3])[-len(key) :] == key)


def cell(values: list[float]) -> str:
    """Mean, and the standard deviation over seeds."""
    spread = f" ±{np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def drive(options: argparse.Namespace) -> None:
    """All candidates and seeds that are not done, `processes` at once, one thread each."""
    known = {(r["on"], r["candidate"], r["seed"]) for r in results(options)}
    asked = [(c, s) for s in options.seeds for c in options.candidates]
    todo = [(c, s) for c, s in asked if (options.on, c, s) not in known]
    working: list[subprocess.Popen] = []
    while todo or working:
        while todo and len(working) < options.processes:
            candidate, seed = todo.pop(0)
            command = [sys.executable, __file__, str(options.folder), candidate, "--one", str(seed)]
            command += ["--preset", options.preset, "--on", options.on]
            command += ["--budget", str(options.budget), "--corpora", str(options.corpora)]
            working.append(subprocess.Popen(command, env=os.environ | worker_environment(1)))
        time.sleep(0.5)
        working = [process for process in working if process.poll() is None]
    table(options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("candidates", nargs="*")
    parser.add_argument("--preset", default="nano")
    parser.add_argument("--on", choices=("world", "corpora"), default="world")
    parser.add_argument("--corpora", type=Path, default=Path("shared/data/corpora"))
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--budget", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        table(options)
    elif options.one is not None:
        run(options, options.candidates[0], options.one)
    else:
        drive(options)


if __name__ == "__main__":
    main()
