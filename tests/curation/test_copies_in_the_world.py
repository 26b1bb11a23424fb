"""The sample world's planted truth: what is copied and quoted is found, and only that."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, list_sources
from lab.corpus.world import write_world
from lab.curation.contamination import decontaminate
from lab.curation.duplicates import DedupConfig, MinHash, find_duplicates, regroup
from lab.curation.duplicates.regroup import require_pairs
from lab.evaluation.benchmarks.registry import add_benchmark

PLANTED = 0.8  # Jaccard similarity from which a near copy must be found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Path]:
    """The world at its usual size, searched for copies and for its benchmarks' items."""
    folder = tmp_path_factory.mktemp("world")
    write_world(folder / "world", documents=12_000, seed=0)
    ws = create(folder / "ws")
    for path in sorted((folder / "world" / "sources").iterdir()):
        add_source(ws, path.name.split(".")[0], [str(path)], id_column="id")
    for path in sorted((folder / "world" / "benchmarks").glob("*.jsonl")):
        add_benchmark(ws, path.stem, path)
    names = [source.name for source in list_sources(ws)]
    find_duplicates(ws, names, DedupConfig(minhash=MinHash()))
    return ws, folder / "world" / "truth"


@pytest.fixture(scope="module")
def copies(world: tuple[Workspace, Path]) -> pl.DataFrame:
    """Planted copies: id, original_id, kind, jaccard; ids as the workspace has them."""
    source = dict(pl.read_parquet(world[1] / "documents.parquet").select("id", "source").rows())
    table = pl.read_parquet(world[1] / "duplicates.parquet")
    named = [f"{source[i]}/{i}" for i in table["id"]]
    originals = [f"{source[i]}/{i}" for i in table["original_id"]]
    return table.with_columns(id=pl.Series(named), original_id=pl.Series(originals))


def test_every_exact_copy(world: tuple[Workspace, Path], copies: pl.DataFrame) -> None:
    group = dict(regroup(world[0], 0.8).select("id", "exact_group").rows())
    exact = copies.filter(kind="exact")
    assert exact.height >= 100
    assert all(
        group[a] is not None and group[a] == group[b]
        for a, b in exact.select("id", "original_id").rows()
    )


def test_near_copies_at_the_planted_similarity(
    world: tuple[Workspace, Path], copies: pl.DataFrame
) -> None:
    """Recall over pairs planted at .8 and above by the world's own count, which keeps punctuation
    where the lab drops it; precision over all pairs found there.
    """
    group = dict(regroup(world[0], PLANTED).select("id", "near_group").rows())
    close = copies.filter((pl.col("kind") == "near") & (pl.col("jaccard") >= PLANTED))
    pairs = close.select("id", "original_id").rows()
    found = [group[a] is not None and group[a] == group[b] for a, b in pairs]
    assert len(found) >= 120
    assert sum(found) / len(found) >= 0.98
    root = dict(copies.select("id", "original_id").rows())
    stored = pl.read_parquet(require_pairs(world[0]).path / "pairs.parquet")
    alike = stored.filter(pl.col("jaccard") >= PLANTED).select("a", "b").rows()
    right = Counter(root.get(a, a) == root.get(b, b) for a, b in alike)
    assert right[True] / right.total() >= 0.98, right


def test_every_quoted_item_and_hardly_anything_else(world: tuple[Workspace, Path]) -> None:
    ws, truth = world
    source = dict(pl.read_parquet(truth / "documents.parquet").select("id", "source").rows())
    planted = {
        (f"{source[i]}/{i}", item)
        for i, item in pl.read_parquet(truth / "contamination.parquet").select("id", "item").rows()
    }
    benchmarks = sorted(path.parent.name for path in ws.benchmarks.glob("*/items.parquet"))
    flagged, matched, short = set(), set(), set()
    for listed in list_sources(ws):
        artifact = decontaminate(ws, listed.name, benchmarks)
        frame = artifact.scan().collect()
        flagged |= set(frame.filter("contaminated")["id"])
        matched |= set(pl.read_parquet(artifact.path / "matches.parquet")["id"])
        items = pl.read_parquet(artifact.path / "items.parquet")
        short = set(items.filter(pl.col("words") < 13)["item_id"])
    assert flagged == matched
    checkable = {document for document, item in planted if item not in short}
    assert len(checkable) >= 10
    assert checkable <= flagged, "recall 1"
    assert len(flagged & {d for d, _ in planted}) / len(flagged) >= 0.99
