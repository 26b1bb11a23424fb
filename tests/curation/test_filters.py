"""Filters: strict reading of rules, and masks in which nothing unmeasured passes."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.curation.filters import MOST_RULES, Rule, fail_mask, parse_rules
from lab.curation.presets import load_preset

WORDS = "gopher.word_count@ws1"


def test_rules_are_read_in_order_and_bound_to_definitions():
    entries = [
        {"signal": "gopher.word_count", "min": 50, "max": 100000},
        {"signal": "quality.educational", "min": 2.5},
        {"signal": "c4.sentences@fw1", "min": 5},
    ]
    assert parse_rules(entries, "sources.web.filters") == (
        Rule(WORDS, 50.0, 100000.0),
        Rule("quality.educational", min=2.5),
        Rule("c4.sentences@fw1", min=5.0),
    )


def test_zero_is_a_threshold():
    assert parse_rules([{"signal": WORDS, "max": 0}], "here") == (Rule(WORDS, max=0.0),)


def test_a_preset_expands_in_place():
    entries = [
        {"signal": "tokens", "min": 10},
        {"preset": "c4-documents"},
        {"signal": "bytes", "max": 9},
    ]
    rules = parse_rules(entries, "here")
    assert rules[0].signal == "tokens" and rules[-1].signal == "bytes"
    assert rules[1:-1] == load_preset("c4-documents").rules


@pytest.mark.parametrize(
    ("entry", "complaint", "next_step"),
    [
        ({"signal": WORDS, "minimum": 5}, "Unknown key 'minimum'", "min"),
        ({"signal": WORDS}, "needs `min`, `max`", "threshold"),
        ({"signal": WORDS, "min": None}, "needs `min`, `max`", "threshold"),
        ({"signal": WORDS, "min": 9, "max": 8}, "no document can pass", "swap"),
        ({"signal": WORDS, "min": "50"}, "finite number", "number"),
        ({"signal": WORDS, "min": True}, "finite number", "number"),
        ({"signal": WORDS, "max": math.nan}, "finite number", "number"),
        ({"signal": WORDS, "max": math.inf}, "finite number", "number"),
        ({"min": 5}, "name of a signal", "signal"),
        ({"signal": 5, "min": 5}, "name of a signal", "signal"),
        ({"signal": "gopher.words", "min": 5}, "Unknown signal", "gopher.word_count"),
        ({"signal": "gohper.word_count", "min": 5}, "Unknown signal", "gopher.word_count"),
        ({"signal": "gopher.word_count@ws0", "min": 5}, "Unknown signal", WORDS),
        ({"preset": "finweb-code"}, "Unknown preset", "fineweb-code"),
        ({"preset": "fineweb-code", "min": 5}, "Unknown key 'min'", "preset"),
        (5, "mapping", "signal"),
    ],
)
def test_a_bad_rule_is_refused_with_place_and_next_step(entry, complaint, next_step):
    with pytest.raises(ConfigError, match=complaint) as error:
        parse_rules([entry], "recipe.yaml: sources.web.filters")
    assert error.value.where.startswith("recipe.yaml: sources.web.filters[0]")
    assert next_step in error.value.next_step


@pytest.mark.parametrize("entries", [{"signal": WORDS, "min": 5}, "gopher", None, 3])
def test_rules_come_as_a_list(entries):
    with pytest.raises(ConfigError, match="list of rules"):
        parse_rules(entries, "here")


def test_words():
    assert Rule(WORDS, 50, 100000).words() == "word count between 50 and 100000"
    assert Rule("quality.educational", min=2.5).words() == "quality.educational at least 2.5"
    assert Rule("fineweb.line_punct@dt1", max=0).words().endswith("at most 0")
    assert Rule(WORDS, 7, 7).words() == "word count exactly 7"


def test_equality_passes_and_every_failing_rule_sets_its_bit():
    frame = pl.DataFrame({"a": [1, 2, 3, 4], "b": [0.1, 0.2, 0.3, 0.4]})
    rules = [Rule("a", min=2, max=3), Rule("b", max=0.3), Rule("a", min=1), Rule("a", min=4)]
    mask = fail_mask(frame, rules)
    assert mask.dtype == pl.UInt64
    assert mask.name == "mask"
    assert mask.to_list() == [0b1001, 0b1000, 0b1000, 0b0011]


def test_no_rules_fail_nobody():
    assert fail_mask(pl.DataFrame({"a": [1, 2]}), []).to_list() == [0, 0]
    assert fail_mask(pl.DataFrame({"a": []}, schema={"a": pl.Int8}), [Rule("a", 1)]).len() == 0


def test_yes_and_no_are_numbers():
    assert fail_mask(pl.DataFrame({"a": [True, False]}), [Rule("a", min=1)]).to_list() == [0, 1]


@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_was_not_measured_passes_no_rule(missing):
    frame = pl.DataFrame({"a": [1.0, missing, 3.0]})
    for rule in (Rule("a", min=0), Rule("a", max=10)):
        with pytest.raises(DataError, match="1 of 3 documents have no value of a"):
            fail_mask(frame, [rule])


@pytest.mark.parametrize(
    ("signal", "error", "next_step"),
    [
        (WORDS, ArtifactMissing, "mixlab measure"),
        ("quality.educational", ArtifactMissing, "mixlab score"),
        ("tokns", ConfigError, "tokens"),
    ],
)
def test_a_missing_column_says_how_to_get_it(signal, error, next_step):
    with pytest.raises(error) as raised:
        fail_mask(pl.DataFrame({"tokens": [1]}), [Rule(signal, min=1)])
    assert signal in str(raised.value)
    assert next_step in raised.value.next_step


def test_text_is_no_number():
    with pytest.raises(ConfigError, match="column of numbers"):
        fail_mask(pl.DataFrame({"language": ["en"]}), [Rule("language", min=1)])


def test_a_mask_holds_63_rules():
    frame = pl.DataFrame({"a": [1]})
    rules = [Rule("a", min=2)] * MOST_RULES
    assert fail_mask(frame, rules).to_list() == [2**63 - 1]
    with pytest.raises(ConfigError, match="At most 63 rules"):
        fail_mask(frame, [*rules, Rule("a", min=2)])
    with pytest.raises(ConfigError, match="At most 63 rules"):
        parse_rules([{"preset": "fineweb-code"}] * 3, "here")


bounds = st.none() | st.integers(-3, 3)
rule_lists = st.lists(
    st.builds(Rule, st.sampled_from("ab"), bounds, bounds), max_size=10
)  # unordered bounds are allowed here: no value passes them


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.floats(-4, 4)), max_size=20), rule_lists)
def test_bits_say_which_rules_fail(rows, rules):
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Float64}, orient="row")
    for row, mask in zip(frame.iter_rows(named=True), fail_mask(frame, rules), strict=True):
        for i, rule in enumerate(rules):
            low = -math.inf if rule.min is None else rule.min
            high = math.inf if rule.max is None else rule.max
            assert (mask >> i & 1 == 0) == (low <= row[rule.signal] <= high)
