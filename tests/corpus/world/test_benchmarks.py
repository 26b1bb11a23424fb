"""Benchmark items are right: gold answers are derived again, from the question alone."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.corpus.world.benchmarks import SIZES, build_benchmarks
from lab.corpus.world.draws import stream
from lab.corpus.world.facts import build_world
from lab.corpus.world.logic import make_problem, wrong_answers
from lab.corpus.world.programs import TASKS

from .conftest import SEED

PARENTS = {"mother", "father"}
CHILDREN = {"daughter", "son"}
SIBLINGS = {"sister", "brother"}
FEMALE = {"mother", "daughter", "sister", "wife"}


@pytest.fixture(scope="module")
def benchmarks():
    return build_benchmarks(SEED)


def kin(one, two):
    """What the `one` of somebody's `two` is, from common knowledge of families."""
    spouse = two in ("husband", "wife")
    if one in PARENTS:
        stem = ("mother", "father")
        pair = tuple(f"{w}-in-law" for w in stem) if spouse else tuple(f"grand{w}" for w in stem)
    elif one in CHILDREN:
        pair = ("niece", "nephew") if two in SIBLINGS else ("granddaughter", "grandson")
    else:
        pair = ("sister-in-law", "brother-in-law") if spouse else ("aunt", "uncle")
    return pair[one not in FEMALE]


def mood(one, two):
    """What follows for A and C from `one` A are B and `two` B are C, by possible worlds."""
    worlds = [(b, c) for b in (0, 1) for c in (0, 1)]  # an A's memberships in B and in C
    allowed = [(b, c) for b, c in worlds if not b or c == (two == "All")]
    if one == "All":
        inside = {c for b, c in allowed if b}
        return "all of them" if inside == {1} else "none of them"
    return "some of them" if two == "All" else "not all of them"


def solve(told):
    if m := re.match(r"\w+ is the (\w+) of \w+\. \w+ is the (\w+) of", told):
        return kin(*m.groups())
    if m := re.match(r"\w+ lives (\w+) of \w+\. \w+ lives (\w+) of", told):
        north_first = sorted(m.groups(), key=lambda way: way in ("east", "west"))
        return "".join(north_first)
    return mood(*re.match(r"(\w+) \w+ are \w+\. (\w+) \w+ are", told).groups())


def test_sizes_and_shape(benchmarks):
    for name, size in SIZES.items():
        for full in (name, f"{name}_twin"):
            items = benchmarks[full]
            assert len(items) == size
            assert len({item["id"] for item in items}) == size
            texts = {(item["question"], tuple(sorted(item["choices"]))) for item in items}
            assert len(texts) >= size * 0.98


def test_gold_is_one_of_different_choices(benchmarks):
    for items in benchmarks.values():
        for item in items:
            assert item["choices"][item["answer_index"]] == item["answer"]
            assert len(set(item["choices"])) == len(item["choices"]) in (2, 4)


def test_no_choice_begins_another(benchmarks):
    """A choice that is a prefix of another would never be less likely than it."""
    for items in benchmarks.values():
        for item in items:
            for one in item["choices"]:
                assert not [x for x in item["choices"] if x != one and x.startswith(f"{one} ")]


def test_gold_positions_are_even(benchmarks):
    for items in benchmarks.values():
        places = Counter(item["answer_index"] for item in items)
        chance = len(items) / len(items[0]["choices"])
        assert max(abs(count - chance) for count in places.values()) < 4.5 * chance**0.5


def test_twins_share_content(benchmarks):
    for name in SIZES:
        for item, twin in zip(benchmarks[name], benchmarks[f"{name}_twin"], strict=True):
            assert item["question"] != twin["question"]
            assert item["meta"] == twin["meta"]
            if name != "grammar":
                assert set(item["choices"]) == set(twin["choices"])
                assert item["answer"] == twin["answer"]


def test_facts_are_those_of_the_world(benchmarks):
    entities = {e.name: e for group in build_world(SEED).entities.values() for e in group}
    for item in (*benchmarks["facts"], *benchmarks["facts_twin"]):
        named = [e for name, e in entities.items() if re.search(rf"\b{name}\b", item["question"])]
        assert [e.values[item["meta"]["form"]] for e in named] == [item["answer"]]


def test_the_most_frequent_value_is_no_shortcut_for_facts(benchmarks):
    golds = Counter((i["meta"]["form"], i["answer"]) for i in benchmarks["facts"])
    totals = Counter(i["meta"]["form"] for i in benchmarks["facts"])
    assert max(count / totals[form] for (form, _), count in golds.items()) < 0.2


def test_reasoning_follows_from_both_premises(benchmarks):
    for item in (*benchmarks["reasoning"], *benchmarks["reasoning_twin"]):
        assert solve(item["question"]) == item["answer"]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6))
def test_training_problems_are_right_too(number):
    problem = make_problem(stream(0, number))
    assert solve(" ".join(problem.premises)) == problem.answer
    assert problem.answer not in wrong_answers(stream(0, number), problem)


def test_sums_are_right(benchmarks):
    for item in (*benchmarks["arithmetic"], *benchmarks["arithmetic_twin"]):
        first, second = map(int, re.findall(r"\d+", item["question"]))
        expected = first + second if item["meta"]["form"] == "+" else first - second
        assert item["answer"].split()[0] == str(expected)


def test_code_answers_do_what_the_docstring_says():
    """Each task's expression gives the stated value on an example; no near miss does."""
    values = [4, 8, 3, 3, 7, 5]
    expected = {
        "first": 4, "last": 5, "total": 30, "length": 6, "largest": 8, "smallest": 3,
        "mean": 5, "ordered": [3, 3, 4, 5, 7, 8], "backwards": [5, 7, 3, 3, 8, 4],
        "tail": [8, 3, 3, 7, 5],
        "unique": {3, 4, 5, 7, 8}, "leading": [4, 8],
        "double": 14, "half": 3.5, "square": 49, "add": 9,
        "subtract": 5, "scale": 14, "is_even": False, "is_odd": True, "is_large": True,
        "is_small": False,
    }  # fmt: skip
    for task in TASKS:
        scope = {"v": values if task.on_list else 7}
        evaluate = lambda code, scope=scope: eval(code.format(v="v", k=2), {}, scope)  # noqa: E731
        right = evaluate(task.code)
        assert right == expected[task.name]
        for code in task.wrong:
            if not task.name.startswith("is_"):
                assert evaluate(code) != right


def test_grammar_pairs_differ_by_one_place(benchmarks):
    for item in benchmarks["grammar"]:
        good, bad = item["answer"].split(), item["choices"][1 - item["answer_index"]].split()
        different = [(x, y) for x, y in zip(good, bad, strict=True) if x != y]
        assert len(different) == 1 or sorted(good) == sorted(bad)
        if item["meta"]["form"] == "article":
            article, noun = next((x, good[i + 1]) for i, x in enumerate(good) if x in ("a", "an"))
            assert (article == "an") == (noun[0] in "aeiou")
