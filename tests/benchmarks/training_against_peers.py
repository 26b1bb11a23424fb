"""Proxy training against others on the same machine: HF Trainer, and nanoGPT's CPU configuration.

    python tests/benchmarks/training_against_peers.py trainer FOLDER [--size nano] [--steps 150]
    python tests/benchmarks/training_against_peers.py nanogpt FOLDER [--size nano] [--seconds 60]
        [--on world]

FOLDER is that of `preset_search.py`, which makes the text. Everything runs with one thread and
is timed by `process_time`, since other programs share the machine; parts to be compared alternate.

`trainer`: tokens per CPU-second of the lab's worker and of `transformers.Trainer` (needs
accelerate) on the same LlamaForCausalLM, rows, batch, precision and optimiser, both after the first
quarter of their steps, both with the variables of `worker_environment`; then the Trainer without.

`nanogpt`: held-out bits per byte after the same CPU time from scratch. The peer is written from the
figures of nanoGPT's README (train_shakespeare_char on a CPU): 4 layers, 4 heads, 128 wide, context
64, batch 12, AdamW .9/.99, rate 1e-3 after 100 steps of warm-up, cosine to 1e-4, float32, learned
positions, LayerNorm, GELU, no biases, tied output, random windows of the text. It gets the lab's
tokenizer and text, and as many steps as fit into the time, so that its schedule ends with it.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from preset_search import pick, prepare_corpora, prepare_world
from torch import nn

from lab.corpus.sources import list_sources, scan_documents
from lab.corpus.tokenizer import load_tokenizer
from lab.evaluation.runs.evaluate import evaluate_run
from lab.evaluation.scoring.heldout import heldout_sample
from lab.proxy import train as training
from lab.proxy.environment import pick_precision, worker_environment
from lab.proxy.model import build_model
from lab.proxy.runs import load_run, prepare_run, read_metrics
from lab.proxy.shards import open_rows
from lab.proxy.sizes import SIZES

WARM = 0.25  # share of the steps before measuring begins
CONTEXT, BATCH, WIDTH, LAYERS, HEADS = 64, 12, 128, 4, 4  # nanoGPT's figures
RATE, LOWEST, WARMUP = 1e-3, 1e-4, 100


class Block(nn.Module):
    """One layer: attention and feed-forward, each after a LayerNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH, bias=False), nn.LayerNorm(WIDTH, bias=False)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, _ = x.shape
        parts = self.qkv(self.before(x)).view(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.down(F.gelu(self.up(self.between(x))))


class NanoGPT(nn.Module):
    """The peer's model; weights N(0, .02), those into the residual stream less."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                late = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * LAYERS) if late else 0.02)

    def losses(self, ids: torch.Tensor) -> torch.Tensor:
        """Nats of predicting `ids[:, 1:]`, [B, S]."""
        x = self.tokens(ids[:, :-1]) + self.places.weight[: ids.shape[1] - 1]
        logits = self.norm(self.blocks(x)) @ self.tokens.weight.t()
        return F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")


def peer_rate(step: int, steps: int) -> float:
    """nanoGPT's schedule."""
    if step < WARMUP:
        return RATE * (step + 1) / (WARMUP + 1)
    done = (step - WARMUP) / max(1, steps - WARMUP)
    return LOWEST + 0.5 * (1 + math.cos(math.pi * done)) * (RATE - LOWEST)


def train_peer(model: NanoGPT, stream: np.ndarray, steps: int) -> float:
    """Train on random windows; CPU seconds."""
    matrices = [w for w in model.parameters() if w.ndim == 2]
    vectors = [w for w in model.parameters() if w.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99))
    rng = np.random.default_rng(1337)
    start = time.process_time()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = peer_rate(step, steps)
        places = rng.integers(0, len(stream) - CONTEXT - 1, BATCH)
        ids = torch.from_numpy(np.stack([stream[p : p + CONTEXT + 1] for p in places]))
        model.losses(ids).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return time.process_time() - start


@torch.no_grad()
def peer_nats(model: NanoGPT, ids: list[int], end: int) -> float:
    """Nats of a document after end-of-text, every token once; the last window is filled up."""
    stream = torch.tensor([end, *ids])
    total = 0.0
    for start in range(0, len(ids), CONTEXT):
        stop = min(start + CONTEXT, len(ids))
        first = max(0, stop - CONTEXT)
        total += float(model.losses(stream[None, first : stop + 1])[0, start - first :].sum())
    return total


def peer_bpb(model: NanoGPT, ws, name: str, end: int) -> float:
    """Mean over sources of bits per byte on the held-out text that runs are scored on."""
    tokenizer = load_tokenizer(ws, name)
    values = []
    for source in list_sources(ws):
        sample = heldout_sample(scan_documents(ws, source.name))
        encoded = tokenizer.encode_batch(sample["text"].to_list(), add_special_tokens=False)
        nats = sum(peer_nats(model, e.ids, end) for e in encoded)
        values.append(nats / math.log(2) / sample["bytes"].sum())
    return float(np.mean(values))


def against_nanogpt(options: argparse.Namespace) -> None:
    """Both from scratch for --seconds of CPU time; prints bits per byte of each."""
    torch.set_num_threads(1)
    ws, recipe = (
        prepare_world(options.folder, 4096)
        if options.on == "world"
        else prepare_corpora(options.folder, 4096, options.corpora)
    )
    size = SIZES[options.size]
    tokens = int(probe_lab(ws, recipe, options.size) * options.seconds)
    folder = prepare_run(ws, recipe, size=options.size, tokens=tokens, seed=0, repetition=False)
    stream = open_rows(folder / "data").rows(0, load_run(folder).steps * size.batch)[:, :-1].ravel()
    vocabulary = load_run(folder).tokenizer["vocab_size"]
    torch.manual_seed(1337)
    probe = NanoGPT(vocabulary)
    train_peer(probe, stream, 20)
    steps = int(100 * options.seconds / train_peer(probe, stream, 100))
    model = NanoGPT(vocabulary)
    spent = train_peer(model, stream, steps)
    theirs = peer_bpb(model, ws, recipe.tokenizer, load_run(folder).tokenizer["eot_id"])
    print(f"nanoGPT: {spent:.1f} CPU s, {steps * BATCH * CONTEXT:,} tokens, {theirs:.3f} bits/byte")
    start = time.process_time()
    training.train(folder, device="cpu")
    spent = time.process_time() - start
    metrics = evaluate_run(ws, folder).metrics
    rows = metrics.select("scope", "on", "metric", "value", "se").rows()
    ours = pick({"metrics": rows}, "bpb")
    print(f"{options.size}: {spent:.1f} CPU s, {load_run(folder).tokens:,} tokens, {ours:.3f}")


def probe_lab(ws, recipe, size: str) -> float:
    """Tokens per CPU-second of the lab on this machine now, from a short run."""
    tokens = 60 * SIZES[size].tokens_per_step
    folder = prepare_run(ws, recipe, size=size, tokens=tokens, seed=99, repetition=False)
    training.train(folder, device="cpu")
    return settled_speed(folder)


def settled_speed(folder: Path) -> float:
    """Tokens per CPU-second after the first quarter of a run, from its metrics."""
    lines = read_metrics(folder)
    late = lines.filter(lines["step"] > WARM * lines["step"].max())
    seconds = (late["tokens"].diff() / late["tokens_per_second"] * late["cpu_share"]).sum()
    return float((late["tokens"][-1] - late["tokens"][0]) / seconds)


PEER = """
import json, sys, time
import numpy as np, torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments
job = json.loads(sys.argv[1])
torch.set_num_threads(1)
rows = np.load(job["rows"])[:, :-1]
class Rows(torch.utils.data.Dataset):
    def __len__(self): return len(rows)
    def __getitem__(self, k):
        ids = torch.from_numpy(rows[k])
        return {"input_ids": ids, "labels": ids}
class Clock(TrainerCallback):
    def on_step_end(self, args, state, control, **more):
        if state.global_step == job["warm"]: self.start = time.process_time()
        if state.global_step == job["steps"]:
            spent = time.process_time() - self.start
            print((job["steps"] - job["warm"]) * job["batch"] * rows.shape[1] / spent)
model = LlamaForCausalLM(LlamaConfig.from_dict(job["config"]))
arguments = TrainingArguments(
    output_dir=job["out"], use_cpu=True, bf16=job["bf16"], max_steps=job["steps"],
    per_device_train_batch_size=job["batch"], optim="adamw_torch_fused", learning_rate=job["rate"],
    weight_decay=0.1, max_grad_norm=1.0, logging_steps=50, save_strategy="no", report_to="none",
    disable_tqdm=True, seed=0,
)
Trainer(model=model, args=arguments, train_dataset=Rows(), callbacks=[Clock()]).train()
"""


def speed_of_trainer(job: dict, variables: dict[str, str]) -> float:
    """Tokens per CPU-second of transformers.Trainer in a process of its own."""
    command = [sys.executable, "-c", PEER, json.dumps(job)]
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=True
    )
    return float([line for line in done.stdout.splitlines() if line[:1].isdigit()][-1])


def against_trainer(options: argparse.Namespace) -> None:
    """Alternate the two, and print tokens per CPU-second and the ratio of medians."""
    ws, recipe = prepare_world(options.folder, 4096)
    size = replace(SIZES[options.size], name="peers", optimiser="adamw")
    SIZES["peers"] = size
    speeds: dict[str, list[float]] = {"lab": [], "Trainer": [], "Trainer, plain variables": []}
    bf16 = pick_precision(torch.device("cpu")) == torch.bfloat16
    for repeat in range(options.repeats):
        tokens = options.steps * size.tokens_per_step
        folder = prepare_run(
            ws, recipe, size="peers", tokens=tokens, seed=1000 + repeat, repetition=False
        )
        with tempfile.TemporaryDirectory() as out:
            rows = open_rows(folder / "data").rows(0, options.steps * size.batch)
            np.save(Path(out) / "rows.npy", rows)
            end = load_run(folder).tokenizer
            config = build_model(size, end["vocab_size"], end["eot_id"], 0).config.to_dict()
            job = {
                "rows": str(Path(out) / "rows.npy"), "out": out, "config": config, "bf16": bf16,
                "steps": options.steps, "warm": int(WARM * options.steps), "batch": size.batch,
                "rate": size.learning_rate,
            }  # fmt: skip
            worker = [sys.executable, "-m", "lab.proxy.worker", str(folder), "--device", "cpu"]
            subprocess.run(worker, env=os.environ | worker_environment(1), check=True)
            speeds["lab"].append(settled_speed(folder))
            speeds["Trainer"].append(speed_of_trainer(job, worker_environment(1)))
            plain = {"OMP_NUM_THREADS": "1"}
            speeds["Trainer, plain variables"].append(speed_of_trainer(job, plain))
    lab = float(np.median(speeds["lab"]))
    for name, values in speeds.items():
        each = ", ".join(f"{value:,.0f}" for value in values)
        print(
            f"{options.size:6} {name:26} {each} tokens/CPU-s   lab {lab / np.median(values):.2f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("against", choices=("trainer", "nanogpt"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="nano")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--on", choices=("world", "corpora"), default="world")
    parser.add_argument("--corpora", type=Path, default=Path("shared/data/corpora"))
    options = parser.parse_args()
    against_trainer(options) if options.against == "trainer" else against_nanogpt(options)


if __name__ == "__main__":
    main()
