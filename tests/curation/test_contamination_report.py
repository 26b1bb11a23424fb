"""phi-4's verdicts, allowed n-grams, reviewers' decisions, the report and its spans."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.artifacts import write_part
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.schema import ITEMS
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.corpus.tokenizer import train_tokenizer
from lab.corpus.tokens import count_tokens
from lab.curation.attributes import attribute_names, attributes, contaminated
from lab.curation.contamination import decisions, decontaminate, override, review_id, undo
from lab.curation.contamination.allow import allow, allowed_file, read_allowed
from lab.curation.contamination.common import common_ngrams
from lab.curation.contamination.located import locate_matches
from lab.curation.contamination.ngram_index import build_index
from lab.curation.contamination.ngram_kernels import agree_kernel
from lab.curation.contamination.ngram_search import find_matches
from lab.curation.contamination.report import matched_items, report
from lab.curation.contamination.search import require_contamination
from lab.curation.contamination.spans import matched_spans
from lab.curation.contamination.verdicts import Thresholds
from lab.curation.words import classes, utf8

ITEM = "If a lantern of seven panes burns for nine nights, how many panes are lit on the last?"
HALF = " ".join(ITEM.split()[:11])  # 5 of the item's 12 7-grams, and no 13-gram
OTHER = "The harbour of Ostrel has one lighthouse and the keeper there counts the herring boats"
FILLER = (
    "Nothing here is quoted from anywhere, and every word of it was written for this page alone."
)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """`web` quotes one item, half-quotes it, and is clean; `books` holds the other item."""
    ws = create(tmp_path / "ws", heldout_share=0.0)
    source(ws, "web", [f"{FILLER} {ITEM}", f"{FILLER} {HALF} {FILLER}", FILLER])
    source(ws, "books", [f"{OTHER}, as they say.", f"{FILLER} And so on."])
    register(
        ws,
        "riddles",
        [
            {"id": "r1", "kind": "generative", "question": ITEM, "answer": ""},
            {
                "id": "r2",
                "kind": "cloze",
                "question": "The last of nine nights",
                "answer": "is dark",
            },
            {"id": "r3", "kind": "cloze", "question": "Too short", "answer": "to say"},
        ],
    )
    register(ws, "facts", [{"id": "f1", "kind": "minimal_pair", "choices": [OTHER, OTHER[::-1]]}])
    train_tokenizer(ws, "tiny", vocab_size=300)
    for name in ("web", "books"):
        count_tokens(ws, name, "tiny")
        decontaminate(ws, name, ["riddles", "facts"])
    return ws


def source(ws: Workspace, name: str, texts: Sequence[str]) -> None:
    path = ws.root / f"{name}.jsonl"
    lines = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


def register(ws: Workspace, name: str, items: Sequence[dict[str, object]]) -> None:
    filled = [dict.fromkeys(ITEMS) | {"benchmark": name, "choices": []} | item for item in items]
    folder = ws.benchmarks / name
    folder.mkdir(parents=True, exist_ok=True)
    write_part(pl.DataFrame(filled, schema=ITEMS), folder / "items.parquet")


def flagged(ws: Workspace, name: str = "web") -> list[bool]:
    return contaminated(ws, name, ["riddles"], 13).to_list()


words = st.lists(st.sampled_from("abc"), max_size=16)


@settings(deadline=None, max_examples=60)
@given(st.lists(words, min_size=1, max_size=4), st.lists(words, min_size=1, max_size=3))
def test_the_ratio_is_the_one_of_the_paper(
    documents: list[list[str]], items: list[list[str]]
) -> None:
    def grams(text: list[str]) -> Counter[tuple[str, ...]]:
        return Counter(tuple(text[k : k + 7]) for k in range(len(text) - 6))

    texts = pl.DataFrame(
        {
            "benchmark": ["t"] * len(items),
            "item_id": [str(k) for k in range(len(items))],
            "text": [" ".join(item) for item in items],
        }
    )
    frame = pl.DataFrame(
        {"id": [str(k) for k in range(len(documents))], "text": [" ".join(d) for d in documents]}
    )
    found = find_matches(build_index(texts, 13), frame)
    for k, document in enumerate(documents):
        ours, as_set, as_bag = grams(document), [0.0], [0.0]
        for item in items:
            theirs = grams(item)
            if ours and theirs:
                as_set.append(len(ours.keys() & theirs.keys()) / min(len(ours), len(theirs)))
                as_bag.append((ours & theirs).total() / min(ours.total(), theirs.total()))
        assert found.ratio[k] == pytest.approx(max(as_set))
        assert found.ratio_multiset[k] == pytest.approx(max(as_bag))
    best = found.overlaps.group_by("id").agg(pl.col("ratio").max())
    assert all(found.ratio[int(i)] == r for i, r in best.rows())


@given(st.text("ab?\u00e9\u2028 \n", max_size=30), st.text("ab?\u00e9\u2028 \n", max_size=30))
@settings(deadline=None)
def test_equal_hashes_alone_prove_nothing(left: str, right: str) -> None:
    """Words are compared in the texts themselves, whatever stands between and inside them."""
    data, bounds = utf8(pl.Series([f"a {left}", f"a {right}"]))
    plain = [f"a {t}".replace("?", "").split() for t in (left, right)]
    for n in (1, 2, 3):
        same = np.zeros(1, np.bool_)
        ends = bounds.astype(np.int64)
        agree_kernel(data, ends[:1], ends[1:2], data, ends[1:2], ends[2:], n, classes(), same)
        if min(map(len, plain)) >= n:
            assert same[0] == (plain[0][:n] == plain[1][:n])


def test_verdicts_follow_the_thresholds(ws: Workspace) -> None:
    made = report(ws, limits=Thresholds(0.2, 0.5))
    verdicts = {(r["id"], r["item_id"]): r for r in made.matches.rows(named=True)}
    assert set(verdicts) == {("web/0", "r1"), ("web/1", "r1"), ("books/0", "f1")}
    assert verdicts["web/0", "r1"]["verdict"] == "CONTAMINATED(13)"
    partial = verdicts["web/1", "r1"]
    assert (partial["verdict"], partial["removed"]) == ("PARTIAL", False)
    assert partial["ratio"] == pytest.approx(5 / 12)
    assert partial["ngram"] is None
    lower = report(ws, limits=Thresholds(0.2, 0.4)).matches.filter(id="web/1")
    assert lower.select("verdict", "removed").row(0) == ("CONTAMINATED(7)", True)
    higher = report(ws, limits=Thresholds(0.42, 0.5)).matches.filter(id="web/1")
    assert higher.is_empty(), "at most `info` is clean"
    for info, limit in ((0.0, 0.5), (0.6, 0.5), (0.2, 1.1)):
        with pytest.raises(ConfigError, match="info <= contaminated"):
            Thresholds(info, limit)


def test_the_report_counts_items_documents_and_tokens(ws: Workspace) -> None:
    made = report(ws)
    table = {r["benchmark"]: r for r in made.benchmarks.rows(named=True)}
    riddles = table["riddles"]
    assert (riddles["items"], riddles["items_hit"]) == (3, 1)
    assert (riddles["uncheckable"], riddles["uncheckable_long"]) == (1, 2)
    counts = ("documents_13", "documents_7", "documents_partial")
    assert [riddles[c] for c in counts] == [1, 0, 1]
    assert [table["facts"][c] for c in counts] == [1, 0, 0]
    status = dict(made.items.select("item_id", "status").rows())
    assert status == {
        "r1": "CONTAMINATED(13)",
        "r2": "CLEAN",
        "r3": "UNCHECKABLE",
        "f1": "CONTAMINATED(13)",
    }
    assert made.items["item_id"][0] == "r1", "two documents share something with it"
    rows = {r["source"]: r for r in made.sources.rows(named=True)}
    tokens = count_tokens(ws, "web", "tiny").scan().collect()["tokens"]
    assert rows["web"]["tokens_13"] == rows["web"]["tokens_removed"] == tokens[0]
    assert rows["web"]["tokens_partial"] == tokens[1]
    assert (rows["books"]["documents"], rows["books"]["documents_13"]) == (2, 1)
    curve = dict(made.curve.select("threshold", "documents").rows())
    assert (curve[0.4], curve[0.45], curve[1.0]) == (3, 2, 2)
    assert made.header["ngram"] == 13
    assert [len(b["sha256"]) for b in made.header["benchmarks"]] == [64, 64]
    assert matched_items(ws, ["web"]).rows() == [("riddles", "r1")]
    assert matched_items(ws, ["web", "books"]).rows() == [("facts", "f1"), ("riddles", "r1")]


def test_columns_can_be_rules(ws: Workspace) -> None:
    names = ["contamination.grams13", "contamination.ratio7"]
    assert set(names) <= set(attribute_names(ws, "web"))
    frame = attributes(ws, "web", names, "tiny")
    assert frame["contamination.grams13"].to_list() == [6, 0, 0]
    assert frame["contamination.ratio7"].to_list() == pytest.approx([1.0, 5 / 12, 0.0])
    with pytest.raises(ConfigError, match="Unknown column of contamination"):
        attributes(ws, "web", ["contamination.grams14"], "tiny")
    register(ws, "more", [{"id": "m", "kind": "cloze", "question": OTHER, "answer": "x"}])
    with pytest.raises(ArtifactMissing, match="has not been searched"):
        attributes(ws, "web", names, "tiny")


def test_allowed_ngrams_are_spared_and_named(ws: Workspace) -> None:
    before = require_contamination(ws, "web", ["facts", "riddles"]).id
    plain = ITEM.lower().replace(",", "").replace("?", "").split()
    assert allow(ws, [" ".join(plain[k : k + 13]).upper() for k in range(6)] + ["two words"]) == 7
    assert len(read_allowed(ws, 13)) == 6
    assert len(read_allowed(ws, 2)) == 1
    assert "two words" in allowed_file(ws).read_text()
    with pytest.raises(ArtifactMissing):
        require_contamination(ws, "web", ["facts", "riddles"])
    made = decontaminate(ws, "web", ["facts", "riddles"])
    assert made.id != before
    frame = made.scan().collect()
    assert frame["contamination.grams13"].to_list() == [0, 0, 0]
    assert frame["contamination.ratio7"][0] == 1.0, "7-grams are not spared"
    with pytest.raises(DataError, match="1 of 2 lines hold no word"):
        allow(ws, ["fine", "?!"])


def test_common_ngrams_need_the_corpus_and_a_reference(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    leaked = [f"{ITEM} Version {k}" for k in range(6)]
    phrase = [f"{OTHER} in part {k}" for k in range(6)]
    source(ws, "web", [*leaked, *phrase, phrase[0]])
    source(ws, "wiki", [f"It is written: {OTHER}."])
    register(ws, "both", [{"id": "a", "question": ITEM}, {"id": "b", "question": OTHER}])
    found = common_ngrams(ws, ["both"], 13, "wiki", more_than=6)
    assert found.select("texts", "reference_texts").unique().rows() == [(7, 1)]
    assert found.height == 3, "the item's n-grams are not in the reference, however common"
    assert set(found["ngram"]) == {" ".join(OTHER.lower().split()[k : k + 13]) for k in range(3)}
    assert common_ngrams(ws, ["both"], 13, "wiki", more_than=7).is_empty()


def test_a_reviewer_overrules_and_takes_it_back(ws: Workspace) -> None:
    assert flagged(ws) == [True, False, False]
    names = [review_id(ws)]
    override(ws, "web/0", "riddles", "r1", "keep", "a famous puzzle")
    assert flagged(ws) == [False, False, False]
    assert matched_items(ws, ["web"]).is_empty()
    shown = report(ws).matches.filter(id="web/0")
    assert shown.select("decision", "removed").row(0) == ("keep", False)
    override(ws, "web/1", "riddles", "r1", "drop", "reworded at the end")
    assert flagged(ws) == [False, True, False]
    override(ws, "web/2", "riddles", None, "drop")
    assert flagged(ws) == [False, True, True]
    override(ws, "web/0", "riddles", None, "drop")
    assert flagged(ws) == [True, True, True], "the later word counts"
    assert decisions(ws).height == 3, "a word on the benchmark replaces those on its items"
    names += [review_id(ws)]
    undone = undo(ws)
    assert undone is not None
    assert undone["id"] == "web/0"
    assert flagged(ws) == [False, True, True]
    for _ in range(3):
        undo(ws)
    assert undo(ws) is None
    assert flagged(ws) == [True, False, False]
    assert review_id(ws) == names[0] != names[1]
    log = (ws.root / "reviews" / "contamination.jsonl").read_text().splitlines()
    assert len(log) == 4 + 4, "nothing is cut out"
    assert json.loads(log[0])["note"] == "a famous puzzle"


def test_decisions_about_nothing_are_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="keep or drop"):
        override(ws, "web/0", "riddles", None, "maybe")
    with pytest.raises(ConfigError, match="not registered"):
        override(ws, "web/0", "ridles", None, "keep")
    with pytest.raises(ConfigError, match="no such document"):
        override(ws, "web/99", "riddles", None, "keep")
    assert decisions(ws).is_empty()


def test_spans_hold_the_quoted_characters(ws: Workspace) -> None:
    wrapped = "“" + "\n  ".join(ITEM.upper().split()) + "”"
    text = f"{FILLER} {wrapped} {FILLER}"
    found = matched_spans(text, ITEM, 13)
    ((start, end),) = found.document
    assert text[start:end] == wrapped.strip("“”?")
    assert [ITEM[s.start : s.end] for s in found.item] == [ITEM.rstrip("?")]
    assert matched_spans(FILLER, ITEM, 13) == ([], [])
    twice = matched_spans(f"{HALF}. {FILLER} {HALF}!", ITEM, 7)
    assert len(twice.document) == 2
    assert len(twice.item) == 1
    shown = locate_matches(ws, report(ws).matches)
    for row in shown.rows(named=True):
        quoted = row["text"][row["document_start"] : row["document_end"]]
        theirs = row["item_text"][row["item_start"] : row["item_end"]]
        assert quoted.lower() == theirs.lower()
    assert shown.height == 3
    assert locate_matches(ws, shown.clear().select(report(ws).matches.columns)).is_empty()


@settings(deadline=None, max_examples=50)
@given(st.text("ab?\u00e9\u2028\x1c\x85 ", max_size=40), st.text("ab \u00e9", max_size=20))
def test_spans_find_what_the_search_finds(left: str, right: str) -> None:
    texts = pl.DataFrame({"benchmark": ["t"], "item_id": ["i"], "text": [right]})
    found = find_matches(build_index(texts, 2), pl.DataFrame({"id": ["d"], "text": [left]}))
    spans = matched_spans(left, right, 2)
    assert bool(spans.document) == bool(spans.item) == (found.hits[0] > 0)
