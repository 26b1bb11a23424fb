"""A byte-level tokenizer, a model, and items with every edge that scoring has to take."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tiny_models import TEXTS, frame, item, new_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaForCausalLM


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


@pytest.fixture(scope="session")
def model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    return new_model(tokenizer.get_vocab_size())


@pytest.fixture
def items() -> pl.DataFrame:
    """Shared questions, unequal choices, no context, unicode, spaces at the seam, long context."""
    long = "under the bridge " * 20
    return frame(
        [
            item(0, question="Which stone?", choices=["copper", "the green river stone", "lamp"]),
            item(1, question="Which stone?", choices=["a", "b", "c", "d"], answer_index=3),
            item(2, choices=["The river runs.", "The runs river."], kind="minimal_pair"),
            item(3, question="naïve café", choices=["漢字", "Ω ends", "漢字 ends"], answer_index=1),
            item(4, question="The lamp is  ", choices=["green", "copper"]),
            item(5, question="The lamp is\n", choices=["green", " green"], answer_index=1),
            item(6, question=long, choices=["green", "a copper lamp"]),
            item(7, question="The river runs under"),
            item(8, question="2 + 2 =", answer="4", kind="generative"),
            item(9, question="Q", choices=["same", "same"]),
        ]
    )


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """A JSONL file of rows; a row that is bytes is written as it is."""

    def write(*rows: object, name: str = "items.jsonl") -> Path:
        lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
        path = tmp_path / name
        path.write_bytes(b"\n".join(lines) + b"\n")
        return path

    return write
