"""Tokenizers: deterministic, blind to held-out text, and no document can spell the end of text."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.schema import content_hash, is_heldout
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents, scan_documents
from lab.corpus.tokenizer import (
    EOT,
    add_tokenizer,
    default_tokenizer,
    eot_id,
    list_tokenizers,
    load_tokenizer,
    tokenizer_facts,
    tokenizer_id,
    train_tokenizer,
    vocab_size,
)

TEXTS = [
    f"The {who} learns {what} under the bridge. {n}"
    for who in ("heron", "baker", "river")
    for what in ("chess", "stone", "copper")
    for n in range(20)
]


def add(ws: Workspace, name: str, texts: list[str]) -> None:
    path = ws.root.parent / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    add_source(ws, name, [str(path)])


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    ws = create(tmp_path_factory.mktemp("t") / "w", heldout_share=0.3)
    add(ws, "english", TEXTS)
    add(ws, "greek", ["ο ποταμός και η γέφυρα"] * 3 + TEXTS[:5])
    train_tokenizer(ws, "bpe", vocab_size=320)
    return ws


def test_the_facts_say_how_it_was_made(ws: Workspace) -> None:
    facts = tokenizer_facts(ws, "bpe")
    assert (facts.vocab_size, facts.eot_token, facts.eot_id) == (320, EOT, 0)
    assert facts.sources == {name: documents(ws, name).id for name in ("english", "greek")}
    train = sum(
        frame.filter(~frame["heldout"])["bytes"].sum()
        for frame in (scan_documents(ws, name).collect() for name in ("english", "greek"))
    )
    assert facts.trained_bytes == train < facts.available_bytes
    assert (vocab_size(ws, "bpe"), eot_id(ws, "bpe"), default_tokenizer(ws)) == (320, 0, "bpe")


@settings(deadline=None)
@given(text=st.text())
def test_any_text_survives(ws: Workspace, text: str) -> None:
    tokenizer = load_tokenizer(ws, "bpe")
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


@pytest.mark.parametrize("text", [EOT, f"before{EOT}after", f"{EOT}{EOT}", f" {EOT} "])
def test_the_spelling_of_end_of_text_is_ordinary_text(ws: Workspace, text: str) -> None:
    tokenizer = load_tokenizer(ws, "bpe")
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert eot_id(ws, "bpe") not in ids
    assert tokenizer.decode(ids) == text


def test_held_out_text_does_not_teach_the_tokenizer(tmp_path: Path) -> None:
    ws = create(tmp_path / "w", heldout_share=0.5)
    heldout = [
        f"palimpsest {n}" for n in range(60) if is_heldout(content_hash(f"palimpsest {n}"), 0.5)
    ]
    train = [f"zyzzyva {n}" for n in range(60) if not is_heldout(content_hash(f"zyzzyva {n}"), 0.5)]
    add(ws, "s", heldout + train)
    train_tokenizer(ws, "t", 300)
    words = load_tokenizer(ws, "t").get_vocab()
    assert any("zyz" in word for word in words)
    assert not any("pal" in word or "mps" in word for word in words)


TRAIN = """
import sys
from pathlib import Path
from lab.core.workspace import open_workspace
from lab.corpus.tokenizer import train_tokenizer
train_tokenizer(open_workspace(Path(sys.argv[1])), sys.argv[2], vocab_size=320)
"""


def test_another_process_trains_the_same_file(ws: Workspace) -> None:
    """Another hash seed, and one thread instead of all."""
    settings = {"PYTHONHASHSEED": "7", "RAYON_NUM_THREADS": "1"}
    command = [sys.executable, "-c", TRAIN, str(ws.root), "zz-again"]
    subprocess.run(command, env=os.environ | settings, check=True)
    assert tokenizer_id(ws, "zz-again") == tokenizer_id(ws, "bpe")
    content = (ws.tokenizers / "bpe/tokenizer.json").read_bytes()
    assert hashlib.sha256(content).hexdigest().startswith(tokenizer_id(ws, "bpe"))


def test_above_the_sample_size_a_part_is_drawn_and_its_size_recorded(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    add(ws, "s", [f"document {n} {n * 7919}" for n in range(2000)])
    whole = documents(ws, "s").manifest["counts"]["bytes"]
    first = train_tokenizer(ws, "a", 300, sample_bytes=whole // 4)
    assert 0.15 * whole < first.trained_bytes < 0.35 * whole
    assert first.available_bytes == whole
    assert (
        train_tokenizer(ws, "b", 300, sample_bytes=whole // 4).trained_bytes == first.trained_bytes
    )
    assert tokenizer_id(ws, "a") == tokenizer_id(ws, "b")


def test_a_small_corpus_fills_what_it_can(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    add(ws, "s", ["abab"] * 5)
    assert train_tokenizer(ws, "t", 4096).vocab_size == vocab_size(ws, "t") < 270


@pytest.mark.parametrize(
    ("name", "size", "sources", "told"),
    [
        ("bpe", 400, None, "exists"),
        ("B P E", 400, None, "cannot be the name"),
        ("new", 256, None, "no size"),
        ("new", 400, ["englisch"], "did you mean english"),
        ("new", 400, [], "no source"),
    ],
)
def test_impossible_requests_are_refused(
    ws: Workspace, name: str, size: int, sources: list[str] | None, told: str
) -> None:
    before = list_tokenizers(ws)
    with pytest.raises(ConfigError, match=told):
        train_tokenizer(ws, name, size, sources)
    assert list_tokenizers(ws) == before


def test_an_empty_workspace_has_no_tokenizer(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    assert list_tokenizers(ws) == []
    with pytest.raises(ArtifactMissing, match="no tokenizer"):
        default_tokenizer(ws)
    with pytest.raises(ConfigError, match="no such tokenizer"):
        load_tokenizer(ws, "bpe")


def foreign() -> Tokenizer:
    """A tokenizer that truncates, pads and frames texts, as one of an encoder does."""
    words = {"[UNK]": 0, "the": 1, "river": 2, "[CLS]": 3, "[PAD]": 4}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A", None, [("[CLS]", 3)])
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(pad_id=4, pad_token="[PAD]", length=8)
    return tokenizer


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_brought_tokenizer_neither_cuts_nor_pads(tmp_path: Path, as_folder: bool) -> None:
    ws = create(tmp_path / "w")
    (tmp_path / "m").mkdir()
    foreign().save(str(tmp_path / "m/tokenizer.json"))
    facts = add_tokenizer(ws, "enc", str(tmp_path / ("m" if as_folder else "m/tokenizer.json")))
    ids = load_tokenizer(ws, "enc").encode("the river " * 5, add_special_tokens=False).ids
    assert ids == [1, 2] * 5
    assert (facts.eot_token, facts.eot_id, facts.vocab_size) == (EOT, 5, 6)  # it had none


@pytest.mark.parametrize("named", ["[CLS]", {"content": "[CLS]"}, "</s>", None])
def test_end_of_text_is_what_the_folder_names_if_the_vocabulary_has_it(
    tmp_path: Path, named: object
) -> None:
    ws = create(tmp_path / "w")
    (tmp_path / "m").mkdir()
    foreign().save(str(tmp_path / "m/tokenizer.json"))
    (tmp_path / "m/tokenizer_config.json").write_text(json.dumps({"eos_token": named}))
    facts = add_tokenizer(ws, "enc", str(tmp_path / "m"))
    assert facts.eot_token == ("[CLS]" if named in ("[CLS]", {"content": "[CLS]"}) else EOT)


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    (tmp_path / "x.json").write_text('{"a": 1}')
    (tmp_path / "empty").mkdir()
    for path, told in [("x.json", "no tokenizer file"), ("empty", "no tokenizer.json")]:
        with pytest.raises(ConfigError, match=told):
            add_tokenizer(ws, "t", str(tmp_path / path))
    with pytest.raises(ConfigError, match="no such file"):
        add_tokenizer(ws, "t", str(tmp_path / "nowhere"))
    assert list(ws.tokenizers.iterdir()) == []


def test_a_description_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    add(ws, "s", ["abab"] * 5)
    train_tokenizer(ws, "t", 300)
    path = ws.tokenizers / "t/tokenizer.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"eot_ids": 3}))
    with pytest.raises(ConfigError, match="did you mean eot_id"):
        load_tokenizer(ws, "t")


def test_a_word_of_a_megabyte_does_not_stop_the_training(tmp_path: Path) -> None:
    own = create(tmp_path / "w")
    texts = ["a" * 1_000_000, " " * 1_000_000 + "b", *(f"a river and stone {k}" for k in range(9))]
    add(own, "s", texts)
    train_tokenizer(own, "bpe", vocab_size=280)  # minutes for each, as one word
    assert vocab_size(own, "bpe") == 280
