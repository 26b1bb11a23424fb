"""What the Filters page says, against a loop over the documents."""

import numpy as np
import pytest

from lab.core.workspace import Workspace
from lab.curation.filters import Rule
from lab.mixture.parsing import parse_recipe
from lab.ui.browse import Wanted, find_documents
from lab.ui.fallout import WHICH, Fallout, fallout, per_source, samples
from lab.ui.histogram import EVERYTHING, KEPT, bins_of
from lab.ui.tables import attribute_table, read_document, texts

WORDS, LENGTH = "gopher.word_count@ws1", "gopher.mean_word_length@ws1"
RULES = (Rule(WORDS, 55, 75), Rule(LENGTH, None, 4.9))


@pytest.fixture(scope="module")
def found(plain_workspace: Workspace) -> Fallout:
    return fallout(plain_workspace, "short", RULES)


def test_kept_documents_and_tokens_equal_a_loop(plain_workspace: Workspace, found: Fallout) -> None:
    table = attribute_table(plain_workspace, "short", [WORDS, LENGTH])
    kept = [
        row
        for row in table.iter_rows(named=True)
        if not row["heldout"] and 55 <= row[WORDS] <= 75 and row[LENGTH] <= 4.9
    ]
    assert 0 < len(kept) < table.height
    amount = found.account.kept()
    assert amount.documents == len(kept) == int(found.kept.sum())
    assert amount.tokens == sum(row["tokens"] for row in kept)


def test_the_two_layers_of_the_histogram_add_up(found: Fallout) -> None:
    bins = bins_of(found, WORDS)
    for layer, documents in ((EVERYTHING, found.frame.height), (KEPT, int(found.kept.sum()))):
        inside = bins.heights(layer, "documents").sum()
        assert inside + sum(bins.outside(layer, "documents")) == documents


@pytest.mark.parametrize("which", WHICH)
def test_samples_lie_on_the_side_they_are_named_for(found: Fallout, which: str) -> None:
    everything = np.ones(found.frame.height, bool)
    chosen = samples(found, everything, WORDS, which, 6)
    assert chosen.height == 6
    assert chosen["distance"].is_sorted()
    outside = (chosen["value"] < 55) | (chosen["value"] > 75)
    if which == "just dropped":
        assert outside.all() and not chosen["kept"].any()
    if which == "just kept":
        assert chosen["kept"].all() and not outside.any()
    if which == "changed":
        assert not chosen["kept"].any()


def test_without_a_threshold_nothing_is_borderline(plain_workspace: Workspace) -> None:
    free = fallout(plain_workspace, "short", (), [WORDS])
    assert samples(free, free.kept, WORDS, "borderline", 5).is_empty()
    assert samples(free, free.kept, WORDS, "just dropped", 5).is_empty()
    assert free.account.drop_rate() == 0


def test_every_source_of_a_recipe_under_a_draft(plain_workspace: Workspace) -> None:
    recipe = parse_recipe(
        {
            "name": "r",
            "sources": {"short": {"filters": [{"signal": WORDS, "min": 55}]}, "long": {}},
            "mixture": {"tokens": 1000, "phases": [{"weights": {"short": 1}}]},
        },
        "r",
    )
    frame = per_source(
        plain_workspace, recipe, {"short": {WORDS: None}, "long": {WORDS: (1e6, None)}}
    )
    assert frame["kept share"].to_list() == [1.0, 0.0]
    assert frame["rules"].to_list() == [0, 1]


def test_search_finds_what_a_loop_finds(plain_workspace: Workspace) -> None:
    from lab.corpus.sources import documents

    artifact = documents(plain_workspace, "short")
    frame = artifact.scan().select("id", "text").collect()
    for text, regex in (("LAMP market", False), (r"lamp\s+(market|river)", True), ("a.b", False)):
        import re

        pattern = re.compile(text if regex else re.escape(text), re.IGNORECASE)
        expected = [i for i, body in frame.iter_rows() if pattern.search(body)]
        result = find_documents(plain_workspace, "short", None, Wanted(text=text, regex=regex))
        assert result.frame["id"].to_list() == expected
        assert result.searched == result.total == frame.height


def test_sorting_and_outcomes(plain_workspace: Workspace) -> None:
    wanted = Wanted(outcome="held out", sort=WORDS, descending=True)
    result = find_documents(plain_workspace, "short", None, wanted)
    assert result.frame["value"].is_sorted(descending=True)
    table = attribute_table(plain_workspace, "short", [])
    assert result.frame.height == int(table["heldout"].sum()) > 0


def test_a_document_by_id(plain_workspace: Workspace) -> None:
    from lab.corpus.sources import documents

    artifact = documents(plain_workspace, "short")
    first = artifact.scan().select("id", "text").head(1).collect().row(0)
    row = read_document(artifact, first[0])
    assert row is not None and row["text"] == first[1]
    assert read_document(artifact, "short/'; DROP TABLE x; --") is None
    assert texts(artifact, [first[0]], 10) == {first[0]: first[1][:10]}
    assert texts(artifact, []) == {}
    assert np.isfinite(row["bytes"])
