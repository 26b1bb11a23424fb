"""Breadth over several maps: which partition is read, what coverage is of, which encoder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from breadth_world import (
    ENCODER,
    Run,
    command,
    common,
    placed_onto,
    plant,
    plant_map,
    plant_world,
    world,
)

from lab.cli import main
from lab.core.errors import ArtifactMissing, DataError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace
from lab.corpus.sources import add_source, documents, list_sources
from lab.diversity.layout import stored as layout
from lab.jobs.actions import run_action
from lab.jobs.breadth.common import encoder_in_use, find_common, require_common


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Read only but for artifacts."""
    return world(sample_workspace, tmp_path_factory.mktemp("breadth") / "w")


@pytest.fixture
def own(ws: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    """A copy that a test may change."""
    return copy_of(ws)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return command(capsys)


def test_a_map_placed_onto_another_changes_nothing(own: Workspace, run: Run) -> None:
    before = run(own, "diversity", "--recipe", "plain", "--size", "60")
    (base,) = layout.stored_maps(own)
    made = placed_onto(own, "web", base)
    found = common(own, "web", "forum")
    assert (found.maps["web"].id, found.maps["forum"].id) == (made.id, base.id)
    assert found.topics == base.id and found.sources == [s.name for s in list_sources(own)]
    assert run(own, "diversity", "--recipe", "plain", "--size", "60") == before
    alone = run(own, "diversity", "web", "--size", "60")["sources"]["web"]
    assert alone["measures"]["coverage"] == before["sources"]["web"]["measures"]["coverage"]


def test_the_partition_of_all_is_taken_before_that_of_one(own: Workspace) -> None:
    (base,) = layout.stored_maps(own)
    web = find_common(own, ["web"], ENCODER)
    assert web is not None
    places = documents(own, "web").scan().select("id", "source", "text").collect()
    places = places.with_columns(cluster=pl.lit(0, pl.UInt16))
    plant_map(own, places, [web.embeddings["web"].id], {"encoder": ENCODER})
    assert common(own, "web", "forum").topics == base.id
    assert common(own, "web").topics == base.id, "coverage stays that of all sources"
    anew = plant_map(
        own, base.scan().select("id", "source", pl.lit("").alias("text"), "cluster").collect(),
        base.manifest["inputs"], {"encoder": ENCODER, "asked": "9999-01-01"}, seed=1,
    )  # fmt: skip
    assert common(own, "web", "forum").topics == anew.id, "of equal ones the newest"


def test_sources_that_share_no_partition_are_named(own: Workspace) -> None:
    (base,) = layout.stored_maps(own)
    whole = find_common(own, ["web"], ENCODER)
    assert whole is not None
    shutil.rmtree(base.path)
    for source in ("web", "forum"):
        texts = documents(own, source).scan().select("id", "source", "text").collect()
        places = texts.with_columns(cluster=pl.lit(0, pl.UInt16))
        plant_map(own, places, [whole.embeddings[source].id], {"encoder": ENCODER})
    with pytest.raises(ArtifactMissing, match="no map of all sources") as caught:
        require_common(own, ["web", "forum"], ENCODER)
    assert "mixlab map" in caught.value.next_step


def test_a_source_of_one_document_is_left_out_and_named(
    own: Workspace, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(own, "diversity", "--size", "60")["sources"]
    (tmp_path / "one.jsonl").write_text(json.dumps({"id": "a", "text": "river stone"}) + "\n")
    add_source(own, "single", [str(tmp_path / "one.jsonl")])
    truth = pl.read_parquet(own.root / "world/truth/documents.parquet")
    row = truth.select("source", "id", "topic").head(1).with_columns(
        source=pl.lit("single"), id=documents(own, "single").scan().select("id").collect()["id"]
    )  # fmt: skip
    plant(own, "single", row, {row["topic"][0]: 0}, np.ones((1, 24)), ENCODER)
    (base,) = layout.stored_maps(own)
    placed_onto(own, "single", base)
    found = run(own, "diversity", "--size", "60")
    assert found["few"] == {"single": 1}
    assert found["sources"] == before, "the reference of coverage is that of the others"
    assert {row["source"] for row in found["overlap"]} == set(found["sources"])
    assert main(["diversity", "forum", "single", "--size", "60", "-w", str(own.root)]) == 0
    assert "Left out: single" in capsys.readouterr().out
    with pytest.raises(DataError, match="Fewer than two") as caught:
        run_action(own, "diversity", {"sources": ["single"]}, SILENT)
    assert "single" in caught.value.where
    with pytest.raises(DataError, match="Fewer than two training documents of 'single'"):
        run_action(own, "diversity", {"sources": ["web"], "reference": "single"}, SILENT)


def test_without_an_encoder_that_of_the_newest_map_is_taken(
    sample_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], run: Run
) -> None:
    own = copy_of(sample_workspace)
    assert encoder_in_use(own) == ENCODER, "the default where nothing is stored"
    plant_world(own, "static")
    found = run(own, "diversity", "web", "--recipe", "balanced", "--size", "50")
    assert found["encoder"] == "static"
    assert found["recipes"]["balanced"]["mixture"]["of"] == ["web"]
    with pytest.raises(ArtifactMissing, match=r"'forum'.*not been embedded"):
        run_action(own, "diversity", {"sources": ["forum"], "encoder": ENCODER}, SILENT)
