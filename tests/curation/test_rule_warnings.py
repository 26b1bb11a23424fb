"""Warnings: rules that decide nothing are named, those that decide are not."""

import polars as pl

from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule
from lab.curation.filters.warnings import rule_warnings

FRAME = pl.DataFrame(
    {
        "share": [0.01, 0.02, 0.03, 0.04],
        "same": [7, 7, 7, 7],
        "ties": [1, 1, 1, 2],
        "code": ["en", "en", "de", "no"],
        "good": [True, True, True, False],
    }
)


def test_a_rule_that_decides_is_not_named():
    rules = [
        Rule("share", max=0.035),
        Rule("code", values=("en", "de")),
        Rule("good", values=(True,)),
        Rule(where='"share" < 0.02 or good'.replace("good", '"good"')),
        Rule("share", min_percentile=25),
        Rule("share", min_percentile=0, max_percentile=100),
    ]
    assert rule_warnings(FRAME, rules, "web") == []
    assert rule_warnings(FRAME.clear(), rules, "web") == []
    assert rule_warnings(FRAME, [], "web") == []


def test_a_rule_that_drops_nothing_says_what_it_met():
    (said,) = rule_warnings(FRAME, [Rule("share", max=5)], "web")
    assert said.startswith("web: the rule `share at most 5` drops nothing; ")
    assert "share lies between 0.01 and 0.04" in said
    (said,) = rule_warnings(FRAME, [Rule("same", min=5)], "web")
    assert "every document has same 7" in said
    (said,) = rule_warnings(FRAME, [Rule("code", not_values=("fr",))], "web")
    assert "most documents have code en, " in said


def test_a_rule_that_drops_everything():
    rules = [Rule("share", min=5), Rule("code", values=("EN",)), Rule("same", max=6)]
    said = rule_warnings(FRAME, rules, "web")
    assert len(said) == 3
    assert all("drops every document" in warning for warning in said)


def test_a_percentile_that_ties_spoil():
    (said,) = rule_warnings(FRAME, [Rule("ties", min_percentile=50)], "web")
    assert "drops 0" not in said and "drops nothing" in said
    frame = pl.DataFrame({"v": [1, 2, *[3] * 98]})
    (said,) = rule_warnings(frame, [Rule("v", min_percentile=50)], "web")
    assert "drops 2.0% of the documents instead of 50.0%" in said


def test_many_idle_rules_are_one_sentence():
    rules = [Rule("share", max=n) for n in range(1, 6)]
    (said,) = rule_warnings(FRAME, [*rules, Rule("share", max=0.035)], "web")
    assert "web: 5 of 6 rules drop nothing: `share at most 1`, " in said


def test_a_mask_with_more_bits_serves():
    rules = [Rule("share", max=0.035)]
    mask = fail_mask(FRAME, [*rules, Rule("share", max=5)]) | pl.Series([8] * 4, dtype=pl.UInt64)
    assert rule_warnings(FRAME, rules, "web", mask) == []
