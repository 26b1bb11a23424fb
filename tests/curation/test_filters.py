"""Filters: strict reading of rules, and masks in which nothing unmeasured passes."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.curation.filters.mask import fail_mask, resolve_rules
from lab.curation.filters.parsing import MOST_RULES, parse_rules
from lab.curation.filters.rule import Rule
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
        {"preset": "c4"},
        {"signal": "bytes", "max": 9},
    ]
    rules = parse_rules(entries, "here")
    assert rules[0].signal == "tokens" and rules[-1].signal == "bytes"
    assert rules[1:-1] == load_preset("c4").rules


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
        ({"signal": "gopher.word_counts", "min": 5}, "Unknown signal", "gopher.word_count"),
        ({"signal": "gohper.word_count", "min": 5}, "Unknown signal", "gopher.word_count"),
        ({"signal": "gopher.word_count@ws0", "min": 5}, "Unknown signal", WORDS),
        ({"preset": "finweb-code"}, "Unknown preset", "fineweb-code"),
        ({"preset": "fineweb-code", "min": 5}, "Unknown key 'min'", "preset"),
        (5, "mapping", "min"),
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


def test_lists_decide_about_text_and_truth_values():
    frame = pl.DataFrame({"code": ["en", "de", "no"], "good": [True, False, True]})
    rules = [
        Rule("code", values=("en", "no")),
        Rule("code", not_values=("en",)),
        Rule("good", values=(True,)),
        Rule("code", values=("fr",)),
    ]
    assert fail_mask(frame, rules).to_list() == [0b1010, 0b1101, 0b1000]
    enum = frame.with_columns(pl.col("code").cast(pl.Enum(["en", "de", "no"])))
    assert fail_mask(enum, rules).equals(fail_mask(frame, rules))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Rule("a", values=("1",)), "text, or of true and false"),
        (Rule("code", values=(False,)), "holds text"),
        (Rule("good", values=("yes",)), "holds true and false"),
    ],
)
def test_a_list_must_suit_its_column(rule, says):
    frame = pl.DataFrame({"a": [1], "code": ["no"], "good": [True]})
    with pytest.raises(ConfigError, match=says):
        fail_mask(frame, [rule])


@pytest.mark.parametrize("rule", [Rule("code", values=("en",)), Rule("code", not_values=("en",))])
def test_no_text_passes_no_list(rule):
    with pytest.raises(DataError, match="1 of 2 documents have no value of code"):
        fail_mask(pl.DataFrame({"code": ["en", None]}), [rule])


def test_a_percentile_drops_its_share_of_the_training_documents():
    frame = pl.DataFrame(
        {"v": [*range(1, 11), -100, 100], "heldout": [False] * 10 + [True] * 2}
    ).sample(fraction=1.0, shuffle=True, seed=3)
    rules = resolve_rules(frame, [Rule("v", min_percentile=10), Rule("v", max_percentile=90)])
    assert [(r.min, r.max) for r in rules] == [(2.0, None), (None, 9.0)]
    training = frame.filter(~pl.col("heldout"))
    assert (fail_mask(training, rules) != 0).sum() == 2
    assert fail_mask(frame, rules).equals(
        fail_mask(frame, [Rule("v", min_percentile=10), Rule("v", max_percentile=90)])
    )
    whole = resolve_rules(frame, [Rule("v", min_percentile=0, max_percentile=100)])
    assert (whole[0].min, whole[0].max) == (1.0, 10.0)


def test_a_resolved_side_is_not_resolved_again():
    rule = Rule("v", min=3.0, min_percentile=10)
    assert resolve_rules(pl.DataFrame({"v": [100.0, 200.0]}), [rule]) == (rule,)
    assert fail_mask(pl.DataFrame({"v": [2.0, 3.0]}), [rule]).to_list() == [1, 0]


def test_percentiles_need_one_source_and_values():
    two = pl.DataFrame({"source": ["a", "b"], "v": [1.0, 2.0]})
    with pytest.raises(DataError, match="source's own documents"):
        fail_mask(two, [Rule("v", min_percentile=10)])
    with pytest.raises(DataError, match="no value of v"):
        fail_mask(pl.DataFrame({"v": [None, 1.0]}), [Rule("v", min_percentile=10)])
    empty = pl.DataFrame({"v": []}, schema={"v": pl.Float64})
    assert fail_mask(empty, [Rule("v", min_percentile=10)]).len() == 0


@settings(deadline=None)
@given(
    st.lists(st.integers(-20, 20) | st.floats(-20, 20), min_size=1, max_size=60),
    st.integers(0, 100),
)
def test_a_percentile_never_drops_more_than_it_says(values, p):
    frame = pl.DataFrame({"v": values}, schema={"v": pl.Float64}, strict=False)
    for rule, share in ((Rule("v", min_percentile=p), p), (Rule("v", max_percentile=p), 100 - p)):
        dropped = (fail_mask(frame, [rule]) != 0).sum()
        assert dropped <= math.ceil((len(values) - 1) * share / 100)
        if len(set(values)) == len(values):
            assert dropped == math.ceil((len(values) - 1) * share / 100 - 1e-9)
