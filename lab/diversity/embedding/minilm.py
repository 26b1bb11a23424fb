"""all-MiniLM-L6-v2 in NumPy: the vector of one query without torch.

BERT (Devlin et al. 2019) as distilled by Wang et al. (2020): word piece, position and segment
embeddings, then per layer

    x <- norm(x + attention(x) W_o)        12 heads of 32 dimensions
    x <- norm(x + gelu(x W_1) W_2)         384 -> 1536 -> 384

and the mean over all pieces, scaled to length 1. The server must not load torch (seconds, and
hundreds of megabytes), and a query is short: 25 ms for a sentence, 0.3 s for 256 pieces (one core),
0.3 s and 45 MB for the weights the first time; rows of the table of word pieces are read from the
file as they are needed. Equal to sentence-transformers in fp32 within 1e-6. Corpora are embedded by
`lab.diversity.embedding.embed`, which is twice as fast on many texts; queries for other encoders
go through `query`.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.diversity.embedding.encoder import DEFAULT, locate_encoder

F32 = NDArray[np.float32]
HEADS = 12
EPSILON = np.float32(1e-12)
TABLE = "embeddings.word_embeddings.weight"
CHARACTERS_PER_PIECE = 32  # a longer text cannot change what the first pieces are


class Weights(NamedTuple):
    """Tensors by name, the table of word pieces (a slice of the open file), and the tokenizer."""

    tensors: Mapping[str, F32]
    table: Any
    tokenizer: Any
    layers: int
    pieces: int  # at most so many of a text


def encode_query(text: str) -> F32:
    """The unit vector of one text, [384]. DependencyMissing where the encoder's files are not."""
    return forward(weights(), text)


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The default encoder's weights, read once a process."""
    from safetensors import safe_open
    from tokenizers import Tokenizer

    folder, _ = locate_encoder(DEFAULT)
    file: Any = safe_open(str(folder / "model.safetensors"), "numpy")
    names = [n for n in file.keys() if n != TABLE and not n.startswith("pooler")]  # noqa: SIM118
    about = read_settings(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(about["max_seq_length"])
    return Weights(
        {n: file.get_tensor(n) for n in names},
        file.get_slice(TABLE),
        tokenizer,
        about["num_hidden_layers"],
        about["max_seq_length"],
    )


def read_settings(folder: Path) -> dict[str, Any]:
    """Number of layers and of word pieces, as the model's files give them."""
    return json.loads((folder / "config.json").read_text("utf-8")) | json.loads(
        (folder / "sentence_bert_config.json").read_text("utf-8")
    )


def forward(w: Weights, text: str) -> F32:
    """The vector of a text."""
    ids = w.tokenizer.encode(text[: CHARACTERS_PER_PIECE * w.pieces]).ids
    rows = {i: w.table[i : i + 1][0] for i in set(ids)}
    x = np.stack([rows[i] for i in ids])
    x = x + w.tensors["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(w, x + w.tensors["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(w.layers):
        x = layer(w, x, f"encoder.layer.{number}.")
    mean = x.mean(axis=0)
    unit: F32 = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return unit


def layer(w: Weights, x: F32, at: str) -> F32:
    """One layer on [pieces, 384]."""
    x = norm(w, x + attention(w, x, at), f"{at}attention.output.LayerNorm")
    hidden = gelu(linear(w, x, f"{at}intermediate.dense"))
    return norm(w, x + linear(w, hidden, f"{at}output.dense"), f"{at}output.LayerNorm")


def attention(w: Weights, x: F32, at: str) -> F32:
    """Self-attention of all pieces with all."""
    count, width = x.shape
    size = width // HEADS
    q, k, v = (
        linear(w, x, f"{at}attention.self.{part}").reshape(count, HEADS, size).transpose(1, 0, 2)
        for part in ("query", "key", "value")
    )
    scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(size))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (shares / shares.sum(axis=-1, keepdims=True)) @ v
    joined = mixed.transpose(1, 0, 2).reshape(count, width)
    return linear(w, joined, f"{at}attention.output.dense")


def linear(w: Weights, x: F32, name: str) -> F32:
    """x W^T + b."""
    return x @ w.tensors[f"{name}.weight"].T + w.tensors[f"{name}.bias"]


def norm(w: Weights, x: F32, name: str) -> F32:
    """Layer normalisation (Ba et al. 2016)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
    return centred / spread * w.tensors[f"{name}.weight"] + w.tensors[f"{name}.bias"]


def gelu(x: F32) -> F32:
    """x times the normal distribution function at x."""
    from scipy.special import erf

    result: F32 = x * np.float32(0.5) * (1 + erf(x / np.float32(np.sqrt(2))))
    return result
