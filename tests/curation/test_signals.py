"""Signals: equality with datatrove's own values, and what holds for any text."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError
from lab.curation.signals import BY_ID, DEFINITIONS, SETS, batches, compute, resolve
from lab.curation.signals.characters import LINE_BREAK, SENTENCE_END, SPACE, SYMBOLS

GOLDEN = json.loads((Path(__file__).parent / "golden" / "signals.json").read_text("utf-8"))
TEXTS = [entry["text"] for entry in GOLDEN["texts"]]


def frame(*texts: str | None) -> pl.DataFrame:
    return pl.DataFrame({"text": texts}, schema={"text": pl.String})


def value(text: str, name: str) -> float:
    return compute(frame(text), [name]).item()


@pytest.fixture(scope="module")
def golden_signals() -> pl.DataFrame:
    return compute(frame(*TEXTS))


@pytest.mark.parametrize("index", range(len(TEXTS)), ids=[e["name"] for e in GOLDEN["texts"]])
def test_values_equal_datatrove_to_the_last_bit(golden_signals, index):
    wanted = {k: v for k, v in GOLDEN["texts"][index]["values"].items() if v is not None}
    found = golden_signals.row(index, named=True)
    # datatrove stops at the first line with lorem ipsum or a bracket, so it says only "any"
    have = {k: found[k] > 0 if isinstance(v, bool) else found[k] for k, v in wanted.items()}
    assert have == wanted


def test_every_signal_of_datatrove_is_in_the_golden_file():
    named = {name for entry in GOLDEN["texts"] for name in entry["values"]}
    ours = {d.id for d in DEFINITIONS if d.id.endswith(("@dt1", "@ws1", "@fw1"))}
    ours = {i for i in ours if not i.startswith("basic.")}
    shares_of_lines = {i for i in ours if i.endswith("_lines@dt1") and i.startswith("c4.")}
    assert named == ours - (shares_of_lines - {"c4.kept_lines@dt1"})


def test_character_classes_are_pythons_and_datatroves():
    every = [chr(code) for code in range(0x110000)]
    assert {c for c in every if c.isspace()} == SPACE
    assert {c for c in every if len(f"a{c}b".splitlines()) == 2} == LINE_BREAK
    assert set(GOLDEN["symbols"]) == SYMBOLS
    assert set(GOLDEN["sentence_end"]) == SENTENCE_END


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\x0b\x1f\u2028", "\u00a0"])
def test_every_signal_is_defined_without_words(text):
    row = compute(frame(text)).row(0)
    assert all(v is not None and (isinstance(v, str) or np.isfinite(v)) for v in row)
    wordless = compute(frame(text), SETS["gopher"]).row(0)
    assert set(wordless) == {0}


def test_null_text_has_no_value_and_disturbs_no_other():
    alone = compute(frame("the lamp, the rope"))
    mixed = compute(frame(None, "the lamp, the rope", None))
    assert mixed[1].equals(alone)
    assert all(v is None for v in mixed.row(0) + mixed.row(2))


@pytest.mark.parametrize("bytes_a_batch", [1, 100, 3000, 10**9])
def test_values_do_not_depend_on_batches(monkeypatch, golden_signals, bytes_a_batch):
    monkeypatch.setattr(batches, "BATCH_BYTES", bytes_a_batch)
    assert compute(frame(*TEXTS)).equals(golden_signals)


def test_values_do_not_depend_on_neighbours_or_chunks(golden_signals):
    order = np.random.default_rng(5).permutation(len(TEXTS))
    shuffled = compute(frame(*TEXTS)[order])
    assert shuffled.equals(golden_signals[order])
    pieces = pl.concat([frame(text) for text in TEXTS], rechunk=False)
    assert compute(pieces).equals(golden_signals)


def test_batches_are_bounded_and_keep_order(monkeypatch):
    monkeypatch.setattr(batches, "BATCH_BYTES", 1000)
    text = pl.Series(["x" * size for size in (10, 5000, 10, 900, 0, 0, 2000)])
    parts = list(batches.batches(text))
    assert pl.concat(parts).equals(text)
    sizes = [part.str.len_bytes() for part in parts]
    assert all(s.sum() - s[-1] <= 1000 for s in sizes)  # over the limit by one document at most


def test_no_documents_give_typed_empty_columns():
    empty = compute(frame())
    assert empty.height == 0
    assert empty.schema == {d.id: d.dtype for d in DEFINITIONS}


def test_columns_come_in_the_order_asked_for_each_once():
    names = ["basic.chars", "repetition.dup_5_gram", "gopher.word_count@ws1", "basic.chars@lab1"]
    found = compute(frame("a b"), names)
    assert found.columns == [
        "basic.chars@lab1",
        "repetition.dup_5_gram@ws1",
        "gopher.word_count@ws1",
    ]


@given(st.sets(st.sampled_from(sorted(BY_ID)), min_size=1))
@settings(max_examples=30, deadline=None)
def test_any_subset_has_the_values_of_the_whole(names):
    texts = frame(*TEXTS[5:12])
    assert compute(texts, sorted(names)).equals(compute(texts).select(sorted(names)))


def test_hand_computed_gopher():
    text = "The lamp, the rope -- and #7 ...\n- of oil\n"
    assert value(text, "gopher.word_count") == 8  # The lamp, the rope and #7 of oil
    assert value(text, "basic.words") == 11
    assert value(text, "gopher.mean_word_length") == (3 + 5 + 3 + 4 + 3 + 2 + 2 + 3) / 8
    assert value(text, "gopher.hash_ratio") == 1 / 11
    assert value(text, "gopher.ellipsis_ratio") == 1 / 11
    assert value(text, "gopher.bullet_lines") == 1 / 2
    assert value(text, "gopher.ellipsis_lines") == 1 / 2
    assert value(text, "gopher.alpha_words") == 7 / 11
    assert value(text, "gopher.stop_words") == 3  # the, and, of


def test_hand_computed_repetition():
    assert value("a b a b", "repetition.top_2_gram") == 2 * 3 / 7
    assert value("one two", "repetition.top_2_gram") == 1.0  # once counts too
    # a tie goes to the gram seen first, though the other is longer
    assert value("a b xxxx yyyy a b xxxx yyyy", "repetition.top_2_gram") == 2 * 3 / 27
    six = "a b c d e a b c d e"
    assert value(six, "repetition.dup_5_gram") == 5 / 19
    assert value(six, "repetition.dup_6_gram") == 0
    assert value("x\n\nx\n\ny", "repetition.dup_paras") == 1 / 3
    assert value("x\nx\ny\n", "repetition.dup_lines") == 1 / 4  # the final newline adds a line
    assert value("x\nx\ny\n", "repetition.dup_line_chars") == 1 / 6


def test_words_of_a_long_ngram_join_without_separator():
    # ("ab", "c", ...) and ("a", "bc", ...) are the same 5-gram in datatrove, not the same sequence
    assert value("ab c d e f x a bc d e f", "repetition.dup_5_gram") == 6 / 23
    # ... but not the same 2-gram
    assert value("ab c x a bc", "repetition.top_2_gram") == 4 / 11


def test_hand_computed_fineweb():
    text = "A full line that is long enough to count.\nshort\nshort\n\nends in a space. "
    assert value(text, "fineweb.line_punct") == 1 / 4
    assert value(text, "fineweb.short_lines") == 3 / 4
    assert value(text, "fineweb.dup_line_chars") == 5 / (len(text) - 4)
    assert value(text, "fineweb.newline_per_word") == 4 / 15


def test_a_bracket_on_a_dropped_line_is_seen_only_without_the_punctuation_rule():
    text = "for every lamp { burn }\nThe rope is long. So is the day."
    assert value(text, "c4.curly_brackets@dt1") == 0
    assert value(text, "c4.curly_brackets@fw1") == 1
    assert value(text, "c4.sentences@ws1") == 2
    assert value(text, "c4.sentences@fw1") == 3
    assert value(text, "c4.terminal_lines") == 1 / 2


def test_basic_counts_characters_not_bytes():
    text = "Ä Ö٣7\r\nü"
    assert value(text, "basic.chars") == 8
    assert value(text, "basic.lines") == 2
    assert value(text, "basic.digit_share") == 2 / 8
    assert value(text, "basic.uppercase_share") == 2 / 3


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gopher.wordcount", "gopher.word_count"),
        ("gopher.word_count@ws2", "gopher.word_count@ws1"),
        ("word_count", "gopher.word_count"),
    ],
)
def test_an_unknown_signal_names_the_nearest(name, near):
    with pytest.raises(ConfigError) as error:
        resolve(name)
    assert near in error.value.next_step


def test_bare_names_mean_the_first_definition():
    assert resolve("c4.sentences") == "c4.sentences@ws1"
    assert resolve("c4.sentences@fw1") == "c4.sentences@fw1"
    assert [d.id for d in DEFINITIONS] == list(SETS["all"])
    assert {resolve(d.name) for d in DEFINITIONS} <= set(BY_ID)


def test_definitions_explain_themselves():
    assert len(BY_ID) == len(DEFINITIONS)
    for d in DEFINITIONS:
        assert d.id.count("@") == 1 and d.name.split(".")[0] in SETS
        assert all([d.label, d.unit, d.summary, d.direction, d.source])
    assert len({d.label for d in DEFINITIONS}) == len(DEFINITIONS)


def test_a_frame_without_text_is_refused():
    with pytest.raises(DataError, match="column `text`"):
        compute(pl.DataFrame({"body": ["a"]}))
    with pytest.raises(DataError, match="column `text`"):
        compute(pl.DataFrame({"text": [1]}))


def test_reading_the_registry_does_not_load_the_compiler():
    modules = "lab.curation.filters.mask, lab.curation.signals"
    code = f"import sys, {modules}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


MEMORY = """
import resource, sys
import polars as pl
from lab.curation.signals import compute
compute(pl.DataFrame({"text": ["warm up"]}))
line = "the lamp of house %d was lit by the clerk and his rope.\\n"
text = pl.DataFrame({"text": ["".join(line % k for k in range(200_000))]})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
compute(text)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) * 1024 / text["text"].str.len_bytes().item())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_memory_for_one_large_document_is_a_small_multiple_of_its_text():
    ran = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 25  # bytes a byte of text; 14 measured for prose of 50 MB, 2026-11
