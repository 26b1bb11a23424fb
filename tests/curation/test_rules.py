"""Rules: every form in words, and as a mapping that reads back."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.curation.filters.parsing import parse_rule
from lab.curation.filters.rule import Rule, ordinal, rule_mapping

WORDS = "gopher.word_count@ws1"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"min_percentile": 10}, "word count at least the 10th percentile"),
        ({"max_percentile": 97.5}, "word count at most the 97.5th percentile"),
        ({"min": 5, "max_percentile": 91}, "word count between 5 and the 91st percentile"),
        ({"in": ["en"]}, "word count is en"),
        ({"in": ["en", "de", "no"]}, "word count is en, de or no"),
        ({"not_in": [True]}, "word count is not true"),
    ],
)
def test_words(entry, words):
    assert parse_rule({"signal": WORDS} | entry, "here").words() == words


def test_a_resolved_percentile_shows_its_number():
    assert Rule(WORDS, min=52, min_percentile=10).words() == (
        "word count at least 52 (the 10th percentile)"
    )
    assert not Rule(WORDS, min_percentile=10).resolved()
    assert Rule(WORDS, min=52, min_percentile=10).resolved()


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 92, 100, 0.5)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "92nd", "100th", "0.5th"),
    ]


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"signal": WORDS, "min": 1, "in": ["a"]}, "one of them"),
        ({"signal": WORDS, "in": ["a"], "not_in": ["b"]}, "one of them"),
        ({"signal": WORDS, "where": "x > 1"}, "one of them"),
        ({"where": "x > 1", "min": 1}, "one of them"),
        ({"signal": WORDS, "min": 1, "min_percentile": 1}, "a threshold and a percentile"),
        ({"signal": WORDS, "min_percentile": 101}, "between 0 and 100"),
        ({"signal": WORDS, "max_percentile": -1}, "between 0 and 100"),
        ({"signal": WORDS, "min_percentile": 90, "max_percentile": 10}, "no document can pass"),
        ({"signal": WORDS, "in": []}, "list of 1 to 1000"),
        ({"signal": WORDS, "in": "en"}, "list of 1 to 1000"),
        ({"signal": WORDS, "in": [1, 0]}, "list of 1 to 1000"),
        ({"signal": WORDS, "in": ["en", False]}, "list of 1 to 1000"),
        ({"signal": WORDS, "not_in": ["a"] * 1001}, "list of 1 to 1000"),
        ({"signal": "", "min": 1}, "name of a signal"),
    ],
)
def test_a_rule_has_one_form_and_makes_sense(entry, complaint):
    with pytest.raises(ConfigError, match=complaint):
        parse_rule(entry, "here")


signals = st.sampled_from([WORDS, "x", "tags.good", "language.code"])
numbers = st.floats(-1e9, 1e9).map(float)
percentiles = st.floats(0, 100)
sides = st.one_of(
    st.builds(lambda low, more: {"min": low, "max": low + abs(more)}, numbers, numbers),
    st.fixed_dictionaries({"min": numbers}),
    st.fixed_dictionaries({"max": numbers, "min_percentile": percentiles}),
    st.fixed_dictionaries({"max_percentile": percentiles}),
)
texts = st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=4), min_size=1)
values = (texts | st.lists(st.booleans(), min_size=1)).flatmap(
    lambda v: st.sampled_from([{"in": v}, {"not_in": v}])
)
expressions = st.builds(
    lambda column, value: {"where": f'"{column}" >= {value!r} or tags.a'},
    st.sampled_from(["x", WORDS, "a b-c"]),
    st.floats(0, 1e6),
)
ENTRIES = expressions | st.builds(lambda s, more: {"signal": s} | more, signals, sides | values)


@given(ENTRIES)
def test_every_form_reads_back(entry):
    rule = parse_rule(entry, "here")
    text = yaml.safe_dump(rule_mapping(rule))
    assert parse_rule(yaml.safe_load(text), "there") == rule
    assert rule.words()
    assert rule.columns()
