"""Token ids on disk are what the tokenizer says of each document, however they were made."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from lab.core.engine import Engine, running_on
from lab.core.errors import ArtifactMissing, Cancelled
from lab.core.progress import Progress
from lab.core.workspace import Workspace, create
from lab.corpus import documents as documents_module
from lab.corpus import tokens as tokens_module
from lab.corpus.sources import add_source, documents, scan_documents
from lab.corpus.tokenizer import EOT, add_tokenizer, load_tokenizer, train_tokenizer
from lab.corpus.tokens import batches, count_tokens, cut, encode, require_tokens, token_arrays

TEXTS = [
    *(f"Text {n}: the river {n * 7919} under\nthe bridge.\n\n  Été 日本 {EOT}" for n in range(57)),
    "x",
    "line one\nline two\n" * 300,
]


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One source in seven parts."""
    ws = create(tmp_path_factory.mktemp("t") / "w")
    path = ws.root.parent / "x.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents_module, "PART_DOCUMENTS", 9)
        add_source(ws, "s", [str(path)])
    train_tokenizer(ws, "bpe", 400)
    return ws


def test_every_document_has_its_ids_and_count(ws: Workspace) -> None:
    artifact = count_tokens(ws, "s", "bpe")
    tokenizer = load_tokenizer(ws, "bpe")
    assert [p.name for p in artifact.parts] == [p.name for p in documents(ws, "s").parts]
    counted = artifact.scan().collect()
    assert dict(counted.schema) == {"id": pl.String, "tokens": pl.UInt32}
    texts = scan_documents(ws, "s").collect()
    assert counted["id"].equals(texts["id"])
    arrays = token_arrays(artifact)
    slices = [flat[a:b] for flat, at in arrays for a, b in pairwise(at)]
    assert all(flat.dtype == np.uint16 and at.dtype == np.int64 for flat, at in arrays)
    assert all(len(flat) == at[-1] and at[0] == 0 for flat, at in arrays)
    for text, ids, count in zip(texts["text"], slices, counted["tokens"], strict=True):
        assert ids.tolist() == tokenizer.encode(text, add_special_tokens=False).ids
        assert len(ids) == count
    assert artifact.manifest["tokens"] == counted["tokens"].sum()
    assert require_tokens(ws, "s", "bpe").id == artifact.id


def test_tokens_not_counted_are_missing_with_a_next_step(ws: Workspace) -> None:
    train_tokenizer(ws, "other", 300)
    with pytest.raises(ArtifactMissing, match="mixlab measure --source s"):
        require_tokens(ws, "s", "other")


def test_two_processes_and_one_write_the_same_bytes(ws: Workspace) -> None:
    train_tokenizer(ws, "one", 350)
    with running_on(Engine(workers=1)):
        one = count_tokens(ws, "s", "one")
    files = {path.name: path.read_bytes() for path in one.path.glob("part*")}
    one.path.rename(ws.root.parent / "aside")
    with running_on(Engine(workers=2)):
        two = count_tokens(ws, "s", "one")
    assert {path.name: path.read_bytes() for path in two.path.glob("part*")} == files
    assert len(files) == 14


def test_an_interrupted_count_keeps_its_finished_parts(ws: Workspace) -> None:
    train_tokenizer(ws, "stopped", 380)
    calls = iter(range(99))
    with running_on(Engine(workers=1)), pytest.raises(Cancelled):
        count_tokens(ws, "s", "stopped", Progress(should_stop=lambda: next(calls) > 3))
    (partial,) = (ws.artifacts / "tokens").glob(".partial-*")
    finished = {p.name: p.stat().st_mtime_ns for p in partial.glob("part-*.parquet")}
    assert 0 < len(finished) < 7
    (partial / ".part-00005.tokens.npy.tmp").write_bytes(b"half")
    artifact = count_tokens(ws, "s", "stopped")
    again = {p.name: p.stat().st_mtime_ns for p in artifact.parts if p.name in finished}
    assert again == finished
    assert len(artifact.parts) == len(token_arrays(artifact)) == 7


def test_a_large_vocabulary_takes_four_bytes(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    words = {f"w{n}": n for n in range(70_000)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    add_tokenizer(ws, "large", str(tmp_path / "tokenizer.json"))
    (tmp_path / "x.jsonl").write_text('{"text": "w69999 w1 w65536"}')
    add_source(ws, "s", [str(tmp_path / "x.jsonl")])
    ((flat, offsets),) = token_arrays(count_tokens(ws, "s", "large"))
    assert flat.dtype == np.uint32
    assert (flat.tolist(), offsets.tolist()) == ([69_999, 1, 65_536], [0, 3])


lines = st.text("ab1 .\n\t'é日", max_size=60)


@settings(deadline=None)
@given(st.lists(lines, max_size=6), st.integers(1, 20))
def test_batches_hold_every_character_once_and_in_order(texts: list[str], limit: int) -> None:
    joined = [""] * len(texts)
    for owners, pieces in batches(texts, limit):
        assert sum(map(len, pieces)) < 2 * limit
        for owner, piece in zip(owners, pieces, strict=True):
            joined[owner] += piece
    assert joined == texts


@settings(deadline=None)
@given(
    text=st.lists(st.sampled_from(["the river", "a\n", "\n", " ", "été", "1", "'s", "\t"])).map(
        "".join
    )
)
def test_pieces_cut_at_seams_have_the_ids_of_the_whole(ws: Workspace, text: str) -> None:
    tokenizer = load_tokenizer(ws, "bpe")
    for limit in (8, 16, 64):
        pieces = list(cut(text, limit))
        if all(re.search(r"\S\n\Z", a) and not b[0].isspace() for a, b in pairwise(pieces)):
            whole = tokenizer.encode(text, add_special_tokens=False).ids
            parts = [tokenizer.encode(p, add_special_tokens=False).ids for p in pieces]
            assert [i for part in parts for i in part] == whole


def test_a_long_document_is_cut_only_at_seams_and_has_the_ids_of_the_whole(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = load_tokenizer(ws, "bpe")
    text = "The river runs.\nIt is long\n\n  and wide\n" * 5_000
    monkeypatch.setattr(tokens_module, "BATCH", 20_000)
    assert len(list(batches([text]))) > 4
    flat, counts = encode(tokenizer, [text, "x"], "uint16")
    assert flat[: counts[0]].tolist() == tokenizer.encode(text, add_special_tokens=False).ids
    assert counts[1] == 1
