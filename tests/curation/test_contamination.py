"""Contamination: quotation is found however it is wrapped, and a report names item and n-gram."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.artifacts import Artifact, write_part
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.schema import ITEMS
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.contamination import decontaminate, require_contamination
from lab.curation.contamination.ngram_index import (
    ITEMS_PER_NGRAM,
    build_index,
    item_texts,
)
from lab.curation.contamination.ngram_search import find_matches

DATA = Path(__file__).parents[3] / "shared" / "data"
QUESTION = "If a lantern of seven panes burns for nine nights, how many panes are lit on the last?"
FACT = "The harbour of Ostrel has one lighthouse and the keeper there counts the herring boats"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "workspace")


def register(ws: Workspace, name: str, items: Sequence[dict[str, object]]) -> None:
    """Write a benchmark's items as the workspace stores them."""
    filled = [dict.fromkeys(ITEMS) | {"benchmark": name, "choices": []} | item for item in items]
    folder = ws.benchmarks / name
    folder.mkdir(parents=True, exist_ok=True)
    write_part(pl.DataFrame(filled, schema=ITEMS), folder / "items.parquet")


def source(ws: Workspace, name: str, texts: Sequence[str]) -> None:
    """Add a source with ids NAME/0, NAME/1, ..."""
    path = ws.root / f"{name}.jsonl"
    lines = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


def found(artifact: Artifact) -> list[tuple[str, bool, int]]:
    return artifact.scan().select("id", "contaminated", "hits").collect().rows()


def matches(artifact: Artifact) -> pl.DataFrame:
    return pl.read_parquet(artifact.path / "matches.parquet")


def test_quotation_is_found_in_any_wrapping(ws: Workspace) -> None:
    words = QUESTION.split()
    wrapped = "\n".join(" ".join(words[k : k + 4]) for k in range(0, len(words), 4))
    source(
        ws,
        "web",
        [
            f"A forum post. {QUESTION} Nobody knew.",
            f"Same, re-wrapped:\n\n{wrapped}",
            "same, SHOUTED: " + QUESTION.upper().replace(" ", "   ").replace(",", " -- "),
            " ".join(words[:12]),
            "Nothing of the kind, but a lantern of seven panes all the same.",
        ],
    )
    register(ws, "riddles", [{"id": "r1", "question": QUESTION, "answer": "seven"}])
    artifact = decontaminate(ws, "web", ["riddles"])
    # 18 words hold 6 runs of 13
    assert found(artifact) == [
        ("web/0", True, 6),
        ("web/1", True, 6),
        ("web/2", True, 6),
        ("web/3", False, 0),
        ("web/4", False, 0),
    ]
    first = matches(artifact).row(0, named=True)
    assert first == {
        "id": "web/0",
        "benchmark": "riddles",
        "item_id": "r1",
        "ngram": "if a lantern of seven panes burns for nine nights how many panes",
        "ngrams": 6,
    }
    assert artifact.manifest["report"] == [
        {
            "benchmark": "riddles",
            "items": 1,
            "uncheckable": 0,
            "items_hit": 1,
            "documents_hit": 3,
        }
    ]


def test_choices_and_answers_belong_to_the_item(ws: Workspace) -> None:
    short = "Which harbour has one lighthouse?"
    choices = ["Ostrel, where the keeper counts the herring boats at dawn", "Vinn"]
    register(
        ws,
        "facts",
        [
            {"id": "f1", "question": short, "choices": choices, "answer_index": 0},
            {"id": "f2", "question": None, "choices": [FACT, FACT.replace("one", "two")]},
            {"id": "f3", "question": "Where?", "answer": "Here."},
        ],
    )
    source(ws, "web", [f"{short} {choices[0]}", f"It is said: {FACT}.", "Where? Here."])
    artifact = decontaminate(ws, "web", ["facts"])
    assert matches(artifact).select("id", "item_id").rows() == [("web/0", "f1"), ("web/1", "f2")]
    (report,) = artifact.manifest["report"]
    assert (report["items"], report["uncheckable"], report["items_hit"]) == (3, 1, 2)


def test_several_benchmarks_and_shared_text(ws: Workspace) -> None:
    register(ws, "b", [{"id": "x", "question": QUESTION}, {"id": "y", "question": QUESTION}])
    register(ws, "a", [{"id": "x", "question": FACT}])
    source(ws, "web", [f"{QUESTION}\n{FACT}"])
    artifact = decontaminate(ws, "web", ["b", "a"])
    assert matches(artifact).select("benchmark", "item_id").rows() == [
        ("a", "x"),
        ("b", "x"),
        ("b", "y"),
    ]
    assert found(artifact) == [("web/0", True, 6 + 3)]
    assert decontaminate(ws, "web", ["a", "b"]).id == artifact.id


def test_a_template_names_a_bounded_number_of_items() -> None:
    items = pl.DataFrame(
        {
            "benchmark": ["t"] * 100,
            "item_id": [f"i{k:03d}" for k in range(100)],
            "text": [f"{FACT} item{k}" for k in range(100)],
        }
    )
    index = build_index(items, 13)
    documents = pl.DataFrame({"id": ["d"], "text": [f"{FACT} item70"]})
    found = find_matches(index, documents)
    assert found.hits.to_list() == [4], "the template's 3 n-grams and the one with the number"
    names = [f"i{k:03d}" for k in range(ITEMS_PER_NGRAM)]
    assert found.matches["item_id"].to_list() == [*names, "i070"]
    assert found.overlaps["item_id"].to_list() == [*names[:-1], "i070"], "the largest ratios"
    assert found.ratio.to_list() == [1.0]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcd"), max_size=14), min_size=1, max_size=6),
    st.lists(st.lists(st.sampled_from("abcd"), max_size=9), min_size=1, max_size=4),
    st.integers(1, 5),
)
def test_same_verdict_as_a_plain_search(
    documents: list[list[str]], items: list[list[str]], n: int
) -> None:
    def grams(words: list[str]) -> set[str]:
        return {" ".join(words[k : k + n]) for k in range(len(words) - n + 1)}

    texts = pl.DataFrame(
        {
            "benchmark": ["t"] * len(items),
            "item_id": [str(k) for k in range(len(items))],
            "text": [" ".join(words) for words in items],
        }
    )
    frame = pl.DataFrame(
        {
            "id": [str(k) for k in range(len(documents))],
            "text": [" ".join(words) for words in documents],
        }
    )
    found = find_matches(build_index(texts, n), frame)
    expected = [
        (str(d), str(i), len(grams(words) & grams(item)))
        for d, words in enumerate(documents)
        for i, item in enumerate(items)
        if grams(words) & grams(item)
    ]
    assert found.matches.select("id", "item_id", "ngrams").rows() == expected
    every = set().union(*map(grams, items))
    assert found.hits.to_list() == [len(grams(words) & every) for words in documents]


def test_changed_benchmark_makes_the_result_missing(ws: Workspace) -> None:
    source(ws, "web", [FACT])
    register(ws, "riddles", [{"id": "r1", "question": QUESTION}])
    with pytest.raises(ArtifactMissing, match="riddles"):
        require_contamination(ws, "web", ["riddles"])
    made = decontaminate(ws, "web", ["riddles"])
    assert require_contamination(ws, "web", ["riddles"]).id == made.id
    register(ws, "riddles", [{"id": "r1", "question": FACT}])
    with pytest.raises(ArtifactMissing) as caught:
        require_contamination(ws, "web", ["riddles"])
    assert "mixlab decontaminate" in caught.value.next_step
    assert found(decontaminate(ws, "web", ["riddles"])) == [("web/0", True, 3)]


def test_unknown_benchmarks_and_settings_are_refused(ws: Workspace) -> None:
    source(ws, "web", [FACT])
    register(ws, "riddles", [{"id": "r1", "question": QUESTION}])
    with pytest.raises(ConfigError, match="'ridles' is not registered") as caught:
        decontaminate(ws, "web", ["ridles"])
    assert "riddles" in caught.value.next_step
    with pytest.raises(ConfigError, match="No benchmark"):
        decontaminate(ws, "web", [])
    with pytest.raises(ConfigError, match="at least one word"):
        decontaminate(ws, "web", ["riddles"], 0)


def test_hostile_texts_pass_through(ws: Workspace) -> None:
    texts = ["\u2028", "?" * 5000, "中文没有空格" * 500, "a" * 200_000, "e\u0301 " * 40]
    source(ws, "web", [*texts, f"{FACT}\u2028{QUESTION}"])
    register(ws, "riddles", [{"id": "r1", "question": QUESTION}, {"id": "r2", "question": ""}])
    artifact = decontaminate(ws, "web", ["riddles"])
    assert [row[1] for row in found(artifact)][-1] is True
    assert sum(row[1] for row in found(artifact)) == 1


def read_items(path: Path) -> pl.DataFrame:
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)
    return frame.select("id", "benchmark", "split", "question", "choices", "answer")


def read_documents(path: Path) -> pl.DataFrame:
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)
    return frame.select("id", "source", "text")


@pytest.mark.skipif(not DATA.is_dir(), reason="development data are not beside the project")
def test_quoted_questions_in_real_text() -> None:
    """Over the whole folder: 301 GSM8K test items and one of ARC-Easy, and nothing else."""
    truth = json.loads((DATA / "truth/gsm8k_test_items_quoted_in_synth_math.json").read_text())
    items = pl.concat(map(read_items, sorted((DATA / "benchmarks").iterdir())))
    index = build_index(item_texts(items), 13)
    documents = pl.concat(map(read_documents, sorted((DATA / "corpora").iterdir())))
    found = find_matches(index, documents)
    pairs = set(found.matches.select("id", "item_id").rows())
    assert {(d, item) for item, ds in truth.items() for d in ds} <= pairs
    named = found.matches.join(documents.select("id", "source"), on="id").join(
        items.select("split", item_id="id"), on="item_id"
    )
    counts = named.group_by("source", "benchmark", "split").agg(
        pl.col("item_id").n_unique(), pl.col("id").n_unique()
    )
    assert sorted(counts.rows()) == [
        ("synth_gpt4", "arc_easy", "test", 1, 1),
        ("synth_math", "gsm8k", "test", 301, 1200),
    ]
    quoting = documents["source"] == "synth_math"
    assert found.ratio.filter(quoting).min() > 0.5
    assert (found.ratio.filter(~quoting) >= 0.5).sum() <= 1
