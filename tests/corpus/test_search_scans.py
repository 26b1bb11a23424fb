"""Patterns and SQL conditions: right answers, and nothing that runs away or reaches out."""

import re
import time
from pathlib import Path

import polars as pl
import pytest

from lab.core.artifacts import Artifact, load, write_part
from lab.core.errors import ConfigError, DataError, LabError
from lab.core.files import write_json
from lab.corpus.search import check_pattern, find_pattern, find_predicate, read_predicate
from lab.corpus.search.pattern import places

BACKTRACKING = [
    r"(a*)*b",
    r"(a+)+$b",
    r"(a|a)*b",
    r"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
    "(a?a)*b",
]
COLUMNS = ["tokens", "gopher.word_count@ws1", "tags.spam", "language.code@ft1"]


def artifact(folder: Path, parts: list[list[str]]) -> Artifact:
    folder.mkdir()
    for number, texts in enumerate(parts):
        metas = ['{"url": "http://x"}' if k % 2 else "{}" for k in range(len(texts))]
        write_part(
            pl.DataFrame({"text": texts, "meta": metas}), folder / f"part-{number:05d}.parquet"
        )
    write_json(folder / "manifest.json", {})
    found = load(folder)
    assert found is not None
    return found


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Artifact]:
    first = [["a river", "River bank", "no water"], ["a RIVER bed", "ärger 12"]]
    return {
        "one": artifact(tmp_path / "one", first),
        "two": artifact(tmp_path / "two", [["river"]]),
    }


@pytest.mark.parametrize(
    "pattern", ["river", r"\briver\b.", r"^\w+ r", "ä", r"\d{2}$", "(?-i)River"]
)
def test_patterns_find_what_python_finds(found: dict[str, Artifact], pattern: str) -> None:
    scanned = find_pattern(found, pattern)
    assert scanned.complete
    flags = 0 if pattern.startswith("(?-i)") else re.IGNORECASE
    peer = re.compile(pattern.removeprefix("(?-i)"), flags)
    for source, held in found.items():
        texts = held.scan().select("text").collect()["text"]
        assert scanned.rows[source].tolist() == [k for k, t in enumerate(texts) if peer.search(t)]
    assert scanned.counts["matches"].to_list() == [len(r) for r in scanned.rows.values()]


@pytest.mark.parametrize("pattern", BACKTRACKING)
def test_patterns_that_explode_elsewhere_do_not_here(tmp_path: Path, pattern: str) -> None:
    """Python's `re` needs longer than the age of the universe for these on 2,000 letters."""
    held = {"s": artifact(tmp_path / "s", [["a" * 2000] * 50])}
    scanned = find_pattern(held, pattern, seconds=20)
    assert scanned.complete and scanned.counts["matches"][0] == 0


def test_a_slow_pattern_is_stopped_and_says_how_far_it_came(tmp_path: Path) -> None:
    texts = [["a" * 3000] * 4000, ["a" * 3000] * 4000]
    held = {"s": artifact(tmp_path / "s", texts), "t": artifact(tmp_path / "t", texts[:1])}
    began = time.monotonic()
    scanned = find_pattern(held, "(a?){500}a{500}b", seconds=0.5)
    assert time.monotonic() - began < 30, "stopped, with room for a busy machine"
    assert not scanned.complete
    assert scanned.counts["read"].sum() < scanned.counts["documents"].sum() == 12_000
    assert scanned.counts["documents"].to_list() == [8000, 4000]


def test_no_time_reads_nothing(found: dict[str, Artifact]) -> None:
    scanned = find_pattern(found, "river", seconds=0)
    assert not scanned.complete and scanned.counts["read"].sum() == 0
    assert all(rows.size == 0 for rows in scanned.rows.values())


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "*",
        "[z-a]",
        r"(?=x)",
        r"(?<!x)y",
        r"(a)\1",
        "a{2,1}",
        "((a{100}){100}){100}",
        "x" * 2000,
    ],
)
def test_what_is_no_pattern_is_said_in_words(found: dict[str, Artifact], pattern: str) -> None:
    with pytest.raises(ConfigError, match="regular expression"):
        find_pattern(found, pattern)


def test_a_huge_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="too large"):
        check_pattern("(a?){1000}a{1000}b")


def test_places_are_characters_not_bytes() -> None:
    text = "über dem Fluß über"
    assert [text[a:b] for a, b in places(text, "ÜBER")] == ["über", "über"]
    assert places("aaa", "b*") == []


def frames() -> dict[str, pl.DataFrame]:
    table = pl.DataFrame(
        {
            "tokens": [2, 2, 2, 3, 2],
            "gopher.word_count@ws1": [2, 2, 2, 3, None],
            "tags.spam": [True, False, True, False, False],
            "language.code@ft1": ["en", "en", "en", "en", "de"],
        }
    )
    return {"one": table, "two": table.head(1)}


def ask(found: dict[str, Artifact], condition: str) -> list[list[int]]:
    predicate = read_predicate(condition, COLUMNS)
    own = [c for c in predicate.columns if c not in predicate.reads]
    held = {s: f.select(own) if own else pl.DataFrame() for s, f in frames().items()}
    scanned = find_predicate(found, held, predicate)
    assert scanned.complete
    return [rows.tolist() for rows in scanned.rows.values()]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("tokens > 2", [[3], []]),
        ("gopher.word_count = 2", [[0, 1, 2], [0]]),
        ('"gopher.word_count@ws1" IS NULL', [[4], []]),
        ("tags.spam AND text ILIKE '%river%'", [[0], [0]]),
        ("language.code = 'de' OR NOT (tokens = 2)", [[3, 4], []]),
        ("meta->>'url' = 'http://x'", [[1, 4], []]),
        ("regexp_matches(text, '\\d')", [[4], []]),
        ("length(text) BETWEEN 7 AND 8 -- a comment", [[0, 2, 4], []]),
        ("text = 'gopher.word_count'", [[], []]),
        ("gopher.word_count > 0", [[0, 1, 2, 3], [0]]),
    ],
)
def test_conditions(found: dict[str, Artifact], condition: str, rows: list[list[int]]) -> None:
    assert ask(found, condition) == rows


HOSTILE = [
    "tokens IN (SELECT 1)",
    "EXISTS (SELECT * FROM read_csv('/etc/passwd'))",
    "text IN (SELECT content FROM read_text('/etc/passwd'))",
    "(SELECT count(*) FROM glob('/*')) > 0",
    "1=1; COPY documents TO '{out}'",
    "tokens > 1); COPY (SELECT 1) TO '{out}'; --",
    "tokens > 1) UNION SELECT 1 FROM documents WHERE (tokens > 1",
    "tokens > 1; ATTACH '{out}'",
    "tokens > 1; INSTALL httpfs",
    "tokens > 1; SET enable_external_access = true",
    "read_text('/etc/passwd') = text",
    "getenv('HOME') = text",
    "length(repeat(text, 4000000000)) > 1",
    "list_sum(range(10000000000)) > tokens",
    "count(*) > tokens",
    "length(" + "||".join(["text"] * 12) + ") > 1",
    "lower(" * 12 + "text" + ")" * 12 + " = 'a'",
    "tokens > " + "1 + " * 490 + "1",
    "sum(tokens) OVER () > 1",
    "tokens > 1 ORDER BY tokens",
    "tokens > 1) GROUP BY (tokens",
    "nextval('x') > tokens",
    "unknown_column > 1",
    "documents.tokens > 1",
    "1 = 1",
    "tokens >",
    "regexp_matches(text, '(')",
    "regexp_matches(text, text)",
    "regexp_matches(text, '(a?){{1000}}a{{1000}}b')",
    "tokens > ?",
    "tokens > $1",
    "* > 1",
    "",
]


@pytest.mark.parametrize("condition", HOSTILE)
def test_hostile_conditions_are_refused_and_nothing_happens(
    found: dict[str, Artifact], tmp_path: Path, condition: str
) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError) as caught:
        ask(found, condition.format(out=out))
    assert caught.value.next_step
    assert not out.exists()


@pytest.mark.parametrize("condition", ["text::INT > 1", "text", "language.code > 5 + tokens"])
def test_conditions_that_fail_on_the_data(found: dict[str, Artifact], condition: str) -> None:
    with pytest.raises(DataError):
        ask(found, condition)


def test_a_slow_condition_on_text_is_stopped(tmp_path: Path) -> None:
    held = {"s": artifact(tmp_path / "s", [["a" * 3000] * 3000])}
    predicate = read_predicate("regexp_matches(text, '(a?){400}a{400}b')", [])
    scanned = find_predicate(held, {"s": pl.DataFrame()}, predicate, seconds=0.3)
    assert not scanned.complete and scanned.counts["documents"][0] == 3000


def test_any_condition_gives_an_answer_or_words(found: dict[str, Artifact]) -> None:
    refused = []
    for condition in ("'", '"', "--", "/*", "\x00", "tokens = '\x00'", "((((", "tokens > 1e999"):
        try:
            ask(found, condition)
        except LabError as error:
            assert error.what
            refused.append(condition)
    assert {"'", '"', "--", "/*", "(((("} <= set(refused)


def test_no_piece_of_several_documents_is_huge(
    found: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab.corpus.search import scan as scanning

    monkeypatch.setattr(scanning, "PIECE_BYTES", 20)
    held: list[list[str]] = []

    def test(source: str, piece: pl.DataFrame, left: float) -> pl.Series:
        held.append(piece["text"].to_list())
        return piece["text"].str.contains("iver")

    scanned = scanning.scan(found, test, seconds=60)
    assert all(len(texts) == 1 or sum(map(len, texts)) <= 20 for texts in held)
    assert max(map(len, held)) == 2 and scanned.complete
    assert {s: r.tolist() for s, r in scanned.rows.items()} == {"one": [0, 1], "two": [0]}
