"""The static encoder: one vector a word piece, distilled from the bundled encoder on this machine.

A text's vector is the mean of the vectors of its word pieces, so no layer is computed (model2vec,
van Dongen and Tulkens 2024, after Arora et al. 2017). Distilled once, without any text:

1. every piece of the vocabulary goes through the encoder by itself ([CLS] piece [SEP]);
2. the vectors [pieces, 384] are centred and turned onto their first 256 principal components;
3. a piece of rank r among the pieces has the share p(r) = 1 / (r H) of a text (Zipf; the vocabulary
   is sorted by frequency) and the weight a / (a + p), a = 1e-4: frequent words say little.

Pieces are split from words, and words are separated by white space, so a text is read as counts of
its words, each of which is split once a block. That is exact, not an estimate, and the reason for
the speed: the tokenizer would take nine tenths of the time. Only the first `CHARACTERS` of a text
are read, about what the full encoder sees.

It knows words, not their order nor their sense: "not good" is near "good", and a text in another
language than the vocabulary's is near any other such text. The share of the full encoder's nearest
neighbours that it keeps (`overlap`) is measured on generated texts when it is distilled, and on a
source's own where the full encoder has embedded it, too; both stand in the manifests. Cost: 30,000
short sequences through the encoder once, 45 s on one core, 15 MB; for the speed afterwards see
`tests/benchmarks/embedding_against_peers.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, require
from lab.core.files import write_bytes
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.diversity.embedding.encoder import DEFAULT, SHA256, load_encoder, locate_encoder

NAME = "static"  # as --encoder
FILE = "encoder.safetensors"
STEP, VERSION = "static_encoder", 1
DIMENSIONS = 256
RARITY = 1e-4  # a of step 3; model2vec's default
CHARACTERS = 1500
BATCH = 1024  # pieces through the encoder at once
NEIGHBOURS = 10  # whose overlap is measured
COMPARED = 40  # generated texts a source for that

F16 = NDArray[np.float16]
F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StaticEncoder:
    """`pieces` [vocabulary, d], the weights already in them; zero for what stands in no text."""

    pieces: F32
    tokenizer: Any
    origin: str
    precision: str = "fp32"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.pieces.shape[1]

    def encode(self, texts: Sequence[str]) -> F16:
        """Unit vectors [texts, d]; zeros for a text without any known piece."""
        counts = self.count_pieces(texts)
        sums: F32 = np.asarray(counts @ self.pieces, np.float32)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        return (sums / np.maximum(length, np.float32(1e-12))).astype(np.float16)

    def count_pieces(self, texts: Sequence[str]) -> Any:
        """How often each piece stands in each text, as a sparse matrix [texts, vocabulary]."""
        from scipy.sparse import csr_array

        counted = count_words(texts)
        words = counted.select(pl.col("word").unique(maintain_order=True)).with_row_index("at")
        rows = counted.join(words, on="word", how="left", maintain_order="left")
        shape = (len(texts), words.height)
        of_texts = csr_array(
            (rows["count"].to_numpy(), (rows["text"].to_numpy(), rows["at"].to_numpy())),
            shape=shape,
            dtype=np.float32,
        )
        return of_texts @ self.split_words(words["word"].to_list())

    def split_words(self, words: list[str]) -> Any:
        """Counts of pieces in each word, sparse [words, vocabulary]."""
        from scipy.sparse import csr_array

        # 1 us a word: the only loop, over different words and not over all of them
        ids = [e.ids for e in self.tokenizer.encode_batch_fast(words, add_special_tokens=False)]
        ends = np.cumsum([0, *map(len, ids)], dtype=np.int64)
        flat = np.fromiter((i for word in ids for i in word), np.int64, int(ends[-1]))
        ones = np.ones(len(flat), np.float32)
        return csr_array((ones, flat, ends), shape=(len(words), len(self.pieces)))


def count_words(texts: Sequence[str]) -> pl.DataFrame:
    """Columns text (its number), word, count of the beginnings of `texts`."""
    frame = pl.DataFrame({"body": pl.Series(list(texts), dtype=pl.String)}).with_row_index("text")
    words = pl.col("body").str.slice(0, CHARACTERS).str.extract_all(r"\S+")
    long = frame.select("text", word=words).explode("word").drop_nulls()
    return long.group_by("text", "word", maintain_order=True).len("count")


def static_encoder(ws: Workspace, progress: Progress = SILENT) -> Artifact:
    """The distilled encoder of this workspace, made once: `encoder.safetensors`, `tokenizer.json`.

    Raises DependencyMissing where the bundled encoder is not installed.
    """

    def make(folder: Path) -> dict[str, Any]:
        return distil(folder, progress)

    return build(ws, STEP, VERSION, settings(), [], make)


def require_static(ws: Workspace) -> Artifact:
    """The distilled encoder of this workspace; ArtifactMissing if it has not been made."""
    return require(
        ws,
        STEP,
        VERSION,
        settings(),
        [],
        what="The static encoder has not been distilled in this workspace.",
        next_step=f"`mixlab embed --encoder {NAME}`",
    )


def settings() -> dict[str, Any]:
    """What names a static encoder: the weights it is made of, and how."""
    return {"of": DEFAULT, "weights": SHA256, "dimensions": DIMENSIONS, "rarity": RARITY}


def distil(folder: Path, progress: Progress = SILENT) -> dict[str, Any]:
    """Write the static encoder into `folder`; facts for a manifest, with what it keeps."""
    from safetensors.numpy import save

    full = load_encoder(DEFAULT)
    source, origin = locate_encoder(DEFAULT)
    tokenizer = read_tokenizer(source / "tokenizer.json")
    vocabulary = tokenizer.get_vocab()
    spelled = np.array([i for _, i in sorted(vocabulary.items(), key=lambda p: p[1])], np.int64)
    real = spelled[[is_piece(tokenizer.id_to_token(int(i))) for i in spelled]]
    vectors = piece_vectors(full, real, tokenizer, progress)
    table = np.zeros((int(spelled.max()) + 1, DIMENSIONS), np.float32)
    table[real] = reduce(vectors, DIMENSIONS) * zipf_weights(len(real))[:, None]
    write_bytes(folder / FILE, save({"pieces": table.astype(np.float16)}))
    write_bytes(folder / "tokenizer.json", (source / "tokenizer.json").read_bytes())
    texts = generated_texts()
    shared = overlap(load_static(folder).encode(texts), full.encode(texts))
    progress(1, 1, "static encoder")
    return {
        "of": DEFAULT,
        "origin": origin,
        "pieces": len(real),
        "dimensions": DIMENSIONS,
        "overlap": {"value": shared, "neighbours": NEIGHBOURS, "n": len(texts)},
    }


def generated_texts() -> list[str]:
    """Some texts of every source of the sample world: the same on every machine."""
    from lab.corpus.world import SOURCES, documents

    return [row["text"] for name in SOURCES for row in documents(name, COMPARED)]


def is_piece(spelling: str) -> bool:
    """False for what the tokenizer never makes of a text: [PAD], [unused7] and the like."""
    return not (spelling.startswith("[") and spelling.endswith("]") and len(spelling) > 2)


def piece_vectors(full: Any, ids: NDArray[np.int64], tokenizer: Any, progress: Progress) -> F32:
    """The encoder's vector of each piece alone, [pieces, 384]; the longest part of distilling."""
    first, last = (tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
    found = []
    for start in range(0, len(ids), BATCH):
        progress(start, len(ids), "distilling the static encoder")
        own = ids[start : start + BATCH]
        rows = np.stack([np.full_like(own, first), own, np.full_like(own, last)], axis=1)
        found.append(full.encode_pieces(rows))
    return np.concatenate(found)


def reduce(vectors: F32, dimensions: int) -> F32:
    """Centred, on the first principal components; their signs are fixed."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :dimensions]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)] < 0, -1, 1)
    return (centred @ axes).astype(np.float32)


def zipf_weights(count: int) -> F32:
    """a / (a + p) of pieces by rank, p their share of a text by Zipf's law."""
    shares = 1 / np.arange(1, count + 1)
    shares /= shares.sum()
    return (RARITY / (RARITY + shares)).astype(np.float32)


def load_static(folder: Path) -> StaticEncoder:
    """The encoder that `distil` wrote."""
    from safetensors.numpy import load_file

    table = load_file(folder / FILE)["pieces"].astype(np.float32)
    return StaticEncoder(table, read_tokenizer(folder / "tokenizer.json"), "distilled here")


def read_tokenizer(path: Path) -> Any:
    """A tokenizer that neither pads nor cuts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def overlap(one: NDArray[Any], other: NDArray[Any], k: int = NEIGHBOURS) -> float | None:
    """Share of each text's k nearest under one encoder that are so under the other, on average;
    None for fewer than k + 2 texts. Chance gives k / (n - 1).
    """
    if len(one) < k + 2:
        return None
    near = [nearest_rows(vectors, k) for vectors in (one, other)]
    shared = (near[0][:, :, None] == near[1][:, None, :]).any(axis=2)
    return float(shared.mean())


def nearest_rows(vectors: NDArray[Any], k: int) -> NDArray[np.int64]:
    """The k nearest other rows of each unit row, in no order; for a few thousand."""
    wide = vectors.astype(np.float32)
    similar = wide @ wide.T
    np.fill_diagonal(similar, -np.inf)
    return np.argpartition(-similar, k, axis=1)[:, :k]
