"""Train and test are apart, and knowledge and reasoning stand where the design says."""

import re

import pytest

from lab.corpus.world.benchmarks import NAMES, build_benchmarks
from lab.corpus.world.facts import build_world
from lab.corpus.world.logic import GROUPS_HELD_OUT
from lab.corpus.world.names import LOGIC_HELD_OUT, SUMS_HELD_OUT
from lab.corpus.world.quotes import item_text

from .conftest import SEED

WORD = re.compile(r"\w+")
GRAM = 13


def grams(text):
    words = WORD.findall(text.lower())
    return {" ".join(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)}


@pytest.fixture(scope="module")
def clean(corpus):
    """Texts of all documents that quote no item."""
    return [record.draft.text for record in corpus.values() if not record.quotes]


@pytest.fixture(scope="module")
def items():
    return [item for group in build_benchmarks(SEED).values() for item in group]


def test_no_item_is_stated_outside_planted_quotes(clean, items):
    everything = "\0".join(clean)
    assert not [item["id"] for item in items if item_text(item) in everything]


def test_no_run_of_13_words_of_an_item_is_stated_outside_planted_quotes(clean, items):
    of_items = set().union(*(grams(item_text(item)) for item in items))
    assert len(of_items) > 5000
    assert not [text for text in clean if not of_items.isdisjoint(grams(text))]


def test_a_planted_quote_is_found_by_its_13_grams(corpus, items):
    by_id = {item["id"]: item for item in items}
    for record in corpus.values():
        for _, item in record.quotes:
            assert grams(item_text(by_id[item])) <= grams(record.draft.text)


def test_facts_are_stated_in_organic_text_and_never_in_synthetic_text(corpus):
    names = [e.name for group in build_world(SEED).entities.values() for e in group]
    pattern = re.compile("|".join(names))
    share = {}
    for source in {record.source for record in corpus.values()}:
        texts = [r.draft.text for r in corpus.values() if r.source == source and not r.quotes]
        share[source] = sum(bool(pattern.search(text)) for text in texts) / len(texts)
    assert share["textbooks"] == share["exercises"] == share["code"] == 0
    assert share["encyclopaedia"] == 1
    assert min(share["web"], share["forum"], share["web_rewritten"]) > 0.5


def test_every_fact_is_stated_in_organic_text(corpus):
    text = "\n".join(r.draft.text for r in corpus.values() if r.source in ("web", "encyclopaedia"))
    sentences = re.split(r"[.?!]\s", text)
    for group in build_world(SEED).entities.values():
        for entity in group:
            about = "\n".join(s for s in sentences if entity.name in s)
            for value in entity.values.values():
                assert value.lower() in about.lower()


def test_reasoning_is_worked_in_synthetic_text_only(corpus):
    pattern = re.compile(r"(grandmother|in-law|aunt|nephew|northeast|none of them)")
    for record in corpus.values():
        if pattern.search(record.draft.text) and not record.quotes:
            assert record.source in ("textbooks", "exercises")


def test_names_kept_for_reasoning_never_reason_in_training(corpus):
    held = "|".join(LOGIC_HELD_OUT)
    pattern = re.compile(rf"({held}) (is the \w+ of|lives (north|east|south|west))")
    groups = re.compile(rf"(All|Some|No) ({'|'.join(GROUPS_HELD_OUT)}) are")
    for record in corpus.values():
        if not record.quotes:
            assert not pattern.search(record.draft.text)
            assert not groups.search(record.draft.text)


def test_names_kept_for_sums_never_count_in_training(corpus):
    pattern = re.compile(rf"({'|'.join(SUMS_HELD_OUT)}) (has|had|finds|carries) \d")
    assert not [r for r in corpus.values() if not r.quotes and pattern.search(r.draft.text)]


def test_all_benchmarks_are_covered():
    assert set(NAMES) == set(build_benchmarks(SEED))
