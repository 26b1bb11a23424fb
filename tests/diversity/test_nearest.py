"""Search by meaning: the NumPy encoder against the real one, and exact nearest neighbours."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.arrays import write_array
from lab.core.artifacts import build, write_part
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.minilm import encode_query
from lab.diversity.embedding.nearest import (
    BLOCK,
    blocks,
    nearest_to_document,
    nearest_to_text,
    searched_words,
)
from lab.diversity.embedding.stored import STEP, VERSION

TEXTS = [
    "river",
    "How do I bake sourdough bread at home?",
    "def reverse(rows):\n    return rows[::-1]\n",
    "中文 текст हिन्दी",
    "",
    "a\u0301 \u202e \x07 émigré",
    "the quick brown fox jumps over the lazy dog. " * 80,  # more than 256 word pieces
    "x" * 20_000,
]
PEER = """
import json, sys
from sentence_transformers import SentenceTransformer
from lab.diversity.embedding.encoder import locate_encoder
folder, _ = locate_encoder("all-MiniLM-L6-v2")
model = SentenceTransformer(str(folder), local_files_only=True)
texts = json.load(sys.stdin)
print(json.dumps(model.encode(texts, normalize_embeddings=True, batch_size=1,
                              show_progress_bar=False).tolist()))
"""
ALONE = """
import sys
import lab.diversity.embedding.nearest
from lab.diversity.embedding.minilm import encode_query
encode_query("river")
print(sorted({"torch", "transformers", "sentence_transformers", "numba"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_the_encoder_equals_sentence_transformers() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PEER],
        input=json.dumps(TEXTS), capture_output=True, text=True, check=True,
    )  # fmt: skip
    expected = np.array(json.loads(done.stdout.splitlines()[-1]))
    for text, vector in zip(TEXTS, expected, strict=True):
        np.testing.assert_allclose(encode_query(text), vector, atol=2e-6)


def test_the_encoder_needs_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def embedded(ws: Workspace, source: str, rows: list[int], vectors: np.ndarray) -> None:
    """An embeddings artifact with these vectors for these rows of a source."""
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, object]:
        start = 0
        for part in found.parts:
            ids = pl.read_parquet(part, columns=["id"])
            own = [k for k, row in enumerate(rows) if start <= row < start + ids.height]
            write_part(ids[[rows[k] - start for k in own]], folder / part.name)
            path = folder / part.with_suffix(".embeddings.npy").name
            write_array(path, vectors[own].astype(np.float16))
            start += ids.height
        return {"embedded": len(rows), "documents": start, "dimensions": vectors.shape[1]}

    build(ws, STEP, VERSION, {"encoder": DEFAULT, "sample": len(rows), "seed": 0}, [found.id], make)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = create(tmp_path / "w")
    rng = np.random.default_rng(0)
    for name, size in (("one", 40), ("two", 30)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(json.dumps({"text": f"{name} {k}"}) for k in range(size)))
        add_source(ws, name, [str(path)])
        vectors = rng.normal(size=(20, 384))
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        embedded(ws, name, list(range(5, 25)), unit)
    return ws


def test_neighbours_are_those_of_a_loop(ws: Workspace) -> None:
    query = encode_query("something about rivers")
    best = []
    for name in ("one", "two"):
        from lab.diversity.embedding.stored import load_vectors, require_embeddings

        ids, vectors = load_vectors(require_embeddings(ws, name))
        best += [(float(v @ query), i) for i, v in zip(ids, vectors, strict=True)]
    expected = [i for _, i in sorted(best, key=lambda pair: (-pair[0], pair[1]))]
    found = nearest_to_text(ws, ["one", "two"], "something about rivers", limit=7)
    assert found.frame["id"].to_list() == expected[:7]
    assert found.frame["similarity"].to_list() == pytest.approx(
        sorted((s for s, _ in best), reverse=True)[:7], abs=1e-6
    )
    assert found.counts.rows() == [("one", 20, 40), ("two", 20, 30)]


def test_more_like_a_document(ws: Workspace) -> None:
    found = nearest_to_document(ws, ["one", "two"], "one/7")
    assert "one/7" not in found.frame["id"].to_list() and found.frame.height == 39
    unembedded = nearest_to_document(ws, ["two"], "one/39", limit=3)
    assert unembedded.frame.height == 3, "its text is encoded"
    with pytest.raises(ConfigError, match="no such document"):
        nearest_to_document(ws, ["two"], "one/40")


def test_what_is_not_embedded_is_said(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "new.jsonl").write_text('{"text": "a"}\n{"text": "b"}')
    add_source(ws, "new", [str(tmp_path / "new.jsonl")])
    found = nearest_to_text(ws, ["new", "one"], "a")
    assert found.counts.rows() == [("new", 0, 2), ("one", 20, 40)]
    said = "Searched 20 of 42 documents, those that are embedded. Not embedded: new."
    assert searched_words(found.counts) == said
    with pytest.raises(ArtifactMissing, match="mixlab embed"):
        nearest_to_text(ws, ["new"], "a")


def test_blocks_have_length_one() -> None:
    vectors = np.random.default_rng(1).normal(size=(BLOCK + 3, 4)).astype(np.float16)
    pieces = list(blocks(vectors))
    assert [len(p) for p in pieces] == [BLOCK, 3]
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(pieces), axis=1), 1, atol=1e-6)
    assert not next(blocks(np.zeros((1, 4), np.float16))).any()
