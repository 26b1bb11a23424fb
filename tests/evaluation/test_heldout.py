"""Held-out bits per byte: which documents, how they are cut, against a slow reading."""

import math

import polars as pl
import pytest
from tiny_models import new_model, rolling
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from lab.core.schema import DOCUMENTS, content_hash
from lab.evaluation.scoring import heldout
from lab.evaluation.scoring.heldout import HELDOUT, heldout_sample, sample_hash, score_heldout


def documents(texts: list[str], heldout_every: int = 1) -> pl.DataFrame:
    rows = [
        {
            "id": f"s/{i}",
            "text": text,
            "source": "s",
            "meta": "{}",
            "bytes": len(text.encode()),
            "content_hash": content_hash(text),
            "heldout": i % heldout_every == 0,
        }
        for i, text in enumerate(texts)
    ]
    return pl.DataFrame(rows, schema=DOCUMENTS)


def test_bits_per_byte_as_a_slow_reading(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    texts = ["The river runs. 漢字 " * 30, "Short.", "Ω"]
    sample = heldout_sample(documents(texts).lazy())
    scores = score_heldout(model, tokenizer, "s", sample)
    assert scores.schema == HELDOUT
    for row, text in zip(scores.rows(named=True), sample["text"], strict=True):
        tokens = tokenizer.encode(text).ids
        nats = -rolling(model, [0, *tokens], 1)
        assert row["nats"] == pytest.approx(nats, rel=1e-5)
        assert (row["bytes"], row["tokens"]) == (len(text.encode()), len(tokens))


def test_a_model_that_knows_nothing_needs_log_vocabulary_bits(tokenizer: Tokenizer) -> None:
    blank = new_model(tokenizer.get_vocab_size(), scale=1e-9)
    sample = heldout_sample(documents(["The river runs under the bridge."]).lazy())
    [row] = score_heldout(blank, tokenizer, "s", sample).rows(named=True)
    expected = row["tokens"] * math.log(tokenizer.get_vocab_size())
    assert row["nats"] == pytest.approx(expected, rel=1e-5)


def test_only_held_out_documents_each_content_once_by_hash() -> None:
    texts = ["a", "b", "c", "a", "", "d"]
    frame = documents(texts)
    frame = frame.with_columns(heldout=pl.col("text") != "c")
    sample = heldout_sample(frame.lazy())
    assert sorted(sample["text"]) == ["a", "b", "d"]
    assert sample["content_hash"].is_sorted()
    assert sample.filter(text="a")["id"].to_list() == ["s/0"]


def test_the_sample_does_not_depend_on_the_order_of_the_rows() -> None:
    frame = documents([f"document {i}" for i in range(50)])
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    assert heldout_sample(frame.lazy(), 100).equals(heldout_sample(shuffled.lazy(), 100))


def test_the_limit_is_in_bytes_and_a_long_document_counts_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heldout, "DOCUMENT_CHARACTERS", 10)
    frame = documents(["Ω" * 5000, *("é" * 9 + str(i) for i in range(9))])
    sample = heldout_sample(frame.lazy(), limit=40)
    assert sample["text"].str.len_chars().to_list() == [10] * sample.height
    assert sample["bytes"].to_list() == [len(t.encode()) for t in sample["text"]]
    assert 3 <= sample.height <= 5
    everything = heldout_sample(frame.lazy(), limit=10**9)
    assert everything.head(sample.height).equals(sample)


def test_a_sample_is_named_by_its_content() -> None:
    one, two = (heldout_sample(documents(["a", text]).lazy()) for text in ("b", "c"))
    assert sample_hash(one) == sample_hash(heldout_sample(documents(["a", "b"]).lazy()))
    assert sample_hash(one) != sample_hash(two)


def test_a_source_without_held_out_documents_is_an_empty_sample(
    model: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    frame = documents(["a", "b"]).with_columns(heldout=pl.lit(False))
    sample = heldout_sample(frame.lazy())
    assert score_heldout(model, tokenizer, "s", sample).height == 0
