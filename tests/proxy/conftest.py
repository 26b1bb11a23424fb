"""A run folder small enough to train in a second: 2 layers of width 32, two made-up sources."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from lab.core.files import write_json
from lab.proxy.packing import PhasePlan, pack
from lab.proxy.sizes import ProxySize

TINY = ProxySize("tiny", 32, 2, 2, 64, 4, 1e-2, 10_000, warmup_steps=5, sequence_length=32)
VOCABULARY = 257  # bytes and the end-of-text token
WEIGHTS = {"even": 0.75, "odd": 0.25}

MakeRun = Callable[..., Path]


def documents(rng: np.random.Generator, parity: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat tokens and offsets of documents that repeat a few tokens of one parity: learnable."""
    lengths = rng.integers(5, 60, count)
    alphabet = np.arange(20 + parity, 40, 2)
    flat = np.concatenate([np.resize(rng.choice(alphabet, 4), n) for n in lengths])
    return flat.astype(np.uint16), np.concatenate([[0], np.cumsum(lengths)])


def bytes_tokenizer() -> Tokenizer:
    """A byte-level tokenizer without merges; id 0 ends a text."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<|endoftext|>": 0} | {letter: i for i, letter in enumerate(letters, start=1)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@pytest.fixture
def tiny() -> ProxySize:
    return TINY


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(name, steps, seed)` prepares a tiny run and returns its folder."""

    def make(name: str = "run", steps: int = 30, seed: int = 0, size: ProxySize = TINY) -> Path:
        folder = tmp_path / "w" / "runs" / name
        rng = np.random.default_rng(7)
        tokens = {source: [documents(rng, k, 200)] for k, source in enumerate(WEIGHTS)}
        rows = {source: np.arange(200) for source in WEIGHTS}
        pack(
            folder / "data",
            [PhasePlan("all", 1.0, WEIGHTS, rows)],
            tokens,
            sequences=steps * size.batch,
            sequence_length=size.sequence_length,
            eot_id=0,
            seed=seed,
        )
        (folder / "tokenizer").mkdir()
        bytes_tokenizer().save(str(folder / "tokenizer" / "tokenizer.json"))
        end = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
        config = {"tokenizer_class": "PreTrainedTokenizerFast"} | end
        (folder / "tokenizer" / "tokenizer_config.json").write_text(json.dumps(config))
        tokenizer = {"name": "bytes", "id": "0", "vocab_size": VOCABULARY, "eot_id": 0}
        spec = {
            "id": name,
            "created": "2026-01-01T00:00:00+00:00",
            "recipe": "tiny",
            "recipe_id": "0",
            "size": size.name,
            "tokens": steps * size.tokens_per_step,
            "seed": seed,
            "steps": steps,
            "hyperparameters": asdict(size),
            "tokenizer": tokenizer,
            "sources": sorted(WEIGHTS),
        }
        write_json(folder / "run.json", spec)
        return folder

    return make
