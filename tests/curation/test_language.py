"""Language: right on the planted pages, defined where there is none, nothing from the network."""

import json
import socket
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.corpus.world.generate import write_world
from lab.curation.signals import compute
from lab.curation.signals.language import PREFIX, detect, model

DATA = Path(__file__).parents[3] / "shared" / "data" / "corpora" / "multi_lingua.parquet"
CODE, SCORE = "language.code@ft1", "language.score@ft1"
ENGLISH = "The river runs past the mill, and in the morning the baker carries bread to the market. "
RUSSIAN = "Река течёт мимо мельницы, и утром пекарь несёт хлеб на рынок. "
MISSING = {"lg", "mi", "sn", "st", "tn", "ts", "xh", "zu"}  # languages that lid.176 does not know


def codes(*texts: str) -> list[str]:
    return detect(pl.Series(texts, dtype=pl.String))[CODE].to_list()


def test_the_planted_languages_are_found(tmp_path: Path) -> None:
    write_world(tmp_path / "world", documents=4000)
    truth = pl.read_parquet(tmp_path / "world" / "truth" / "documents.parquet")
    texts = pl.read_ndjson(tmp_path / "world" / "sources" / "web.jsonl.zst").select("id", "text")
    pages = texts.join(truth, on="id").filter(pl.col("language") != "python")
    right = detect(pages["text"])[CODE] == pages["language"]
    foreign = (pages["language"] != "en").to_numpy()
    assert foreign.sum() > 20
    assert right.mean() >= 0.97
    assert right.to_numpy()[foreign].mean() >= 0.97


@pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")
@pytest.mark.parametrize("shouted", [False, True])
def test_real_texts_of_67_languages(shouted: bool) -> None:
    frame = pl.read_parquet(DATA)
    labels = [json.loads(meta)["lang"] for meta in frame["meta"]]
    text = frame["text"].str.to_uppercase() if shouted else frame["text"]
    found = detect(text)[CODE].to_list()
    known = [(a, {"nb": "no"}.get(b, b)) for a, b in zip(found, labels, strict=True)]
    known = [(a, b) for a, b in known if b not in MISSING]
    assert len(known) == 1474
    assert sum(a == b for a, b in known) / len(known) >= 0.93


@pytest.mark.parametrize("text", ["", " ", "\n\n", "...", "12 + 34 = 46", "\u0301\u0301", "🐝 🐝"])
def test_a_text_without_letters_has_no_language(text: str) -> None:
    assert detect(pl.Series([text])).row(0) == ("und", 0.0)


def test_capitals_and_line_breaks_do_not_hide_the_language() -> None:
    assert codes(ENGLISH.upper(), RUSSIAN.upper(), ENGLISH.replace(" ", "\n")) == ["en", "ru", "en"]


def test_only_the_beginning_is_read() -> None:
    beginning = (ENGLISH * 20)[:PREFIX]
    both = detect(pl.Series([beginning, beginning + RUSSIAN * 20_000]))
    assert both.row(0) == both.row(1)
    assert codes("x" * 1_000_000)[0] != ""


def test_the_score_is_the_models_own() -> None:
    labels, probabilities = model().predict(ENGLISH.strip())
    found = detect(pl.Series([ENGLISH.strip()])).row(0, named=True)
    assert labels == ("__label__en",)
    assert found == {CODE: "en", SCORE: pytest.approx(probabilities[0])}


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    model.cache_clear()
    assert codes(ENGLISH) == ["en"]


def test_as_signals_null_has_no_language() -> None:
    found = compute(
        pl.DataFrame({"text": [ENGLISH, None, ""]}), ["language.code", "language.score"]
    )
    assert found.columns == [CODE, SCORE]
    assert found.schema == {CODE: pl.String(), SCORE: pl.Float64()}
    assert found[CODE].to_list() == ["en", None, "und"]
    assert found[SCORE].null_count() == 1


@given(st.lists(st.text(max_size=80), max_size=5))
def test_every_text_has_a_language_and_a_probability(texts: list[str]) -> None:
    found = detect(pl.Series(texts, dtype=pl.String))
    assert len(found) == len(texts)
    assert found[SCORE].is_between(0, 1).all()
    for text, code in zip(texts, found[CODE], strict=True):
        assert code and (code == "und" or any(map(str.isalpha, text)))
