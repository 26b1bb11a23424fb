"""Moving the threshold, comparing sources, and saying what a MinHash setting misses."""

import json
from pathlib import Path

import networkx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.corpus.tokenizer import default_tokenizer, train_tokenizer
from lab.corpus.tokens import count_tokens
from lab.curation.duplicates import (
    DedupConfig,
    MinHash,
    find_duplicates,
    keepers,
    overlap,
    regroup,
    threshold_curve,
)
from lab.curation.duplicates.components import find_components
from lab.curation.duplicates.presets import PRESETS, curve, load_preset, setting_warnings

WORDS = np.array([f"w{k:04d}" for k in range(3000)])


def write_source(ws: Workspace, name: str, texts: list[str]) -> None:
    path = ws.root / f"{name}.jsonl"
    lines = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three sources of 40 passages; those in `b` edit those in `a`, ten in `c` copy them."""
    ws = create(tmp_path_factory.mktemp("threshold") / "ws")
    rng = np.random.default_rng(5)
    passages = [rng.choice(WORDS, 120).tolist() for _ in range(40)]
    edited = []
    for k, words in enumerate(passages):
        copy = list(words)
        for at in rng.choice(len(copy), k % 8, replace=False):
            copy[at] = "edited"
        edited.append(" ".join(copy))
    write_source(ws, "a", [" ".join(words) for words in passages])
    write_source(ws, "b", edited)
    own = [" ".join(rng.choice(WORDS, 90)) for _ in range(30)]
    write_source(ws, "c", [" ".join(words) for words in passages[:10]] + own)
    train_tokenizer(ws, "tiny", vocab_size=400)
    for name in "abc":
        count_tokens(ws, name, default_tokenizer(ws))
    find_duplicates(ws, list("abc"), DedupConfig(minhash=MinHash(jaccard=0.8)))
    return ws


@pytest.mark.parametrize("jaccard", [0.5, 0.7, 0.8, 0.95, 1.0])
def test_regrouping_is_what_finding_at_that_threshold_gives(ws: Workspace, jaccard: float) -> None:
    found = find_duplicates(ws, list("abc"), DedupConfig(minhash=MinHash(jaccard=jaccard)))
    assert regroup(ws, jaccard).equals(found.scan().collect())
    assert len(list((ws.artifacts / "duplicate-pairs").glob("[!.]*"))) == 1


def test_thresholds_without_pairs_are_refused(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"between 0\.5 and 1"):
        regroup(ws, 0.4)
    with pytest.raises(ConfigError, match=r"between 0\.5 and 1"):
        threshold_curve(ws, [0.8, 1.1])
    with pytest.raises(ArtifactMissing) as caught:
        regroup(ws, 0.8, MinHash(20, 13))
    assert "--bands 20 --rows 13" in caught.value.next_step


@pytest.mark.parametrize("keep", [(), ("c", "b")])
def test_the_curve_counts_what_the_policy_drops(ws: Workspace, keep: tuple[str, ...]) -> None:
    tokens = pl.concat(
        [count_tokens(ws, name, "tiny").scan().select("id", "tokens") for name in "abc"]
    ).collect()
    thresholds = (0.5, 0.75, 0.9, 1.0)
    table = threshold_curve(ws, thresholds, keep=keep)
    assert table.height == 4 * 3
    for threshold in thresholds:
        frame = regroup(ws, threshold)
        lost = frame.filter(~keepers(frame, keep)).join(tokens, on="id")
        for name in "abc":
            own = lost.filter(pl.col("source") == name)
            row = table.filter(threshold=threshold, source=name).row(0, named=True)
            assert (row["documents"], row["tokens"]) == (own.height, own["tokens"].sum())
    totals = table.group_by("threshold").agg(pl.col("documents").sum()).sort("threshold")
    assert totals["documents"].to_list() == sorted(totals["documents"], reverse=True)
    assert totals["documents"][-1] >= 10


def test_overlap_is_the_share_of_tokens_with_a_copy_elsewhere(ws: Workspace) -> None:
    table = overlap(ws, 0.8)
    assert table.height == 9 * 2
    frame = regroup(ws, 0.8).with_columns(
        tokens=pl.concat(
            [count_tokens(ws, name, "tiny").scan().select("tokens") for name in "abc"]
        ).collect()["tokens"]
    )
    for row in table.rows(named=True):
        column = f"{row['kind']}_group"
        a = frame.filter(source=row["source_a"])
        b = frame.filter(pl.col("source") == row["source_b"])
        shared = [
            t
            for i, g, t in a.select("id", column, "tokens").rows()
            if g is not None and (b.filter((pl.col(column) == g) & (pl.col("id") != i)).height)
        ]
        assert (row["documents"], row["tokens"]) == (len(shared), sum(shared))
        assert row["share"] == pytest.approx(sum(shared) / a["tokens"].sum())
    exact = table.filter(source_a="c", source_b="a", kind="exact").row(0, named=True)
    assert exact["documents"] == 10


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_components_as_networkx_finds_them(edges: list[tuple[int, int]]) -> None:
    graph = networkx.Graph(edges)
    graph.add_nodes_from(range(20))
    expected = {node: min(part) for part in networkx.connected_components(graph) for node in part}
    ends = np.array(edges, np.uint32).reshape(-1, 2)
    assert find_components(ends[:, 0], ends[:, 1], 20).tolist() == [expected[k] for k in range(20)]


def test_presets_are_printed_with_bands_rows_and_knee() -> None:
    assert load_preset("fineweb").words() == (
        "14 bands x 8 rows = 112 hashes, shingles of 5 words, knee 0.719"
    )
    assert load_preset("lee").minhash == MinHash(450, 20, 5, 0.8)
    assert curve(load_preset("curator").minhash)[0.8] == pytest.approx(0.677, abs=5e-4)
    assert curve(load_preset("rpv2-0.8").minhash)[0.8] == pytest.approx(0.399, abs=5e-4)
    with pytest.raises(ConfigError, match="Unknown MinHash preset") as caught:
        load_preset("finweb")
    assert "fineweb" in caught.value.next_step


def test_swapped_bands_and_rows_are_noticed() -> None:
    assert setting_warnings(MinHash(14, 8)) == []
    for bands, rows in ((8, 14), (20, 450)):
        said = " ".join(setting_warnings(MinHash(bands, rows)))
        assert "look swapped" in said
        assert f"{rows} bands of {bands} rows" in said
    for name, preset in PRESETS.items():
        said = " ".join(setting_warnings(preset.minhash))
        assert "swapped" not in said
        assert ("of pairs at similarity" in said) == (name not in ("lab", "fineweb", "lee")), name
