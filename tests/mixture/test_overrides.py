"""Filters of the whole recipe, and sources that change them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.curation.filters.rule import Rule, rule_mapping
from lab.mixture.overrides import effective, own_part
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Mixture, Phase, Recipe, recipe_id, recipe_mapping

WORDS, BRACES = "gopher.word_count", "c4.curly_brackets"
SHARED = [{"signal": WORDS, "min": 50}, {"where": "x > 1 or y > 1"}, {"signal": "z", "in": ["a"]}]
MIXTURE = {"tokens": 10, "phases": [{"weights": {"web": 1, "code": 1}}]}


def recipe(**changes: Any) -> Recipe:
    value = {"name": "r", "sources": {"web": {}, "code": {}}, "mixture": MIXTURE}
    return parse_recipe(value | {"filters": SHARED} | changes, "r.yaml")


def keys(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.key.partition("@")[0] for rule in rules]


def test_every_source_has_the_rules_of_the_recipe() -> None:
    found = recipe()
    assert found.sources["web"] == found.sources["code"] == found.filters
    assert keys(found.filters) == [WORDS, '"x" > 1 or "y" > 1', "z"]
    assert found.signals("web") == ["gopher.word_count@ws1", "x", "y", "z"]


def test_a_source_replaces_takes_away_and_adds() -> None:
    own = [
        {"where": "x > 1 or y > 1", "off": True},
        {"signal": WORDS, "max": 9},
        {"signal": "new", "min_percentile": 5},
        {"signal": "z", "off": True},
    ]
    found = recipe(sources={"web": {"filters": own}, "code": {}})
    assert found.sources["web"] == (
        Rule("gopher.word_count@ws1", max=9.0),
        Rule("new", min_percentile=5.0),
    )
    assert len(found.sources["code"]) == 3
    written = recipe_mapping(found)["sources"]["web"]["filters"]
    assert len(written) == 4, "what the file says is what it is written back as"
    assert recipe_mapping(found)["sources"]["code"] == {}


@pytest.mark.parametrize(
    ("entry", "complaint", "next_step"),
    [
        ({"signal": "w", "off": True}, "no such rule to take away", "known"),
        ({"signal": WORDS + "s", "off": True}, "Unknown signal", WORDS),
        ({"where": "x > 1", "off": True}, "no such rule to take away", "x"),
        ({"signal": WORDS, "off": False}, "takes a rule of the recipe away", "off: true"),
        ({"signal": WORDS, "off": True, "min": 5}, "Unknown key 'min'", "known"),
        ({"off": True}, "name of a signal", "signal"),
    ],
)
def test_taking_away_what_is_not_there_is_an_error(
    entry: dict[str, Any], complaint: str, next_step: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as error:
        recipe(sources={"web": {"filters": [entry]}, "code": {}})
    assert error.value.where.startswith("r.yaml.sources.web.filters[0]")
    assert next_step in error.value.next_step


def test_only_sources_take_away() -> None:
    phases = [{"weights": {"web": 1}, "filters": {"web": [{"signal": WORDS, "off": True}]}}]
    for changes in (
        {"filters": [{"signal": WORDS, "off": True}]},
        {"mixture": {"tokens": 10, "phases": phases}},
    ):
        with pytest.raises(ConfigError, match="Unknown key 'off'"):
            recipe(**changes)


def test_the_id_sees_what_is_decided_not_where_it_is_written() -> None:
    each = {"filters": SHARED}
    apart = recipe(filters=None, sources={"web": each, "code": each})
    assert recipe_id(apart) == recipe_id(recipe())
    assert apart != recipe()
    assert recipe_id(recipe(sources={"web": {}, "code": {"filters": [SHARED[0]]}})) != recipe_id(
        recipe()
    ), "the order of rules is part of the account"


def test_edits_are_read_kept_and_part_of_the_id() -> None:
    found = recipe(sources={"web": {"edits": ["c4-lines", "mask-pii"]}, "code": {"edits": None}})
    assert found.edits == {"web": ("c4-lines", "mask-pii")}
    assert parse_recipe(recipe_mapping(found), "again") == found
    assert len({recipe_id(recipe()), recipe_id(found)}) == 2
    other = recipe(sources={"web": {"edits": ["mask-pii", "c4-lines"]}, "code": {}})
    assert recipe_id(other) != recipe_id(found), "edits are made in order"


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        (["c4-line"], "c4-lines"),
        ("c4-lines", "list of edits"),
        (["mask-pii", "mask-pii"], "each named once"),
        ([3], "Unknown edit"),
    ],
)
def test_unknown_edits_are_refused(edits: object, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        recipe(sources={"web": {"edits": edits}, "code": {}})
    assert says in str(error.value)
    assert error.value.where == "r.yaml.sources.web.edits"


rules = st.one_of(
    st.builds(Rule, st.sampled_from("abc"), st.sampled_from([1.0, 2.0])),
    st.builds(lambda s, p: Rule(s, min_percentile=p), st.sampled_from("abc"), st.just(5.0)),
    st.builds(lambda s: Rule(s, values=("x",)), st.sampled_from("bc")),
    st.builds(lambda n: Rule(where=f'"a" > {n}'), st.integers(1, 2)),
)
lists = st.lists(rules, max_size=5).map(tuple)


@given(lists, lists)
def test_any_effective_rules_can_be_written(shared: tuple[Rule, ...], wanted: tuple[Rule, ...]):
    own, off = own_part(shared, wanted)
    assert effective(shared, own, off) == wanted
    if shared == wanted:
        assert own == off == ()


@given(lists, lists, lists.filter(bool), st.booleans())
def test_recipes_read_back(
    shared: tuple[Rule, ...],
    wanted: tuple[Rule, ...],
    phase: tuple[Rule, ...],
    edited: bool,
) -> None:
    found = Recipe(
        "r",
        "",
        {"web": wanted, "code": shared},
        Mixture(10, (Phase("all", 1.0, {"web": 0.5, "code": 0.5}, {"web": phase}),)),
        filters=shared,
        edits={"web": ("mask-pii",)} if edited else {},
    )
    text = yaml.safe_dump(recipe_mapping(found), sort_keys=False)
    assert parse_recipe(yaml.safe_load(text), "r") == found
    assert recipe_mapping(found)["sources"]["code"] == {}


@given(lists, lists)
def test_what_is_parsed_is_written_as_briefly(
    shared: tuple[Rule, ...], own: tuple[Rule, ...]
) -> None:
    value = {
        "name": "r",
        "filters": [rule_mapping(rule) for rule in shared],
        "sources": {"web": {"filters": [rule_mapping(rule) for rule in own]}},
        "mixture": {"tokens": 10, "phases": [{"weights": {"web": 1}}]},
    }
    written = recipe_mapping(parse_recipe(value, "r"))["sources"]["web"].get("filters", [])
    assert len(written) <= len(own)


def test_the_recipe_of_the_readme_says_what_it_says() -> None:
    """As written in YAML, where an unquoted `off` is a boolean."""
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (written,) = re.findall(r"```yaml\n(.*?)```", text, re.S)
    recipe = parse_recipe(yaml.safe_load(written), "README.md")
    assert recipe.sources["books"] == ()
    assert recipe.edits == {"web": ("mask-pii",)}
    assert {"language.code@ft1", "pii.count@lab1"} <= set(recipe.signals("web"))
    assert parse_recipe(yaml.safe_load(yaml.safe_dump(recipe_mapping(recipe))), "again") == recipe
