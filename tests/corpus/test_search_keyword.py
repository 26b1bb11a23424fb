"""Keyword search, on a corpus small enough to know every answer."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.search import (
    count_words,
    index_documents,
    phrase_counts,
    read_query,
    require_index,
    search,
)
from lab.corpus.search.index import FOLDER, words_of
from lab.corpus.sources import add_source, documents, remove_source

TEXTS = [
    "The river runs under the stone bridge.",  # 0
    "River, river, river: a song about a river.",  # 1
    "A market by the sea. Stones of the river bed.",  # 2
    "Über den Fluß führt eine Brücke; die BRÜCKE ist alt.",  # 3
    "我住在河边的小镇。河水很清。",  # 4
    "don't panic -- the bridge of stone is_here 3.14",  # 5
    "nothing of the kind",  # 6
]


def with_texts(root: Path, texts: list[str], name: str = "s") -> Workspace:
    root.mkdir(exist_ok=True)
    path = root / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    ws = create(root / "w")
    add_source(ws, name, [str(path)])
    return ws


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return index_documents(with_texts(tmp_path_factory.mktemp("k"), TEXTS), "s")


def rows(index: Artifact, text: str) -> list[int]:
    return search(index, read_query(text)).rows.tolist()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("RIVER", {0, 1, 2}),
        ("river stone", {0}),
        ("river -song", {0, 2}),
        ('"stone bridge"', {0}),
        ('"bridge of stone"', {5}),
        ('"of the"', {2, 6}),
        ('-"of the" the', {0, 5}),
        ("brücke fluß", {3}),
        ("河", {4}),
        ("小镇", {4}),
        ("镇小", set()),
        ("don't", {5}),
        ("is_here", {5}),
        ('"unclosed river', set()),
        ("stones", {2}),
        ("elephant", set()),
    ],
)
def test_what_is_found(index: Artifact, query: str, found: set[int]) -> None:
    assert set(rows(index, query)) == found


def test_the_order_and_the_scores_are_bm25(index: Artifact) -> None:
    """k1 = 1.2, b = 0.75; Lucene's lengths are exact below 40 words."""
    hits = search(index, read_query("river"))
    assert hits.rows[0] == 1 and hits.total == 3
    lengths = [len(words_of(text)) for text in TEXTS]
    mean = sum(lengths) / len(lengths)
    idf = math.log(1 + (7 - 3 + 0.5) / (3 + 0.5))
    for row, score in zip(hits.rows, hits.scores, strict=True):
        f = words_of(TEXTS[row]).count("river")
        expected = idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * lengths[row] / mean))
        assert score == pytest.approx(expected, rel=1e-5)


def test_phrases_are_counted_exactly(index: Artifact) -> None:
    entries = read_query('river "the river" "of the" stone').wanted
    assert phrase_counts(index, entries) == [3, 2, 2, 2]


def test_sources_are_weighed_together(tmp_path: Path) -> None:
    """A word that one source hardly knows does not lift that source above all others."""
    ws = with_texts(tmp_path, ["river stone"] * 50)
    path = tmp_path / "rare.jsonl"
    path.write_text("\n".join(json.dumps({"text": t}) for t in ["river stone", *["sea salt"] * 49]))
    add_source(ws, "rare", [str(path)])
    both = [index_documents(ws, name) for name in ("s", "rare")]
    asked = read_query("river")
    alone = [search(index, asked).scores[0] for index in both]
    together = [search(index, asked, 5, count_words(both, asked)).scores[0] for index in both]
    assert alone[1] > 100 * alone[0]
    assert together[0] == pytest.approx(together[1], rel=1e-5)


def test_a_limit_keeps_the_best_and_the_total(index: Artifact) -> None:
    hits = search(index, read_query("the"), limit=2)
    assert len(hits.rows) == 2 and hits.total == 4
    everything = search(index, read_query("the"))
    assert hits.rows.tolist() == everything.rows[:2].tolist()


@given(st.text(max_size=60))
def test_no_query_is_a_syntax_error(index: Artifact, text: str) -> None:
    try:
        query = read_query(text)
    except ConfigError:
        assert not any(words_of(piece) for piece in text.split() if not piece.startswith("-"))
        return
    assert search(index, query).total <= len(TEXTS)


@pytest.mark.parametrize("text", ["", "  ", '""', "-river", "!?", "word " * 100, "x" * 5000])
def test_queries_that_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read_query(text)


def test_field_names_and_operators_are_words(index: Artifact) -> None:
    """The user's text never reaches tantivy's own query parser."""
    assert rows(index, "text:river") == [] and rows(index, "row:[0 TO 9]") == []
    assert rows(index, "river OR market") == []


def test_no_text_is_stored(index: Artifact) -> None:
    content = b"".join(path.read_bytes() for path in (index.path / FOLDER).iterdir())
    assert b"stone bridge" not in content and b"The river" not in content


def test_an_interrupted_index_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.core.errors import Cancelled
    from lab.core.progress import Progress
    from lab.corpus import documents as making

    monkeypatch.setattr(making, "PART_DOCUMENTS", 3)
    ws = with_texts(tmp_path, TEXTS)
    assert len(documents(ws, "s").parts) == 3
    seen: list[float] = []

    def stop_late() -> bool:
        seen.append(0)
        return len(seen) > 1  # after the first part

    with pytest.raises(Cancelled):
        index_documents(ws, "s", progress=Progress(should_stop=stop_late))
    with pytest.raises(ArtifactMissing, match="no index"):
        require_index(ws, "s")
    index = index_documents(ws, "s")
    assert index.manifest["documents"] == len(TEXTS)
    assert search(index, read_query("the")).total == 4, "no part is in twice"
    assert index_documents(ws, "s").path == index.path


def test_another_text_needs_another_index(tmp_path: Path) -> None:
    ws = with_texts(tmp_path, TEXTS)
    index = index_documents(ws, "s")
    (tmp_path / "s.jsonl").write_text(json.dumps({"text": "a river"}))
    add_source(ws, "s", [str(tmp_path / "s.jsonl")])
    with pytest.raises(ArtifactMissing, match="mixlab index"):
        require_index(ws, "s")
    remove_source(ws, "s")
    assert not index.path.exists()
