"""Tiny real things to score: Llama models of two layers, items, run folders."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import safetensors.torch
import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from lab.core.files import write_json
from lab.core.schema import ITEMS

torch.set_num_threads(1)

CONTEXT = 48
TEXTS = [
    "The river runs under the bridge and the lamp is green.",
    "Which stone is in the garden? The copper stone is in the garden.",
    "Ada follows the letter to the market. Seven lamps answer.",
    "naïve café Ω 漢字 ends here",
]


def new_model(
    vocabulary: int, seed: int = 0, scale: float = 0.3, hidden: int = 16
) -> LlamaForCausalLM:
    """Weights large enough that choices differ by nats, not by rounding."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=scale,
        use_cache=False,
    )
    return LlamaForCausalLM(config)


def item(number: int, **values: Any) -> dict[str, Any]:
    """An item of schema.ITEMS with gaps filled."""
    choices = values.get("choices", [])
    index = values.get("answer_index", 0 if choices else None)
    return {
        "id": f"i{number}",
        "benchmark": "bench",
        "split": "test",
        "kind": "multiple_choice" if choices else "cloze",
        "question": "",
        "choices": choices,
        "answer_index": index,
        "answer": choices[index] if choices else "the bridge",
        "meta": "{}",
    } | values


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=pl.Schema(ITEMS))


def save_run(
    folder: Path, model: LlamaForCausalLM, tokenizer: Tokenizer, run: dict[str, Any] | None = None
) -> Path:
    """A finished run folder, as proxy leaves it."""
    model.save_pretrained(folder / "model")
    tokenizer.save(str(folder / "model" / "tokenizer.json"))
    write_json(folder / "run.json", {"seed": 0, "size": "nano", "tokens": 1000} | (run or {}))
    return folder


def train_on(model: LlamaForCausalLM, tokens: list[int], steps: int, seed: int) -> LlamaForCausalLM:
    """A few steps of AdamW on windows of `tokens`."""
    rng = np.random.default_rng(seed)
    data = torch.tensor(tokens)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        starts = rng.integers(0, len(tokens) - 33, 8)
        batch = torch.stack([data[s : s + 33] for s in starts])
        loss = model(input_ids=batch, labels=batch).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


def rolling(model: LlamaForCausalLM, tokens: list[int], start: int) -> float:
    """Log-likelihood of `tokens` from `start` on, window by window, one forward pass each."""
    total = 0.0
    for first in range(start, len(tokens), CONTEXT):
        end = min(first + CONTEXT, len(tokens))
        before = max(0, end - 1 - CONTEXT) if end == len(tokens) else first - 1
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([tokens[before : end - 1]])).logits[0]
        table = logits.log_softmax(-1)
        total += float(sum(table[i - 1 - before, tokens[i]] for i in range(first, end)))
    return total


def save_snapshot(folder: Path, step: int, model: LlamaForCausalLM) -> Path:
    """A snapshot as training leaves it: weights by parameter name, the tied head once."""
    path = folder / "snapshots" / f"step-{step:08d}" / "model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: p.detach().contiguous() for name, p in model.named_parameters()}
    safetensors.torch.save_file(weights, path, metadata={"format": "pt"})
    return path
