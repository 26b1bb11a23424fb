"""Drafts: text in the address bar and rules in a recipe, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.curation.filters.rule import Rule
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe, recipe_mapping
from lab.ui.cuts import (
    ALL,
    Draft,
    apply_changes,
    bounds_of,
    changes_between,
    drafted_recipe,
    rule_of,
)
from lab.ui.draft_text import parse_draft, write_draft

WORDS = "gopher.word_count@ws1"
signals = st.sampled_from([WORDS, "quality.edu", "a", "b"])
number = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.10g}"))
texts = st.lists(st.text(max_size=6), min_size=1, max_size=3, unique=True).map(tuple)
demands = st.one_of(
    st.builds(lambda low: {"min": low}, number),
    st.builds(lambda low, high: {"min": low, "max": high}, number, number),
    st.builds(lambda p: {"max_percentile": p}, st.integers(0, 100).map(float)),
    st.builds(lambda v: {"values": v}, texts),
    st.builds(lambda v: {"not_values": v}, texts),
)
changed = st.dictionaries(signals, st.none() | demands, min_size=1).map(
    lambda d: {key: None if body is None else Rule(key, **body) for key, body in d.items()}
)
drafts = st.dictionaries(st.sampled_from(["web", "*", "late/web"]), changed).map(Draft)
rules = st.lists(
    st.builds(Rule, signals, st.floats(0, 1), st.floats(2, 3)), max_size=5
).map(tuple)  # fmt: skip


@given(drafts)
def test_a_draft_survives_the_address_bar(draft: Draft) -> None:
    assert parse_draft(write_draft(draft)) == draft


def test_a_draft_reads_as_a_person_writes_it() -> None:
    draft = parse_draft(" x a = 1..2 ; x b=p10..;*  quality.x=off; x where  a > 3 AND b = 'p;q';")
    assert draft.changes == {
        "x": {
            "a": Rule("a", 1.0, 2.0),
            "b": Rule("b", min_percentile=10.0),
            '"a" > 3 AND "b" = \'p;q\'': Rule(where='"a" > 3 AND "b" = \'p;q\''),
        },
        "*": {"quality.x": None},
    }
    assert parse_draft(write_draft(draft)) == draft
    assert parse_draft("x off where a > 3").changes == {"x": {'"a" > 3': None}}
    assert parse_draft("x order=1,0").orders == {"x": (1, 0)}


@pytest.mark.parametrize(
    "text",
    [
        *("a", "x a", "x a=1", "x =1..2", "x a=x..2", "x a=nan..", "x a=1..inf", "x a=.."),
        *("x a=p101..", "x a=in en", "x order=1,x", "x order=1,1", 'x a"=1..'),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_draft(text)
    assert caught.value.where == "unsaved changes"


def test_a_change_touches_only_what_it_names() -> None:
    saved = (Rule("a", 1, 2), Rule("b", None, 3), Rule("c", 4, None))
    changes = {"b": Rule("b", 0, 9), "c": None, "d": Rule("d", 5, None)}
    assert apply_changes(saved, changes) == (Rule("a", 1, 2), Rule("b", 0, 9), Rule("d", 5, None))


def test_two_rules_on_one_signal_become_one() -> None:
    saved = (Rule("a", 1, None), Rule("b", 0, 1), Rule("a", None, 7))
    assert bounds_of(saved, "a") == (1, 7)
    assert rule_of(saved, "a") == Rule("a", 1, 7)
    assert apply_changes(saved, {"a": Rule("a", 2, 6)}) == (Rule("a", 2, 6), Rule("b", 0, 1))


@given(rules, rules)
def test_the_difference_of_two_rule_sets_turns_one_into_the_other(
    old: tuple[Rule, ...], new: tuple[Rule, ...]
) -> None:
    result = apply_changes(old, changes_between(old, new))
    for signal in {rule.signal for rule in (*old, *new)}:
        assert bounds_of(result, signal) == bounds_of(new, signal)


@given(rules)
def test_no_draft_is_no_change(saved: tuple[Rule, ...]) -> None:
    assert apply_changes(saved, {}) == saved
    assert changes_between(saved, saved) == {}


@pytest.fixture
def recipe() -> Recipe:
    phases = [
        {"name": "broad", "share": 0.5, "weights": {"x": 1, "y": 1}},
        {"name": "late", "share": 0.5, "weights": {"x": 1}},
    ]
    return parse_recipe(
        {
            "name": "r",
            "filters": [{"signal": "quality.a", "min": 1}],
            "sources": {"x": {}, "y": {"filters": [{"signal": "quality.a", "min": 5}]}},
            "mixture": {"tokens": 10, "phases": phases},
        },
        "r",
    )


def test_all_sources_follow_a_change_for_all_and_a_source_may_differ(recipe: Recipe) -> None:
    draft = parse_draft("* quality.a=2..; y quality.b=..3; late/x quality.a=9..")
    new = drafted_recipe(recipe, draft)
    assert new.filters == (Rule("quality.a", 2),)
    assert new.sources == {
        "x": (Rule("quality.a", 2),),
        "y": (Rule("quality.a", 2), Rule("quality.b", None, 3)),
    }
    assert new.mixture.phases[1].filters == {"x": (Rule("quality.a", 9),)}
    assert parse_recipe(recipe_mapping(new), "r") == new, "what is saved is what was shown"


def test_a_source_alone(recipe: Recipe) -> None:
    new = drafted_recipe(recipe, parse_draft("x quality.a=off"))
    assert new.sources == {"x": (), "y": (Rule("quality.a", 5),)}
    assert new.filters == recipe.filters
    assert parse_recipe(recipe_mapping(new), "r") == new


def test_the_order_of_rules(recipe: Recipe) -> None:
    new = drafted_recipe(recipe, parse_draft("x quality.b=1..; x order=1,0,7"))
    assert [rule.signal for rule in new.sources["x"]] == ["quality.b", "quality.a"]


def test_a_draft_for_another_recipe_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ConfigError, match="does not have"):
        drafted_recipe(recipe, parse_draft("z quality.a=1.."))
    assert drafted_recipe(recipe, Draft()) == recipe
    assert parse_draft("").changes == {} and ALL == "*"
