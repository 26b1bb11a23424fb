"""Windows for prompts, through Python and the shell, on the sample world with planted vectors."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from planted_vectors import ENCODER, QUERY, SAMPLE, SOURCE, copied, plant, with_vectors

from lab.cli import main
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.diversity.embedding.external import import_vectors
from lab.diversity.embedding.stored import require_embeddings
from lab.diversity.selecting.retrieval import Window, retrieve


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Read only but for artifacts."""
    return with_vectors(sample_workspace, tmp_path_factory.mktemp("retrieval") / "w")


@pytest.fixture
def own(ws: Workspace, tmp_path: Path) -> Workspace:
    return copied(ws, tmp_path / "own")


def test_a_window_holds_one_of_the_copies_first(ws: Workspace) -> None:
    tokenizer = default_tokenizer(ws)
    plain = retrieve(ws, [SOURCE], [QUERY], Window(tokenizer, 20, "none", tokens=10**6)).frame
    assert plain.height == 20
    assert plain["similarity"].to_list() == sorted(plain["similarity"], reverse=True)
    assert plain["nearest_rank"].to_list() == plain["rank"].to_list() == list(range(1, 21))
    rows = documents(ws, SOURCE).scan().select("id").collect()["id"][40:50]
    copies = set(rows)
    assert copies == set(plain["id"][:10])
    for way in ("mmr", "dpp", "quality-diversity", "facility"):
        found = retrieve(ws, [SOURCE], [QUERY], Window(tokenizer, 20, way, tokens=10**6)).frame
        assert set(found["id"]) == set(plain["id"])
        assert len(copies & set(found["id"][:8])) <= 1, way


def test_a_window_is_never_too_full(ws: Workspace) -> None:
    tokenizer = default_tokenizer(ws)
    for window in (1, 100, 500, 2000):
        found = retrieve(ws, [SOURCE], [QUERY, "bread"], Window(tokenizer, 20, tokens=window)).frame
        used = found.group_by("query").agg(pl.col("tokens").sum())["tokens"]
        assert found.is_empty() or used.max() <= window
    assert found["query"].unique(maintain_order=True).to_list() == [QUERY, "bread"]
    with pytest.raises(ConfigError, match="has words"):
        retrieve(ws, [SOURCE], [" "], Window(tokenizer))
    with pytest.raises(ConfigError, match="Nothing is asked"):
        retrieve(ws, [SOURCE], [], Window(tokenizer))
    with pytest.raises(ConfigError, match="Unknown way"):
        retrieve(ws, [SOURCE], ["a"], Window(tokenizer, way="mrr"))
    with pytest.raises(ArtifactMissing):
        retrieve(ws, ["code"], ["a"], Window(tokenizer))


def test_windows_say_what_was_searched_and_what_made_them(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One source with 90 vectors, one with none; a query in words and a document."""
    item = documents(ws, SOURCE).scan().select("id").collect()["id"][3]
    line = ["retrieve", QUERY, "--like", item, "--source", SOURCE, "code", "--k", "9"]
    line += ["--window", "900", "--diversify", "dpp", "--balance", "0.25", "-w", str(ws.root)]
    whole = {n: get_source(ws, n).counts["documents"] for n in (SOURCE, "code")}
    searched = [
        {"source": SOURCE, "searched": SAMPLE, "documents": whole[SOURCE]},
        {"source": "code", "searched": 0, "documents": whole["code"]},
    ]
    for ending in ("jsonl", "parquet"):
        file = tmp_path / f"out.{ending}"
        assert main([*line, "-o", str(file)]) == 0
        said = capsys.readouterr().out
        assert f"Searched {SAMPLE} of {sum(whole.values()):,} documents" in said
        assert "Not embedded: code." in said and f"{file.name}.about.json" in said
        frame = pl.read_ndjson(file) if ending == "jsonl" else pl.read_parquet(file)
        assert frame.height and {"text", "meta", "id", "source"} <= set(frame.columns)
        assert item not in frame.filter(query=item)["id"], "the document itself is not in"
        told = json.loads((tmp_path / f"{file.name}.about.json").read_text("utf-8"))
        assert told["settings"] == {
            "tokenizer": default_tokenizer(ws), "k": 9, "way": "dpp", "balance": 0.25,
            "tokens": 900, "encoder": ENCODER,
        }  # fmt: skip
        assert [(w["query"], w["like"]) for w in told["windows"]] == [(QUERY, False), (item, True)]
        own = told["sources"][SOURCE]
        assert own["licence"] == get_source(ws, SOURCE).licence and own["searched"] == SAMPLE
        assert own["inputs"] == {
            "documents": documents(ws, SOURCE).id,
            "embeddings": require_embeddings(ws, SOURCE).id,
            "tokens": require_tokens(ws, SOURCE, default_tokenizer(ws)).id,
        }
        assert told["sources"]["code"]["inputs"] == {"documents": documents(ws, "code").id}
    assert main([*line, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["searched"] == searched
    used = frame.group_by("query").agg(pl.col("tokens").sum())
    assert {w["query"]: w["tokens"] for w in found["windows"]} == dict(used.rows())


def test_a_window_that_nothing_fits_says_so(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.jsonl"
    line = ["retrieve", QUERY, "--source", SOURCE, "--window", "1", "-w", str(ws.root)]
    assert main([*line, "-o", str(file)]) == 1
    said = capsys.readouterr().out
    assert "Nothing fits: every document found is longer than the window of 1 token;" in said
    assert "(nothing)" not in said and "is not written" in said
    assert not list(tmp_path.iterdir())
    near = retrieve(ws, [SOURCE], [QUERY], Window(default_tokenizer(ws), tokens=10**6)).frame
    assert f"the shortest has {near['tokens'].min():,}." in said


def test_a_file_of_another_kind_is_refused_before_the_search(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["retrieve", QUERY, "--source", "code", "-w", str(ws.root)]  # not embedded: later
    assert main([*line, "-o", str(tmp_path / "out.csv")]) == 1
    assert ".jsonl or .parquet" in capsys.readouterr().err


def test_imported_vectors_are_asked_with_a_document(
    own: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = documents(own, "code").scan().select("id").collect()["id"]
    vectors = np.random.default_rng(0).normal(size=(len(held), 5))
    vectors[7] = 2 * vectors[2]
    np.save(tmp_path / "v.npy", vectors)
    import_vectors(own, "code", tmp_path / "v.npy", encoder="my-vectors")
    line = ["retrieve", "--source", "code", "--encoder", "my-vectors", "-w", str(own.root)]
    assert main([*line, "a river"]) == 1
    said = capsys.readouterr().err
    assert "imported under the name 'my-vectors'" in said and "--like SOURCE/ID" in said
    assert main([*line, "--like", held[2], "--diversify", "none", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"][0]["id"] == held[7]


def test_the_set_goes_to_a_file(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(ws.root)
    target = tmp_path / "chosen.jsonl"
    line = ["retrieve", QUERY, "--source", SOURCE, "--k", "20", "--window", "600", "-w", root]
    assert main([*line, "-o", str(target)]) == 0
    assert "of 600 tokens" in capsys.readouterr().out
    chosen = [json.loads(row) for row in target.read_text("utf-8").splitlines()]
    assert [c["rank"] for c in chosen] == list(range(1, len(chosen) + 1))
    assert set(chosen[0]) >= {"id", "source", "similarity", "tokens", "text", "query"}
    assert sum(c["tokens"] for c in chosen) <= 600
    assert main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"][0]["text"] == chosen[0]["text"]


def test_a_document_alone_has_no_other_near(
    own: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = {"encoder": "alone", "sample": 1, "seed": 0}
    plant(own, "code", np.eye(384)[:1], alone)
    item = documents(own, "code").scan().select("id").first().collect()["id"][0]
    line = ["retrieve", "--source", "code", "--encoder", "alone", "-w", str(own.root)]
    assert main([*line, "--like", item, "--diversify", "dpp"]) == 1
    assert f"{item}: Nothing was found: no other document is embedded." in capsys.readouterr().out
