"""Whose copy stays, at which threshold, and a reviewer's word: the lab and its statement agree."""

from pathlib import Path

import polars as pl
import pytest

from lab.core.artifacts import write_part
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.progress import SILENT
from lab.core.query import query
from lab.core.schema import ITEMS
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.attributes import attributes
from lab.curation.contamination import decontaminate, override, undo
from lab.export.selection_sql import selection_sql
from lab.jobs import actions
from lab.jobs.steps.corpus import tokenizer
from lab.jobs.steps.curation import dedup, measure
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe, recipe_id, recipe_mapping
from lab.mixture.selection import judge
from lab.mixture.supply import supply_key
from tests.conftest import plain_texts, write_jsonl


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Source `b` repeats `a`: even texts with eight words more, odd ones with eight less."""
    root = tmp_path_factory.mktemp("copies")
    ws = create(root / "w", heldout_share=0.0)
    texts = plain_texts(30, 120, 4)
    more = [
        f"{text} one two three four five six seven eight" if k % 2 == 0 else text.rsplit(" ", 8)[0]
        for k, text in enumerate(texts)
    ]
    for name, own in (("a", texts), ("b", more)):
        add_source(ws, name, [str(write_jsonl(root / f"{name}.jsonl", own))])
    tokenizer(ws, actions.Tokenizer("plain", 512), SILENT)
    measure(ws, actions.Measure(workers=1), SILENT)
    dedup(ws, actions.Dedup(lines=True), SILENT)
    item = {"id": "i", "benchmark": "quiz", "question": texts[0], "answer": ""}
    filled = [dict.fromkeys(ITEMS) | {"choices": []} | item]
    (ws.benchmarks / "quiz").mkdir(parents=True)
    write_part(pl.DataFrame(filled, schema=ITEMS), ws.benchmarks / "quiz" / "items.parquet")
    for name in ("a", "b"):
        decontaminate(ws, name, ["quiz"])
    return ws


def recipe(dedup: dict[str, object] | None = None, **changes: object) -> Recipe:
    value = {
        "name": "best",
        "sources": {"a": {}, "b": {}},
        "mixture": {"tokens": 1000, "phases": [{"weights": {"a": 1, "b": 1}}]},
    }
    return parse_recipe(value | ({"dedup": dedup} if dedup else {}) | changes, "test")


def kept(ws: Workspace, one: Recipe, patch: pytest.MonkeyPatch) -> set[str]:
    """Ids the lab keeps; the exported statement must keep the same."""
    frames = [verdict.frame.filter("kept")["id"] for verdict in judge(ws, one).values()]
    ids = pl.concat(frames).sort().to_list()
    patch.chdir(ws.root)
    assert query(selection_sql(ws, one))["id"].sort().to_list() == ids
    return set(ids)


def test_the_better_copy_stays(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    near = {"minhash": {"jaccard": 0.8}}
    assert kept(ws, recipe(near), monkeypatch) == {f"a/{k}" for k in range(30)}
    longest = recipe(near | {"keep_by": "gopher.word_count"})
    expected = {f"b/{k}" if k % 2 == 0 else f"a/{k}" for k in range(30)}
    assert kept(ws, longest, monkeypatch) == expected
    policy = recipe(near | {"keep_by": "gopher.word_count", "keep": ["b"]})
    assert kept(ws, policy, monkeypatch) == {f"b/{k}" for k in range(30)}
    assert parse_recipe(recipe_mapping(longest), "again") == longest
    assert recipe_id(longest) != recipe_id(recipe(near))
    assert supply_key(ws, longest) != supply_key(ws, recipe(near))


def test_the_column_must_be_there_and_of_numbers(ws: Workspace) -> None:
    with pytest.raises(ArtifactMissing, match="quality"):
        judge(ws, recipe({"minhash": {}, "keep_by": "quality.educational"}))
    with pytest.raises(ConfigError, match="keep_by"):
        recipe({"minhash": {}, "keep_by": 3})


def test_a_recipe_may_move_the_threshold(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only 0.8 was asked for; the stored pairs serve any threshold, and the statement too."""
    strict = kept(ws, recipe({"minhash": {"jaccard": 1.0}}), monkeypatch)
    loose = kept(ws, recipe({"minhash": {"jaccard": 0.55}}), monkeypatch)
    assert len(strict) == 60 > len(loose) == 30
    keys = {supply_key(ws, recipe({"minhash": {"jaccard": j}})) for j in (0.55, 0.8, 1.0)}
    assert len(keys) == 3
    with pytest.raises(ArtifactMissing, match="Near duplicates"):
        judge(ws, recipe({"minhash": {"bands": 20, "rows": 13}}))


def test_repeated_lines_are_a_rule_like_any_other(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = "duplicates.lines@lab1"
    found = pl.concat([attributes(ws, name, [column], "plain") for name in "ab"])
    passing = set(found.filter(pl.col(column) <= 0.5)["id"])
    assert 0 < len(passing) < 60
    assert kept(ws, recipe(filters=[{"signal": column, "max": 0.5}]), monkeypatch) == passing


def test_a_review_changes_what_is_kept(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    one = recipe(decontaminate={"benchmarks": ["quiz"]})
    everything = {f"{s}/{k}" for s in "ab" for k in range(30)}
    before = supply_key(ws, one)
    assert kept(ws, one, monkeypatch) == everything - {"a/0", "b/0"}
    override(ws, "a/0", "quiz", None, "keep")
    override(ws, "b/7", "quiz", None, "drop")
    assert kept(ws, one, monkeypatch) == everything - {"b/0", "b/7"}
    assert supply_key(ws, one) != before
    undo(ws)
    undo(ws)
    assert kept(ws, one, monkeypatch) == everything - {"a/0", "b/0"}
    assert supply_key(ws, one) == before


def test_the_commands_say_what_a_setting_misses(ws: Workspace, tmp_path: Path) -> None:
    found = dedup(ws, actions.Dedup(preset="rpv2-0.9"), SILENT)
    assert (found["bands"], found["rows"], found["jaccard"]) == (5, 25, 0.9)
    assert "31% of pairs" in found["warnings"][0]
    with pytest.raises(ConfigError, match="preset"):
        dedup(ws, actions.Dedup(preset="fine"), SILENT)
