"""What distinguishes a selection on the map: planted words and lengths, samples, staleness."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.cli import main
from lab.core.artifacts import Artifact, build, write_part
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents, list_sources
from lab.curation.selections.marked import (
    column_names,
    mark_selection,
    read_marks,
    sample_sides,
    stored_marks,
    values_at,
)
from lab.curation.selections.names import name_selection
from lab.curation.selections.points import document_rows, read_margins, read_points
from lab.curation.selections.predicate import Predicate, parse_predicate
from lab.curation.tags.store import tag
from lab.diversity.embedding.external import import_vectors
from lab.diversity.layout.stored import find_map
from lab.jobs.actions import run_action

WORD = "copper"


@pytest.fixture(scope="module")
def ws(plain_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Plain text on a map where cluster 0 holds every text with one word; two have no place."""
    root = tmp_path_factory.mktemp("marked") / "w"
    shutil.copytree(plain_workspace.root, root)
    made = open_workspace(root)
    plant(made)
    return made


def plant(ws: Workspace) -> Artifact:
    def make(folder: Path) -> dict[str, object]:
        scans = [documents(ws, s.name).scan().select("id", "text") for s in list_sources(ws)]
        frame = pl.concat(scans).collect()
        rng = np.random.default_rng(0)
        places = rng.normal(size=(frame.height, 2)).astype(np.float32)
        places[5], places[700] = np.nan, np.inf
        placed = frame.select(
            "id",
            source=pl.col("id").str.split("/").list.first(),
            x=pl.Series(places[:, 0]),
            y=pl.Series(places[:, 1]),
            cluster=(~pl.col("text").str.contains(WORD)).cast(pl.UInt16),
            margin=pl.Series(np.arange(frame.height, dtype=np.float32)),
        )
        write_part(placed, folder / "part-00000.parquet")
        labels = pl.DataFrame({"cluster": [0, 1], "label": ["with", "without"], "size": [0, 0]})
        write_part(labels, folder / "clusters.parquet")
        return {}

    return build(ws, "map", 1, {"planted": WORD}, [], make)


def test_a_planted_word_marks_its_cluster_and_the_length_its_source(ws: Workspace) -> None:
    words, _ = read_marks(mark_selection(ws, parse_predicate("cluster=0 source=short")))
    assert words["word"][0] == WORD
    assert words["low"][0] > 0 and words["selected"][0] == 1
    made = mark_selection(ws, parse_predicate("source=long"))
    _, signals = read_marks(made)
    row = signals.row(by_predicate=pl.col("signal") == "gopher.word_count@ws1", named=True)
    assert row["superiority"] > 0.8 and row["low"] > 0.5, "long ones exceed all but their copies"
    assert made.manifest["read"] == {"selected": 120, "rest": 748}
    assert signals.filter(pl.col("signal").str.starts_with("language.code")).is_empty()


def test_the_answer_is_found_again_only_for_its_own_line(ws: Workspace) -> None:
    asked = parse_predicate("cluster=0")
    made = mark_selection(ws, asked)
    found = stored_marks(ws, asked)
    assert found is not None and found.id == made.id
    bound = parse_predicate(made.manifest["config"]["line"])
    assert bound.map == find_map(ws, "").id[:8], "bound to the map it was made on"
    again = stored_marks(ws, bound)
    assert again is not None and again.id == made.id
    assert stored_marks(ws, parse_predicate("cluster=1 source=copies")) is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("source=short,long,copies", DataError),
        ("gopher.word_count@ws1=99999..", DataError),
        ("source=nobody", ConfigError),
        ("map=00000000 cluster=0", ArtifactMissing),
    ],
)
def test_what_cannot_be_told_apart_is_refused(
    ws: Workspace, line: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        mark_selection(ws, parse_predicate(line))
    if error is not ArtifactMissing:
        assert stored_marks(ws, parse_predicate(line)) is None


def test_a_changed_column_makes_the_answer_stale(ws: Workspace, tmp_path: Path) -> None:
    shutil.copytree(ws.root, tmp_path / "own")
    own = open_workspace(tmp_path / "own")
    ids = documents(own, "short").scan().select("id").collect()["id"].to_list()
    tag(own, ids[:50], "liked")
    asked = parse_predicate("tags.liked=1..")
    mark_selection(own, asked)
    mark_selection(own, parse_predicate("source=short"))
    assert stored_marks(own, asked) is not None
    tag(own, ids[50:60], "liked")
    assert stored_marks(own, asked) is None, "the selection is another one now"
    assert stored_marks(own, parse_predicate("source=short")) is not None, "tags are not compared"
    shutil.rmtree(own.artifacts / "signals")
    assert stored_marks(own, parse_predicate("source=short")) is None


def test_both_sides_are_sampled_alike_and_the_same_every_time() -> None:
    mask = np.arange(5000) % 50 == 0
    picked = sample_sides(mask, most=70)
    assert mask[picked].sum() == 70 and (~mask[picked]).sum() == 70
    assert (np.diff(picked) > 0).all()
    assert (picked == sample_sides(mask, most=70)).all()
    assert mask[sample_sides(mask, most=1000)].sum() == 100, "all of the smaller side"
    first = np.bincount(sample_sides(mask, most=70)[~mask[picked]] // 1000, minlength=5)
    assert first.min() > 3, "from everywhere"


def test_values_stand_beside_their_points(ws: Workspace) -> None:
    from lab.curation.attributes import locate

    found = find_map(ws, "")
    points = read_points(found)
    names = column_names(ws, found, Predicate())
    columns = {source: locate(ws, source, own) for source, own in names.items()}
    rows, picked = document_rows(ws, points), np.array([0, 3, 300, 650, 867])
    values = values_at(points, rows, picked, columns)["gopher.word_count@ws1"]
    for value, row in zip(values, picked, strict=True):
        source = documents(ws, points.sources[points.source[row]]).scan()
        text = source.filter(pl.col("id") == points.ids[int(row)]).collect()["text"][0]
        assert value == len(text.split())


def test_margins_stand_beside_their_points(ws: Workspace) -> None:
    margins = read_margins(find_map(ws, ""))
    assert margins is not None
    wanted = [k for k in range(870) if k not in (5, 700)]
    assert margins.tolist() == wanted, "what has no place has no margin either"


def test_the_action_takes_a_name_and_the_command_says_it(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ws.root, tmp_path / "own")
    own = open_workspace(tmp_path / "own")
    name_selection(own, "coins", parse_predicate("cluster=0 source=short"))
    result = run_action(own, "marks", {"selection": "coins"}, SILENT)
    assert result["words"][0]["word"] == WORD
    assert main(["marks", "coins", "-w", str(own.root)]) == 0
    said = capsys.readouterr().out
    assert WORD in said and "others on the map" in said
    assert main(["marks", "cluster=0", "-w", str(own.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words"][0]["word"] == WORD
    assert main(["marks", "nobody", "-w", str(own.root)]) == 1
    assert "Unknown selection" in capsys.readouterr().err


def test_a_column_of_words_beside_the_signals_is_no_mark(ws: Workspace, tmp_path: Path) -> None:
    shutil.copytree(ws.root, tmp_path / "own")
    own = open_workspace(tmp_path / "own")
    count = documents(own, "short").scan().collect().height
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(count, 8)))
    import_vectors(own, "short", tmp_path / "v.npy", encoder="mine")
    chosen = {"source": "short", "method": "random", "keep": 0.5, "encoder": "mine"}
    column = run_action(own, "select", chosen, SILENT)["column"]
    made = mark_selection(own, parse_predicate("source=long"))
    assert column in made.manifest["config"]["columns"]["short"]
    _, signals = read_marks(made)
    assert "gopher.word_count@ws1" in signals["signal"]
    assert column not in signals["signal"]


def test_a_signal_measured_later_makes_the_answer_stale(ws: Workspace, tmp_path: Path) -> None:
    shutil.copytree(ws.root, tmp_path / "own")
    own = open_workspace(tmp_path / "own")
    asked = parse_predicate("source=short")
    mark_selection(own, asked)
    assert stored_marks(own, asked) is not None
    count = documents(own, "long").scan().collect().height
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(count, 8)))
    import_vectors(own, "long", tmp_path / "v.npy", encoder="mine")
    chosen = {"source": "long", "method": "random", "keep": 0.5, "encoder": "mine"}
    run_action(own, "select", chosen, SILENT)
    assert stored_marks(own, asked) is None
