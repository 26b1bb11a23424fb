"""Queries by the encoder that embedded the documents: a folder's own, imported vectors, changed
weights.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lab.core.errors import ArtifactMissing, DataError, DependencyMissing
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.diversity.embedding import query as module
from lab.diversity.embedding.embed import embed, open_encoder
from lab.diversity.embedding.encoder import bundled_encoder
from lab.diversity.embedding.external import import_vectors
from lab.diversity.embedding.minilm import encode_query
from lab.diversity.embedding.nearest import nearest_to_document, nearest_to_text
from lab.diversity.embedding.stored import load_vectors, require_embeddings

TEXTS = [
    "The harbour of the town lies to the north, and fishing boats leave it at dawn.",
    "A prime number has no divisor other than one and itself.",
    "How do I bake sourdough bread at home?",
    "def add(a, b):\n    return a + b",
    "Snow fell on the pass, and the road was closed for a week.",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled encoder with its table of word pieces turned around, and a prompt of its own."""
    from safetensors.numpy import load_file, save_file

    made = tmp_path_factory.mktemp("encoder") / "own"
    shutil.copytree(bundled_encoder(), made)
    made.chmod(0o755)
    tensors = load_file(made / "model.safetensors")
    name = next(n for n in tensors if n.endswith("word_embeddings.weight"))
    tensors[name] = np.ascontiguousarray(tensors[name][:, ::-1])
    save_file(tensors, made / "model.safetensors", metadata={"format": "pt"})
    settings = made / "config_sentence_transformers.json"
    about = json.loads(settings.read_text("utf-8")) if settings.is_file() else {}
    about |= {"prompts": {"asked": "clustering: "}, "default_prompt_name": "asked"}
    settings.write_text(json.dumps(about))
    return made


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    made = create(tmp_path / "w")
    path = tmp_path / "web.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    add_source(made, "web", [str(path)])
    return made


@pytest.mark.slow
def test_a_query_goes_through_the_folder_that_embedded_the_documents(
    ws: Workspace, folder: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(folder, own)
    embed(ws, "web", encoder=str(own))
    _, vectors = load_vectors(require_embeddings(ws, "web", str(own)))
    for row, text in enumerate(TEXTS):
        first = nearest_to_text(ws, ["web"], text, 1, str(own)).frame.row(0)
        assert first[0] == f"web/{row}"
        assert first[2] == pytest.approx(1, abs=2e-3), "the same text, the same prompt"
        assert encode_query(text) @ vectors[row] < 0.9, "another encoder says something else"
    shutil.copy(bundled_encoder() / "model.safetensors", own / "model.safetensors")
    module.opened_with.cache_clear()
    open_encoder.cache_clear()
    with pytest.raises(ArtifactMissing, match="its weights are others") as told:
        nearest_to_text(ws, ["web"], "snow", 1, str(own))
    assert f"mixlab embed --source web --encoder {own}" in told.value.next_step
    assert nearest_to_document(ws, ["web"], "web/4", 9, str(own)).frame.height == 4


def test_imported_vectors_are_asked_with_a_document(ws: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(TEXTS), 7))
    vectors[3] = vectors[1] + 0.01
    np.save(tmp_path / "v.npy", vectors)
    import_vectors(ws, "web", tmp_path / "v.npy", encoder="elsewhere")
    with pytest.raises(DependencyMissing, match="were imported under the name") as told:
        nearest_to_text(ws, ["web"], "snow", 1, "elsewhere")
    assert "--like SOURCE/ID --encoder elsewhere" in told.value.next_step
    assert nearest_to_document(ws, ["web"], "web/1", 1, "elsewhere").frame["id"].to_list() == [
        "web/3"
    ]


def test_vectors_of_another_length_are_not_compared(ws: Workspace, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(len(TEXTS), 7)))
    made = import_vectors(ws, "web", tmp_path / "v.npy", encoder="elsewhere")
    with pytest.raises(DataError, match="different dimensions") as told:
        module.query_vector(ws, {"web": made}, "snow", "all-MiniLM-L6-v2")
    assert told.value.value == {"web": 7, "the query": 384}
