from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.core.errors import ConfigError, DataError
from lab.core.files import read_json, write_json
from lab.core.lock import hold
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import load_tokenizer
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe
from lab.proxy.repetition import describe_repetition, notes_of
from lab.proxy.runs import list_runs, load_run, prepare_run, run_state, unfinished
from lab.proxy.shards import open_rows
from lab.proxy.sizes import SIZES


def rows_of(folder: Path) -> np.ndarray:
    rows = open_rows(folder / "data")
    return rows.rows(0, len(rows))


TOKENS = 10 * SIZES["nano"].tokens_per_step


def recipe(name: str = "two", **sources: Any) -> Recipe:
    filters = sources or {"short": {}, "long": {}}
    mapping = {
        "version": 1,
        "name": name,
        "tokenizer": "plain",
        "sources": filters,
        "mixture": {
            "tokens": 10**6,
            "phases": [
                {"name": "broad", "share": 0.75, "weights": dict.fromkeys(filters, 1)},
                {"name": "sharp", "share": 0.25, "weights": {next(iter(filters)): 1}},
            ],
        },
    }
    return parse_recipe(mapping, name)


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    return copy_of(plain_workspace)


def test_a_run_folder_holds_what_was_asked(ws: Workspace) -> None:
    folder = prepare_run(ws, recipe(), size="nano", tokens=TOKENS, seed=3)
    run = load_run(folder)
    assert folder.parent == ws.runs
    assert folder.name.startswith("two-nano-")
    assert (run.recipe, run.size, run.tokens, run.seed, run.steps) == ("two", "nano", TOKENS, 3, 10)
    assert run.sources == ("long", "short")
    assert run_state(folder) == "prepared"
    account = read_json(folder / "data" / "packing.json")
    shares = {name: facts["share"] for name, facts in account["sources"].items()}
    assert shares["short"] == pytest.approx(0.75 * 0.5 + 0.25, abs=0.02)
    rows = rows_of(folder)
    assert rows.shape == (10 * SIZES["nano"].batch, SIZES["nano"].sequence_length + 1)


def test_rows_decode_to_training_text_never_to_held_out_text(ws: Workspace) -> None:
    from lab.corpus.sources import scan_documents

    folder = prepare_run(ws, recipe(short={}), size="nano", tokens=TOKENS, repetition=False)
    rows = rows_of(folder)
    phase = np.load(folder / "data" / "phase.npy")
    read = []
    for k in (0, 1):  # a phase begins anew; its last document may be cut
        ids = np.concatenate([rows[phase == k][:1, 0], rows[phase == k][:, 1:].ravel()])
        text = load_tokenizer(ws, "plain").decode(ids.tolist(), skip_special_tokens=False)
        read += text.split("<|endoftext|>")[1:-1]
    documents = scan_documents(ws, "short").collect()
    training = set(documents.filter(~documents["heldout"])["text"])
    assert len(read) > 50
    assert set(read) <= training


def test_the_same_question_finds_the_same_folder(ws: Workspace) -> None:
    first = prepare_run(ws, recipe(), tokens=TOKENS)
    before = (first / "run.json").stat().st_mtime_ns
    assert prepare_run(ws, recipe(), tokens=TOKENS + 5) == first  # rounded to whole steps
    assert (first / "run.json").stat().st_mtime_ns == before
    others = {
        prepare_run(ws, recipe(), tokens=TOKENS, seed=1),
        prepare_run(ws, recipe(), tokens=2 * TOKENS),
        prepare_run(ws, recipe(short={}), tokens=TOKENS),
        first,
    }
    assert len(others) == 4


def test_a_run_sees_its_sources_as_often_as_the_real_run_would(ws: Workspace) -> None:
    """`recipe` stands for 1,000,000 tokens; the proxy trains on 10,240, a 98th of them."""
    on = load_run(prepare_run(ws, recipe(), tokens=TOKENS))
    off = load_run(prepare_run(ws, recipe(), tokens=TOKENS, repetition=False))
    assert on.id != off.id
    assert (on.repetition["match"], off.repetition["match"]) == (True, False)
    assert on.repetition["target_tokens"] == 10**6
    rows = {row["source"]: row for row in describe_repetition(on).to_dicts()}
    short = rows["short"]
    assert short["used_tokens"] == pytest.approx(short["pool_tokens"] * TOKENS / 10**6, abs=60)
    assert short["epochs_here"] == pytest.approx(short["epochs_target"], rel=0.1)  # 6 documents
    assert rows["long"]["documents"] == 1  # of about 110 documents
    account = read_json(on.folder / "data" / "packing.json")
    assert account["repetition"]["sources"]["short"]["documents"] == short["documents"]
    assert account["sources"]["short"]["documents"] == short["documents"]
    assert account["sources"]["short"]["unique_tokens"] == short["used_tokens"]
    assert account["sources"]["short"]["epochs"] == pytest.approx(short["epochs_here"], rel=0.02)
    every = {row["source"]: row for row in describe_repetition(off).to_dicts()}
    assert every["short"]["used_tokens"] == every["short"]["pool_tokens"] == short["pool_tokens"]
    assert every["short"]["epochs_here"] < 0.02 * short["epochs_target"]
    said = read_json(off.folder / "data" / "packing.json")["repetition"]["notes"]
    assert any("matching is off" in note for note in said)
    assert notes_of(off) == said


def test_how_to_train_is_not_part_of_what_a_run_is(ws: Workspace) -> None:
    first = prepare_run(ws, recipe(), tokens=TOKENS, snapshots=False, track="tensorboard")
    run = load_run(first)
    assert (run.snapshots, run.track, run.stage, run.parent) == (
        False,
        "tensorboard",
        "pretrain",
        "",
    )
    assert prepare_run(ws, recipe(), tokens=TOKENS) == first


def test_a_run_of_the_version_before_is_still_read(ws: Workspace) -> None:
    folder = prepare_run(ws, recipe(), tokens=TOKENS)
    spec = read_json(folder / "run.json")
    for key in ("repetition", "snapshots", "track", "stage"):
        del spec[key]
    write_json(folder / "run.json", spec)
    run = load_run(folder)
    assert (run.repetition, run.snapshots, run.stage) == ({}, True, "pretrain")
    assert describe_repetition(run).height == 0
    assert notes_of(run) == []


def test_runs_of_a_sweep_share_their_rows(ws: Workspace) -> None:
    other = recipe("other")
    phases = (replace(other.mixture.phases[0], weights={"short": 0.25, "long": 0.75}, share=1.0),)
    other = replace(other, mixture=replace(other.mixture, phases=phases))
    one = replace(
        other,
        mixture=replace(
            other.mixture, phases=(replace(phases[0], weights={"short": 0.5, "long": 0.5}),)
        ),
    )
    folders = [prepare_run(ws, r, tokens=TOKENS) for r in (other, one)]
    links = [p.stat().st_nlink for f in folders for p in (f / "data" / "rows").rglob("*.npy")]
    assert max(links) == 3, "the cache and both runs"
    assert len(list((ws.root / "cache" / "packed").iterdir())) == 2
    assert rows_of(folders[0]).shape == rows_of(folders[1]).shape


def test_a_filter_that_empties_a_source_is_named(ws: Workspace) -> None:
    harsh = {"filters": [{"signal": "gopher.word_count", "min": 1_000_000}]}
    with pytest.raises(DataError, match="'short' keeps no training document") as caught:
        prepare_run(ws, recipe(short=harsh, long={}), tokens=TOKENS)
    assert "takes" in str(caught.value.value)
    assert "1,000,000" in str(caught.value.value) or "1000000" in str(caught.value.value)
    assert "weight" in caught.value.next_step
    assert list_runs(ws).height == 0


def test_impossible_sizes_and_budgets_are_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="Unknown proxy size"):
        prepare_run(ws, recipe(), size="giga")
    with pytest.raises(ConfigError, match="smaller than one batch"):
        prepare_run(ws, recipe(), tokens=10)


def test_runs_are_listed(ws: Workspace) -> None:
    assert list_runs(ws).height == 0
    folder = prepare_run(ws, recipe(), tokens=TOKENS)
    (row,) = list_runs(ws).to_dicts()
    assert row["id"] == folder.name
    assert (row["state"], row["step"], row["steps"], row["loss"]) == ("prepared", 0, 10, None)
    assert [run.id for run in unfinished(ws, ["two"])] == [folder.name]
    assert unfinished(ws, ["other"]) == []


def test_a_run_that_is_trained_but_not_scored_is_unfinished(ws: Workspace) -> None:
    folder = prepare_run(ws, recipe(), tokens=TOKENS)
    write_json(folder / "status.json", {"state": "done", "step": 10})
    (folder / "scores").mkdir()
    (folder / "scores" / "summary.json").touch()  # of the first benchmark, then it was killed
    assert [run.id for run in unfinished(ws)] == [folder.name]
    with hold(folder / "after.json", "scoring", 0, ""):
        assert unfinished(ws) == []
    write_json(folder / "status.json", {"state": "done", "step": 10, "after": "module:function"})
    assert unfinished(ws) == []


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the folder of a proxy run"):
        load_run(tmp_path)
